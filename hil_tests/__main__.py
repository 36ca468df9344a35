"""`make hil-test RIG=simulated`: run the cards on a rig and write what they found."""

import json
import sys
from pathlib import Path

from hil_tests.cards import CARDS
from hil_tests.rig import SimulatedRig

REPORT = Path("var/hil/report.json")
CHOICES = """hil-test: name a rig.

  make hil-test RIG=simulated   the box's real processes on this machine, with simulated pins; needs nothing else

Rigs with a booted image and with real wires are not built yet. Only they can show what wires, contacts, the firmware
and the power supply do."""


def main(words: list[str]) -> int:
    """Run every card in order; a failed card ends the run, because the next ones begin where it should have ended."""
    if words != ["simulated"]:
        print(CHOICES, file=sys.stderr)
        return 2
    rig = SimulatedRig()
    found = []
    try:
        for card in CARDS:
            result = card.run(rig)
            times = ", ".join(f"{name.replace('_', ' ')} {took_s:.3f} s" for name, took_s in result.measured_s.items())
            print(
                f"{card.number} {'FAILED' if result.wrong else 'passed'}  {card.title:<32} {result.wrong or times}",
                flush=True,
            )
            found.append({"card": card.number, "title": card.title, "limit": card.limit, **result._asdict()})
            if result.wrong:
                break
    finally:
        rig.close()
    passed = sum(1 for one in found if not one["wrong"])
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.write_text(
        json.dumps({"rig": rig.name, "cards": found, "not_run": len(CARDS) - len(found)}, indent=1) + "\n"
    )
    print(f"{passed} of {len(CARDS)} cards passed on the {rig.name} rig; written to {REPORT}")
    return 0 if passed == len(CARDS) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
