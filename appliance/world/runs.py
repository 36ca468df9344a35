"""Many seeds, each (or a declared sample of them) run twice in two processes that hash differently, and their sum.

The second run of a seed happens in another process on purpose: each process orders its sets and hashes its texts in a
way of its own, so a decision that hangs on such an order gives two different digests here and not on the appliance.
"""

import logging
import multiprocessing
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from functools import partial
from typing import NamedTuple

from appliance.world.coverage import Turn, unseen
from appliance.world.faults import NAMES
from appliance.world.journal_faults import NAME as JOURNAL_NAME
from appliance.world.later_faults import LATER_NAMES
from appliance.world.planted import BUGS, Catch, hunt
from appliance.world.reporter_faults import REPORTER_NAMES
from appliance.world.scale import Scale
from appliance.world.simulation import Outcome, run_seed

# Fewer seeds than this cannot be expected to meet every kind of fault.
JUDGED_FROM_SEEDS = 20
ALONE_UP_TO_SEEDS = 2
# A reporter runs, a journal is damaged and later kinds strike in some of the worlds only.
FURTHER_JUDGED_FROM_SEEDS = 80
_CHUNK = 2


class Problem(NamedTuple):
    """Say what is wrong with one seed."""

    seed: int
    invariant: int
    sentence: str


class Report(NamedTuple):
    """Add up a run."""

    seeds_count: int
    simulated_ns: int
    events: Counter[str]
    happened: Counter[str]
    problems: tuple[Problem, ...]
    never_happened: tuple[str, ...]
    twice_count: int
    turns: Counter[Turn]
    unseen: tuple[str, ...]

    @property
    def good(self) -> bool:
        """Tell whether nothing was found and enough was shown."""
        return not self.problems and not self.never_happened and not self.unseen


def examine(seeds: range, scale: Scale, progress: Callable[[int], None], twice_every: int = 1) -> Report:
    """Run the seeds, every so-manieth twice, and return what was found, and what never happened."""
    outcomes: list[Outcome] = []
    problems: list[Problem] = []
    for number, (first, second) in enumerate(_pairs(seeds, scale, twice_every), start=1):
        outcomes.append(first)
        problems += _problems(first, second)
        progress(number)
    turns = sum((outcome.turns for outcome in outcomes), Counter[Turn]())
    judged = len(seeds) >= JUDGED_FROM_SEEDS
    return Report(
        len(seeds),
        sum(outcome.simulated_ns for outcome in outcomes),
        sum((outcome.events for outcome in outcomes), Counter()),
        _happened(outcomes),
        tuple(problems),
        never_happened(outcomes, wanted_names(len(seeds))),
        len(seeds[::twice_every]),
        turns,
        tuple(unseen(turns, len(seeds))) if judged else (),
    )


def wanted_names(seeds_count: int) -> tuple[str, ...]:
    """Return the faults that so many seeds must have met."""
    if seeds_count < JUDGED_FROM_SEEDS:
        return ()
    further = (*REPORTER_NAMES, JOURNAL_NAME, *LATER_NAMES) if seeds_count >= FURTHER_JUDGED_FROM_SEEDS else ()
    return (*NAMES, *further)


def never_happened(outcomes: Sequence[Outcome], names: Sequence[str]) -> tuple[str, ...]:
    """Return the faults that took effect in none of the worlds: nothing was shown about them."""
    happened = _happened(outcomes)
    return tuple(name for name in names if not happened[name])


def _happened(outcomes: Sequence[Outcome]) -> Counter[str]:
    return sum((outcome.happened for outcome in outcomes), Counter())


def hunt_all(first: int, scale: Scale, progress: Callable[[int], None]) -> list[Catch]:
    """Look for every planted bug."""
    catches = []
    with _pool(2) as pool:
        for number, catch in enumerate(pool.map(partial(hunt, first=first, scale=scale), _bug_names()), start=1):
            catches.append(catch)
            progress(number)
    return catches


def _bug_names() -> list[str]:
    return [bug.name for bug in BUGS]


def _pairs(seeds: range, scale: Scale, twice_every: int) -> Iterator[tuple[Outcome, Outcome | None]]:
    run = partial(run_seed, scale=scale)
    again = seeds[::twice_every]
    if len(seeds) <= ALONE_UP_TO_SEEDS:
        yield from ((run(seed), run(seed) if seed in again else None) for seed in seeds)
        return
    cores = max(os.cpu_count() or 1, 2)
    with ExitStack() as stack:
        one = stack.enter_context(_pool(cores if twice_every > 1 else cores // 2))
        other = stack.enter_context(_pool(1 if twice_every > 1 else cores // 2))
        seconds = other.map(run, again, chunksize=_CHUNK)
        for seed, first in zip(seeds, one.map(run, seeds, chunksize=_CHUNK), strict=True):
            yield first, next(seconds) if seed in again else None


def _pool(workers: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), quiet)


def quiet() -> None:
    """Keep what the reporter logs of its faults to itself: the story tells of them."""
    logging.getLogger("appliance.reporting").setLevel(logging.CRITICAL)


def _problems(first: Outcome, second: Outcome | None) -> Iterator[Problem]:
    if first.finding is not None:
        at_s = first.finding.time_ns / 1e9
        yield Problem(first.seed, first.finding.invariant, f"at {at_s:.3f} s {first.finding.sentence}")
    if second is not None and first.digest != second.digest:
        yield Problem(first.seed, 0, "two runs of the seed differ")
