"""The fused pass over bars against a plain twin that keeps every bar and computes each figure by its definition."""

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from appliance.kernels import bar_features as kernel
from appliance.kernels.warm_up import KERNELS, warm_up
from appliance.market.bars import Bar
from appliance.signals.features import Features

# Each bar: where it closes against the last close, and how far it reached beyond both.
STEPS = st.lists(
    st.tuples(st.sampled_from([-700, -40, -3, 0, 0, 0, 2, 50, 900]), st.integers(0, 300), st.integers(0, 300)),
    min_size=1,
    max_size=70,
)
Steps = list[tuple[int, int, int]]
NAN = float("nan")


def walk(steps: Steps) -> list[tuple[int, int, int]]:
    """Return high, low and close of every bar."""
    close, bars = 100_000, []
    for move, above, below in steps:
        opened, close = close, close + move
        bars.append((max(opened, close) + above, min(opened, close) - below, close))
    return bars


def exponential(values: list[float], bars: int) -> float:
    """Average exponentially with a span, beginning at the first value."""
    average = values[0]
    for value in values[1:]:
        average += (value - average) * (2.0 / (bars + 1.0))
    return average if len(values) >= bars else NAN


def average_range(bars: list[tuple[int, int, int]]) -> float:
    """Average true ranges after Wilder, simply until the window is full."""
    average = 0.0
    for number, (high, low, _) in enumerate(bars):
        previous = bars[number - 1][2] if number else None
        reach = high - low if previous is None else max(high - low, abs(high - previous), abs(low - previous))
        average += (reach - average) / min(number + 1, kernel.RANGE_BARS)
    return average if len(bars) >= kernel.RANGE_BARS else NAN


def twin(bars: list[tuple[int, int, int]]) -> list[float]:
    """Compute every feature of the last bar from all bars so far."""
    closes = [float(close) for _, _, close in bars]
    window = closes[-kernel.WINDOW_BARS :]
    warm = len(window) == kernel.WINDOW_BARS
    mean = math.fsum(window) / len(window)
    deviation = math.sqrt(math.fsum((close - mean) ** 2 for close in window) / len(window))
    return [
        exponential(closes, kernel.FAST_BARS),
        exponential(closes, kernel.SLOW_BARS),
        average_range(bars),
        mean if warm else NAN,
        deviation if warm else NAN,
        math.log(closes[-1] / closes[-2]) if len(closes) > 1 else NAN,
    ]


@settings(max_examples=60)
@given(STEPS)
@example([(0, 0, 0)] * 40)
@example([(5, 0, 0)] + [(0, 0, 0)] * 60 + [(-3, 1, 1)])
def test_the_kernel_equals_its_twin(steps: Steps) -> None:
    """Shows every figure after every bar equal to 1e-12, flat runs included; fails when a formula differs."""
    state, ring = np.zeros(kernel.STATE_LENGTH), np.zeros(kernel.WINDOW_BARS)
    out = np.full(kernel.OUT_LENGTH, np.nan)
    bars = walk(steps)
    for number, (high, low, close) in enumerate(bars, start=1):
        kernel.update(state, ring, float(high), float(low), float(close), out)
        np.testing.assert_allclose(out, twin(bars[:number]), rtol=1e-12, atol=1e-12, equal_nan=True)


def test_each_figure_is_nan_until_it_is_warm() -> None:
    """Shows the very bar at which each figure appears; fails when a cold one looks like a number."""
    features = Features()
    first = dict.fromkeys(("fast", "slow", "true_range", "deviations_from_mean", "log_return"), 0)
    for number in range(1, 60):
        close = 1_000 + number % 7
        features.update(Bar("BTC/USD", number, close, close + 1, close - 1, close, 1, 1, 0))
        for name in first:
            if not first[name] and not math.isnan(getattr(features, name)):
                first[name] = number
    assert first == {
        "fast": kernel.FAST_BARS,
        "slow": kernel.SLOW_BARS,
        "true_range": kernel.RANGE_BARS,
        "deviations_from_mean": kernel.WINDOW_BARS,
        "log_return": 2,
    }


def test_a_market_that_never_moved_has_no_deviation() -> None:
    """Shows that a flat window gives NaN and no division by zero; fails when it looks like a signal."""
    features = Features()
    for number in range(40):
        features.update(Bar("BTC/USD", number, 5, 5, 5, 5, 1, 1, 0))
    assert math.isnan(features.deviations_from_mean)
    assert (features.fast, features.slow, features.true_range, features.log_return) == (5.0, 5.0, 0.0, 0.0)


def test_the_deviation_is_measured_from_the_mean() -> None:
    """Shows a close one step above a flat window by hand; fails when the sign or the divisor is wrong."""
    features = Features()
    bars = kernel.WINDOW_BARS
    for number in range(bars):
        close = 1_000 + (bars if number == bars - 1 else 0)
        features.update(Bar("BTC/USD", number, close, close, close, close, 1, 1, 0))
    assert features.deviations_from_mean == pytest.approx((bars - 1) / math.sqrt(bars - 1))


def test_every_kernel_is_warmed_up_by_name() -> None:
    """Shows that the warm-up runs each kernel and counts them; fails when one is left to the first trade."""
    assert list(warm_up()) == [(name, number, len(KERNELS)) for number, (name, _) in enumerate(KERNELS, start=1)]
