"""The heartbeat page: what the trader says, believed only where it can be true."""

import os
import zlib
from dataclasses import replace
from pathlib import Path

import pytest

from appliance.safety.heartbeat import Heartbeat, HeartbeatReader, HeartbeatWriter, heartbeat_path
from appliance.safety.modes import Mode

BOOT = (0x1234, 0x5678)
NOW_NS = 50_000_000_000
BLOCK_BYTES = 12 * 8
REPORT = Heartbeat(
    beat_ns=NOW_NS,
    pid=4711,
    mode=Mode.PAUSED,
    loop_count=1,
    journal_count=2,
    input_count=3,
    acknowledged_latch_sequence=4,
    open_entries_count=5,
    verified_flat=True,
    stopping=False,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the page is, with one report on it."""
    path = heartbeat_path(tmp_path)
    HeartbeatWriter(path, BOOT).beat(REPORT)
    return path


def _read(path: Path, boot: tuple[int, int] = BOOT) -> Heartbeat | None:
    reader = HeartbeatReader(path, boot)
    reader.refresh()
    found = reader.read(NOW_NS)
    reader.close()
    return found


def _forge(path: Path, word: int, value: int) -> None:
    """Change one word and mend the sum, as a trader gone wrong would."""
    block = bytearray(path.read_bytes())
    block[8 * word : 8 * word + 8] = value.to_bytes(8, "little")
    block[BLOCK_BYTES : BLOCK_BYTES + 8] = zlib.crc32(block[:BLOCK_BYTES]).to_bytes(8, "little")
    path.write_bytes(block)


@pytest.mark.parametrize("stopping", [False, True])
@pytest.mark.parametrize("verified_flat", [False, True])
@pytest.mark.parametrize("mode", Mode)
def test_a_report_comes_back_whole(path: Path, mode: Mode, *, verified_flat: bool, stopping: bool) -> None:
    """Each field has its own place; it fails if two shared one or a flag were lost."""
    report = replace(REPORT, mode=mode, verified_flat=verified_flat, stopping=stopping)
    HeartbeatWriter(path, BOOT).beat(report)
    assert _read(path) == report


def test_a_page_without_a_beat_says_nothing(tmp_path: Path) -> None:
    """A trader that only began is not yet alive; it fails if a cleared page were a report."""
    HeartbeatWriter(tmp_path / "page", BOOT)
    assert _read(tmp_path / "page") is None
    assert _read(tmp_path / "absent") is None


@pytest.mark.parametrize("byte", range(BLOCK_BYTES + 8))
def test_any_byte_changed_without_its_sum_is_refused(path: Path, byte: int) -> None:
    """A torn or damaged report is nothing; it fails for every byte that the sum does not cover."""
    content = bytearray(path.read_bytes())
    content[byte] ^= 0x10
    path.write_bytes(content)
    assert _read(path) is None


@pytest.mark.parametrize(
    ("word", "value"),
    [
        (0, 1),
        (1, 0),
        (2, 0),
        (3, 0),
        (3, NOW_NS + 1_000_000_000),
        (4, 0),
        (4, 1),
        (4, 1 << 40),
        (5, 0),
        (5, 9),
        (11, 4),
    ],
    ids=[
        "header",
        "boot-high",
        "boot-low",
        "no-beat",
        "beat-from-the-future",
        "pid-0",
        "pid-1",
        "pid-too-large",
        "mode-0",
        "mode-9",
        "unknown-flag",
    ],
)
def test_what_cannot_be_true_is_refused_although_the_sum_is_right(path: Path, word: int, value: int) -> None:
    """A well-formed lie is refused; it fails if only the sum were checked."""
    _forge(path, word, value)
    assert _read(path) is None


def test_a_page_of_another_boot_is_refused(path: Path) -> None:
    """A heartbeat left by another boot is foreign; it fails if the boot id were not compared."""
    assert _read(path, (BOOT[0], 1)) is None


def test_a_trader_that_shrinks_its_page_does_not_harm_the_reader(path: Path) -> None:
    """The reader survives a file cut under it; it fails (dies) if the page were mapped instead of read."""
    reader = HeartbeatReader(path, BOOT)
    reader.refresh()
    assert reader.read(NOW_NS) == REPORT
    os.truncate(path, 10)
    assert reader.read(NOW_NS) is None
    reader.close()


def test_a_pipe_in_the_page_s_place_does_not_hang_the_reader(tmp_path: Path) -> None:
    """Opening never waits for a writer; it fails (hangs) if the page were opened blocking."""
    os.mkfifo(tmp_path / "pipe")
    assert _read(tmp_path / "pipe") is None
