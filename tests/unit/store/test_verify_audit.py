"""What `verify` says of the guardian's audit log: every way to change it at rest is found and named."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.__main__ import main
from appliance.core.clock import VirtualClock
from appliance.guardian.audit import Audit
from appliance.safety.audit_chain import Damage, Head, entry
from appliance.store.audit_files import audit_folder, head_line, parse_head, verify
from tests.unit.store.test_store_verify import ledger_journal

__all__ = ["ledger_journal"]

COUNT = 40
Lines = list[bytes]


@pytest.fixture
def state(ledger_journal: Path) -> Path:
    """Return a state folder with a journal and an audit log in several files."""
    state = ledger_journal.parent
    audit = Audit(audit_folder(state), VirtualClock(1, 2), lambda: None, file_bytes_max=4000)
    for number in range(COUNT):
        audit.append("latched", {"number": number})
    audit.close()
    assert (audit_folder(state) / "audit.2.jsonl").exists()
    return state


def said(capsys: pytest.CaptureFixture[str], state: Path, *words: str) -> tuple[int, str, str]:
    """Run the verb and return its exit code, what it found wrong with the audit, and the audit's head."""
    code = main(["verify", "--state", str(state), "--json", *words])
    report = json.loads(capsys.readouterr().out)
    [finding] = [finding for finding in report["findings"] if finding["check"] == "audit"]
    return code, finding["wrong"] or "", report["audit_head"]


def rewrite(state: Path, change: Callable[[Lines], Lines], name: str = "audit.1.jsonl") -> None:
    """Change one file at rest."""
    path = audit_folder(state) / name
    path.write_bytes(b"".join(change(path.read_bytes().splitlines(keepends=True))))


def test_an_untouched_log_is_good_and_its_head_is_told(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The head it prints is the one it accepts later; it fails on a false alarm."""
    code, wrong, head = said(capsys, state)
    assert (code, wrong) == (0, "")
    assert head.startswith(f"{COUNT}:")
    assert said(capsys, state, "--audit-head", head)[:2] == (0, "")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda lines: [lines[0], lines[1].replace(b"latched", b"l4tched"), *lines[2:]], "line 2 was edited"),
        (lambda lines: [lines[0], *lines[2:]], "line 2 does not follow"),
        (lambda lines: [lines[0], lines[2], lines[1], *lines[3:]], "line 2 does not follow"),
        (lambda lines: [lines[0], lines[1], *lines[1:]], "line 3 does not follow"),
        (lambda lines: [lines[0], b"\n", *lines[1:]], "line 2 is not an entry"),
    ],
    ids=["edited", "deleted", "reordered", "doubled", "inserted"],
)
def test_a_change_in_the_middle_is_named(
    state: Path, capsys: pytest.CaptureFixture[str], change: Callable[[Lines], Lines], expected: str
) -> None:
    """File and line are told; it fails if one change went unseen."""
    rewrite(state, change)
    code, wrong, _ = said(capsys, state)
    assert code == 1
    assert wrong.startswith("audit.1.jsonl ")
    assert expected in wrong


def test_a_missing_beginning_is_found(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The oldest file cannot be removed while it should still be kept; it fails if any beginning were trusted."""
    oldest = max(audit_folder(state).glob("audit.*.jsonl"))
    oldest.unlink()
    code, wrong, _ = said(capsys, state)
    assert code == 1
    assert "does not follow the entry before it" in wrong


def test_a_cut_end_is_found_by_the_recorded_head(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Lines removed from the end are missed; it fails if the chain alone were followed."""
    rewrite(state, lambda lines: lines[:-1], "audit.jsonl")
    code, wrong, _ = said(capsys, state)
    assert code == 1
    assert "cut off the end" in wrong


def cut_and_forged(state: Path) -> None:
    """Cut the end off and write a head that fits, as somebody who owns the card could."""
    rewrite(state, lambda lines: lines[:-1], "audit.jsonl")
    (audit_folder(state) / "audit.head").unlink()
    lines = (audit_folder(state) / "audit.jsonl").read_bytes().splitlines()
    last = json.loads(lines[-1])
    (audit_folder(state) / "audit.head").write_bytes(head_line(Head(last["sequence"], last["digest"])))


def test_a_cut_end_with_a_forged_head_is_found_by_a_published_one(
    state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was published cannot be taken back; it fails if the card's own word were the last."""
    _, _, head = said(capsys, state)
    cut_and_forged(state)
    assert said(capsys, state)[0] == 0
    code, wrong, _ = said(capsys, state, "--audit-head", head)
    assert code == 1
    assert f"entry {COUNT} was published and is not there" in wrong


def test_a_history_written_anew_is_found_by_a_published_head(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A whole new chain is good in itself and is still not the published one; it fails if only its length counted."""
    _, _, published = said(capsys, state)
    for path in audit_folder(state).glob("audit*"):
        path.unlink()
    head, lines = Head(), b""
    for _ in range(COUNT):
        line, head = entry(head, "guardian-started", {}, wall_ns=1, monotonic_ns=1)
        lines += line
    (audit_folder(state) / "audit.jsonl").write_bytes(lines)
    (audit_folder(state) / "audit.head").write_bytes(head_line(head))
    assert said(capsys, state)[0] == 0
    code, wrong, _ = said(capsys, state, "--audit-head", published)
    assert code == 1
    assert "is not the one published" in wrong


def test_a_removed_log_is_found_by_a_published_head(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Removing everything is a cut too; it fails if a missing log were no log."""
    _, _, published = said(capsys, state)
    for path in audit_folder(state).glob("audit*"):
        path.unlink()
    code, wrong, _ = said(capsys, state, "--audit-head", published)
    assert code == 1
    assert "was published and is not there" in wrong


def test_a_line_being_written_is_not_damage(state: Path) -> None:
    """A running guardian may be looked at; it fails if half a line, which nobody was told of, were called damage."""
    path = audit_folder(state) / "audit.jsonl"
    before = verify(audit_folder(state))
    path.write_bytes(path.read_bytes() + b'{"detail":{')
    assert verify(audit_folder(state)) == before
    assert not isinstance(before, Damage)


@pytest.mark.parametrize("text", ["", "40", "40:", "x:" + "0" * 64, "1:" + "0" * 63, "-1:" + "0" * 64])
def test_a_head_that_is_none_is_bad_use(state: Path, capsys: pytest.CaptureFixture[str], text: str) -> None:
    """A mistyped head is refused in one sentence; it fails if it were taken for no head at all."""
    assert parse_head(text) is None
    assert main(["verify", "--state", str(state), f"--audit-head={text}"]) == 2
    assert "SEQUENCE:DIGEST" in capsys.readouterr().err


def test_a_backup_has_no_guardian_beside_it(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A journal named by itself is judged by itself; it fails if the audit of some other folder were mixed in."""
    assert main(["verify", "--journal", str(state / "journal.db"), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert "audit" not in [finding["check"] for finding in report["findings"]]
