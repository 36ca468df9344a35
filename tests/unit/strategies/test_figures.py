"""What bars draw: followed by two strategies, read only at the bar that completes it, and turned into orders."""

from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from appliance.core import events
from appliance.core.config import loads
from appliance.core.values import Side
from appliance.engine.assembly import build_trader
from appliance.kernels.patterns.candles import CANDLES, find_candles
from appliance.market.bars import Bar
from appliance.signals.features import Features
from appliance.signals.figures import Figures
from appliance.signals.patterns.finder import REACHES, Match, find_patterns
from appliance.signals.timeframes import Confluence
from appliance.strategies.candlesticks import Candlesticks
from appliance.strategies.contract import WAIT, Stance
from appliance.strategies.shapes import Shapes
from appliance.trading import records
from appliance.trading.ledger import Ledger
from tests.unit.engine.builders import CONFIG, EPOCH_NS, INSTRUMENTS, MARKET, SECOND_NS, TAG, Rig

NAN = float("nan")
# A calm fall, then its end: a long fall, a small body below it, and a long rise far into the first.
CALM = tuple((1_000 - 6 * number, 1_001 - 6 * number, 994 - 6 * number, 995 - 6 * number) for number in range(24))
RISE = tuple((710 + 6 * number, 716 + 6 * number, 709 + 6 * number, 715 + 6 * number) for number in range(24))
MORNING_STAR = ((856, 857, 815, 816), (806, 809, 801, 804), (812, 855, 811, 854))
EVENING_STAR = ((860, 901, 859, 900), (910, 914, 907, 912), (904, 905, 861, 862))


def bars(rows: tuple[tuple[int, int, int, int], ...]) -> list[Bar]:
    """Return bars of a minute from prices."""
    return [Bar(MARKET, 60 * number * SECOND_NS, *row, 1, 1, 0) for number, row in enumerate(rows)]


def wave(count: int) -> list[Bar]:
    """Return a random walk of bars that draws every kind of figure somewhere."""
    draw = np.random.default_rng(11)
    close = 100_000 + np.cumsum(draw.normal(0.0, 60.0, count)).astype(int)
    opened = np.concatenate([close[:1], close[:-1]]) + draw.integers(-15, 16, count)
    high = np.maximum(opened, close) + draw.integers(0, 40, count)
    low = np.minimum(opened, close) - draw.integers(0, 40, count)
    return bars(tuple(zip(*(column.tolist() for column in (opened, high, low, close)), strict=True)))


def figures(**told: object) -> Features:
    """Stand in for features of exactly these figures, nothing else known."""
    known = {"votes": 0, "words": "", "shapes": (), "broken": None} | told
    rest = {"close": NAN, "channel_before": (NAN, NAN), "confluence": Confluence(NAN, NAN)}
    rest |= {name: known.pop(name) for name in tuple(rest) if name in known}
    return cast("Features", SimpleNamespace(figures=SimpleNamespace(**known), **rest))


def shape(direction: int, quality: float = 0.9) -> Match:
    """Return a shape that points one way."""
    return Match("double bottom", "reversal", direction, quality, 100.0, 9, (1, 2), (1.0, 2.0))


@pytest.mark.parametrize(
    ("votes", "direction", "stance"),
    [
        (2, NAN, Stance.ENTER),
        (2, 0.0, Stance.ENTER),
        (2, -0.1, Stance.WAIT),
        (1, 0.5, Stance.WAIT),
        (-1, 0.5, Stance.WAIT),
        (-2, 0.5, Stance.LEAVE),
    ],
)
def test_candlesticks_need_votes_and_no_fall_of_the_longer_timeframes(
    votes: int, direction: float, stance: Stance
) -> None:
    """Shows both sides of the votes and of the timeframes' direction; fails when one bar's colour is followed, or a
    rise is bought against the hour.
    """
    told = figures(votes=votes, words="morning star", confluence=Confluence(direction, 1.0))
    assert Candlesticks().opinion(told).stance is stance


@pytest.mark.parametrize(
    ("shapes", "direction", "stance"),
    [
        ((shape(1),), NAN, Stance.ENTER),
        ((shape(1, 0.7),), 0.0, Stance.ENTER),
        ((shape(1, 0.69),), 0.0, Stance.WAIT),
        ((shape(1),), -0.1, Stance.WAIT),
        ((shape(0),), 0.5, Stance.WAIT),
        ((shape(1), shape(-1)), 0.5, Stance.LEAVE),
        ((shape(-1, 0.69),), 0.5, Stance.WAIT),
    ],
)
def test_shapes_need_quality_and_nothing_that_says_otherwise(
    shapes: tuple[Match, ...], direction: float, stance: Stance
) -> None:
    """Shows both sides of the quality, a shape without direction, and two that disagree; fails when a poor one or one
    against the hour is bought.
    """
    assert Shapes().opinion(figures(shapes=shapes, confluence=Confluence(direction, 1.0))).stance is stance


@pytest.mark.parametrize("strategy", [Candlesticks(), Shapes()], ids=["candlesticks", "shapes"])
def test_what_broke_is_left_and_what_nobody_follows_is_waited_for(strategy: Candlesticks | Shapes) -> None:
    """Shows a close below the channel left, one on it not, and no figures no opinion; fails when a fall is sat out."""
    assert strategy.opinion(figures(close=9.0, channel_before=(10.0, 20.0))).stance is Stance.LEAVE
    assert strategy.opinion(figures(close=10.0, channel_before=(10.0, 20.0))) == WAIT
    assert strategy.opinion(Features()) == WAIT


def test_a_planted_star_is_told_at_its_last_bar_and_not_before() -> None:
    """Shows a morning star entered at the very bar that completes it and an evening star left; fails when a strategy
    reads the figures of another bar.
    """
    for star, stance in ((MORNING_STAR, Stance.ENTER), (EVENING_STAR, Stance.LEAVE)):
        seen = Features(figures=Figures())
        calm = CALM if star is MORNING_STAR else RISE
        opinions = []
        for bar in bars(calm + star):
            seen.update(bar)
            assert seen.figures is not None
            opinions.append((Candlesticks().opinion(seen).stance, seen.figures.words))
        assert opinions[-1][0] is stance, opinions
        assert "star" in opinions[-1][1]
        assert all(opinion is not Stance.ENTER for opinion, _ in opinions[:-1])


def test_figures_bar_after_bar_are_those_of_the_whole_file() -> None:
    """Shows votes, names and shapes of a thousand bars equal to what the commands find in all of them at once, each at
    the bar at which it is known; fails on any look-ahead, and when a figure is left standing a bar too long.
    """
    market, running = wave(1_000), Figures()
    columns = [[float(getattr(bar, f"{name}_ticks")) for bar in market] for name in ("open", "high", "low", "close")]
    found = find_candles(columns)
    known: dict[int, set[tuple[str, tuple[int, ...]]]] = {}
    for reach in REACHES:
        for match in find_patterns(columns[1:], (reach,)):
            known.setdefault(match.known_bar, set()).add((match.name, match.bars))
    voted = shaped = 0
    for number, bar in enumerate(market):
        running.update(bar)
        signs = np.sign(found[number].astype(int))
        assert running.votes == sum(int(sign) * (candle.bars - 1) for sign, candle in zip(signs, CANDLES, strict=True))
        told = {(match.name, match.bars) for match in running.shapes}
        assert known.get(number, set()) == told
        voted += running.votes != 0
        shaped += bool(told)
    assert voted > 100
    assert shaped > 20


def test_a_rising_shape_ends_where_it_says() -> None:
    """Shows each shape that points up broken at the first close below its level and told once; fails when a level is
    forgotten, or told again at the next bar.
    """
    running, told = Figures(), 0
    standing: Match | None = None
    for bar in wave(2_000):
        running.update(bar)
        expected = standing if standing is not None and bar.close_ticks < standing.ends_at else None
        assert running.broken is expected
        standing = None if expected is not None else standing
        told += expected is not None
        for match in running.shapes:
            standing = match if match.direction > 0 else None if match.direction < 0 else standing
    assert told > 5


def drawn(strategies: str, rows: tuple[tuple[int, int, int, int], ...]) -> Rig:
    """Drive a whole trader through trades that draw these bars of a second."""
    config = CONFIG.replace('["trend"]', strategies)
    rig = Rig(config)
    rig.trader = build_trader(loads(config), INSTRUMENTS, Ledger(), tag=TAG, now_ns=0, wall_ns=EPOCH_NS)
    rig.running()
    for row in rows:
        opened, high, low, close = (630_000 + price for price in row)
        rig.quote(close)
        for price in (opened, high, low, close):
            rig.sequence += 1
            venue_ns = rig.now_ns + EPOCH_NS
            rig.tell(events.TradePrinted(MARKET, price, 1, Side.BUY, rig.sequence, venue_ns))
        rig.pass_time(SECOND_NS)
    rig.bars_count_after(SECOND_NS, quoted=True)
    return rig


def test_a_planted_star_becomes_an_order_of_the_trader_with_its_reason() -> None:
    """Shows that the whole trader buys at a morning star, writes down why, and buys nothing in the same market without
    the star or without the strategy; fails when the figures do not reach the step.
    """
    rig = drawn('["candlesticks", "shapes"]', CALM + MORNING_STAR)
    orders = [order for order in rig.orders() if order.strategy == "candlesticks"]
    assert [order.side for order in orders] == [Side.BUY]
    decisions = [fact for fact in map(records.decode, rig.rows) if isinstance(fact, records.Decision)]
    assert "morning star" in decisions[-1].reasons[0][0]
    assert drawn('["candlesticks", "shapes"]', CALM).orders() == []
    assert drawn('["breakout"]', CALM + MORNING_STAR).orders() == []
