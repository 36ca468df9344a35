"""`python -m hil_tests.virtual IMAGE`: boot an image in an emulated machine and tell its lamp until it is green.

Exit code 0 when the lamp was green, 1 when it was not within the time, 2 when the machine could not be started.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from hil_tests.virtual.machine import BenchError, Machine

LOOK_S = 2.0


def main() -> int:
    """Boot, look, and switch off."""
    parser = argparse.ArgumentParser(prog="python -m hil_tests.virtual", description=__doc__)
    parser.add_argument("image", type=Path, help="an image, unpacked (build/image/*.img)")
    parser.add_argument(
        "--gpio", type=Path, metavar="MODULE", help="the simulated chip's module (gpio/build.sh makes it)"
    )
    parser.add_argument("--for", dest="seconds", type=int, default=600, metavar="S", help="wait so long for green")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep the card and the console here (an empty folder)")
    arguments = parser.parse_args()
    if not arguments.image.is_file():
        parser.error(f"there is no image {arguments.image}: make one with `make image`")
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = arguments.keep or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        try:
            return watched(Machine(arguments.image, folder, arguments.gpio), arguments.seconds)
        except BenchError as problem:
            print(f"bench: {problem}", file=sys.stderr)
            return 2


def watched(machine: Machine, seconds: int) -> int:
    """Switch the machine on, say the lamp whenever it changes, and end at green or when the time is over."""
    began_s, shown = time.monotonic(), ""
    try:
        machine.power_on()
        while time.monotonic() - began_s < seconds:
            found = machine.ask("look")
            if found["lamp"] != shown:
                shown = found["lamp"]
                print(f"{time.monotonic() - began_s:6.0f} s  lamp {shown}, wires {found['levels']}", flush=True)
            if shown == "NORMAL":
                return 0
            time.sleep(LOOK_S)
    finally:
        machine.close()
    print(f"bench: not green within {seconds} s", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
