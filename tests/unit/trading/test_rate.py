"""The token bucket between us and the venue."""

from hypothesis import given
from hypothesis import strategies as st

from appliance.core.clock import NANOSECONDS_PER_SECOND
from appliance.core.commands import AskOrder, SendCancel, SendCancelAll, SendOrder, SetDeadMan
from appliance.core.values import OrderKind, Side
from appliance.trading.rate import TokenBucket

ENTRY = SendOrder("a", "BTC/USD", Side.BUY, OrderKind.LIMIT, 1, 1, reduce_only=False, deadline_ms=1, trace=0)
REDUCTION = SendOrder("b", "BTC/USD", Side.SELL, OrderKind.MARKET, 0, 1, reduce_only=True, deadline_ms=1, trace=0)
CANCEL = SendCancel("a")


def test_entries_leave_the_reserve_to_what_lessens_risk() -> None:
    """Show that entries stop at the reserve and cancels go on to the bottom; fails when entries can use it up."""
    bucket = TokenBucket(1, 10, 4, 0)
    assert [bucket.admits(ENTRY, 0) for _ in range(8)] == [True] * 6 + [False] * 2
    assert not bucket.admits(AskOrder("a"), 0)
    assert all(bucket.admits(command, 0) for command in (CANCEL, REDUCTION, SendCancelAll(), SetDeadMan(0)))
    assert not bucket.admits(CANCEL, 0)
    assert bucket.refused_count == 4


def test_tokens_come_back_with_time_up_to_the_burst() -> None:
    """Show the long-run rate and its cap; fails when a long silence buys more than one burst."""
    bucket = TokenBucket(2, 3, 0, 0)
    assert [bucket.admits(ENTRY, 0) for _ in range(4)] == [True, True, True, False]
    half_s = NANOSECONDS_PER_SECOND // 2
    assert bucket.admits(ENTRY, half_s)
    assert not bucket.admits(ENTRY, half_s)
    late_ns = 1_000 * NANOSECONDS_PER_SECOND
    assert [bucket.admits(ENTRY, late_ns) for _ in range(4)] == [True, True, True, False]


@given(
    st.lists(st.tuples(st.integers(-10, 10**9), st.booleans()), max_size=200), st.integers(1, 20), st.integers(1, 20)
)
def test_no_span_of_time_sees_more_than_its_rate_and_one_burst(
    asks: list[tuple[int, bool]], rate_per_s: int, burst_count: int
) -> None:
    """Show that no pattern of asking, time standing or stepping back included, gets more; fails on a lost clamp."""
    bucket = TokenBucket(rate_per_s, burst_count, 0, 0)
    now_ns = latest_ns = granted = 0
    for step_ns, cancel in asks:
        now_ns += step_ns
        latest_ns = max(latest_ns, now_ns)
        granted += bucket.admits(CANCEL if cancel else ENTRY, now_ns)
    assert granted <= burst_count + latest_ns * rate_per_s // NANOSECONDS_PER_SECOND
