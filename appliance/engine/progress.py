"""Whether the trader really gets on: the watchdog is fed on proof of work, not on a timer alone.

Three things must move. The loop: events are stepped. The journal: if rows wait, the durable end advances. The input:
market data arrives, or connecting is still being tried. A process that turns round without one of them is hung.
"""

from appliance.core.clock import NANOSECONDS_PER_SECOND

LOOP_NS_MAX = 2 * NANOSECONDS_PER_SECOND
JOURNAL_NS_MAX = 10 * NANOSECONDS_PER_SECOND
INPUT_NS_MAX = 60 * NANOSECONDS_PER_SECOND
FEED_INTERVAL_NS = NANOSECONDS_PER_SECOND


class Progress:
    """Remember when each part last moved."""

    __slots__ = ("_events", "_fed_ns", "_input", "_inputs", "_journal", "_loop", "_sequence")

    def __init__(self, now_ns: int) -> None:
        """Begin as if everything had just moved."""
        self._loop = self._journal = self._input = now_ns
        self._fed_ns = now_ns - FEED_INTERVAL_NS
        self._events = self._inputs = self._sequence = -1

    def note(
        self,
        now_ns: int,
        *,
        events_count: int,
        rows_waiting: int,
        durable_sequence: int,
        input_count: int,
        input_wanted: bool = True,
    ) -> None:
        """Compare the counters with the last ones; nobody misses an input that was stopped on purpose."""
        if events_count != self._events:
            self._events, self._loop = events_count, now_ns
        if rows_waiting == 0 or durable_sequence != self._sequence:
            self._sequence, self._journal = durable_sequence, now_ns
        if input_count != self._inputs or not input_wanted:
            self._inputs, self._input = input_count, now_ns

    def stalled(self, now_ns: int) -> str:
        """Name the part that has not moved for too long, or nothing."""
        if now_ns - self._loop > LOOP_NS_MAX:
            return "loop"
        if now_ns - self._journal > JOURNAL_NS_MAX:
            return "journal"
        return "input" if now_ns - self._input > INPUT_NS_MAX else ""

    def feed_due(self, now_ns: int) -> bool:
        """Tell whether the watchdog is to be fed now."""
        if now_ns - self._fed_ns < FEED_INTERVAL_NS or self.stalled(now_ns):
            return False
        self._fed_ns = now_ns
        return True
