"""Bars of every kind, against a plain twin that reads the definition: live, in batch, and with late trades."""

from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.core.errors import ConfigError
from appliance.kernels import bars as kernel
from appliance.market.bars import KINDS_MAX, Bar, BarKind, BarSet, bar_kind, time_kind
from appliance.venues.simulator.instruments import BUILT_IN

NAME = "BTC/USD"
LENGTH_NS = 1_000
KINDS = (
    BarKind("short", kernel.TIME, LENGTH_NS),
    BarKind("long", kernel.TIME, 3 * LENGTH_NS),
    BarKind("trades", kernel.TRADES, 4),
    BarKind("volume", kernel.VOLUME, 12),
    BarKind("value", kernel.VALUE, 300),
)
Print = tuple[int, int, int]
# Prices, sizes and steps of time that often stay in a bar, sometimes touch its end, sometimes leave bars empty, and
# sometimes go back.
STEPS = st.lists(
    st.tuples(st.integers(1, 50), st.integers(1, 9), st.sampled_from([0, 1, 200, 499, 1_000, 3_500, -1, -700, -2_500])),
    max_size=80,
)


@dataclass
class Twin:
    """Build one kind of bar from its definition, with lists and no state beyond the trades of the open bar."""

    kind: BarKind
    members: list[Print] = field(default_factory=list)
    closed_until_ns: int = -1
    last_period: int | None = None
    late_count: int = 0

    def pass_time(self, now_ns: int) -> list[Bar]:
        """Close the open period if it has ended."""
        if self.kind.measure != kernel.TIME or not self.members:
            return []
        period = self.members[0][2] // self.kind.length
        if now_ns < (period + 1) * self.kind.length:
            return []
        gap = 0 if self.last_period is None else period - self.last_period - 1
        self.last_period = period
        return [self.close(period * self.kind.length, (period + 1) * self.kind.length, gap)]

    def add(self, trade: Print) -> list[Bar]:
        """Take one trade."""
        bars = self.pass_time(trade[2])
        if self.too_late(trade[2]):
            self.late_count += 1
            return bars
        self.members.append(trade)
        sums = {
            kernel.TIME: 0,
            kernel.TRADES: len(self.members),
            kernel.VOLUME: sum(size for _, size, _ in self.members),
            kernel.VALUE: sum(price * size for price, size, _ in self.members),
        }
        if self.kind.measure != kernel.TIME and sums[self.kind.measure] >= self.kind.length:
            bars.append(self.close(self.members[0][2], trade[2], 0))
        return bars

    def too_late(self, moment: int) -> bool:
        """Tell whether a trade belongs before what is open or closed."""
        if self.kind.measure == kernel.TIME:
            period = moment // self.kind.length
            opened = self.members[0][2] // self.kind.length if self.members else period
            return period < opened or (self.last_period is not None and period <= self.last_period)
        return moment < self.closed_until_ns or (bool(self.members) and moment < self.members[0][2])

    def close(self, began_ns: int, ended_ns: int, gap: int) -> Bar:
        """Return the bar of the trades so far."""
        prices = [price for price, _, _ in self.members]
        volume, count = sum(size for _, size, _ in self.members), len(self.members)
        bar = Bar(
            NAME,
            began_ns,
            prices[0],
            max(prices),
            min(prices),
            prices[-1],
            volume,
            count,
            gap,
            self.kind.name,
            ended_ns,
        )
        self.members, self.closed_until_ns = [], ended_ns
        return bar


def dated(steps: list[Print]) -> list[Print]:
    """Turn steps of time into moments, none before zero."""
    moment, trades = 5_000, []
    for price, size, step in steps:
        moment = max(0, moment + step)
        trades.append((price, size, moment))
    return trades


def of_kind(bars: list[Bar], kind: BarKind) -> list[Bar]:
    """Return the bars of one kind."""
    return [bar for bar in bars if bar.kind == kind.name]


@given(STEPS, st.lists(st.integers(0, 30_000), max_size=10))
def test_every_kind_equals_its_definition(steps: list[Print], glances: list[int]) -> None:
    """Shows that each kind, built beside the others trade by trade with time passing in any way, is the one its
    definition gives, late trades counted alike; fails when a boundary, a gap, a sum or a neighbour moves a trade.
    """
    bars, twins = BarSet(NAME, KINDS), [Twin(kind) for kind in KINDS]
    found: list[Bar] = []
    expected: dict[str, list[Bar]] = {kind.name: [] for kind in KINDS}
    for number, trade in enumerate(dated(steps)):
        for glance in glances[number : number + 1]:
            found += bars.pass_time(glance)
            for twin in twins:
                expected[twin.kind.name] += twin.pass_time(glance)
        found += bars.add(*trade)
        for twin in twins:
            expected[twin.kind.name] += twin.add(trade)
    for twin in twins:
        assert of_kind(found, twin.kind) == expected[twin.kind.name]
        assert bars.late_count(twin.kind.name) == twin.late_count
        assert bars.closed_count(twin.kind.name) == len(expected[twin.kind.name])


@given(STEPS, st.integers(1, 40))
def test_a_batch_gives_the_bars_of_the_live_day(steps: list[Print], cut: int) -> None:
    """Shows that a batch, in any pieces, closes the same bars in the same order as trades one at a time, and leaves the
    same bar open; fails when state is lost between pieces or the room for bars runs out unseen.
    """
    trades = dated(steps) * 3
    live, batch = BarSet(NAME, KINDS), BarSet(NAME, KINDS)
    expected = [bar for trade in trades for bar in live.add(*trade)]
    found: list[Bar] = []
    for start in range(0, len(trades), cut):
        columns = np.array(trades[start : start + cut], np.int64).reshape(-1, 3)
        found += batch.add_many(columns[:, 0], columns[:, 1], columns[:, 2])
    assert found == expected
    assert batch.pass_time(10**9) == live.pass_time(10**9)
    assert batch.latest == live.latest


def test_a_batch_larger_than_the_room_for_bars_loses_none() -> None:
    """Shows that a day with more bars than fit at once comes whole; fails when a piece drops what did not fit."""
    count = 20_000
    bars = BarSet(NAME, (BarKind("each", kernel.TRADES, 1), BarKind("pair", kernel.TRADES, 2)))
    column = np.ones(count, np.int64)
    found = list(bars.add_many(column, column, np.arange(count)))
    assert len(found) == count + count // 2
    assert [bar.end_ns for bar in found if bar.kind == "each"] == list(range(count))


def test_a_bar_ends_where_the_next_begins() -> None:
    """Shows both sides of a boundary of time; fails when a trade at the very end counts for the old bar."""
    bars = BarSet(NAME, KINDS[:1])
    assert bars.add(10, 1, 0) == bars.add(12, 2, LENGTH_NS - 1) == bars.pass_time(LENGTH_NS - 1) == []
    assert bars.add(9, 3, LENGTH_NS) == [Bar(NAME, 0, 10, 12, 10, 12, 3, 2, 0, "short", LENGTH_NS)]
    assert bars.pass_time(2 * LENGTH_NS) == [
        Bar(NAME, LENGTH_NS, 9, 9, 9, 9, 3, 1, 0, "short", 2 * LENGTH_NS),
    ]
    assert bars.pass_time(10 * LENGTH_NS) == []


def test_a_value_beyond_the_ledger_is_left_out_and_counted() -> None:
    """Shows that an absurd trade cannot turn a sum around; fails when the product of price and size overflows."""
    bars = BarSet(NAME, KINDS[4:])
    assert bars.add(10**15 - 1, 10**17 - 1, 1) == []
    assert bars.late_count("value") == 1
    assert [bar.volume_lots for bar in bars.add(300, 1, 2)] == [1]


@pytest.mark.parametrize(
    ("text", "measure", "length"),
    [
        ("5s", kernel.TIME, 5 * 10**9),
        ("15m", kernel.TIME, 900 * 10**9),
        ("1h", kernel.TIME, 3_600 * 10**9),
        ("500 trades", kernel.TRADES, 500),
        ("2 lots", kernel.VOLUME, 2 * 10**8),
        # One tick times one lot of bitcoin is 1e-9 dollars.
        ("10000 value", kernel.VALUE, 10_000 * 10**9),
    ],
)
def test_a_kind_is_named_as_people_say_it(text: str, measure: int, length: int) -> None:
    """Shows what each name means on a real grid; fails when a unit is off by a power of ten."""
    assert bar_kind(text, BUILT_IN[0]) == (text, measure, length)
    if measure == kernel.TIME:
        assert time_kind(length).name == text


@pytest.mark.parametrize("text", ["", "0s", "5", "5 s", "-1m", "1d", "1.5 lots", "100trades"])
def test_another_name_is_refused(text: str) -> None:
    """Shows that a kind nobody can mean stops the start; fails when one is guessed or overflows."""
    with pytest.raises(ConfigError):
        bar_kind(text, BUILT_IN[0])


def test_a_set_has_a_limit_and_no_kind_twice() -> None:
    """Shows both sides of the number of kinds; fails when two rows answer to one name or a set grows without end."""
    many = tuple(BarKind(f"{number}", kernel.TRADES, number) for number in range(1, KINDS_MAX + 2))
    BarSet(NAME, many[:KINDS_MAX])
    for wrong in (many, (), (many[0], many[0])):
        with pytest.raises(ConfigError):
            BarSet(NAME, wrong)
