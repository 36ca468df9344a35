"""`python -m tests.bench [NAME…]`: measure, print the table, write it as JSON. It never judges a time.

Each bench runs in a process of its own, so that none is measured in the memory and with the threads another one left,
and none that hangs or dies takes the others along. One that failed is tried once more, because a busy machine may be
all that is wrong. What cannot run, or cannot run its peer, says so, and the exit code is 1.
"""

import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.bench.figures import Figure

HERE = Path(__file__).parent
RESULT = Path("var/bench/figures.json")
NOT_BENCHES = {"__main__", "alone", "figures"}
BENCH_S_MAX = 1_200.0
TRIES_COUNT = 2


def measured_alone(name: str, words: list[str], limit_s: float = BENCH_S_MAX) -> list[Figure] | None:
    """Run a bench in its own process group and return its figures, or nothing when it failed or took too long."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        path = Path(folder) / "figures.json"
        process = subprocess.Popen([*words, name, str(path)], start_new_session=True)
        try:
            code = process.wait(limit_s)
        except subprocess.TimeoutExpired:
            print(f"-- {name} did not end within {limit_s:.0f} s", flush=True)
            return None
        finally:
            _end_group(process)
        if code or not path.exists():
            print(f"-- {name} ended with {code}", flush=True)
            return None
        figures: list[Figure] = json.loads(path.read_text())
        return figures


def _end_group(process: "subprocess.Popen[bytes]") -> None:
    """End a bench and whatever it started and left behind."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    process.wait()


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
        for attempt in range(1, TRIES_COUNT + 1):
            again = "" if attempt == 1 else ", once more"
            print(f"-- {name} ({number}/{len(names or known)}){again}, load {os.getloadavg()[0]:.2f}", flush=True)
            measured = measured_alone(name, [sys.executable, "-m", "tests.bench.alone"])
            if measured is not None:
                figures += measured
                break
        else:
            failed.append(name)
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
