"""Several timeframes against a plain twin that joins finished bars; nothing unfinished is seen."""

import math

import numpy as np
import pytest

from appliance.core.errors import IndicatorError
from appliance.market.bars import Bar
from appliance.signals.indicators.compute import batch
from appliance.signals.timeframes import TIMEFRAMES, UNKNOWN, Timeframe, Timeframes

MINUTE_NS = 60_000_000_000
DAY_MINUTES = 2_400


def market(minutes: int, seed: int, *, missing: float = 0.0) -> list[Bar]:
    """Return minutes of a random walk, some of them absent."""
    generator = np.random.default_rng(seed)
    close, made = 500_000, []
    for minute in range(minutes):
        opened, close = close, close + int(generator.normal(0.0, 60.0) + 25.0 * math.sin(minute / 400.0))
        if generator.random() < missing:
            continue
        high = max(opened, close) + int(generator.integers(0, 30))
        low = min(opened, close) - int(generator.integers(0, 30))
        made.append(Bar("BTC/USD", minute * MINUTE_NS, opened, high, low, close, 1, 1, 0))
    return made


def twin(bars: list[Bar], frame: Timeframe) -> float:
    """Join the finished bars of one timeframe by their start and compute its direction over arrays."""
    end_ns = bars[-1].start_ns + MINUTE_NS
    groups: dict[int, list[Bar]] = {}
    for bar in bars:
        groups.setdefault(bar.start_ns // frame.length_ns, []).append(bar)
    done = [group for period, group in sorted(groups.items()) if (period + 1) * frame.length_ns <= end_ns]
    data = {
        "high": [float(max(bar.high_ticks for bar in group)) for group in done],
        "low": [float(min(bar.low_ticks for bar in group)) for group in done],
        "close": [float(group[-1].close_ticks) for group in done],
    }
    fast, slow = (batch("ema", data, length=n)["ema"][-1] for n in (8, 21))
    lead = (fast - slow) / batch("atr", data, length=14)["atr"][-1]
    return float(max(min(lead, 1.0), -1.0))


@pytest.mark.parametrize(("seed", "missing"), [(1, 0.0), (2, 0.0), (3, 0.15), (4, 0.5)])
def test_the_confluence_equals_its_twin(seed: int, missing: float) -> None:
    """Shows direction and alignment after many lengths of a market, with minutes missing; fails when a joined bar takes
    in what is not its own, or is folded before it is finished.
    """
    bars, running = market(DAY_MINUTES, seed, missing=missing), Timeframes(MINUTE_NS)
    for number, bar in enumerate(bars, start=1):
        running.update(bar)
        if number < len(bars) - 70 or number % 7:
            continue
        parts = [(frame.weight, twin(bars[:number], frame)) for frame in TIMEFRAMES]
        direction = sum(weight * part for weight, part in parts)
        found = running.confluence
        if missing and bar.start_ns // MINUTE_NS % 60 > 50:
            # The last minutes of an hour may be missing: then it is finished by the next hour's first bar.
            continue
        assert found.direction == pytest.approx(direction, rel=1e-9)
        assert found.alignment == pytest.approx(sum(weight for weight, part in parts if part * direction > 0.0))


def test_an_unfinished_bar_is_not_seen() -> None:
    """Shows that nothing in the minutes of an unfinished hour moves what the hour says, and its end does; fails when a
    timeframe looks into a bar that is still open.
    """
    hour = (Timeframe(60 * MINUTE_NS, 1.0),)
    bars, running = market(60 * 40, 9), Timeframes(MINUTE_NS, hour)
    for bar in bars:
        running.update(bar)
    before = running.confluence
    assert before != UNKNOWN
    last = bars[-1].close_ticks
    for minute in range(60):
        close = last + 3_000 * minute
        bar = Bar("BTC/USD", bars[-1].start_ns + (minute + 1) * MINUTE_NS, close, close, close, close, 1, 1, 0)
        assert running.confluence == before
        running.update(bar)
    assert running.confluence != before


def test_cold_timeframes_are_unknown_and_wrong_lengths_refused() -> None:
    """Shows unknown until the slowest is warm, longer bars leaving shorter timeframes out, and a length that divides
    none refused; fails when a cold timeframe counts as level.
    """
    running = Timeframes(MINUTE_NS)
    for bar in market(21 * 60 - 1, 5):
        running.update(bar)
        assert running.confluence is UNKNOWN
    assert Timeframes(2 * 3_600 * 10**9).confluence is UNKNOWN
    with pytest.raises(IndicatorError, match="do not fill every timeframe"):
        Timeframes(7 * MINUTE_NS)
