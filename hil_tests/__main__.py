"""`make hil-test`: run the cards on a rig and write what they found.

Exit code 0 when every card passed, 1 when one failed, 2 without a rig, 3 when cards could not be run on this one.
"""

import os
import platform
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from hil_tests import report
from hil_tests.cards import CARDS
from hil_tests.choosing import Choice, ChoiceError, choice
from hil_tests.result import Card, Result
from hil_tests.rig import SimulatedRig
from hil_tests.running import carried_out
from hil_tests.virtual.machine import BenchError
from hil_tests.virtual.parts import SETTINGS
from hil_tests.virtual.rig import VirtualRig, newest_image

FOLDER = Path("var/hil")
IMAGES = Path("build/image")


def main(words: list[str]) -> int:
    """Run every card in order, tell each, and write the report."""
    try:
        chosen = choice(words)
        rig, about = opened(chosen)
    except (ChoiceError, BenchError) as problem:
        print(problem, file=sys.stderr)
        return 2
    try:
        found = carried_out(rig, CARDS, told)
    finally:
        rig.close()
    cards = [report.entry(card, result) for card, result in found]
    about |= {"began with load": about["load"], "ended with load": _load(), "times were stretched by": str(rig.stretch)}
    path = report.write(FOLDER, {"rig": rig.name, "about": about, "cards": cards})
    outcomes = [str(one["outcome"]) for one in cards]
    counts = Counter(outcomes)
    print(
        f"{rig.name} rig: {counts['passed']} passed, {counts['FAILED']} failed, {counts['NOT RUN']} not run, "
        f"of {len(cards)} cards; written to {path} and report.html, signed"
    )
    return report.exit_code(outcomes)


def opened(chosen: Choice) -> tuple[SimulatedRig | VirtualRig, dict[str, str]]:
    """Return the rig and what the report says about it."""
    about = {"machine": platform.platform(), "date": datetime.now(UTC).isoformat(timespec="seconds"), "load": _load()}
    if chosen.kind == "simulated":
        return SimulatedRig(), about
    image = chosen.image or newest_image(IMAGES)
    if not image.is_file():
        raise BenchError(f"there is no image {image}: make one with `make image`")
    return VirtualRig(image, chosen.power_cuts), about | {"image": image.name, "settings of the bench": _settings()}


def told(card: Card, result: Result) -> None:
    """Say one card's outcome in a line."""
    figures = ", ".join(
        f"{name.replace('_', ' ')} {max(samples):.4f} s" for name, samples in result.measured_s.items() if samples
    )
    word = report.outcome(result)
    print(f"{card.number} {word:<8} {card.title:<36} {result.wrong or result.not_run or figures}", flush=True)


def _settings() -> str:
    return ", ".join(f"{name} = {value}" for name, value in SETTINGS.items())


def _load() -> str:
    return f"{os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
