"""`python -m tests.bench.alone NAME FILE`: one bench in a process of its own; its figures go into a file as JSON."""

import importlib
import json
import sys
from pathlib import Path

from tests.bench.figures import show


def main() -> None:
    """Measure, print the table, write it."""
    name, path = sys.argv[1:]
    measured = importlib.import_module(f"tests.bench.{name}").measure()
    show(measured)
    Path(path).write_text(json.dumps(measured) + "\n")


if __name__ == "__main__":
    main()
