"""Every model feature by its definition, from all bars so far, in plain Python: the oracle of the fused kernel."""

import itertools
import math
from collections.abc import Sequence
from typing import NamedTuple

NAN = float("nan")
WINDOW, SWING, SHORT, WARM = 24, 14, 6, 25


class Plain(NamedTuple):
    """Hold one bar."""

    place: int
    open: float
    high: float
    low: float
    close: float
    volume: float


def exponential(values: Sequence[float], span: int) -> list[float]:
    """Average exponentially, beginning at the first value."""
    found: list[float] = []
    for value in values:
        found.append(value if not found else found[-1] + (value - found[-1]) * 2.0 / (span + 1.0))
    return found


def wilder(values: Sequence[float]) -> float:
    """Average after Wilder, simply until fourteen values are in."""
    average = 0.0
    for number, value in enumerate(values, start=1):
        average += (value - average) / min(number, SWING)
    return average


def quotient(over: float, under: float, neutral: float) -> float:
    """Divide, or return the neutral value."""
    return over / under if under > 0.0 else neutral


def mean(values: Sequence[float]) -> float:
    """Return the exactly rounded mean."""
    return math.fsum(values) / len(values)


def deviation(values: Sequence[float]) -> float:
    """Return the population deviation."""
    middle = mean(values)
    return math.sqrt(mean([(value - middle) ** 2 for value in values]))


def movements(bars: Sequence[Plain]) -> tuple[float, float, float]:
    """Return smoothed +DM and -DM, and the smoothed distance between them."""
    plus: list[float] = []
    minus: list[float] = []
    strength: list[float] = []
    for before, bar in itertools.pairwise(bars):
        up, down = bar.high - before.high, before.low - bar.low
        plus.append(up if up > down and up > 0 else 0.0)
        minus.append(down if down > up and down > 0 else 0.0)
        p, m = wilder(plus), wilder(minus)
        strength.append(quotient(abs(p - m), p + m, 0.0))
    return wilder(plus), wilder(minus), wilder(strength)


def frame(bars: Sequence[Plain]) -> list[float]:
    """Return the 34 figures of one frame after these bars."""
    if len(bars) < WARM:
        return [NAN] * 34
    last, closes = bars[-1], [bar.close for bar in bars]
    returns = [math.log(after / before) for before, after in itertools.pairwise(closes)]
    reaches = [bars[0].high - bars[0].low] + [
        max(bar.high - bar.low, abs(bar.high - before.close), abs(bar.low - before.close))
        for before, bar in itertools.pairwise(bars)
    ]
    reach = wilder(reaches)
    fast, middle, slow = (exponential(closes, span) for span in (6, 12, 24))
    line = [f - s for f, s in zip(fast, slow, strict=True)]
    gains = wilder([max(b - a, 0.0) for a, b in itertools.pairwise(closes)])
    losses = wilder([max(a - b, 0.0) for a, b in itertools.pairwise(closes)])
    window, swing = bars[-WINDOW:], bars[-SWING:]
    variance = returns[0] ** 2
    for step in returns[1:]:
        variance += (step * step - variance) * (1.0 - 0.94)
    plus, minus, strength = movements(bars)
    out = [math.log(last.close / closes[-1 - back]) for back in (1, 3, 6, 12, 24)]
    out += [quotient(last.close - average[-1], reach, 0.0) for average in (fast, middle, slow)]
    out += [quotient(line[-1], reach, 0.0), quotient(line[-1] - exponential(line, 9)[-1], reach, 0.0)]
    out.append(quotient(gains, gains + losses, 0.5))
    for part in (swing, window):
        bottom, top = min(bar.low for bar in part), max(bar.high for bar in part)
        out.append(quotient(last.close - bottom, top - bottom, 0.5))
    bottom, top = min(bar.low for bar in window), max(bar.high for bar in window)
    out += [quotient(top - bottom, reach, 0.0), reach / last.close, math.sqrt(variance)]
    out += spread_figures(bars, returns)
    out += shape_figures(last)
    out += [strength, quotient(plus - minus, plus + minus, 0.0)]
    return out + volume_figures(bars, reach) + path_figures(closes, returns)


def spread_figures(bars: Sequence[Plain], returns: Sequence[float]) -> list[float]:
    """Return volatility ratio, Parkinson, Garman-Klass and the distance from the mean."""
    window = bars[-WINDOW:]
    wide = [math.log(bar.high / bar.low) for bar in window]
    bodies = [math.log(bar.close / bar.open) for bar in window]
    garman = mean([0.5 * w * w - (2 * math.log(2) - 1) * b * b for w, b in zip(wide, bodies, strict=True)])
    closes = [bar.close for bar in window]
    return [
        quotient(deviation(returns[-SHORT:]), deviation(returns[-WINDOW:]), 1.0),
        math.sqrt(mean([w * w for w in wide]) / (4 * math.log(2))),
        math.sqrt(max(garman, 0.0)),
        quotient(closes[-1] - mean(closes), deviation(closes), 0.0),
    ]


def shape_figures(bar: Plain) -> list[float]:
    """Return body and wicks."""
    height = bar.high - bar.low
    return [
        quotient(bar.close - bar.open, height, 0.0),
        quotient(bar.high - max(bar.open, bar.close), height, 0.0),
        quotient(min(bar.open, bar.close) - bar.low, height, 0.0),
    ]


def volume_figures(bars: Sequence[Plain], reach: float) -> list[float]:
    """Return volume ratio, signed volume, distance from VWAP, money flow and illiquidity."""
    usual = exponential([bar.volume for bar in bars], WINDOW)[-1]
    pairs = list(zip(bars[-WINDOW - 1 :], bars[-WINDOW:], strict=False))
    total = math.fsum(bar.volume for _, bar in pairs)
    signed = math.fsum(bar.volume * ((bar.close > was.close) - (bar.close < was.close)) for was, bar in pairs)
    typical = [(bar.high + bar.low + bar.close) / 3 for bar in bars[-WINDOW - 1 :]]
    value = math.fsum(bar.volume * price for (_, bar), price in zip(pairs, typical[1:], strict=True))
    flows = [
        (after - before, pair[1].volume * after)
        for before, after, pair in zip(typical, typical[1:], pairs, strict=False)
    ]
    flow = math.fsum(amount for move, amount in flows[-SWING:] if move != 0)
    inflow = math.fsum(amount for move, amount in flows[-SWING:] if move > 0)
    impacts = [
        abs(math.log(bar.close / was.close)) / (bar.volume * bar.close) if bar.volume > 0 else None
        for was, bar in pairs
    ]
    long = [one for one in impacts if one is not None]
    short = [one for one in impacts[-SHORT:] if one is not None]
    return [
        math.log(max(bars[-1].volume, 1e-3 * usual) / usual) if usual > 0 else 0.0,
        quotient(signed, total, 0.0),
        quotient(bars[-1].close - value / total, reach, 0.0) if total > 0 else 0.0,
        quotient(inflow, flow, 0.5),
        math.log(mean(short) / mean(long)) if short and math.fsum(short) > 0 else 0.0,
    ]


def path_figures(closes: Sequence[float], returns: Sequence[float]) -> list[float]:
    """Return skew, correlation with the bar before, the share of rises and the efficiency of the way."""
    window = returns[-WINDOW:]
    middle, spread = mean(window), deviation(window)
    away = [step - middle for step in window]
    pairs = math.fsum(a * b for a, b in itertools.pairwise(away))
    way = math.fsum(abs(b - a) for a, b in zip(closes[-WINDOW - 1 :], closes[-WINDOW:], strict=False))
    return [
        quotient(mean([a**3 for a in away]), spread**3, 0.0),
        quotient(pairs, math.fsum(a * a for a in away), 0.0),
        sum(step > 0 for step in window) / WINDOW,
        quotient(abs(closes[-1] - closes[-1 - WINDOW]), way, 0.0),
    ]


def gathered(bars: Sequence[Plain], multiple: int) -> list[Plain]:
    """Return the slower bars that are over after these base bars."""
    groups: dict[int, list[Plain]] = {}
    for bar in bars:
        groups.setdefault(bar.place // multiple, []).append(bar)
    now = bars[-1].place
    return [
        Plain(
            number,
            group[0].open,
            max(bar.high for bar in group),
            min(bar.low for bar in group),
            group[-1].close,
            math.fsum(bar.volume for bar in group),
        )
        for number, group in groups.items()
        if (number + 1) * multiple <= now + 1
    ]


def features(bars: Sequence[Plain], base_s: int) -> list[float]:
    """Return all figures but the book's after these base bars; a long hole begins anew."""
    begin = 0
    for number in range(1, len(bars)):
        if bars[number].place - bars[number - 1].place > 24:
            begin = number
    bars = bars[begin:]
    frames = [frame(gathered(bars, multiple)) for multiple in (1, 3, 12)]
    end_s = (bars[-1].place + 1) * base_s
    day, weekday = end_s % 86_400 / 86_400, (end_s // 86_400 + 3) % 7
    week = (weekday + day) / 7
    calendar = [math.sin(2 * math.pi * day), math.cos(2 * math.pi * day)]
    calendar += [math.sin(2 * math.pi * week), math.cos(2 * math.pi * week), float(weekday >= 5)]
    slow = frames[2][15]
    cross = [NAN if math.isnan(slow) else quotient(frames[0][15] * math.sqrt(12), slow, 1.0)]
    signs = [math.copysign(1.0, one[7]) if one[7] != 0 else 0.0 for one in frames]
    cross.append(NAN if any(math.isnan(one[7]) for one in frames) else sum(signs) / 3)
    return [*frames[0], *frames[1], *frames[2], *calendar, *cross]
