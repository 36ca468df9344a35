"""How far the venue's clock is from ours, from the pings that are exchanged anyway.

A ping's answer carries when the venue took it in and let it out; whatever the way took, the venue's time then lay
between our sending and our receiving. The quickest of the last exchanges bounds it best.
"""

from collections import deque
from typing import Final, NamedTuple

SAMPLES_KEPT: Final = 8


class _Sample(NamedTuple):
    round_trip_ns: int
    offset_ns: int


class ClockOffset:
    """Keep the last exchanges."""

    def __init__(self) -> None:
        self._samples: deque[_Sample] = deque(maxlen=SAMPLES_KEPT)

    @property
    def offset_ns(self) -> int | None:
        """Return how far the venue's clock is ahead of ours, or nothing before the first exchange."""
        return min(self._samples).offset_ns if self._samples else None

    def note(self, sent_ns: int, venue_in_ns: int, venue_out_ns: int, received_ns: int) -> None:
        """Take one exchange, in wall times; one in which time went backwards is left out."""
        round_trip_ns = received_ns - sent_ns - (venue_out_ns - venue_in_ns)
        if round_trip_ns >= 0 and venue_out_ns >= venue_in_ns:
            offset_ns = (venue_in_ns - sent_ns + venue_out_ns - received_ns) // 2
            self._samples.append(_Sample(round_trip_ns, offset_ns))

    def forget(self) -> None:
        """Forget every exchange, as when the connection is another."""
        self._samples.clear()
