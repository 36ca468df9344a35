"""The bench cards, carried out on simulated pins by the command a person types."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from hil_tests.cards import CARDS
from hil_tests.report import is_signed

pytestmark = pytest.mark.serial

ROOT = Path(__file__).resolve().parents[2]


def _run(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "hil_tests", *words], capture_output=True, text=True, check=False, timeout=120, cwd=ROOT
    )


def test_every_card_that_simulated_pins_can_carry_out_passes() -> None:
    """Show that stop, release, power cut, reset and start do what the cards say, and that the cards which take a booted
    box are told as not run; fails when one card fails, or when the others pass silently.
    """
    done = _run("simulated")
    assert done.returncode == 3, done.stdout + done.stderr
    report = json.loads((ROOT / "var/hil/report.json").read_text())
    assert [one["number"] for one in report["cards"]] == [card.number for card in CARDS]
    expected = ["NOT RUN" if card.needs else "passed" for card in CARDS]
    assert [one["outcome"] for one in report["cards"]] == expected, done.stdout
    assert is_signed(ROOT / "var/hil")


@pytest.mark.parametrize("words", [(), ("wired",)])
def test_without_a_rig_it_explains_and_fails(words: tuple[str, ...]) -> None:
    """Show that nothing passes silently without a rig; fails when a missing or unbuilt rig counts as good."""
    done = _run(*words)
    assert done.returncode == 2
    assert "RIG=simulated" in done.stderr
    assert "RIG=virtual" in done.stderr
