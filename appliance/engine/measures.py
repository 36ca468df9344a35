"""How long things take, in fixed buckets: recording allocates nothing however long the appliance runs."""

from array import array

_BUCKETS_PER_DOUBLING = 8
_DOUBLINGS = 40


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


def _bucket(duration_ns: int) -> int:
    doubling = duration_ns.bit_length() - 1
    if doubling >= _DOUBLINGS:
        return _BUCKETS_PER_DOUBLING * _DOUBLINGS - 1
    eighth = ((duration_ns << 3) >> doubling) & 7
    return doubling * _BUCKETS_PER_DOUBLING + eighth


def _upper_ns(bucket: int) -> int:
    doubling, eighth = divmod(bucket, _BUCKETS_PER_DOUBLING)
    return ((_BUCKETS_PER_DOUBLING + eighth + 1) << doubling) >> 3
