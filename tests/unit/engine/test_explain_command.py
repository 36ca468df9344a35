"""`appliance explain`: why something was bought, from the journal of a trader of real parts."""

import json
from pathlib import Path

import msgspec
import pytest

from appliance.__main__ import main
from appliance.core.records import Row
from appliance.trading import records
from tests.unit.engine.builders import SECOND_NS, Rig
from tests.unit.engine.test_model_voices import TRIAL, answer
from tests.unit.store.builders import written


@pytest.fixture
def journal(tmp_path: Path) -> tuple[Path, list[Row]]:
    """Return a journal in which the models bought, then a strategy, then the models sold."""
    rig = Rig(TRIAL).running().tell(answer())
    rig.fill(rig.orders()[-1])
    rig.pass_time(11 * SECOND_NS).tell(answer(edge_ppm=-1))
    return written(tmp_path / "journal.db", rig.rows), rig.rows


def explained(journal: Path, decision: str, capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    """Return what the command says as a document."""
    assert main(["explain", decision, "--journal", str(journal), "--json"]) == 0
    told: dict[str, object] = json.loads(capsys.readouterr().out)
    return told


def test_a_decision_is_found_by_its_row_and_by_its_order(
    journal: tuple[Path, list[Row]], capsys: pytest.CaptureFixture[str]
) -> None:
    """Shows weights, five reasons, the order and its fills, whichever id is given; fails when another decision's are
    told.
    """
    path, rows = journal
    row = next(row for row in rows if row.kind == "decision")
    by_row = explained(path, str(row.sequence), capsys)
    order = next(fact for fact in map(records.decode, rows) if isinstance(fact, records.Intent))
    by_order = explained(path, order.client_id, capsys)
    assert by_row == by_order
    assert by_row["decision"] == json.loads(msgspec.json.encode(records.plain(records.decode(row))))
    reasons = by_row["decision"]["reasons"]  # type: ignore[index]
    assert [tuple(reason) for reason in reasons] == list(answer().reasons)
    assert len(by_row["fills"]) == 1  # type: ignore[arg-type]
    assert main(["explain", str(row.sequence), "--journal", str(path)]) == 0
    text = capsys.readouterr().out
    assert "models buys BTC/USD" in text
    assert "+0.9000  figure 0" in text


def test_what_is_no_decision_is_said(
    journal: tuple[Path, list[Row]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Shows exit code 2 for a row of another kind, a sale and a journal that is not there; fails when something else is
    explained instead.
    """
    path, rows = journal
    sale = [fact for fact in map(records.decode, rows) if isinstance(fact, records.Intent)][-1]
    assert sale.reduce_only
    for decision in ("1", "nonsense", sale.client_id):
        assert main(["explain", decision, "--journal", str(path)]) == 2
        assert "There is no decision" in capsys.readouterr().err
    assert main(["explain", "1", "--journal", str(tmp_path / "none.db")]) == 2
    assert "There is no journal" in capsys.readouterr().err
