"""`appliance world`: simulate faults from seeds and check what must hold."""

import argparse
import json
import sys
from collections import Counter

from appliance.core.clock import NANOSECONDS_PER_DAY, NANOSECONDS_PER_SECOND, SystemClock
from appliance.core.errors import ConfigError
from appliance.world.planted import BUGS, SEEDS_MAX, Catch
from appliance.world.runs import JUDGED_FROM_SEEDS, Report, examine, hunt_all
from appliance.world.scale import SHORT, Scale, long_days
from appliance.world.simulation import World

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
    parser.add_argument("--days", type=int, metavar="D", help="simulate D whole days a seed, calmer than otherwise")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Run what was asked for; 1 means that an invariant broke, or that too little was shown."""
    scale = _scale(arguments)
    seeds = _seeds(arguments)
    if arguments.trace:
        return _trace(arguments, scale)
    clock = SystemClock()
    started_ns = clock.monotonic_ns()
    if arguments.planted:
        catches = hunt_all(arguments.first, scale, _Progress(clock, len(BUGS), "planted bugs"))
        (_print_json if arguments.json else _print_catches)(catches)
        return 0 if all(catch.finding is not None for catch in catches) else 1
    report = examine(seeds, scale, _Progress(clock, len(seeds), "seeds"))
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
    if arguments.trace and arguments.seed is None:
        raise ConfigError("--trace tells the story of one seed; name it with --seed")
    if arguments.seed is not None:
        if arguments.seeds is not None or arguments.planted:
            raise ConfigError("--seed runs one world alone; leave out --seeds and --planted")
        return range(arguments.seed, arguments.seed + 1)
    default = 1 if arguments.days is not None else SEEDS_DEFAULT
    count = default if arguments.seeds is None else arguments.seeds
    if not 1 <= count <= SEEDS_COUNT_MAX:
        raise ConfigError(f"--seeds must be 1 to {SEEDS_COUNT_MAX}")
    return range(arguments.first, arguments.first + count)


def _trace(arguments: argparse.Namespace, scale: Scale) -> int:
    outcome = World(arguments.seed, scale, story=print).run()
    print(f"digest {outcome.digest}")
    return 0 if outcome.finding is None else 1


def _print_report(report: Report, elapsed_s: float, days: int | None) -> None:
    simulated_days = report.simulated_ns / NANOSECONDS_PER_DAY
    events_count = report.events.total()
    print(
        f"{report.seeds_count} seeds, each run twice, in {elapsed_s:.1f} s: "
        f"{report.seeds_count / elapsed_s:.2f} seeds/s, {2 * events_count / elapsed_s:.0f} events/s, "
        f"{simulated_days:.2f} days simulated twice ({2 * simulated_days * _HOUR_S / elapsed_s:.0f} days an hour)"
    )
    _print_counts("events", report.events)
    _print_counts("faults", report.happened)
    if report.seeds_count < JUDGED_FROM_SEEDS:
        print(f"fewer than {JUDGED_FROM_SEEDS} seeds: not judged whether every kind of fault happened")
    for name in report.never_happened:
        print(f'VACUOUS: the fault "{name}" never happened, so nothing was shown about it')
    for problem in report.problems:
        again = f"appliance world --seed {problem.seed} --trace" + (f" --days {days}" if days is not None else "")
        print(f"seed {problem.seed} broke invariant {problem.invariant}: {problem.sentence}")
        print(f"  see it again: {again}")
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
        where = f"invariant {catch.finding.invariant}, seed number {catch.seeds_count}"
        print(f"  caught by {where}: {catch.finding.sentence}")
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
        "problems": [problem._asdict() for problem in report.problems],
    }


def _print_json(document: object) -> None:
    print(json.dumps(document if isinstance(document, dict) else _catch_documents(document), sort_keys=True))


def _catch_documents(catches: object) -> list[dict[str, object]]:
    found = catches if isinstance(catches, list) else []
    return [
        {"bug": catch.bug, "seeds": catch.seeds_count, "finding": catch.finding and catch.finding._asdict()}
        for catch in found
    ]
