"""How long commits take, in a fixed number of buckets: recording costs no memory however long the appliance runs."""

from array import array

BUCKETS = 32
_NANOSECONDS_PER_MICROSECOND = 1_000


class LatencyHistogram:
    """Count durations in buckets that double: bucket n holds those below 2**n microseconds."""

    __slots__ = ("_counts", "last_ns", "max_ns")

    def __init__(self) -> None:
        self._counts = array("Q", bytes(8 * BUCKETS))
        self.last_ns = 0
        self.max_ns = 0

    def record(self, duration_ns: int) -> None:
        """Count one duration."""
        bucket = (duration_ns // _NANOSECONDS_PER_MICROSECOND).bit_length()
        self._counts[min(bucket, BUCKETS - 1)] += 1
        self.last_ns = duration_ns
        self.max_ns = max(self.max_ns, duration_ns)

    def counts(self) -> tuple[int, ...]:
        """Return how many durations each bucket holds."""
        return tuple(self._counts)

    def total(self) -> int:
        """Return how many durations were counted."""
        return sum(self._counts)
