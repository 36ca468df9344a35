"""The command line: a table of verbs; only the module of the verb that was asked for is imported."""

import argparse
import importlib
import sys
from collections.abc import Sequence
from typing import NamedTuple

from appliance.core.errors import ApplianceError


class Verb(NamedTuple):
    """Name the module that carries a verb out, and say in one line what it does."""

    module: str
    help: str


VERBS: dict[str, Verb] = {
    "run": Verb(
        "appliance.engine.command_run",
        "run guardian, last resort, trader, reporter and the built-in venue together",
    ),
    "guardian": Verb(
        "appliance.guardian.command_guardian",
        "run the guardian: pins, lamp, latch, lease",
    ),
    "trader": Verb(
        "appliance.bootstrap",
        "run the trader: market, decisions, orders, journal",
    ),
    "last-resort": Verb(
        "appliance.guardian.command_last_resort", "cancel everything at the venue when the trader cannot"
    ),
    "reporter": Verb("appliance.reporting.command_reporter", "run the reporter: panel, metrics, MQTT"),
    "monitor": Verb("appliance.reporting.command_monitor", "watch one or many appliances live, from MQTT alone"),
    "remote-stop": Verb(
        "appliance.reporting.command_remote_stop",
        "stop an appliance over MQTT with a signed message, and see it stopped",
    ),
    "venue": Verb(
        "appliance.venues.simulator.command_venue",
        "run the built-in simulated venue alone",
    ),
    "bench-press": Verb(
        "appliance.guardian.command_bench_press",
        "press a simulated button of a running appliance",
    ),
    "selftest": Verb(
        "appliance.guardian.command_selftest",
        "lead through the monthly test of the stop button, and keep its history",
    ),
    "config": Verb("appliance.core.command_config", "check, explain or show the configuration"),
    "seal": Verb(
        "appliance.core.command_seal",
        "make a signing key, or seal a configuration for live trading",
    ),
    "setup": Verb(
        "appliance.hardware.command_setup",
        "check the settings on a card; on the box, bring them into force",
    ),
    "verify": Verb("appliance.store.command_verify", "check the journal's chain and projections"),
    "backup": Verb("appliance.store.command_backup", "make, list or restore backups of the journal"),
    "logs": Verb("appliance.reporting.command_logs", "tell one decision's story, from tick to fill, in time order"),
    "replay": Verb(
        "appliance.engine.command_replay",
        "replay a recording and compare every command",
    ),
    "frames": Verb(
        "appliance.market.command_frames",
        "read recorded venue frames and verify every message and checksum",
    ),
    "indicators": Verb(
        "appliance.signals.indicators.command_indicators",
        "list the indicators, explain one, or compute one over a file of bars",
    ),
    "models": Verb("appliance.signals.models.command_models", "list, verify or test the installed models"),
    "evaluate": Verb(
        "appliance.lab.command_evaluate",
        "run the installed models over a file of bars and tell what they are worth",
    ),
    "explain": Verb("appliance.store.command_explain", "tell why something was bought, from the journal"),
    "quality": Verb(
        "appliance.market.command_quality",
        "judge a file of bars and say where they are not to be believed",
    ),
    "patterns": Verb(
        "appliance.signals.patterns.command_patterns",
        "list chart patterns, candlesticks and levels in a file of bars",
    ),
    "chart": Verb(
        "appliance.signals.patterns.command_chart",
        "draw a file of bars, indicators and found patterns as SVG",
    ),
    "world": Verb(
        "appliance.world.command_world",
        "simulate days of faults from seeds and check the invariants",
    ),
}


def parser_for(names: Sequence[str]) -> argparse.ArgumentParser:
    """Return the parser of all verbs, with the options of the named ones."""
    parser = argparse.ArgumentParser(
        prog="appliance",
        description="Bot4 Edge: trade by itself, show its state with one lamp, stop at one press.",
        epilog="Exit codes: 0 good, 1 something was found wrong, 2 bad use or bad input.",
    )
    choices = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    for name, verb in VERBS.items():
        sub = choices.add_parser(name, help=verb.help, description=verb.help[0].upper() + verb.help[1:] + ".")
        if name in names:
            importlib.import_module(verb.module).configure(sub)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out one verb and return its exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    asked_for = [word for word in words if not word.startswith("-")][:1]
    parsed = parser_for(asked_for).parse_args(words)
    try:
        code: int = importlib.import_module(VERBS[parsed.verb].module).run(parsed)
    except ApplianceError as problem:
        print(f"appliance: {problem}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        return 0
    except KeyboardInterrupt:
        return 130
    return code


if __name__ == "__main__":
    sys.exit(main())
