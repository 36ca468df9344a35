"""A recorded day replays to the same bytes, and what differs is found where it begins."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import msgspec
import pytest
import zstandard

from appliance.__main__ import main
from appliance.core.clock import VirtualClock
from appliance.core.commands import AnyCommand
from appliance.core.errors import ConversionError, WireError
from appliance.core.events import AnyEvent, OrderTraded
from appliance.engine.replay import Outcome, Tail, build_from, replay
from appliance.engine.trader import Trader
from appliance.market import recording
from appliance.market.recording import CRASHED, Item, Start, Step, session_items
from appliance.store import recordings
from appliance.store.recorder import Recorder
from tests.recorded.driver import EPOCH_NS, LIMITS, Driver, record_sessions
from tests.unit.store.builders import until

ROOT = Path(__file__).resolve().parents[2]
SECONDS = (40, 25, 30)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Record three lives of one appliance, once."""
    folder = tmp_path_factory.mktemp("recordings")
    limits = msgspec.structs.replace(LIMITS, file_bytes_max=50_000)
    driver = record_sessions(folder, SECONDS, limits=limits)
    kinds = {row.kind for row in driver.rows}
    assert {"boot", "intent", "order", "fill", "mode", "reconciled", "equity"} <= kinds
    return folder


def items_of(folder: Path, number: int = 1) -> list[Item]:
    """Return one session's items."""
    [session] = [one for one in recordings.sessions_in(folder) if one.number == number]
    return list(session_items(recordings.files_of(session)))


def write(path: Path, items: Iterable[Item]) -> Path:
    """Write items as one file, as the recorder would have."""
    compressor = recording.compressor()
    lines = [
        recording.step_lines([(item.now_ns, item.event, item.digest) if item.digest else (item.now_ns, item.event)])
        if isinstance(item, Step)
        else recording.marker_line(item)
        for item in items
    ]
    path.write_bytes(compressor.compress(b"".join(lines)) + compressor.flush())
    return path


def replayed(items: Iterable[Item]) -> Outcome:
    """Return what a replay of these items finds."""
    return replay(items, build_from)


def report(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, list[dict[str, object]]]:
    """Return the exit code of the command and what it found of each session."""
    code = main(["replay", "--json", *words])
    sessions: list[dict[str, object]] = json.loads(capsys.readouterr().out)["sessions"]
    return code, sessions


def test_every_session_replays_byte_for_byte(recorded: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Shows that three lives from one journal, with lost connections, answers and permission, ask for the very same
    bytes again; fails when the trader reads anything but its events, or the snapshot leaves something out.
    """
    code, sessions = report(capsys, str(recorded))
    assert [one["verdict"] for one in sessions] == ["equal"] * 3, sessions
    assert [one["tail"] for one in sessions] == ["ended"] * 3
    assert all(isinstance(one["commands"], int) and one["commands"] > 20 for one in sessions)
    assert len(list(recorded.iterdir())) > 3
    assert code == 0


def test_the_commands_written_are_those_that_were_asked_for(tmp_path: Path) -> None:
    """Shows that `--commands` writes what the recorded trader really asked for; fails when digests alone agree."""
    asked: list[bytes] = []
    problems: list[str] = []
    driver = Driver(5)
    recorder = Recorder(tmp_path, LIMITS, problems.append, VirtualClock(0, EPOCH_NS))
    recorder.begin(driver.start())

    def record(now_ns: int, event: AnyEvent, commands: Sequence[AnyCommand]) -> None:
        recorder.record(now_ns, event, commands)
        if commands:
            asked.append(recording.bytes_of(commands))

    driver.live(20, record)
    assert recorder.close(20), problems
    out = tmp_path / "commands.jsonl"
    assert main(["replay", str(tmp_path), "--commands", str(out)]) == 0
    assert out.read_bytes().splitlines() == asked
    assert len(asked) > 10


@pytest.mark.parametrize("seed", ["0", "1", "424242"])
def test_the_seed_of_hashes_does_not_matter(recorded: Path, seed: str) -> None:
    """Shows that another process with another order of sets asks for the same; fails when a set decides."""
    command = [sys.executable, "-m", "appliance", "replay", str(recorded), "--session", "2"]
    environment = os.environ | {"PYTHONHASHSEED": seed}
    result = subprocess.run(
        command, cwd=ROOT, check=False, capture_output=True, text=True, timeout=120, env=environment
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert "EQUAL" in result.stdout


def changed(items: list[Item], pick: type[AnyEvent], change: Callable[[Step], Step]) -> tuple[int, list[Item]]:
    """Change the first step with such an event; return its number and all items."""
    number = next(n for n, item in enumerate(items) if isinstance(item, Step) and isinstance(item.event, pick))
    step = items[number]
    assert isinstance(step, Step)
    return number, [*items[:number], change(step), *items[number + 1 :]]


def test_one_changed_digit_of_a_fill_is_found(
    recorded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Shows that one tick in one recorded fill is named with its event and both digests, and that the exit code is 1;
    fails when a difference goes unseen or is found at another event.
    """

    def one_tick_more(step: Step) -> Step:
        assert isinstance(step.event, OrderTraded)
        event = msgspec.structs.replace(step.event, price_ticks=step.event.price_ticks + 1)
        return msgspec.structs.replace(step, event=event)

    number, items = changed(items_of(recorded), OrderTraded, one_tick_more)
    before = items_of(recorded)[number]
    assert isinstance(before, Step)
    code, [found] = report(capsys, str(write(tmp_path / "session-1-0.rec.zst", items)))
    difference = found["divergence"]
    assert (code, found["verdict"], found["tail"]) == (1, "diverged", "unread")
    assert isinstance(difference, dict)
    assert difference["event"] == number
    assert difference["recorded"] == before.digest
    assert difference["replayed"] not in {None, before.digest}
    assert main(["replay", str(tmp_path)]) == 1
    said = capsys.readouterr().out
    assert f"event {number} came out differently" in said
    assert str(before.digest) in said


def test_a_left_out_event_is_found(recorded: Path) -> None:
    """Shows that a hole is found; fails when replay would go on over it."""
    items = items_of(recorded)
    number, _ = changed(items, OrderTraded, lambda step: step)
    assert replayed([*items[:number], *items[number + 1 :]]).divergence is not None


def test_a_left_out_event_without_effect_is_found_at_the_end(recorded: Path) -> None:
    """Shows that the end's counts find even a hole that changed nothing; fails when the end is not compared."""
    items = items_of(recorded)
    outcome = replayed([*items[:-2], items[-1]])
    assert (outcome.divergence, outcome.tail) == (None, Tail.DAMAGED)


@pytest.mark.parametrize(
    ("setting", "other"),
    [("minimum_hold_s = 2", "minimum_hold_s = 9"), ("reconcile_interval_s = 10", "reconcile_interval_s = 11")],
)
def test_a_changed_setting_is_found(recorded: Path, setting: str, other: str) -> None:
    """Shows that a trader with another parameter is found out, whatever it tells of its settings; fails when a replay
    compares less than everything it does.
    """
    start, *steps = items_of(recorded)
    assert isinstance(start, Start)
    assert setting in start.config_text
    changed_start = msgspec.structs.replace(start, config_text=start.config_text.replace(setting, other))
    outcome = replayed([changed_start, *steps])
    assert outcome.divergence is not None
    assert outcome.divergence.number == 1  # the boot record holds the fingerprint of the settings


def test_a_changed_strategy_is_found_where_it_first_acts(recorded: Path) -> None:
    """Shows that a change in how a strategy decides is found at the first different decision, not before; fails when
    only what is written at boot is compared.
    """

    def without_trades(start: Start) -> Trader:
        trader = build_from(start)
        # A trader whose strategies never form an opinion stands for any that decides otherwise.
        trader._parts = trader._parts._replace(strategies=())
        return trader

    outcome = replay(items_of(recorded), without_trades)
    assert outcome.divergence is not None
    assert outcome.divergence.number > 100
    assert outcome.divergence.replayed is None
    assert outcome.divergence.commands == []


def test_a_snapshot_of_the_wrong_moment_is_found(recorded: Path) -> None:
    """Shows that a ledger that is not the one the trader began with is found; fails when the snapshot is not used."""
    first, second = items_of(recorded, 1), items_of(recorded, 2)
    assert isinstance(first[0], Start)
    assert isinstance(second[0], Start)
    wrong = msgspec.structs.replace(second[0], ledger_snapshot=first[0].ledger_snapshot)
    assert replayed([wrong, *second[1:]]).divergence is not None


@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_a_cut_file_replays_its_beginning(
    recorded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], share: float
) -> None:
    """Shows that a recording that just stops replays what it holds and says that it was cut; fails when it is refused
    or passes for whole.
    """
    whole = write(tmp_path / "session-1-0.rec.zst", items_of(recorded)).read_bytes()
    # The recorder flushes each second; a decompressor yields whole blocks of at most 128 KiB of lines.
    (tmp_path / "session-1-0.rec.zst").write_bytes(whole[: int(len(whole) * share)])
    code, [found] = report(capsys, str(tmp_path))
    assert (code, found["verdict"], found["tail"]) == (0, "equal", "cut")
    assert isinstance(found["events"], int)
    assert 0 < found["events"] < len(items_of(recorded))


def test_a_missing_file_is_found(recorded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Shows that a session without its middle file is damaged, not shorter; fails when it replays over the hole."""
    [session] = [one for one in recordings.sessions_in(recorded) if one.number == 1]
    assert len(session.paths) > 2
    for path in (session.paths[0], *session.paths[2:]):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    code, [found] = report(capsys, str(tmp_path))
    assert (code, found["verdict"]) == (2, "damaged")
    assert "does not continue" in str(found["detail"])


def test_a_flipped_bit_never_passes(recorded: Path) -> None:
    """Shows that no flipped bit leaves a whole, equal replay of something else; fails when damage passes for the
    recording that was made.
    """
    content = bytearray(b"".join(recordings.chunks_of(recorded / "session-2-0.rec.zst")))
    honest = list(recording.file_items([bytes(content)]))
    for position in range(0, len(content), 997):
        content[position] ^= 0x10
        found: list[object] = []
        try:
            found.extend(recording.file_items([bytes(content)]))
        except WireError:
            found.append("damage")
        assert found[-1] == "damage" or found == honest, position
        content[position] ^= 0x10


def test_a_crash_replays_as_a_crash(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Shows that the event that broke a step breaks it again, and that a trader that does not break is a difference;
    fails when the most telling event of a recording is the one that is missing.
    """
    problems: list[str] = []
    driver = Driver(5)
    recorder = Recorder(tmp_path, LIMITS, problems.append, VirtualClock(0, EPOCH_NS))
    recorder.begin(driver.start())
    trader = driver.live(20, recorder.record, orderly=False)
    order = next(iter(trader.ledger.orders.values()))
    # More money than the ledger can hold: the step raises.
    fill = OrderTraded(order.client_id, "T", order.instrument, order.side, 10**14, 10**16, 0, maker=False, venue_ns=0)
    with pytest.raises(ConversionError):
        trader.step(driver.now_ns, fill)
    recorder.record(driver.now_ns, fill, None)
    assert recorder.close(20), problems
    code, [found] = report(capsys, str(tmp_path))
    assert (code, found["verdict"], found["tail"]) == (0, "equal", "ended")
    *items, crash, _end = items_of(tmp_path)
    assert crash == Step(driver.now_ns, fill, CRASHED)
    broken = replayed([*items, Step(driver.now_ns, fill)]).divergence
    assert broken is not None
    assert (broken.replayed, broken.problem.partition(":")[0]) == (CRASHED, "ConversionError")
    sound = replayed([*items[:-1], msgspec.structs.replace(items[-1], digest=CRASHED)]).divergence
    assert sound is not None
    assert sound.replayed is None


KILLED = """
import sys
from pathlib import Path
from appliance.core.clock import SystemClock
from appliance.store.recorder import Recorder
from tests.recorded.driver import Driver, LIMITS
driver = Driver(8)
recorder = Recorder(Path(sys.argv[1]), LIMITS, print, SystemClock())
recorder.begin(driver.start())
print("recording", flush=True)
driver.live(10_000, recorder.record)
"""


def test_a_killed_process_leaves_a_replayable_beginning(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Shows that SIGKILL in the middle costs the tail at most; fails when the file of a killed process is useless."""
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE)
    try:
        until(lambda: sum(path.stat().st_size for path in tmp_path.iterdir()) > 40_000)
    finally:
        process.kill()
        process.communicate()
    code, [found] = report(capsys, str(tmp_path))
    assert (code, found["verdict"], found["tail"]) == (0, "equal", "cut")
    assert isinstance(found["events"], int)
    assert found["events"] > 1_000


@pytest.mark.parametrize(
    "words", [["/nonexistent"], [str(ROOT / "tests" / "recorded")], ["{folder}", "--session", "77"]]
)
def test_wrong_places_are_refused_in_a_sentence(
    recorded: Path, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    """Shows that a wrong path, an empty folder and an unknown session are bad use; fails when nothing replayed passes
    for a good replay.
    """
    assert main(["replay", *(word.format(folder=recorded) for word in words)]) == 2
    assert capsys.readouterr().err.startswith("appliance: ")


@pytest.mark.parametrize("content", [b"", b"garbage", zstandard.ZstdCompressor().compress(b"\0" * (64 << 20))])
def test_what_is_no_recording_is_unreadable(tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes) -> None:
    """Shows that emptiness, garbage and a bomb are unreadable with exit code 2; fails when one raises or passes."""
    (tmp_path / "session-1-0.rec.zst").write_bytes(content)
    assert main(["replay", str(tmp_path)]) == 2
    assert "UNREADABLE" in capsys.readouterr().out


def test_a_recorded_configuration_is_not_trusted(
    recorded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Shows that a recording with an unusable configuration is unreadable; fails when it ends the whole command."""
    start, *steps = items_of(recorded)
    assert isinstance(start, Start)
    write(tmp_path / "session-1-0.rec.zst", [msgspec.structs.replace(start, config_text="[nothing]"), *steps])
    write(tmp_path / "session-2-0.rec.zst", items_of(recorded, 2))
    code, found = report(capsys, str(tmp_path))
    assert [one["verdict"] for one in found] == ["unreadable", "equal"]
    assert code == 2


def test_one_file_stands_for_its_session(recorded: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Shows that naming any file replays its session once; fails when files are left out or it runs twice."""
    names = [str(recorded / recordings.file_name(1, number)) for number in (1, 0)]
    code, [found] = report(capsys, *names)
    assert (code, found["session"], found["tail"]) == (0, 1, "ended")
