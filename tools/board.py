"""Run this checkout and its models on an emulated Cortex-A72, the oldest processor that is promised: `make board`.

It needs qemu-user and an arm64 system with the locked wheels, which `make image` leaves in its cache; BOARD_SYSTEM
names another. The exit code is 3, with the reason, where one of the two is missing: nothing was shown then, and nothing
hidden.
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
NOT_HERE = 3


def main() -> int:
    """Find emulator and system, and run the exercises."""
    emulator = next(filter(None, map(shutil.which, EMULATORS)), None)
    if emulator is None:
        print("not run: there is no qemu-user; install it as root: apt-get install qemu-user-static")
        return NOT_HERE
    system = board_system()
    if not (system / PYTHON).exists() or not (system / SITE / "onnxruntime").exists():
        print(f"not run: {system} is no arm64 system with the wheels; make one with `make image`, or set BOARD_SYSTEM")
        return NOT_HERE
    settings = {
        "PYTHONDONTWRITEBYTECODE": "1",
        # This checkout goes before the appliance that the image carries.
        "PYTHONPATH": f"{ROOT}:{system / SITE}",
        "NUMBA_CACHE_DIR": "/nonexistent",
        "NUMBA_CPU_NAME": PROCESSOR,
    }
    command = [emulator, "-cpu", PROCESSOR, "-L", str(system)]
    for name, value in settings.items():
        command += ["-E", f"{name}={value}"]
    command += [str(system / PYTHON), str(ROOT / "tools" / "board_exercise.py")]
    return subprocess.run(command, check=False).returncode


def board_system() -> Path:
    """Return the folder of the arm64 system."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "bot4-edge" / "image"
    return Path(os.environ.get("BOARD_SYSTEM", Path(os.environ.get("BOT4_IMAGE_CACHE", cache)) / "system-arm64"))


if __name__ == "__main__":
    sys.exit(main())
