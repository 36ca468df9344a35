"""Write requirements/*.txt: every package at one version, with the hashes of the wheels that fit our machines.

The resolver is uv. This script narrows its answer: for each architecture it keeps only the hashes of wheels that
Linux with Python 3.11, 3.12 or 3.13 can install, and refuses a package that lacks one for any of the three. Without a
source archive's hash no installer can be talked into compiling, and without an address a mirror serves as well.
"""

import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

from packaging.markers import Marker
from packaging.utils import parse_wheel_filename

ROOT = Path(__file__).resolve().parent.parent
PYTHONS = ("3.11", "3.12", "3.13")
# Debian 12 has glibc 2.36; the Pi's oldest image and every CI machine have at least that.
GLIBC_MINOR_MAX = 36
ARCHITECTURES = ("x86_64", "aarch64")
# Installed apart from the lock (see the extra `train` in pyproject.toml); these are what it imports.
TORCH = "torch"
TORCH_NEEDS = ("filelock", "fsspec", "jinja2", "networkx", "sympy", "typing-extensions")
HEADING = "# Written by `make lock`: change pyproject.toml instead.\n"


def main() -> int:
    """Resolve once for each set of extras and write one file for each architecture."""
    runtime = resolve([])
    development = resolve(["dev"], pins=runtime)
    for architecture in ARCHITECTURES:
        write(f"runtime-{architecture}", architecture, runtime, PYTHONS)
        write(f"dev-{architecture}", architecture, development, PYTHONS)
    write("train-x86_64", "x86_64", resolve_training(development), PYTHONS)
    # The peers that benches are set beside bring versions of their own, so they live in an environment of their own.
    peers = run_resolver("peers.in", "\n".join(optional("bench")), [], [])
    write("bench-x86_64", "x86_64", peers, PYTHONS[:1])
    names = {package["name"] for package in runtime}
    board = [package for package in resolve_board(runtime) if package["name"] not in names]
    write("pi", "aarch64", board, ("3.11", "3.12"))
    return 0


def resolve(extras: list[str], pins: list[dict[str, Any]] | None = None) -> list[dict[str, Any]]:
    """Return what the resolver chose for the project with these extras, held to versions already chosen."""
    arguments = [argument for extra in extras for argument in ("--extra", extra)]
    return run_resolver("pyproject.toml", (ROOT / "pyproject.toml").read_text(), arguments, pins or [])


def resolve_training(pins: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what the resolver chose for training, held to what development runs, without torch itself."""
    runtime = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    wanted = [line for line in optional("train") if not line.startswith(TORCH)]
    return run_resolver("train.in", "\n".join([*runtime, *wanted, *TORCH_NEEDS]), [], pins)


def resolve_board(pins: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what the resolver chose for a Raspberry Pi's pins, leaving out what exists as source only."""
    wanted = [line for line in optional("pi") if not line.startswith("systemd-python")]
    return run_resolver("pi.in", "\n".join(wanted), [], pins)


def optional(extra: str) -> list[str]:
    """Return the requirements of one extra."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted: list[str] = project["optional-dependencies"][extra]
    return wanted


def run_resolver(name: str, text: str, arguments: list[str], pins: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the packages of one resolution, read from the lock that uv writes."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, name).write_text(text)
        Path(folder, "pins.txt").write_text("".join(f"{p['name']}=={p['version']}\n" for p in pins))
        command = [
            str(Path(sys.executable).with_name("uv")),
            "--no-config",
            "--system-certs",
            "--quiet",
            "pip",
            "compile",
            name,
        ]
        command += ["--universal", "--python-version", PYTHONS[0], "--fork-strategy", "fewest"]
        command += ["--only-binary", ":all:", "--constraint", "pins.txt"]
        command += ["--format", "pylock.toml", "--output-file", "pylock.toml", *arguments]
        if subprocess.run(command, cwd=folder, check=False).returncode:
            sys.exit("nothing was written: the resolver's own words are above")
        packages: list[dict[str, Any]] = tomllib.loads(Path(folder, "pylock.toml").read_text())["packages"]
    return packages


def write(name: str, architecture: str, packages: list[dict[str, Any]], pythons: tuple[str, ...]) -> None:
    """Write one requirement file for one architecture."""
    lines = [line for package in packages for line in requirement(package, architecture, pythons)]
    path = ROOT / "requirements" / f"{name}.txt"
    path.write_text(HEADING + "\n".join(lines) + "\n")
    print(f"{path.relative_to(ROOT)}: {sum('==' in line for line in lines)} packages")


def requirement(package: dict[str, Any], architecture: str, pythons: tuple[str, ...]) -> list[str]:
    """Return the lines of one package, or none when no machine of ours wants it."""
    wanted_by = [python for python in pythons if applies(package, architecture, python)]
    if not wanted_by:
        return []
    hashes: set[str] = set()
    for python in wanted_by:
        fitting = fitting_hashes(package, architecture, python)
        if not fitting:
            sys.exit(f"{package['name']} {package['version']} has no wheel for Python {python} on {architecture}")
        hashes |= fitting
    only = "" if wanted_by == list(PYTHONS) else f" ; python_version in '{' '.join(wanted_by)}'"
    pin = f"{package['name']}=={package['version']}{only}"
    return [" \\\n".join([pin, *(f"    --hash=sha256:{digest}" for digest in sorted(hashes))])]


def applies(package: dict[str, Any], architecture: str, python: str) -> bool:
    """Tell whether a package is wanted by one Python on one architecture of Linux."""
    if "marker" not in package:
        return True
    return Marker(package["marker"]).evaluate(
        {
            "python_version": python,
            "python_full_version": f"{python}.0",
            "platform_machine": architecture,
            "sys_platform": "linux",
            "platform_system": "Linux",
            "os_name": "posix",
            "implementation_name": "cpython",
            "platform_python_implementation": "CPython",
        }
    )


def fitting_hashes(package: dict[str, Any], architecture: str, python: str) -> set[str]:
    """Return the hashes of the wheels that one Python on one architecture can install."""
    return {
        wheel["hashes"]["sha256"]
        for wheel in package.get("wheels", [])
        if wheel_fits(wheel["url"].rsplit("/", 1)[1], architecture, python)
    }


def wheel_fits(filename: str, architecture: str, python: str) -> bool:
    """Tell whether a wheel's tags include one Python on one architecture of Linux with our glibc."""
    tags = parse_wheel_filename(filename)[3]
    return any(
        interpreter_fits(tag.interpreter, tag.abi, python) and platform_fits(tag.platform, architecture) for tag in tags
    )


def interpreter_fits(interpreter: str, abi: str, python: str) -> bool:
    """Tell whether a wheel's first two tags accept one Python."""
    minor = int(python.partition(".")[2])
    if interpreter in {"py3", "py2.py3"}:
        return abi == "none"
    if interpreter == f"cp3{minor}":
        return abi in {interpreter, "abi3", "none"}
    older = re.fullmatch(r"cp3(\d+)", interpreter)
    return older is not None and abi == "abi3" and int(older[1]) <= minor


def platform_fits(platform: str, architecture: str) -> bool:
    """Tell whether a wheel's last tag accepts Linux with our glibc on one architecture."""
    if platform in {"any", f"manylinux2014_{architecture}", f"manylinux2010_{architecture}"}:
        return True
    newer = re.fullmatch(rf"manylinux_2_(\d+)_{architecture}", platform)
    return newer is not None and int(newer[1]) <= GLIBC_MINOR_MAX


if __name__ == "__main__":
    sys.exit(main())
