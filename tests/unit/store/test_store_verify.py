"""What `verify` says about a journal at rest, and through the command line."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from appliance.__main__ import main
from appliance.core.errors import AlreadyRunning, StoreFailure
from appliance.store import chain
from appliance.store.chain import Head
from appliance.store.verify import Check, Evidence, Report, verify
from appliance.trading import records
from appliance.trading.projected import ProjectedLedger
from tests.unit.store.builders import TallyFold, open_journal, opened, row, some_rows, written


def edit(path: Path, *statements: str) -> None:
    """Change a journal at rest."""
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def wrong(report: Report) -> dict[str, str]:
    """Return what was found wrong, by check."""
    return {finding.check: finding.wrong for finding in report.findings if finding.wrong is not None}


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """Return a journal with rows of no meaning."""
    return written(tmp_path / "journal.db", some_rows(50))


@pytest.fixture
def ledger_journal(tmp_path: Path) -> Path:
    """Hold rows that the real ledger folds."""
    facts: list[records.AnyRecord] = [
        records.Boot(boot_count=1, device="bench-1", config_fingerprint="f", monotonic_ns=1),
        records.Parameters(values={"risk": "low"}),
        records.Account(cash_quanta=1_000),
        records.Mode(old="BOOT", new="NORMAL", reason="start", origin="test", latch_sequence=0, start_sequence=1),
    ]
    path = tmp_path / "journal.db"
    held = open_journal(path, start=False)
    held.journal.start(ProjectedLedger())
    for number, fact in enumerate(facts, start=1):
        held.append(row(number, records.kind_of(fact), records.encode(fact)))
    assert held.journal.flush(20)
    held.journal.close()
    return path


def test_a_good_journal_passes_every_check(journal: Path) -> None:
    """An untouched journal is good in all four questions; it fails if a check cries wolf or is left out."""
    report = verify(journal, fold_factory=TallyFold)
    assert report.good
    assert [finding.check for finding in report.findings] == ["integrity", "schema", "chain", "projections"]
    assert report.head.startswith("50:")


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("UPDATE rows SET payload = x'00' WHERE sequence = 20", "row 20: edited"),
        ("UPDATE rows SET trace = trace + 1 WHERE sequence = 20", "row 20: edited"),
        ("UPDATE rows SET kind = 'orders' WHERE sequence = 20", "row 20: edited"),
        ("UPDATE rows SET hash = zeroblob(32) WHERE sequence = 20", "row 20: bad hash"),
        ("DELETE FROM rows WHERE sequence = 20", "row 20: missing"),
        ("DELETE FROM rows WHERE sequence BETWEEN 1 AND 4", "row 1: missing"),
    ],
)
def test_the_first_bad_row_is_named(journal: Path, statement: str, expected: str) -> None:
    """Each edit at rest is found and named, and what stands on the chain is left open; it fails if one passes."""
    edit(journal, statement)
    found = wrong(verify(journal, fold_factory=TallyFold))
    assert found["chain"].startswith(expected)
    assert found["projections"] == "not checked, because chain is wrong"


def test_a_kind_that_is_not_text_is_still_named(journal: Path) -> None:
    """Bytes that no decoder takes are damage with a row; it fails if texts are decoded before they are checked."""
    edit(journal, "UPDATE rows SET kind = CAST(x'ff' AS TEXT) WHERE sequence = 20")
    assert wrong(verify(journal))["chain"].startswith("row 20: edited")


def test_a_cut_end_is_found_by_a_published_head(journal: Path) -> None:
    """Rows cut off the end pass the chain and fail against a published head; it fails if the head is not looked up."""
    published = chain.parse_head(verify(journal).head)
    assert published is not None
    assert verify(journal, expected_head=published).good
    edit(journal, "DELETE FROM rows WHERE sequence > 45")
    assert verify(journal).good
    assert "its end was cut off" in wrong(verify(journal, expected_head=published))["head"]


def test_a_rewritten_history_is_found_by_a_published_head(journal: Path) -> None:
    """A chain recomputed after an edit is whole but has another head; it fails if only the chain is asked."""
    assert "rewritten" in wrong(verify(journal, expected_head=Head(20, bytes(32))))["head"]


def test_changed_projections_are_found(journal: Path) -> None:
    """Tables edited at rest differ from a replay; it fails if they are believed."""
    edit(journal, "UPDATE orders SET document = x'7b7d' WHERE key = 'order'")
    assert wrong(verify(journal, fold_factory=TallyFold))["projections"].startswith(
        "orders 'order' is {} and should be"
    )
    edit(journal, "DELETE FROM orders")
    assert "is missing" in wrong(verify(journal, fold_factory=TallyFold))["projections"]
    edit(journal, "UPDATE projected SET as_of_sequence = 3")
    assert "stop at row 3" in wrong(verify(journal, fold_factory=TallyFold))["projections"]


def test_a_damaged_page_is_found(journal: Path) -> None:
    """A page of zeros in the file is found; it fails if SQLite's own check is not run or its error escapes."""
    content = bytearray(journal.read_bytes())
    content[8_192:12_288] = bytes(4_096)
    journal.write_bytes(content)
    assert not verify(journal, fold_factory=TallyFold).good


def test_verify_changes_nothing(journal: Path) -> None:
    """The file is the same byte for byte afterwards; it fails if checking could hide what it checks."""
    before = journal.read_bytes()
    verify(journal, fold_factory=TallyFold)
    assert journal.read_bytes() == before


def test_a_journal_in_use_is_not_read(tmp_path: Path) -> None:
    """While the trader has the journal, verify refuses and says what to do; it fails if a second connection is made."""
    with (
        opened(tmp_path / "journal.db"),
        pytest.raises(AlreadyRunning, match="stop the trader first, or work on a backup"),
    ):
        verify(tmp_path / "journal.db")


def test_a_further_check_is_asked(journal: Path) -> None:
    """Another room's check joins the list; it fails if the list is closed."""

    def never_good(_evidence: Evidence) -> str | None:
        return "always"

    assert wrong(verify(journal, further_checks=[Check("other", never_good)])) == {"other": "always"}


def test_no_journal_is_said(tmp_path: Path) -> None:
    """A missing file is a sentence; it fails if an empty one is made instead."""
    with pytest.raises(StoreFailure, match="There is no journal"):
        verify(tmp_path / "journal.db")
    assert list(tmp_path.iterdir()) == []


def test_the_command_says_good(ledger_journal: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The verb checks a state folder with the real ledger and exits 0; it fails if a part is not joined."""
    assert main(["verify", "--state", str(ledger_journal.parent)]) == 0
    printed = capsys.readouterr().out
    assert "good     projections" in printed
    assert printed.endswith("The journal is what was written.\n")


def test_the_command_says_what_is_wrong(ledger_journal: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A bad journal exits 1 with a JSON report that names the row; it fails if a script would take it for good."""
    edit(ledger_journal, "UPDATE rows SET wall_ns = 1 WHERE sequence = 2")
    assert main(["verify", "--journal", str(ledger_journal), "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["good"] is False
    assert [finding["wrong"] for finding in report["findings"]][2].startswith("row 2: edited")


def test_rows_that_break_the_ledger_are_a_finding(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A whole chain over rows that cannot be is reported with exit 1; it fails if the ledger's invariant escapes."""
    account = records.encode(records.Account(cash_quanta=5))
    path = written(tmp_path / "journal.db", [row(1, "account", account), row(2, "account", account)])
    assert main(["verify", "--journal", str(path)]) == 1
    assert "the rows do not fold into a state" in capsys.readouterr().out


@pytest.mark.parametrize("words", [["--head", "nonsense"], ["--state", "/nonexistent"]])
def test_bad_use_exits_with_two(journal: Path, words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """A mistyped head or place exits 2 with one sentence; it fails if it is taken for a verdict."""
    assert main(["verify", *words]) == 2
    assert capsys.readouterr().err.startswith("appliance: ")
