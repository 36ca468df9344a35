"""The guardian's own judgement of a remote stop: it believes the owner's signature and nothing of who brought it.

A signature takes some milliseconds of plain arithmetic, too many for one turn that has a button to watch. So it is
checked a few bits a turn, with a pause between, and no more than one a second: a reporter that is broken or hostile can
stop the box only with the owner's word, and can cost it next to nothing.
"""

from collections.abc import Callable
from typing import Final

from appliance.core.clock import NANOSECONDS_PER_MILLISECOND, NANOSECONDS_PER_SECOND
from appliance.core.ed25519 import Check, PublicKey
from appliance.safety.remote_stop import Refusal, RemoteStop, fingerprint, read, refusal

BITS_PER_TURN: Final = 16
_STEP_NS: Final = NANOSECONDS_PER_MILLISECOND
_CHECK_INTERVAL_NS: Final = NANOSECONDS_PER_SECOND
_FAR_NS: Final = 1 << 62


class RemoteStopWatch:
    """Look for a remote stop and judge it."""

    def __init__(
        self,
        page: Callable[[int], bytes | None],
        public_key: bytes,
        device: str,
        wall_ms: Callable[[], int],
    ) -> None:
        """Read messages from this page, signed by this key for this device."""
        self._page = page
        self._key = PublicKey(public_key)
        self._device = device
        self._wall_ms = wall_ms
        self._stop: RemoteStop | None = None
        self._check: Check | None = None
        self._check_ns = 0
        self.fingerprint = fingerprint(public_key)

    def look(self, now_ns: int, last_ms: int) -> RemoteStop | Refusal | None:
        """Return a stop that counts, why one does not, or nothing; the last that counted is never taken again."""
        if self._check is None and now_ns >= self._check_ns:
            return self._begin(now_ns, last_ms)
        return self._go_on()

    def due_ns(self, now_ns: int) -> int:
        """Return when to look again at the latest."""
        return _FAR_NS if self._check is None else now_ns + _STEP_NS

    def _begin(self, now_ns: int, last_ms: int) -> Refusal | None:
        message = self._page(now_ns)
        if message is None:
            return None
        stop = read(message)
        if isinstance(stop, Refusal):
            return stop
        refused = refusal(stop, self._device, self._wall_ms(), last_ms)
        if refused is None:
            self._check_ns = now_ns + _CHECK_INTERVAL_NS
            self._stop, self._check = stop, self._key.begin(stop.signature, stop.signed)
        return refused

    def _go_on(self) -> RemoteStop | Refusal | None:
        if self._check is None or self._stop is None or (good := self._check.step(BITS_PER_TURN)) is None:
            return None
        stop, self._stop, self._check = self._stop, None, None
        return stop if good else Refusal.WRONG_SIGNATURE
