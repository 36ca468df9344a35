"""The running features: figures of the catalogue, NaN until warm, in the order the properties read them."""

import math

import pytest

from appliance.kernels.warm_up import ALL_KERNELS, KERNELS, warm_up
from appliance.market.bars import Bar
from appliance.signals import features as f
from appliance.signals.features import Features
from appliance.signals.indicators.compute import batch

PROPERTIES = ("fast", "slow", "true_range", "deviations_from_mean", "log_return", "rate_percent", "directed")


def bars(count: int) -> list[Bar]:
    """Return bars that move in every way."""
    made = []
    for number in range(count):
        close = 10_000 + int(300 * math.sin(number / 5.0)) + 7 * (number % 3)
        made.append(Bar("BTC/USD", number * 60, close - 4, close + 9 + number % 5, close - 11, close, 1 + number, 1, 0))
    return made


def test_each_figure_is_that_of_the_catalogue() -> None:
    """Shows every property after 90 bars equal to the catalogue's indicator over arrays; fails when an index slips."""
    made, running = bars(90), Features()
    for bar in made:
        running.update(bar)
    data = {name: [float(getattr(bar, f"{name}_ticks")) for bar in made] for name in ("open", "high", "low", "close")}

    def last(name: str, word: str = "", back: int = 1, **parameters: float) -> float:
        return float(batch(name, data, **parameters)[word or name][-back])

    close = data["close"][-1]
    gaps = [last("sma", back=k, length=f.CROSS_BARS[0]) - last("sma", back=k, length=f.CROSS_BARS[1]) for k in (2, 1)]
    assert running.fast == last("ema", length=f.FAST_BARS)
    assert running.slow == last("ema", length=f.SLOW_BARS)
    assert running.true_range == last("atr", length=f.RANGE_BARS)
    assert running.deviations_from_mean == pytest.approx(last("zscore", length=f.WINDOW_BARS))
    assert running.log_return == pytest.approx(math.log(close / data["close"][-2]))
    assert running.channel_before == (
        last("donchian", "lower", 2, length=f.CHANNEL_BARS),
        last("donchian", "upper", 2, length=f.CHANNEL_BARS),
    )
    assert running.mean_gap == pytest.approx(tuple(gaps))
    assert running.rate_percent == pytest.approx(last("roc", length=f.WINDOW_BARS))
    assert running.directed == pytest.approx(last("adx", length=f.WINDOW_BARS))
    assert running.close == close


def test_each_figure_is_nan_until_it_is_warm() -> None:
    """Shows the very bar at which each figure appears; fails when a cold one looks like a number."""
    running, first = Features(), dict.fromkeys(PROPERTIES, 0)
    for number, bar in enumerate(bars(60), start=1):
        running.update(bar)
        for name in PROPERTIES:
            if not first[name] and not math.isnan(getattr(running, name)):
                first[name] = number
    assert first == {
        "fast": f.FAST_BARS,
        "slow": f.SLOW_BARS,
        "true_range": f.RANGE_BARS + 1,
        "deviations_from_mean": f.WINDOW_BARS,
        "log_return": 2,
        "rate_percent": f.WINDOW_BARS + 1,
        "directed": 2 * f.WINDOW_BARS,
    }


def test_a_market_that_never_moved_has_no_deviation() -> None:
    """Shows that a flat window gives NaN and no division by zero; fails when it looks like a signal."""
    running = Features()
    for number in range(40):
        running.update(Bar("BTC/USD", number, 5, 5, 5, 5, 1, 1, 0))
    assert math.isnan(running.deviations_from_mean)
    assert (running.fast, running.slow, running.true_range, running.log_return) == (5.0, 5.0, 0.0, 0.0)


def test_every_kernel_is_warmed_up_by_name() -> None:
    """Shows that the warm-up runs each kernel and counts them; fails when one is left to the first trade."""
    for kernels in (KERNELS, ALL_KERNELS):
        told = [(name, number, len(kernels)) for number, (name, _) in enumerate(kernels, start=1)]
        assert list(warm_up(kernels)) == told
