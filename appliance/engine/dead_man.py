"""The venue's own timer, which cancels everything when this side falls silent: when it runs, and when it is set anew.

It covers the whole account, so it would take guards away as well: where nothing but guards is at the venue it is off.
"""

from appliance.core.clock import NANOSECONDS_PER_SECOND
from appliance.core.commands import SetDeadMan
from appliance.trading.scribe import Scribe


class DeadMan:
    """Keep the timer armed for as long as an order is under way."""

    __slots__ = ("_armed_ns", "_scribe", "_timeout_s")

    def __init__(self, scribe: Scribe, timeout_s: int) -> None:
        """Begin not knowing of any."""
        self._scribe = scribe
        self._timeout_s = timeout_s
        self._armed_ns: int | None = None

    def forget(self) -> None:
        """Know of none any more, as after a gap or when it has fired."""
        self._armed_ns = None

    def arm(self) -> None:
        """Arm it before the first order leaves."""
        if self._armed_ns is None:
            self._set()

    def take_over(self) -> None:
        """Set it anew after a gap: one that was armed before would run down and cancel what is sent since."""
        if not self._scribe.ledger.intents_count:
            return
        if self._only_guards:
            self._scribe.ask(SetDeadMan(0))
        else:
            self.arm()

    def refresh(self) -> None:
        """Set it anew when a third of it is over, or switch it off when only guards are left."""
        third_ns = self._timeout_s * NANOSECONDS_PER_SECOND // 3
        if self._armed_ns is None:
            return
        if self._only_guards:
            self.disarm()
        elif self._scribe.now_ns - self._armed_ns >= third_ns:
            self._set()

    def disarm(self) -> None:
        """Switch it off."""
        if self._armed_ns is not None:
            self._armed_ns = None
            self._scribe.ask(SetDeadMan(0))

    @property
    def _only_guards(self) -> bool:
        ledger = self._scribe.ledger
        return bool(ledger.working) and not ledger.in_flight

    def _set(self) -> None:
        self._armed_ns = self._scribe.now_ns
        self._scribe.ask(SetDeadMan(self._timeout_s))
