"""`python -m tests.property.fuzz [TARGET…] --seconds N`: feed every reader with bytes, guided by what they reach.

Each target runs in a process of its own under atheris, from the committed corpus and its seeds. `--keep` adds the
smallest inputs that reached something new to the corpus. A finding goes below var/fuzz, and the exit code is 1; so it
is for a target that is not over long after its time, which is ended while the others go on.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.property.fuzz import CORPUS

INPUT_BYTES_MAX = 4_096
FINDINGS = Path("var/fuzz")
HANG_S = 10
KEPT_MAX = 24
STARTING_S_MAX = 120
TOLD_CHARACTERS_MAX = 4_000


def fuzz_here(name: str, words: list[str]) -> None:
    """Run one target under atheris in this process, which ends with it."""
    import atheris  # noqa: PLC0415 - only where it is installed, and before what it instruments

    # Compiled code cannot call back into a fuzzer: kernels are imported as they are.
    import appliance.kernels.warm_up  # noqa: F401, PLC0415

    with atheris.instrument_imports(include=["appliance"]):
        from tests.property.fuzz.targets import TARGETS  # noqa: PLC0415 - instrumented while it is imported
    read = TARGETS[name].read
    atheris.Setup([sys.argv[0], *words], lambda data: read(bytes(data)))
    atheris.Fuzz()


def fuzz(name: str, seconds: int, *, keep: bool, seeds: tuple[bytes, ...]) -> bool:
    """Run one target in a process of its own and tell whether it found nothing."""
    FINDINGS.mkdir(parents=True, exist_ok=True)
    known = CORPUS / name
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        for number, seed in enumerate(seeds):
            Path(folder, f"seed-{number}").write_bytes(seed)
        options = (
            f"-max_total_time={seconds}",
            f"-max_len={INPUT_BYTES_MAX}",
            f"-timeout={HANG_S}",
            f"-artifact_prefix={FINDINGS}/{name}-",
            "-verbosity=0",
            "-print_final_stats=1",
        )
        folders = [folder, *([str(known)] if known.is_dir() else [])]
        code, told = _run(name, [*options, *folders], seconds)
        if keep and code == 0:
            _keep(Path(folder), known)
    if code is None:
        print(f"{name}: NOT OVER {STARTING_S_MAX} s after its {seconds} s, so it was ended", flush=True)
        print(told[-TOLD_CHARACTERS_MAX:], flush=True)
        return False
    runs = next((line.split()[-1] for line in told.splitlines() if "number_of_executed_units" in line), "?")
    print(f"{name}: {runs} inputs in {seconds} s, {'nothing found' if code == 0 else 'FOUND SOMETHING'}", flush=True)
    if code:
        print(told[-TOLD_CHARACTERS_MAX:], flush=True)
    return code == 0


def _keep(found: Path, known: Path) -> None:
    """Add the smallest of what reached something new, as many as a person may want to look at."""
    known.mkdir(parents=True, exist_ok=True)
    inputs = sorted(found.iterdir(), key=lambda path: (path.stat().st_size, path.name))
    for path in inputs[: max(0, KEPT_MAX - len(list(known.iterdir())))]:
        shutil.copyfile(path, known / path.name[:16])


def _run(name: str, words: list[str], seconds: int) -> tuple[int | None, str]:
    """Return the exit code, or nothing where the process was not over in time, and what it said."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", "tests.property.fuzz", "--here", name, "--", *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            timeout=seconds + STARTING_S_MAX,
            env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
        )
    except subprocess.TimeoutExpired as slow:
        return None, (slow.stdout or b"").decode(errors="replace")
    return done.returncode, done.stdout.decode(errors="replace")


def main() -> int:
    """Fuzz what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.property.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="only these (default: all)")
    parser.add_argument("--seconds", type=int, default=60, metavar="N", help="for each target (default: %(default)s)")
    parser.add_argument("--keep", action="store_true", help="add what reached something new to the corpus")
    parser.add_argument("--here", metavar="TARGET", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.here:
        fuzz_here(arguments.here, arguments.targets)
    from tests.property.fuzz.targets import TARGETS  # noqa: PLC0415 - never before atheris instruments it

    unknown = [name for name in arguments.targets if name not in TARGETS]
    if unknown:
        parser.error(f"no target named {', '.join(unknown)}; there are: {', '.join(TARGETS)}")
    names = arguments.targets or list(TARGETS)
    good = [fuzz(name, arguments.seconds, keep=arguments.keep, seeds=TARGETS[name].seeds) for name in names]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
