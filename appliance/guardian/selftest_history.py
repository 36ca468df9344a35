"""The results of the monthly tests: a bounded file of chained lines, like the audit log's, owned by who runs the test.

The file is replaced as a whole, so a power cut leaves the old one or the new. The oldest results fall off; the chain
then begins with the oldest that is left.
"""

import json
from pathlib import Path
from typing import Any, Final

from appliance.core.clock import Clock
from appliance.core.errors import StoreFailure
from appliance.guardian.files import make_folder, replace_durably
from appliance.safety.audit_chain import Damage, Detail, Head, entry, follow
from appliance.store.audit_files import read_lines

RESULTS_COUNT_MAX: Final = 240


def history_path(state: Path) -> Path:
    """Return where the results are."""
    return state / "selftest" / "estop.jsonl"


def append(path: Path, result: Detail, clock: Clock) -> None:
    """Add a result."""
    lines, head = _checked(path)
    line, _ = entry(head, "selftest-estop", result, wall_ns=clock.wall_ns(), monotonic_ns=clock.monotonic_ns())
    make_folder(path.parent)
    replace_durably(path, b"".join([*lines, line][-RESULTS_COUNT_MAX:]))


def results(path: Path) -> list[dict[str, Any]]:
    """Return all results, oldest first."""
    lines, _ = _checked(path)
    return [json.loads(line) for line in lines]


def _checked(path: Path) -> tuple[list[bytes], Head]:
    lines = read_lines(path)
    found = follow(lines, None)
    if isinstance(found, Damage):
        raise StoreFailure(f"{path} line {found.line_count} {found.explanation}: move the file away to begin a new one")
    return lines, found
