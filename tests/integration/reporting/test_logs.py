"""`appliance logs` over what a real journal, the broker and the system's log hold of the same order."""

import json
import random
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from appliance.core.clock import SystemClock
from appliance.core.records import Row
from appliance.reporting.model import Model
from appliance.reporting.mqtt.payloads import encode, event_of, trace_text
from appliance.reporting.row_log import RowLog
from appliance.reporting.story import entry_of
from appliance.store.journal import Journal
from appliance.trading.projected import ProjectedLedger
from appliance.trading.records import ESSENTIAL_KINDS
from tests.integration.reporting.scripted_trader import START_WALL_NS, hello, row, story


def logs(*words: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run the verb."""
    command = [sys.executable, "-m", "appliance", "logs", *words]
    return subprocess.run(command, input=given, capture_output=True, check=False, timeout=60)


def day() -> list[Row]:
    """Return rows of which each order has one trace."""
    rows: list[Row] = []
    trace = 0
    for wall_ns, record in story(random.Random(3), 12, START_WALL_NS):
        made = row(len(rows) + 1, record, wall_ns)
        trace = made.sequence if made.kind == "intent" else trace
        rows.append(msgspec.structs.replace(made, trace=1 << 40 | trace))
    return rows


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """Return a journal that holds the day."""
    path = tmp_path / "journal.db"
    kept = Journal.open(
        path,
        device="bot4-demo",
        clock=SystemClock(),
        on_durable=lambda _: None,
        on_failure=lambda _: None,
        essential_kinds=ESSENTIAL_KINDS,
    )
    kept.start(ProjectedLedger())
    for one in day():
        kept.append(one)
    assert kept.flush(10)
    kept.close()
    return path


def test_one_trace_finds_the_same_story_everywhere(
    journal: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The journal, the MQTT messages and the system's log tell the same order in time under one trace; wrong if a
    row were missing from one of them, or the trace changed on the way.
    """
    rows = day()
    trace = next(one.trace for one in rows if one.kind == "fill")
    wanted = [one.sequence for one in rows if one.trace == trace and one.kind != "equity"]
    assert len(wanted) >= 4
    told = logs("--journal", str(journal), "--trace", trace_text(trace), "--json")
    assert [json.loads(line)["sequence"] for line in told.stdout.splitlines()] == wanted, told.stderr
    published = b"\n".join(
        encode(event_of("bot4-demo", "abc12", one, entry_of(one, {}))) for one in reversed(rows) if one.kind != "equity"
    )
    told = logs("--from", "-", "--trace", trace_text(trace), "--json", given=published + b"\nnot json\n{}\n[]")
    assert [json.loads(line)["sequence"] for line in told.stdout.splitlines()] == wanted, told.stderr
    monkeypatch.setenv("JOURNAL_STREAM", "1:2")
    model = Model(100)
    model.on_entry = RowLog("bot4-demo").write
    with caplog.at_level("INFO"):
        model.greet(hello(0))
        for one in rows:
            model.take_row(one)
    lines = [{**vars(one)["bot4_fields"], "MESSAGE": one.getMessage()} for one in caplog.records]
    told = logs(
        "--from", "-", "--trace", trace_text(trace), "--json", given=b"\n".join(map(msgspec.json.encode, lines))
    )
    assert [json.loads(line)["sequence"] for line in told.stdout.splitlines()] == wanted, told.stderr


def test_a_person_finds_traces_and_reads_a_story(journal: Path) -> None:
    """Without a trace the last lines show theirs, and with one the steps are told with their distance in time; wrong if
    nothing could be copied, or an unknown trace looked like a story.
    """
    told = logs("--journal", str(journal), "--last", "5").stdout.decode()
    assert len(told.splitlines()) == 5
    trace = next(line.split()[2] for line in told.splitlines() if " fill " in line)
    story_told = logs("--journal", str(journal), "--trace", trace).stdout.decode()
    assert " intent " in story_told.splitlines()[0]
    assert "+       0.0 ms" in story_told.splitlines()[0]
    assert logs("--journal", str(journal), "--trace", "00000000000000aa").returncode == 1
    for words in (["--trace", "xyz"], ["--journal", "/nowhere/j.db"], ["--from", "/nowhere/lines"]):
        refused = logs(*words)
        assert refused.returncode == 2
        assert b"Traceback" not in refused.stderr
