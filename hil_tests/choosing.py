"""Which rig: the word on the command line, or `hil_tests/rig.toml`."""

import tomllib
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
RIG_FILE = ROOT / "hil_tests/rig.toml"
KINDS = ("simulated", "virtual")
POWER_CUTS, POWER_CUTS_MAX = 20, 1000
EXPLAINED = """hil-test: describe the bench in hil_tests/rig.toml, or name a rig:

  make hil-test RIG=virtual     the image of `make image` in an emulated machine, with Linux's simulated pins;
                                needs nothing but this machine, and patience
  make hil-test RIG=simulated   the box's real processes on this machine, with simulated pins; a minute

  rig.toml:  kind = "virtual"            # or "simulated"
             image = "build/image/X.img" # an unpacked image; the newest, if left out
             power_cuts = 20             # how often HIL-17 cuts the power

A rig of real wires (kind = "wired") is not built yet. Only it can show what contacts, the firmware, the chip's
watchdog and the power supply do."""


class ChoiceError(Exception):
    """Say that no rig was chosen, and what to do."""


class Choice(NamedTuple):
    """Hold what was chosen."""

    kind: str
    image: Path | None
    power_cuts: int


def choice(words: list[str], rig_file: Path = RIG_FILE) -> Choice:
    """Return the chosen rig, or explain the choices."""
    if len(words) > 1:
        raise ChoiceError(EXPLAINED)
    try:
        document = tomllib.loads(rig_file.read_text()) if rig_file.is_file() else {}
    except (OSError, ValueError) as problem:
        raise ChoiceError(f"{rig_file}: {problem}\n\n{EXPLAINED}") from problem
    kind = words[0] if words else document.get("kind", "")
    image, cuts = document.get("image"), document.get("power_cuts", POWER_CUTS)
    right = isinstance(image, str | None) and isinstance(cuts, int) and 1 <= cuts <= POWER_CUTS_MAX
    if kind not in KINDS or not right or set(document) - {"kind", "image", "power_cuts"}:
        raise ChoiceError(EXPLAINED)
    return Choice(kind, ROOT / image if image else None, cuts)
