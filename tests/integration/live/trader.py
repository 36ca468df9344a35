"""The trader as the appliance starts it, with a file's word for whether the clock is set: no test may set a machine's.

Everything else is what `appliance trader` does; the file takes the place of the kernel's answer and of nothing else.
"""

import argparse
import sys
from pathlib import Path

from appliance import bootstrap
from appliance.core.errors import ApplianceError


class ClockFile:
    """Vouch for the clock while a file is there."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def synchronized(self) -> bool:
        """Tell whether the file is there."""
        return self._path.exists()


def main() -> int:
    """Trade, and tell a refusal as the command line does."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--clock", type=Path, required=True)
    bootstrap.configure(parser)
    arguments = parser.parse_args()
    try:
        return bootstrap.start(arguments, ClockFile(arguments.clock))
    except ApplianceError as problem:
        sys.stderr.write(f"appliance: {problem}\n")
        return 2


if __name__ == "__main__":
    sys.exit(main())
