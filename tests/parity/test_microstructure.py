"""The figures of book and flow against plain twins written from the papers' definitions."""

import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.kernels import book
from appliance.kernels import microstructure as kernel
from appliance.market.microstructure import NAMES, Microstructure

HALF_LIFE_NS = 1_000
Side = list[tuple[int, int]]
SIDES = st.tuples(
    st.dictionaries(st.integers(1, 15), st.integers(1, 50), max_size=14),
    st.dictionaries(st.integers(1, 15), st.integers(1, 50), max_size=14),
    st.integers(0, 2_500),
)


def test_the_pressure_of_a_book_is_between_its_two_ends() -> None:
    """Shows a book without figures unknown, one that only buyers add to leaning to them, and the other way round; fails
    when the sign is turned or a missing side counts.
    """
    micro = Microstructure()
    assert math.isnan(micro.pressure)
    micro.update(rows_with([(10, 50)], [(12, 1)], 0), 0)
    micro.update(rows_with([(10, 90)], [(12, 1)], 1), 0)
    assert 0.5 < micro.pressure <= 1.0
    micro.update(rows_with([(10, 1)], [(12, 90)], 2), 0)
    assert -1.0 <= micro.pressure < -0.5


def rows_with(bids: Side, asks: Side, venue_ns: int) -> book.Integers:
    """Return a live book that holds these levels."""
    rows = book.rows_for(1, book.DEPTHS[1])
    for side, levels in enumerate((bids, asks)):
        for price, size in levels:
            book.apply_level(rows, 0, side, price, size)
    rows[0, book.VENUE_NS] = venue_ns
    return rows


class Twin:
    """Keep whole levels as lists and follow the definitions."""

    def __init__(self) -> None:
        self.before: tuple[Side, Side] | None = None
        self.at_ns = 0
        self.micro = 0.0
        self.faded = {"best": 0.0, "all": 0.0, "micro": 0.0}

    def update(self, bids: Side, asks: Side, now_ns: int) -> dict[str, float] | None:
        """Take a book in and return its figures."""
        bids, asks = bids[: kernel.LEVELS], asks[: kernel.LEVELS]
        if not bids or not asks:
            self.before = None
            return None
        (bid, bid_size), (ask, ask_size) = bids[0], asks[0]
        micro = (bid * ask_size + ask * bid_size) / (bid_size + ask_size)
        if self.before is None:
            self.faded = dict.fromkeys(self.faded, 0.0)
        else:
            keep = 0.5 ** (max(0, now_ns - self.at_ns) / HALF_LIFE_NS)
            flows = [
                added(self.before[0], bids, level, 1) - added(self.before[1], asks, level, -1)
                for level in range(kernel.LEVELS)
            ]
            new = {
                "best": flows[0],
                "all": sum(flow / (level + 1) for level, flow in enumerate(flows)),
                "micro": micro - self.micro,
            }
            self.faded = {name: self.faded[name] * keep + new[name] for name in new}
        self.at_ns = now_ns if self.before is None else max(now_ns, self.at_ns)
        self.before, self.micro = (bids, asks), micro
        near = [sum(size / (level + 1) for level, (_, size) in enumerate(side)) for side in (bids, asks)]
        depths = [sum(size for _, size in side) for side in (bids, asks)]
        values = (
            micro,
            self.faded["micro"],
            (bid + ask) / 2,
            ask - bid,
            (bid_size - ask_size) / (bid_size + ask_size),
            (near[0] - near[1]) / sum(near),
            self.faded["best"],
            self.faded["all"],
            depths[0],
            depths[1],
            (bid - bids[-1][0]) / depths[0],
            (asks[-1][0] - ask) / depths[1],
        )
        return dict(zip(NAMES, values, strict=False))


def added(before: Side, now: Side, level: int, sign: int) -> float:
    """Return what one level contributes to the flow of its side."""
    if level >= len(before) or level >= len(now):
        return 0.0
    (old_price, old_size), (new_price, new_size) = before[level], now[level]
    if new_price == old_price:
        return new_size - old_size
    return new_size if (new_price - old_price) * sign > 0 else -old_size


@given(st.lists(SIDES, max_size=12))
@settings(deadline=None)
def test_the_figures_of_a_book_are_those_of_the_definitions(
    looks: list[tuple[dict[int, int], dict[int, int], int]],
) -> None:
    """Shows that every figure equals a plain reading of its definition over any run of books, thin, empty and deep;
    fails when a level, a side, a sign or the fading is off.
    """
    fast, twin, now_ns = Microstructure(HALF_LIFE_NS), Twin(), 1
    for bid_sizes, ask_sizes, step_ns in looks:
        now_ns += step_ns
        bids = sorted(((100 - price, size) for price, size in bid_sizes.items()), reverse=True)
        asks = sorted((100 + price, size) for price, size in ask_sizes.items())
        expected = twin.update(bids, asks, now_ns)
        assert fast.update(rows_with(bids, asks, now_ns), 0) is (expected is not None)
        found = fast.figures()
        for name in NAMES[:-1]:
            wanted = math.nan if expected is None else expected[name]
            assert found[name] == pytest.approx(wanted, rel=1e-9, abs=1e-9, nan_ok=True), name


def plain_vpin(trades: list[tuple[float, float]]) -> float:
    """Cut the volume into bars of single lots' pieces, classify each bar, and average the last buckets."""
    head, rest = trades[: kernel.WARM_TRADES], trades[kernel.WARM_TRADES :]
    bar_lots = max(1.0, sum(lots for _, lots in head) / len(head) * kernel.TRADES_PER_BAR)
    opened, variance, filled = head[-1][0], 0.0, 0.0
    shares: list[float] = []
    for price, lots in rest:
        filled += lots
        while filled >= bar_lots:
            filled -= bar_lots
            change = price - opened
            variance += (change**2 - variance) * kernel.VARIANCE_WEIGHT
            shares.append(NormalDist(0.0, math.sqrt(variance)).cdf(change) if variance > 0.0 else 0.5)
            opened = price
    per = kernel.BARS_PER_BUCKET
    buckets = [
        abs(2.0 * sum(shares[start : start + per]) / per - 1.0) for start in range(0, len(shares) - per + 1, per)
    ]
    return sum(buckets[-kernel.BUCKETS :]) / kernel.BUCKETS if len(buckets) >= kernel.BUCKETS else math.nan


@pytest.mark.parametrize("trend", [0.0, 0.05, -0.4])
def test_vpin_is_that_of_its_definition(trend: float) -> None:
    """Shows that VPIN equals a plain reading of bulk classification, before it is warm and after; fails when a bar, a
    bucket or a trade larger than a bar is cut wrongly.
    """
    dice = np.random.default_rng(7)
    lots = dice.integers(1, 60, 4_000).astype(float)
    lots[::397] = 2_000.0
    prices = 1_000.0 + np.cumsum(dice.normal(trend, 1.0, 4_000)).round()
    fast = Microstructure()
    trades: list[tuple[float, float]] = []
    for number, (price, size) in enumerate(zip(prices.tolist(), lots.tolist(), strict=True)):
        fast.traded(int(price), int(size))
        trades.append((price, size))
        if number % 500 == 499:
            assert fast.vpin == pytest.approx(plain_vpin(trades), rel=1e-9, nan_ok=True)
    assert 0.0 <= fast.vpin <= 1.0


def test_one_sided_flow_is_toxic_and_balanced_flow_is_not() -> None:
    """Shows that VPIN is high when all trades push one way and low when they go back and forth; fails when it measures
    something else than one-sidedness.
    """
    pushed, balanced = Microstructure(), Microstructure()
    for number in range(20_000):
        pushed.traded(1_000 + number, 10)
        balanced.traded(1_000 + (number // 5) % 2, 10)
    assert pushed.vpin > 0.6
    assert balanced.vpin < 0.25


def test_an_absurd_trade_takes_bounded_time() -> None:
    """Shows that one trade of any size fills the window once and no more; fails when it is cut up without end."""
    micro = Microstructure()
    for _ in range(kernel.WARM_TRADES):
        micro.traded(100, 1)
    micro.traded(101, 10**17)
    assert 0.0 <= micro.vpin <= 1.0


def test_a_forgotten_book_gives_no_figures() -> None:
    """Shows that nothing of a book that was lost is left; fails when a stale figure or its flow would be acted on."""
    micro = Microstructure()
    micro.update(rows_with([(99, 5)], [(101, 7)], 1), 0)
    assert micro.microprice_ticks == pytest.approx((99 * 7 + 101 * 5) / 12)
    micro.forget()
    assert all(math.isnan(figure) for figure in micro.figures().values())
    micro.update(rows_with([(99, 50)], [(101, 7)], 2), 0)
    assert micro.flow_imbalance == 0.0
