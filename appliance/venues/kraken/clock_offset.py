"""How far the venue's clock is from ours, from the pings that are exchanged anyway.

A ping's answer carries when the venue took it in and let it out; whatever the way took, the venue's time then lay
between our sending and our receiving. The quickest of the last exchanges bounds it best.

Our side of it is the monotonic clock: a wall clock that is set between two pings would make the venue's time, and with
it every deadline, wrong by as much, and nobody would know before the last ping from before has been replaced.
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
        # How far the venue's clock is ahead of our monotonic one, or nothing before the first exchange; one plain word,
        # because the health checks look at it from a thread of theirs.
        self.offset_ns: int | None = None

    def note(self, sent_ns: int, venue_in_ns: int, venue_out_ns: int, received_ns: int) -> None:
        """Take one exchange, our times monotonic and the venue's its own; where time went backwards it is left out."""
        round_trip_ns = received_ns - sent_ns - (venue_out_ns - venue_in_ns)
        if round_trip_ns >= 0 and venue_out_ns >= venue_in_ns:
            offset_ns = (venue_in_ns - sent_ns + venue_out_ns - received_ns) // 2
            self._samples.append(_Sample(round_trip_ns, offset_ns))
            self.offset_ns = min(self._samples).offset_ns

    def forget(self) -> None:
        """Forget every exchange, as when the connection is another."""
        self._samples.clear()
        self.offset_ns = None
