"""How well chart patterns are found: planted shapes under growing noise, and a random walk, in which none is real.

Noise is the deviation of every close from the planted path, as a share of the shape's height. Recall is the share of
plants found under their own name and place. Precision counts, of all matches of that name in those same bars, those at
the plant: the stretches before and after it are a random walk, which draws shapes of its own.
"""

import statistics
import time
from collections import Counter

from appliance.signals.patterns.finder import PatternFinder, find_patterns
from tests.bench.figures import Figure, figure, show
from tests.unit.patterns.planted import PLANTS, Plant, overlap, plant, walk

NOISES = (0.0, 0.03, 0.06, 0.1, 0.15)
PLANTS_EACH = 30
OVERLAP_MIN = 0.6
WALK_BARS = 20_000
WALKS = 3
ROUNDS = 5


def judged(what: Plant, noise: float) -> tuple[int, int, int]:
    """Return how many plants were found, how many matches lay at a plant, and how many matches there were."""
    found = right = matches = 0
    for seed in range(PLANTS_EACH):
        planted = plant(what, noise, seed)
        named = [match for match in find_patterns(planted.bars) if match.name == planted.name]
        good = sum(overlap(match, planted) > OVERLAP_MIN for match in named)
        found += good > 0
        right += good
        matches += len(named)
    return found, right, matches


def table() -> list[Figure]:
    """Print recall and precision of every shape at every noise, and return those of all together."""
    print("recall/precision in %, at noise of" + "".join(f"{noise:>11.0%}" for noise in NOISES))
    totals = {noise: [0, 0, 0] for noise in NOISES}
    for what in PLANTS:
        cells = []
        for noise in NOISES:
            found, right, matches = judged(what, noise)
            totals[noise] = [a + b for a, b in zip(totals[noise], (found, right, matches), strict=True)]
            precision = f"{100 * right / matches:.0f}" if matches else "-"
            cells.append(f"{100 * found / PLANTS_EACH:>6.0f}/{precision:<4}")
        print(f"  {what.name + ' and mirrored':<34}" + "".join(cells))
    figures = []
    for noise, (found, right, matches) in totals.items():
        recall = 100.0 * found / (PLANTS_EACH * len(PLANTS))
        figures.append(figure(f"patterns: recall at noise {noise:.0%}", recall, "%"))
        figures.append(figure(f"patterns: precision at noise {noise:.0%}", 100.0 * right / matches, "%"))
    return figures


def false_positives() -> list[Figure]:
    """Return how many shapes a random walk shows in a thousand bars, by family."""
    counts: Counter[str] = Counter()
    for seed in range(WALKS):
        counts.update(match.family for match in find_patterns(walk(seed, WALK_BARS)))
    thousands = WALKS * WALK_BARS / 1000.0
    return [
        figure(f"patterns: in 1,000 bars of a random walk, {family}", count / thousands, "")
        for family, count in sorted(counts.items())
    ]


def speed() -> list[Figure]:
    """Return what a bar costs over arrays at both reaches, and one at a time at one reach."""
    bars = walk(1, WALK_BARS)
    rows = list(zip(*(column.tolist() for column in bars), strict=True))
    batch, single = [], []
    for _ in range(ROUNDS):
        started_ns = time.perf_counter_ns()
        find_patterns(bars)
        batch.append((time.perf_counter_ns() - started_ns) / WALK_BARS)
        finder = PatternFinder(2.0)
        started_ns = time.perf_counter_ns()
        for row in rows:
            finder.update(*row)
        single.append((time.perf_counter_ns() - started_ns) / WALK_BARS)
    return [
        figure("patterns: all shapes over arrays, a bar", statistics.median(batch), "ns"),
        figure("patterns: all shapes one bar at a time, a bar", statistics.median(single), "ns"),
    ]


def measure() -> list[Figure]:
    """Return the figures."""
    return [*table(), *false_positives(), *speed()]


if __name__ == "__main__":
    show(measure())
