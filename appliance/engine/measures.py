"""How long things take, in fixed buckets: recording allocates nothing however long the appliance runs."""

from array import array

_BUCKETS_PER_DOUBLING = 8
_DOUBLINGS = 40
_DOUBLINGS_COUNTED = 64


class Spread:
    """Count durations in buckets an eighth of a doubling wide, up to eighteen minutes."""

    __slots__ = ("_counts", "count")

    def __init__(self) -> None:
        """Begin empty."""
        self._counts = array("Q", bytes(8 * _BUCKETS_PER_DOUBLING * _DOUBLINGS))
        self.count = 0

    def record(self, duration_ns: int) -> None:
        """Count one duration."""
        self._counts[_bucket(max(duration_ns, 1))] += 1
        self.count += 1

    def doublings(self) -> tuple[int, ...]:
        """Return the counts by whole doublings, as `Doublings` has them."""
        per = _BUCKETS_PER_DOUBLING
        return (0, *(sum(self._counts[start : start + per]) for start in range(0, per * _DOUBLINGS, per)))

    def quantile_ns(self, permyriad: int) -> int | None:
        """Return the upper end of the bucket that holds this many ten-thousandths of all durations."""
        if self.count == 0:
            return None
        wanted = -(-self.count * permyriad // 10_000)
        seen = 0
        for bucket, count in enumerate(self._counts):
            seen += count
            if seen >= wanted:
                return _upper_ns(bucket)
        return None


class Doublings:
    """Count durations by the doubling they fall into, for where every event is counted.

    A list and one addition: a third of the time of the finer buckets above, a sixth of a Prometheus counter's.
    """

    __slots__ = ("_counts",)

    def __init__(self) -> None:
        """Begin empty."""
        self._counts = [0] * _DOUBLINGS_COUNTED

    def record(self, duration_ns: int) -> None:
        """Count one duration of less than two to the 63 nanoseconds; the sign is not looked at."""
        self._counts[duration_ns.bit_length()] += 1

    def counts(self) -> tuple[int, ...]:
        """Return how many durations lie below each power of two and not below the one before."""
        return tuple(self._counts)


def _bucket(duration_ns: int) -> int:
    doubling = duration_ns.bit_length() - 1
    if doubling >= _DOUBLINGS:
        return _BUCKETS_PER_DOUBLING * _DOUBLINGS - 1
    eighth = ((duration_ns << 3) >> doubling) & 7
    return doubling * _BUCKETS_PER_DOUBLING + eighth


def _upper_ns(bucket: int) -> int:
    doubling, eighth = divmod(bucket, _BUCKETS_PER_DOUBLING)
    return ((_BUCKETS_PER_DOUBLING + eighth + 1) << doubling) >> 3
