"""The verb `bench-press`."""

import argparse
import os
import socket
from pathlib import Path
from typing import Final

from appliance.core.config import demo, load
from appliance.core.errors import HardwareError
from appliance.guardian.bench import LINE_BYTES_MAX, bench_path
from appliance.hardware.demo_folder import demo_runtime

_LINES: Final = {
    "estop": "press estop",
    "release": "release estop",
    "reset": "reset",
    "start": "start",
    "tamper": "tamper",
}
_ANSWER_MARGIN_S: Final = 5
_HOLD_MS: Final = 3_000
_MILLISECONDS_PER_SECOND: Final = 1000


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "button",
        choices=tuple(_LINES),
        help="estop: press and leave pressed; release: turn it out again; reset: hold as long as the gesture asks; "
        "start: tap the reset button; tamper: open the case and shut it",
    )
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="the configuration of the running appliance (default: what `appliance run` runs)",
    )
    parser.add_argument("--runtime", type=Path, metavar="DIR", help="its runtime folder, if not the configuration's")


def run(arguments: argparse.Namespace) -> int:
    """Press one button and tell what the bench answered."""
    config = load(arguments.config) if arguments.config else demo()
    usual = Path(config.paths.runtime) if arguments.config else demo_runtime()
    answer = press(arguments.runtime or usual, arguments.button, config.safety.reset_hold_ms)
    print(answer)
    return 0 if answer.startswith("ok") else 1


def press(runtime: Path, button: str, reset_hold_ms: int = _HOLD_MS) -> str:
    """Do to a simulated button what its name says and return what the bench answered."""
    timeout_s = reset_hold_ms // _MILLISECONDS_PER_SECOND + _ANSWER_MARGIN_S
    return _ask(bench_path(runtime), _LINES[button], timeout_s)


def _ask(path: Path, line: str, timeout_s: int) -> str:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as channel:
        channel.settimeout(timeout_s)
        try:
            channel.connect(os.fspath(path))
            channel.sendall(line.encode("ascii") + b"\n")
            answer = channel.recv(4 * LINE_BYTES_MAX)
        except OSError as error:
            raise HardwareError(
                f"no bench answers at {path} ({error.strerror or error}): start the appliance with simulated pins first"
            ) from error
    return answer.decode("ascii", "replace").strip()
