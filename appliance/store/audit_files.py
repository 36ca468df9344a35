"""The guardian's audit files at rest: their names, and the check that they are what was written.

    audit.jsonl      the current file
    audit.1.jsonl    the one before it, and so on; the oldest falls off
    audit.head       sequence and digest of the last entry, so that lines cut off the end are missed

Here and not beside the writer, because the guardian checks them when it starts and `verify` checks them later. The head
is read before the lines: the writer puts a line down before its head, so a guardian that is writing meanwhile can never
look like one whose lines were cut off. A line may span sectors of the disk, of which a power cut keeps any: what is no
entry at all, past the recorded head, is a line that nobody was told of. Standard library alone: the guardian's process
imports this.
"""

import re
from pathlib import Path
from typing import Final

from appliance.core.errors import StoreFailure
from appliance.safety.audit_chain import LINE_BYTES_MAX, NO_ENTRY, Damage, Head, follow

FILE_BYTES_MAX: Final = 256 * 1024
FILES_COUNT_MAX: Final = 16
_HEAD_PATTERN: Final = re.compile(rb"([0-9]{20}) ([0-9a-f]{64})\n")
_PUBLISHED_PATTERN: Final = re.compile(r"([0-9]{1,20}):([0-9a-f]{64})")


def audit_folder(state: Path) -> Path:
    """Return where the guardian keeps its audit log."""
    return state / "guardian"


def audit_file(folder: Path, number: int) -> Path:
    """Return the path of one file, 0 being the current one."""
    return folder / (f"audit.{number}.jsonl" if number else "audit.jsonl")


def head_file(folder: Path) -> Path:
    """Return the path of the recorded head."""
    return folder / "audit.head"


def head_line(head: Head) -> bytes:
    """Return what the head file holds."""
    return f"{head.sequence:020d} {head.digest}\n".encode("ascii")


def parse_head(text: str) -> Head | None:
    """Return a head written as SEQUENCE:DIGEST."""
    match = _PUBLISHED_PATTERN.fullmatch(text)
    return None if match is None else Head(int(match[1]), match[2])


def read_lines(path: Path) -> list[bytes]:
    """Return a file's lines, none if it is missing."""
    try:
        with path.open("rb") as file:
            return file.read(2 * FILE_BYTES_MAX + LINE_BYTES_MAX).splitlines(keepends=True)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise StoreFailure(f"{path} cannot be read: {error.strerror}") from error


def verify(
    folder: Path,
    *,
    newest_files_count: int | None = None,
    files_count_max: int = FILES_COUNT_MAX,
    published: Head | None = None,
) -> Head | Damage:
    """Check the chain over all or the newest files: its beginning, its recorded head, and one published earlier."""
    recorded = _recorded(folder)
    if isinstance(recorded, Damage):
        return recorded
    # Until the oldest file has fallen off, the chain begins where every chain does.
    dropped = newest_files_count is not None or audit_file(folder, files_count_max - 1).exists()
    head = None if dropped else Head()
    met = published is None or published == Head()
    for number in range((newest_files_count or files_count_max) - 1, -1, -1):
        for line_count, line in enumerate(_acknowledged(folder, number, recorded), start=1):
            found = follow((line,), head)
            if isinstance(found, Damage):
                return Damage(line_count, f"{audit_file(folder, number).name} line {line_count} {found.explanation}")
            head = found
            met = met or head == published
    reached = head or Head()
    return _against(recorded, head) or (reached if met else _missed(published or Head(), reached))


def torn_tail(folder: Path) -> int:
    """Return the length of a last line that the power failed in, so that it was never acknowledged."""
    recorded = _recorded(folder)
    lines = read_lines(audit_file(folder, 0))
    torn = not isinstance(recorded, Damage) and bool(lines) and _is_torn(folder, lines, recorded)
    return len(lines[-1]) if torn else 0


def _acknowledged(folder: Path, number: int, recorded: Head | None) -> list[bytes]:
    """Return the lines of a file but for one that is being written, which nobody was told of yet."""
    lines = read_lines(audit_file(folder, number))
    return lines[:-1] if number == 0 and lines and _is_torn(folder, lines, recorded) else lines


def _is_torn(folder: Path, lines: list[bytes], recorded: Head | None) -> bool:
    """Tell a line that a power cut left in pieces from one that was damaged later: the head never named it."""
    if not lines[-1].endswith(b"\n"):
        return True
    if recorded is None or follow(lines[-1:], None) != NO_ENTRY:
        return False
    before = (lines[:-1] or read_lines(audit_file(folder, 1)))[-1:]
    reached = follow(before, None)
    return not isinstance(reached, Damage) and recorded.sequence <= reached.sequence


def _recorded(folder: Path) -> Head | Damage | None:
    path = head_file(folder)
    try:
        with path.open("rb") as file:
            match = _HEAD_PATTERN.fullmatch(file.read(LINE_BYTES_MAX))
    except FileNotFoundError:
        return None
    if match is None:
        return Damage(0, f"{path.name} cannot be read")
    return Head(int(match[1]), match[2].decode("ascii"))


def _against(recorded: Head | None, head: Head | None) -> Damage | None:
    if recorded is None:
        return (
            None
            if head is None or head == Head()
            else Damage(0, "audit.head is missing: entries may have been cut off the end")
        )
    reached = head or Head()
    if recorded.sequence > reached.sequence:
        return Damage(0, f"entries {reached.sequence + 1} to {recorded.sequence} were cut off the end")
    if recorded.sequence == reached.sequence and recorded.digest != reached.digest:
        return Damage(0, "the last entry is not the one that audit.head names")
    return None


def _missed(published: Head, reached: Head) -> Damage:
    if published.sequence > reached.sequence:
        return Damage(0, f"entry {published.sequence} was published and is not there: the end was cut off")
    return Damage(0, f"entry {published.sequence} is not the one published: it was rewritten, or is no longer kept")
