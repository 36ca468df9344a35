"""The verb `selftest`."""

import argparse
import datetime as dt
import json
from functools import partial
from pathlib import Path
from typing import Any, Final

from appliance.core.clock import NANOSECONDS_PER_SECOND, SystemClock
from appliance.core.config import Config, demo, load
from appliance.core.errors import ConfigError
from appliance.guardian.selftest import EstopTest
from appliance.guardian.selftest_history import append, history_path, results
from appliance.hardware.demo_folder import demo_folder, demo_runtime

_TIMEOUT_S_MAX: Final = 3_600
_LAMP: Final = (
    "The lamp is tested at every start: red, green, blue and yellow, a fifth of a second each (safety.lamp_test).\n"
    "Nothing can ask the running guardian for it, because nothing can ask the guardian for anything.\n"
    "To see it, restart the appliance and watch; a colour that is missing is a lamp or a wire to replace."
)
_NAMES: Final = (
    ("press_to_withdrawn_us", "press to lease withdrawn"),
    ("press_to_latch_us", "press to latch"),
    ("press_to_gate_us", "press to gate, as a reader saw it"),
    ("latch_to_gate_us", "latch to gate (0: the gate was first)"),
    ("latch_to_confirmed_us", "latch to venue confirmed"),
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "what",
        choices=("estop", "lamp", "history"),
        help="estop: the monthly test of the stop button; lamp: how the lamps are tested; history: earlier results",
    )
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="the configuration of the running appliance (default: what `appliance run` runs)",
    )
    parser.add_argument("--timeout", default="120s", metavar="TIME", help="how long each step may take: 120s")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Lead through a test, or tell of earlier ones."""
    if arguments.what == "lamp":
        print(_LAMP)
        return 0
    runtime, state = _folders(load(arguments.config) if arguments.config else None)
    if arguments.what == "history":
        _print_history(results(history_path(state)), as_json=arguments.json)
        return 0
    timeout_s = _seconds(arguments.timeout)
    # Each line as it comes, also where it does not go to a terminal: a person stands at the button.
    say = _say_nothing if arguments.json else partial(print, flush=True)
    result = EstopTest(runtime, state, SystemClock(), timeout_s, say).run()
    append(history_path(state), result, SystemClock())
    if arguments.json:
        print(json.dumps(result))
    else:
        _print_result(result)
    return 0 if result["passed"] else 1


def _folders(config: Config | None) -> tuple[Path, Path]:
    if config is not None:
        return config.paths.runtime, config.paths.state
    return demo_runtime(), demo_folder() / demo().paths.state.name


def _seconds(text: str) -> int:
    digits = text.removesuffix("s")
    if not digits.isascii() or not digits.isdigit() or not 1 <= int(digits[:6]) <= _TIMEOUT_S_MAX:
        raise ConfigError(f"--timeout {text} is not a time: write whole seconds up to {_TIMEOUT_S_MAX}s, as in 120s")
    return int(digits)


def _say_nothing(_: str) -> None:
    """Keep standard output to the one JSON line."""


def _print_result(result: dict[str, str | int]) -> None:
    if not result["passed"]:
        print(f"NOT passed: {result['reason']}")
        return
    print(f"passed; moments from {_source(str(result['source']))}")
    for name, label in _NAMES:
        print(f"  {label:<38} {int(result[name]) / 1000:>10.3f} ms")


def _source(name: str) -> str:
    return "the guardian's record" if name == "audit" else "outside, polled every half millisecond"


def _print_history(found: list[dict[str, Any]], *, as_json: bool) -> None:
    for line in found:
        if as_json:
            print(json.dumps(line))
            continue
        detail = line["detail"]
        day = dt.datetime.fromtimestamp(line["wall_ns"] // NANOSECONDS_PER_SECOND, dt.UTC)
        told = (
            ", ".join(f"{label} {detail[name] / 1000:.1f} ms" for name, label in _NAMES[1:5:3])
            if detail["passed"]
            else detail["reason"]
        )
        print(f"{day:%Y-%m-%d %H:%M} UTC  {'passed' if detail['passed'] else 'NOT passed'}  {told}")
    if not found and not as_json:
        print("no test has been done yet: appliance selftest estop")
