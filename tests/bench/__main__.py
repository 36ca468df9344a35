"""`python -m tests.bench [NAME…]`: measure, print the table, write it as JSON. It never judges a time.

A bench that cannot run, or cannot run its peer, says so, and the exit code is 1.
"""

import importlib
import json
import os
import platform
import sys
import time
import traceback
from pathlib import Path

from tests.bench.figures import Figure, show

HERE = Path(__file__).parent
RESULT = Path("var/bench/figures.json")
NOT_BENCHES = {"__main__", "figures"}


def main(names: list[str]) -> int:
    """Run the named benches, or all of them."""
    known = sorted(path.stem for path in HERE.glob("*.py") if path.stem not in NOT_BENCHES)
    unknown = [name for name in names if name not in known]
    if unknown:
        print(f"no bench named {', '.join(unknown)}; there are: {', '.join(known)}", file=sys.stderr)
        return 2
    figures: list[Figure] = []
    failed: list[str] = []
    for number, name in enumerate(names or known, start=1):
        print(f"-- {name} ({number}/{len(names or known)}), load {os.getloadavg()[0]:.2f}", flush=True)
        try:
            measured: list[Figure] = importlib.import_module(f"tests.bench.{name}").measure()
        except Exception:  # noqa: BLE001 - one broken bench must not hide the others' figures; it is told and counted
            traceback.print_exc()
            failed.append(name)
            continue
        show(measured)
        figures += measured
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    document = {
        "machine": platform.machine(),
        "processors": os.cpu_count(),
        "python": platform.python_version(),
        "wall_s": int(time.time()),
        "load": os.getloadavg(),
        "failed": failed,
        "figures": figures,
    }
    RESULT.write_text(json.dumps(document, indent=1) + "\n")
    print(f"written to {RESULT}" + (f"; could not run: {', '.join(failed)}" if failed else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
