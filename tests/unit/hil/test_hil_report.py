"""The bench's report: nothing passes silently, and a report that was changed is known."""

import json
from pathlib import Path

import pytest

from appliance.safety.lamps import Lamp
from hil_tests import report
from hil_tests.cards import CARDS
from hil_tests.choosing import ChoiceError, choice
from hil_tests.result import Card, Result
from hil_tests.rig import ABILITIES
from hil_tests.running import carried_out


class FakeRig:
    """Carry out nothing; for the logic of running and telling only."""

    name = "fake"
    stretch = 1.0
    abilities: frozenset[str] = frozenset()

    def power_on(self) -> None:
        """Do nothing."""

    def power_off(self) -> None:
        """Do nothing."""

    def press(self, _: str) -> float | None:
        """Do nothing."""
        return None

    def lamp(self) -> Lamp:
        """Show nothing."""
        return Lamp.DARK

    def permitted(self) -> bool:
        """Permit nothing."""
        return False

    def open_orders(self) -> int:
        """Have nothing."""
        return 0


def _card(number: str, result: Result | Exception, *needs: str) -> Card:
    def run(_: FakeRig) -> Result:
        if isinstance(result, Exception):
            raise result
        return result

    return Card(number, "t", "p", "w", "d", "l", run, frozenset(needs))


GOOD = Result("", {"time": [0.1, 0.2]})


def _outcomes(*cards: Card) -> list[str]:
    return [report.outcome(result) for _, result in carried_out(FakeRig(), cards, lambda *_: None)]


def test_a_card_that_the_rig_cannot_run_is_not_run_and_the_exit_code_says_so() -> None:
    """Shows that a missing ability is NOT RUN and ends in 3; fails when such a card counts as passed."""
    outcomes = _outcomes(_card("A", GOOD), _card("B", GOOD, "sensor"))
    assert outcomes == ["passed", "NOT RUN"]
    assert report.exit_code(outcomes) == 3


def test_after_a_failure_the_rest_is_not_run() -> None:
    """Shows that a card which begins where a failed one should have ended is not run; fails when it is."""
    outcomes = _outcomes(_card("A", Result("broken", {})), _card("B", GOOD))
    assert outcomes == ["FAILED", "NOT RUN"]
    assert report.exit_code(outcomes) == 1


@pytest.mark.parametrize(
    ("there", "expected"), [(True, ["FAILED", "passed", "passed"]), (False, ["FAILED"] + ["NOT RUN"] * 2)]
)
def test_a_card_that_can_bring_the_box_to_its_beginning_is_run_after_a_failure(
    there: bool,
    expected: list[str],
) -> None:
    """Shows that one failed card does not hide what the others find, and that the next in the chain is run too once
    the box is where it belongs; fails when a card is run although the box did not get there, or not although it did.
    """
    begins = _card("B", GOOD)._replace(begin=lambda _: there)
    assert _outcomes(_card("A", Result("broken", {})), begins, _card("C", GOOD)) == expected


def test_a_box_that_breaks_on_its_way_to_a_beginning_fails_the_card() -> None:
    """Shows that a rig which breaks between cards is told; fails when the run ends without a word of it."""

    def breaks(_: FakeRig) -> bool:
        raise OSError("gone")

    begins = _card("B", GOOD)._replace(begin=breaks)
    assert _outcomes(_card("A", Result("broken", {})), begins) == ["FAILED", "FAILED"]


def test_a_card_that_breaks_is_a_failure() -> None:
    """Shows that a rig which breaks under a card fails that card; fails when the run ends without a word of it."""
    assert _outcomes(_card("A", OSError("gone"))) == ["FAILED"]


def test_a_card_without_a_procedure_is_not_run() -> None:
    """Shows that a card nobody wrote a procedure for is NOT RUN even on a rig that lacks nothing, and breaks none after
    it; fails when it counts as passed or as failed.
    """
    nobody = Card("A", "t", "p", "w", "d", "l", None)
    assert _outcomes(nobody, _card("B", GOOD)) == ["NOT RUN", "passed"]


def test_a_run_of_nothing_is_no_pass() -> None:
    """Shows that no cards at all are not green; fails when an empty run exits with 0."""
    assert report.exit_code([]) == 3
    assert report.exit_code(["passed"]) == 0


def test_every_ability_a_card_needs_has_its_reason() -> None:
    """Shows that NOT RUN always says why, and cards are numbered; fails for an ability without a sentence."""
    assert {need for card in CARDS for need in card.needs} <= set(ABILITIES)
    assert [card.number for card in CARDS] == [f"HIL-{place:02}" for place in range(1, len(CARDS) + 1)]
    assert all((card.purpose, card.wiring, card.procedure, card.limit) for card in CARDS)


def _written(folder: Path) -> Path:
    cards = [report.entry(_card("HIL-01", GOOD), GOOD)]
    return report.write(folder, {"rig": "fake<", "about": {}, "cards": cards})


def test_a_changed_report_is_known(tmp_path: Path) -> None:
    """Shows that the signature holds for the report as written and for no other; fails when a change goes unseen."""
    path = _written(tmp_path)
    assert report.is_signed(tmp_path)
    assert (tmp_path / "bench.key").stat().st_mode & 0o777 == 0o600
    path.write_text(path.read_text().replace("passed", "PASSED", 1))
    assert not report.is_signed(tmp_path)


def test_a_second_run_signs_with_the_same_key(tmp_path: Path) -> None:
    """Shows that the bench keeps its key; fails when every report has another."""
    _written(tmp_path)
    before = (tmp_path / "bench.pub").read_text()
    _written(tmp_path)
    assert (tmp_path / "bench.pub").read_text() == before
    assert report.is_signed(tmp_path)


def test_figures_come_with_their_histogram(tmp_path: Path) -> None:
    """Shows that every sample is in one bin, the largest too; fails when one is lost or told twice."""
    samples = [0.0, 0.05, 0.5, 1.0, 1.0]
    bins = report.histogram(samples)
    assert sum(count for _, _, count in bins) == len(samples)
    assert bins[0] == (0.0, 0.1, 2)
    assert bins[-1][2] == 2
    assert report.histogram([2.0, 2.0]) == [(2.0, 2.0, 2)]
    written = json.loads(_written(tmp_path).read_text())
    assert written["cards"][0]["histograms"]["time"]
    page = (tmp_path / "report.html").read_text()
    assert "fake&lt;" in page
    assert "#" in page


def test_the_rig_file_chooses(tmp_path: Path) -> None:
    """Shows that the file names rig, image and cuts, and a word goes before it; fails when one is ignored."""
    file = tmp_path / "rig.toml"
    file.write_text('kind = "virtual"\nimage = "build/image/x.img"\npower_cuts = 3\n')
    found = choice([], file)
    assert (found.kind, found.power_cuts) == ("virtual", 3)
    assert found.image is not None
    assert found.image.name == "x.img"
    assert choice(["simulated"], file).kind == "simulated"


@pytest.mark.parametrize(
    "text", ["", 'kind = "wired"', 'kind = "virtual"\npower_cuts = 0', 'kind = "virtual"\nx = 1', "kind ="]
)
def test_what_is_no_rig_is_explained(text: str, tmp_path: Path) -> None:
    """Shows that a missing, unbuilt or wrong rig explains both choices; fails when one is taken for granted."""
    file = tmp_path / "rig.toml"
    if text:
        file.write_text(text)
    with pytest.raises(ChoiceError, match="RIG=virtual"):
        choice([], file)
