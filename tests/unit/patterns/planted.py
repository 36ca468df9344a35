"""Bars that draw one known shape between stretches of a random walk, with so much noise, and bars that draw none."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from appliance.signals.patterns.finder import Match

Floats = npt.NDArray[np.float64]
Bars = tuple[Floats, Floats, Floats]
LEG_BARS = 14
STEPS_A_BAR = 12
WALK = 0.05


class Plant(NamedTuple):
    """Hold a shape: its name and its mirror image's, its turns, where price goes then, and each leg's share of bars."""

    name: str
    mirrored: str
    turns: tuple[float, ...]
    after: float
    legs: tuple[float, ...] = ()


PLANTS = (
    Plant("double top", "double bottom", (0, 1, 0.4, 1), 0.1),
    Plant("triple top", "triple bottom", (0, 1, 0.45, 1, 0.45, 1), 0.2),
    Plant("head and shoulders", "inverse head and shoulders", (0, 0.75, 0.35, 1.1, 0.35, 0.75), 0),
    Plant("ascending triangle", "descending triangle", (0, 1, 0.3, 1, 0.6, 1), 0.7),
    Plant("symmetrical triangle", "symmetrical triangle", (0, 1, 0.15, 0.85, 0.3, 0.7), 0.4),
    Plant("rising wedge", "falling wedge", (0, 1.12, 0.5, 1.36, 1, 1.6), 0.9),
    Plant("rising channel", "falling channel", (0, 1.2, 0.4, 1.6, 0.8, 2), 1.4),
    Plant("rectangle", "rectangle", (0, 1, 0, 1, 0, 1), 0.3),
    Plant("bull flag", "bear flag", (0, 3, 2.1, 2.8, 1.9), 3, (0.8, 0.6, 0.6, 0.6)),
    Plant("bull pennant", "bear pennant", (0, 3, 1.9, 2.75, 2.2), 3, (0.8, 0.6, 0.6, 0.6)),
    Plant("bullish Gartley", "bearish Gartley", (0, 1, 0.382, 0.764, 0.214), 0.7),
    Plant("bullish Bat", "bearish Bat", (0, 1, 0.55, 0.865, 0.114), 0.7),
    Plant("bullish Butterfly", "bearish Butterfly", (0, 1, 0.214, 0.7, -0.3), 0.5),
    Plant("bullish Crab", "bearish Crab", (0, 1, 0.45, 0.89, -0.618), 0.3),
    Plant("bullish Shark", "bearish Shark", (0, 1, 0.5, 1.15, -0.05), 0.6),
    Plant("bullish Cypher", "bearish Cypher", (0, 1, 0.5, 1.34, 0.287), 0.9),
    Plant("Elliott impulse up", "Elliott impulse down", (0, 1, 0.45, 2.2, 1.5, 2.5), 1.6),
    Plant("Elliott zigzag up", "Elliott zigzag down", (3, 0, 1, 0.5, 1.6), 0.4),
    Plant("Elliott flat up", "Elliott flat down", (3, 0, 1.3, 0.1, 1.5), 0.4),
)


class Planted(NamedTuple):
    """Hold bars and the bars at which the planted shape turns."""

    name: str
    bars: Bars
    turns: tuple[int, ...]


def plant(what: Plant, noise: float, seed: int) -> Planted:
    """Return bars with one shape; noise is the deviation of a close, in units of the shape's height."""
    draw = np.random.default_rng(seed)
    sign = 1.0 if seed % 2 == 0 else -1.0
    before, after = (np.cumsum(draw.normal(0.0, WALK, 60)) for _ in range(2))
    lead = what.turns[0] + (1.0 if what.turns[1] > what.turns[0] else -1.0)
    prices = (lead, *what.turns, what.after)
    legs = (1.0, *(what.legs or (1.0,) * (len(what.turns) - 1)), 0.8)
    lengths = [max(4, round(LEG_BARS * leg * draw.uniform(0.85, 1.15))) for leg in legs]
    turns = len(before) - 1 + np.cumsum(lengths)
    middle = np.interp(np.arange(sum(lengths)), np.cumsum([0, *lengths]), prices) + draw.normal(
        0.0, noise, sum(lengths)
    )
    path = np.concatenate([lead + before - before[-1], middle[1:], what.after + after])
    close = 100.0 + 2.0 * sign * path
    reach = 2.0 * np.abs(draw.normal(0.0, 0.01 + noise / 4.0, (2, len(close))))
    opened = np.concatenate([close[:1], close[:-1]])
    high, low = np.maximum(opened, close) + reach[0], np.minimum(opened, close) - reach[1]
    return Planted(what.name if sign > 0 else what.mirrored, (high, low, close), tuple(map(int, turns[:-1])))


def walk(seed: int, count: int) -> Bars:
    """Return a random walk, whose bars are made of many small steps: no shape in it means anything."""
    steps = np.random.default_rng(seed).normal(0.0, 0.001, (count, STEPS_A_BAR))
    path = np.exp(np.cumsum(steps.ravel())).reshape(count, STEPS_A_BAR) * 100.0
    opened = np.concatenate([[100.0], path[:-1, -1]])
    return np.maximum(opened, path.max(axis=1)), np.minimum(opened, path.min(axis=1)), path[:, -1].copy()


def overlap(match: Match, planted: Planted) -> float:
    """Return how much of both spans a match and a planted shape share."""
    start, end = planted.turns[0], planted.turns[-1]
    shared = min(match.bars[-1], end) - max(match.bars[0], start)
    return max(0.0, shared / (max(match.bars[-1], end) - min(match.bars[0], start)))
