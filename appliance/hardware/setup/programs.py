"""The system's own programs that settings are brought into force with: one door, and none without a limit."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Final

from appliance.core.errors import StoreFailure

_LIMIT_S: Final = 30


def called(words: tuple[str, ...], given: bytes = b"") -> bytes:
    """Return what a program prints; an error quotes neither what it was given nor what it said."""
    try:
        done = subprocess.run(words, input=given, capture_output=True, check=True, timeout=_LIMIT_S)  # noqa: S603 - words of the callers
    except (OSError, subprocess.SubprocessError) as problem:
        raise StoreFailure(f"{words[0]} {words[1]} failed; look into the journal of bot4-setup") from problem
    return done.stdout


def remounting(folder: Path) -> Callable[[str], None]:
    """Return what makes the file system at a folder writable ("rw") or read-only ("ro"), where one is mounted there."""

    def remount(how: str) -> None:
        if os.path.ismount(folder):
            called(("mount", "-o", f"remount,{how}", str(folder)))

    return remount


def make_host_key(path: Path) -> None:
    """Make the key by which this box is known over SSH, once."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        called(("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)))


def addresses() -> list[str]:
    """Return the addresses that other machines reach this one at, as the kernel has them now."""
    links = json.loads(called(("ip", "-json", "address")))
    found = [one for link in links for one in link.get("addr_info", ())]
    return sorted(one["local"] for one in found if one.get("scope") == "global" and one.get("family") == "inet")
