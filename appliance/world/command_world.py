"""`appliance world`: simulate faults from seeds and check what must hold."""

import argparse
import json
import sys
from collections import Counter
from pathlib import Path

import msgspec

from appliance.core.clock import NANOSECONDS_PER_DAY, NANOSECONDS_PER_SECOND, SystemClock
from appliance.core.errors import ConfigError
from appliance.world.coverage import summary, told
from appliance.world.planted import BUGS, SEEDS_MAX, Catch, bug_of
from appliance.world.runs import JUDGED_FROM_SEEDS, Report, examine, hunt_all, quiet
from appliance.world.scale import SHORT, Scale, long_days
from appliance.world.shrinking import read_case, shrink
from appliance.world.simulation import HONEST, World

SEEDS_DEFAULT = 20
SEEDS_COUNT_MAX = 1_000_000
DAYS_MAX = 365
PROGRESS_NS = 2 * NANOSECONDS_PER_SECOND
_HOUR_S = 3_600


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of `appliance world`."""
    parser.add_argument("--seeds", type=int, metavar="N", help=f"how many worlds to run (default: {SEEDS_DEFAULT})")
    parser.add_argument("--first", type=int, default=0, metavar="S", help="the first seed (default: 0)")
    parser.add_argument("--seed", type=int, metavar="S", help="run this one seed only")
    parser.add_argument("--trace", action="store_true", help="tell the story of --seed")
    parser.add_argument("--planted", action="store_true", help="plant bugs and show that each is caught")
    parser.add_argument("--bug", metavar="NAME", help="plant this one bug into --seed")
    parser.add_argument("--shrink", action="store_true", help="make the failing --seed small and write it as a case")
    parser.add_argument("--out", type=Path, metavar="FILE", help="where --shrink writes (default: world-SEED.json)")
    parser.add_argument("--case", type=Path, metavar="FILE", help="run a case that --shrink wrote")
    parser.add_argument("--twice-every", type=int, default=1, metavar="N", help="run every Nth seed twice (default: 1)")
    parser.add_argument("--days", type=int, metavar="D", help="simulate D whole days a seed, calmer than otherwise")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Run what was asked for; 1 means that an invariant broke, or that too little was shown."""
    quiet()
    scale = _scale(arguments)
    if arguments.case is not None:
        return _run_one(read_case(arguments.case).world(print if arguments.trace else None))
    seeds = _seeds(arguments)
    if arguments.shrink:
        return _shrink(arguments)
    if arguments.trace or arguments.bug is not None:
        recipe = HONEST if arguments.bug is None else bug_of(arguments.bug).recipe
        return _run_one(World(arguments.seed, scale, recipe, story=print if arguments.trace else None))
    clock = SystemClock()
    started_ns = clock.monotonic_ns()
    if arguments.planted:
        catches = hunt_all(arguments.first, scale, _Progress(clock, len(BUGS), "planted bugs"))
        (_print_json if arguments.json else _print_catches)(catches)
        return 0 if all(catch.finding is not None for catch in catches) else 1
    report = examine(seeds, scale, _Progress(clock, len(seeds), "seeds"), arguments.twice_every)
    elapsed_s = max(clock.monotonic_ns() - started_ns, 1) / NANOSECONDS_PER_SECOND
    if arguments.json:
        _print_json(_document(report, elapsed_s))
    else:
        _print_report(report, elapsed_s, arguments.days)
    return 0 if report.good else 1


class _Progress:
    """Say how far it is every two seconds, on the error stream."""

    def __init__(self, clock: SystemClock, count: int, what: str) -> None:
        self._clock = clock
        self._count = count
        self._what = what
        self._said_ns = clock.monotonic_ns()

    def __call__(self, number: int) -> None:
        now_ns = self._clock.monotonic_ns()
        if now_ns - self._said_ns >= PROGRESS_NS:
            self._said_ns = now_ns
            print(f"world: {number} of {self._count} {self._what}", file=sys.stderr, flush=True)


def _scale(arguments: argparse.Namespace) -> Scale:
    if arguments.days is None:
        return SHORT
    if not 1 <= arguments.days <= DAYS_MAX:
        raise ConfigError(f"--days must be 1 to {DAYS_MAX}")
    return long_days(arguments.days)


def _seeds(arguments: argparse.Namespace) -> range:
    if (arguments.trace or arguments.shrink or arguments.bug is not None) and arguments.seed is None:
        raise ConfigError("--trace, --shrink and --bug are about one seed; name it with --seed")
    if not 1 <= arguments.twice_every <= SEEDS_COUNT_MAX:
        raise ConfigError(f"--twice-every must be 1 to {SEEDS_COUNT_MAX}")
    if arguments.seed is not None:
        if arguments.seeds is not None or arguments.planted:
            raise ConfigError("--seed runs one world alone; leave out --seeds and --planted")
        return range(arguments.seed, arguments.seed + 1)
    default = 1 if arguments.days is not None else SEEDS_DEFAULT
    count = default if arguments.seeds is None else arguments.seeds
    if not 1 <= count <= SEEDS_COUNT_MAX:
        raise ConfigError(f"--seeds must be 1 to {SEEDS_COUNT_MAX}")
    return range(arguments.first, arguments.first + count)


def _run_one(world: World) -> int:
    outcome = world.run()
    if outcome.finding is not None:
        at_s = outcome.finding.time_ns / NANOSECONDS_PER_SECOND
        print(f"at {at_s:.3f} s invariant {outcome.finding.invariant} broke: {outcome.finding.sentence}")
    print(f"digest {outcome.digest}")
    return 0 if outcome.finding is None else 1


def _shrink(arguments: argparse.Namespace) -> int:
    """Make a failing seed small, write it down and say how to see it again; a seed that holds is no case."""
    case = shrink(arguments.seed, arguments.days, arguments.bug, lambda line: print(line, file=sys.stderr, flush=True))
    if case is None:
        print(f"seed {arguments.seed} breaks no invariant: there is nothing to make small")
        return 0
    path = arguments.out or Path(f"world-{arguments.seed}.json")
    path.write_bytes(msgspec.json.format(msgspec.json.encode(case)) + b"\n")
    print(f"{len(case.faults)} faults of {len(case.kinds)} kinds ({', '.join(case.kinds) or 'none'}), everything heals")
    print(f"at {case.until_ns / NANOSECONDS_PER_SECOND:.3f} s; invariant {case.invariant}: {case.sentence}")
    print(f"written to {path}; see it again: appliance world --case {path} --trace")
    return 1


def _print_report(report: Report, elapsed_s: float, days: int | None) -> None:
    simulated_days = report.simulated_ns / NANOSECONDS_PER_DAY
    events_count = report.events.total()
    runs = 1 + report.twice_count / report.seeds_count
    print(
        f"{report.seeds_count} seeds, {report.twice_count} of them run twice and compared, in {elapsed_s:.1f} s: "
        f"{report.seeds_count / elapsed_s:.2f} seeds/s, {runs * events_count / elapsed_s:.0f} events/s, "
        f"{simulated_days:.2f} days simulated ({runs * simulated_days * _HOUR_S / elapsed_s:.0f} days run an hour)"
    )
    _print_counts("events", report.events)
    _print_counts("faults", report.happened)
    for line in summary(report.turns):
        print(line)
    if report.seeds_count < JUDGED_FROM_SEEDS:
        print(f"fewer than {JUDGED_FROM_SEEDS} seeds: not judged whether every kind of fault happened")
    for name in report.never_happened:
        print(f'VACUOUS: the fault "{name}" never happened, so nothing was shown about it')
    for turn in report.unseen:
        print(f'VACUOUS: "{turn}" was never seen, so nothing was shown about it')
    for problem in report.problems:
        again = f"appliance world --seed {problem.seed} --trace" + (f" --days {days}" if days is not None else "")
        print(f"seed {problem.seed} broke invariant {problem.invariant}: {problem.sentence}")
        print(f"  see it again: {again}; make it small: {again.replace('--trace', '--shrink')}")
    print("every invariant held" if report.good else "NOT GOOD")


def _print_counts(what: str, counts: Counter[str]) -> None:
    print(f"{what}: " + ", ".join(f"{name} {count}" for name, count in counts.most_common()))


def _print_catches(catches: list[Catch]) -> None:
    sentences = {bug.name: bug.sentence for bug in BUGS}
    for catch in catches:
        if catch.finding is None:
            print(f"NOT CAUGHT in {catch.seeds_count} seeds: {catch.bug} ({sentences[catch.bug]})")
            continue
        print(f"{catch.bug} ({sentences[catch.bug]})")
        print(f"  seed {catch.seed}, after {catch.seeds_count} tried: {catch.finding.sentence}")
        again = f"appliance world --seed {catch.seed} --bug '{catch.bug}' --trace"
        print(f"  invariant {catch.finding.invariant}; see it: {again}")
    caught = sum(1 for catch in catches if catch.finding is not None)
    print(f"{caught} of {len(catches)} planted bugs caught, each within {SEEDS_MAX} seeds")


def _document(report: Report, elapsed_s: float) -> dict[str, object]:
    return {
        "good": report.good,
        "seeds": report.seeds_count,
        "elapsed_s": round(elapsed_s, 3),
        "seeds_per_s": round(report.seeds_count / elapsed_s, 3),
        "simulated_days": round(report.simulated_ns / NANOSECONDS_PER_DAY, 3),
        "events": dict(report.events),
        "faults": dict(report.happened),
        "never_happened": report.never_happened,
        "seeds_run_twice": report.twice_count,
        "turns": {told(turn): count for turn, count in sorted(report.turns.items())},
        "unseen": report.unseen,
        "problems": [problem._asdict() for problem in report.problems],
    }


def _print_json(document: object) -> None:
    print(json.dumps(document if isinstance(document, dict) else _catch_documents(document), sort_keys=True))


def _catch_documents(catches: object) -> list[dict[str, object]]:
    found = catches if isinstance(catches, list) else []
    return [
        {
            "bug": catch.bug,
            "seed": catch.seed,
            "seeds": catch.seeds_count,
            "finding": catch.finding and catch.finding._asdict(),
        }
        for catch in found
    ]
