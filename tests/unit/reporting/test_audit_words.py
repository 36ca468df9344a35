"""The guardian's audit log as a person reads it, from a file that the guardian's own part wrote."""

from pathlib import Path

import pytest

from appliance.guardian.audit_shown import ShownAudit
from appliance.reporting.audit_tail import AuditTail
from appliance.safety.audit_chain import Detail, Head, entry


@pytest.mark.parametrize(
    ("event", "detail", "title", "words"),
    [
        (
            "trader",
            {"old": "BOOT", "new": "NORMAL", "heartbeat": "FRESH", "lamp": "NORMAL"},
            "trader: BOOT → NORMAL",
            "heartbeat fresh, lamp NORMAL",
        ),
        (
            "latched",
            {"cause": "BUTTON", "latch_sequence": 3, "opened_ns": 1_000_000, "withdrawn_ns": 1_041_000},
            "latched",
            "stop 3, by button; permission withdrawn 41 µs after the contact opened",
        ),
        ("latched", {"cause": "CASE_OPENED", "latch_sequence": 4}, "latched", "stop 4, by case opened"),
        (
            "latched",
            {"cause": "BUTTON", "latch_sequence": 5, "opened_ns": 9, "withdrawn_ns": 0},
            "latched",
            "stop 5, by button",
        ),
        ("remote-stop", {"key": "7f", "signed_wall_ms": 1_760_000_000_000}, "remote stop", "signed by the key 7f"),
        ("guardian-started", {"latched": 0}, "guardian started", "the stop is clear"),
        ("guardian-started", {"latched": 1}, "guardian started", "the stop is latched"),
        ("wiring-alarm", {"glitch_count": 12}, "wiring alarm", "glitch count 12"),
    ],
)
def test_an_entry_is_told_in_words(tmp_path: Path, event: str, detail: Detail, title: str, words: str) -> None:
    """What the guardian wrote is read as a sentence, times as spans; wrong if raw clock readings were shown, or a word
    of an entry that is not known were lost.
    """
    line, _ = entry(Head(), event, detail, wall_ns=1_760_000_000 * 10**9, monotonic_ns=1)
    ShownAudit(tmp_path).add(line)
    (read,) = AuditTail(tmp_path).entries()
    assert (read.event, read.detail) == (title, words)
