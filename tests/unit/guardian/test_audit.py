"""The audit files: durable, chained across rotation, and their damage found."""

from pathlib import Path

import pytest

from appliance.core.clock import VirtualClock
from appliance.guardian.audit import Audit
from appliance.safety.audit_chain import Damage, Head
from appliance.store.audit_files import verify

CLOCK = VirtualClock(1, 2)


def _never() -> None:
    pytest.fail("an undamaged log was called damaged")


def _write(folder: Path, count: int, **limits: int) -> Head:
    audit = Audit(folder, CLOCK, _never, **limits)  # type: ignore[arg-type]
    for number in range(count):
        audit.append("latched", {"number": number})
    audit.close()
    return audit.head


def test_a_log_goes_on_where_it_ended(tmp_path: Path) -> None:
    """Reopening continues the chain; it fails if it began anew."""
    _write(tmp_path, 3)
    head = _write(tmp_path, 2)
    assert head.sequence == 5
    assert verify(tmp_path) == head


def test_rotation_is_bounded_and_carries_the_chain(tmp_path: Path) -> None:
    """Files stay below their number and the chain runs across them; it fails if a file began at the genesis."""
    head = _write(tmp_path, 100, file_bytes_max=1000, files_count_max=4)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["audit.1.jsonl", "audit.2.jsonl", "audit.3.jsonl", "audit.head", "audit.jsonl"]
    assert verify(tmp_path, files_count_max=4) == head
    assert _write(tmp_path, 1, file_bytes_max=1000, files_count_max=4).sequence == 101


def test_a_cut_tail_is_missed_by_the_head(tmp_path: Path) -> None:
    """Lines removed from the end are found; it fails if the chain alone were checked."""
    _write(tmp_path, 5)
    path = tmp_path / "audit.jsonl"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-2]))
    found = verify(tmp_path)
    assert isinstance(found, Damage)
    assert "4 to 5 were cut off" in found.explanation


@pytest.mark.parametrize("content", [None, b"", b"garbage\n"])
def test_a_lost_or_unreadable_head_is_damage(tmp_path: Path, content: bytes | None) -> None:
    """The head cannot be removed to hide a cut; it fails if a missing head were fine."""
    _write(tmp_path, 3)
    (tmp_path / "audit.head").unlink()
    if content is not None:
        (tmp_path / "audit.head").write_bytes(content)
    assert isinstance(verify(tmp_path), Damage)


def test_a_head_that_lags_is_no_damage(tmp_path: Path) -> None:
    """A power cut between line and head is normal; it fails if it halted the appliance."""
    _write(tmp_path, 3)
    old = (tmp_path / "audit.head").read_bytes()
    head = _write(tmp_path, 1)
    (tmp_path / "audit.head").write_bytes(old)
    assert verify(tmp_path) == head


def test_a_torn_last_line_is_dropped_and_recorded(tmp_path: Path) -> None:
    """Half a line at the end was never acknowledged; it fails if it counted as damage or stayed unmentioned."""
    _write(tmp_path, 3)
    with (tmp_path / "audit.jsonl").open("ab") as file:
        file.write(b'{"detail":{"num')
    audit = Audit(tmp_path, CLOCK, _never)
    audit.close()
    assert audit.damage is None
    assert audit.head.sequence == 4
    assert b"audit-tail-dropped" in (tmp_path / "audit.jsonl").read_bytes()
    assert verify(tmp_path) == audit.head


def test_a_last_line_in_pieces_is_dropped_only_past_the_recorded_head(tmp_path: Path) -> None:
    """A line of two sectors of which one was kept is no damage unless the head names it; it fails if a power cut halted
    the appliance, or if garbage in place of an acknowledged entry passed.
    """
    _write(tmp_path, 3)
    path, lagging = tmp_path / "audit.jsonl", (tmp_path / "audit.head").read_bytes()
    _write(tmp_path, 1)
    current = (tmp_path / "audit.head").read_bytes()
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-1]) + bytes(40) + lines[-1][40:])
    (tmp_path / "audit.head").write_bytes(current)
    assert isinstance(verify(tmp_path), Damage)
    (tmp_path / "audit.head").write_bytes(lagging)
    assert verify(tmp_path) == Head(3, lagging.decode().split()[1])
    audit = Audit(tmp_path, CLOCK, _never)
    audit.close()
    assert audit.damage is None
    assert b"audit-tail-dropped" in path.read_bytes()


def test_a_damaged_log_is_set_aside_and_said_so(tmp_path: Path) -> None:
    """Evidence is kept and a new chain begins with the reason; it fails if it were overwritten or carried on."""
    _write(tmp_path, 3)
    path = tmp_path / "audit.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"number":1', b'"number":7'))
    told: list[bool] = []
    audit = Audit(tmp_path, CLOCK, lambda: told.append(path.exists()))
    audit.close()
    assert told == [True]
    assert audit.damage is not None
    assert "line 2 was edited" in audit.damage.explanation
    assert b'"number":7' in (tmp_path / "damaged" / "audit.jsonl").read_bytes()
    assert verify(tmp_path) == audit.head
    again = Audit(tmp_path, CLOCK, _never)
    again.close()
    assert again.damage is None
