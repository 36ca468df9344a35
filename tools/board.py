"""Run this checkout and its models on an emulated Cortex-A72, the oldest processor that is promised: `make board`.

It needs qemu-user and an arm64 Python with the locked wheels, which tools/board_system.sh fetches once; BOARD_SYSTEM
names another, such as the system of `make image`. The exit code is 3, with the reason, where one of the two cannot be
had: nothing was shown then, and nothing hidden.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PROCESSOR = "cortex-a72"
EMULATORS = ("qemu-aarch64-static", "qemu-aarch64")
PYTHON = "usr/bin/python3.13"
SITE = "opt/bot4-edge/lib/python3.13/site-packages"
FETCH_S_MAX = 400
NOT_HERE = 3


def main() -> int:
    """Find emulator and system, and run the exercises."""
    emulator = next(filter(None, map(shutil.which, EMULATORS)), None)
    if emulator is None:
        print("not run: there is no qemu-user; install it as root: apt-get install qemu-user-static")
        return NOT_HERE
    system = board_system()
    if system is None:
        print("not run: the arm64 system cannot be had here; tools/board_system.sh says why")
        return NOT_HERE
    if not (system / PYTHON).exists() or not (system / SITE / "onnxruntime").exists():
        print(f"not run: {system} is no arm64 system with the wheels; unset BOARD_SYSTEM to have one fetched")
        return NOT_HERE
    settings = {
        "PYTHONDONTWRITEBYTECODE": "1",
        # This checkout goes before the appliance that an image carries.
        "PYTHONPATH": f"{ROOT}:{system / SITE}",
        "NUMBA_CACHE_DIR": "/nonexistent",
        "NUMBA_CPU_NAME": PROCESSOR,
    }
    command = [emulator, "-cpu", PROCESSOR, "-L", str(system)]
    for name, value in settings.items():
        command += ["-E", f"{name}={value}"]
    exercise = [str(ROOT / "tools" / "board_exercise.py"), str(system / SITE)]
    return subprocess.run([*command, str(system / PYTHON), *exercise], check=False).returncode


def board_system() -> Path | None:
    """Return the folder of the arm64 system, or nothing when it cannot be fetched."""
    named = os.environ.get("BOARD_SYSTEM")
    if named:
        return Path(named)
    fetch = [str(ROOT / "tools" / "board_system.sh")]
    try:
        done = subprocess.run(fetch, check=False, stdout=subprocess.PIPE, text=True, timeout=FETCH_S_MAX)
    except subprocess.TimeoutExpired:
        return None
    return Path(done.stdout.strip()) if done.returncode == 0 else None


if __name__ == "__main__":
    sys.exit(main())
