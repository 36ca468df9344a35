"""The appliance as a whole: guardian, trader, reporter and venue as real processes, started by one command."""

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from appliance.safety.heartbeat import HeartbeatReader, heartbeat_path
from appliance.safety.page import boot_identity

pytestmark = pytest.mark.serial

KILLS = 10
RUN_S_MAX = 120


def _start(keep: Path, *words: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "appliance", "run", "--json", "--keep", str(keep), *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _finish(process: "subprocess.Popen[str]") -> tuple[int, dict[str, Any], str]:
    out, told = process.communicate(timeout=RUN_S_MAX)
    summary: dict[str, Any] = json.loads(out) if out.strip() else {}
    return process.returncode, summary, told


def _trader_pid(keep: Path) -> int | None:
    reader = HeartbeatReader(heartbeat_path(keep / "run"), boot_identity())
    reader.refresh()
    heartbeat = reader.read(time.monotonic_ns())
    reader.close()
    return heartbeat.pid if heartbeat is not None else None


def _session_members(keep: Path) -> list[int]:
    """Return every process whose command line names the run's folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if str(keep).encode() in words and int(entry.name) != os.getpid():
                found.append(int(entry.name))
    return found


def test_a_short_run_trades_and_tells_what_it_did(tmp_path: Path) -> None:
    """Show that one command opens positions within half a minute of trading; fails when no order or fill happened."""
    code, summary, told = _finish(_start(tmp_path / "run", "--for", "30s"))
    assert code == 0, told
    assert summary["orders"] > 0
    assert summary["fills"] > 0
    assert summary["agreed"]
    assert summary["journal_good"]
    assert summary["mode"] == "NORMAL"
    assert summary["lamp"] == "NORMAL"
    assert summary["tick_to_order_us_p50"] > 0
    assert summary["restarts"] == {"venue": 0, "last-resort": 0, "guardian": 0, "reporter": 0, "trader": 0}
    assert "panel: http://127.0.0.1:" in told
    assert "SYNTHETIC" in told


def test_ten_kills_leave_position_equal_to_fills_and_to_the_venue(tmp_path: Path) -> None:
    """Show that a trader killed at ten random moments books every fill once; fails on one lost or doubled."""
    keep = tmp_path / "run"
    process = _start(keep, "--for", "55s")
    moments = random.Random(20240808)
    killed: set[int] = set()
    deadline_s = time.monotonic() + RUN_S_MAX / 2
    try:
        while len(killed) < KILLS and time.monotonic() < deadline_s and process.poll() is None:
            time.sleep(moments.uniform(0.4, 5.0))
            pid = _trader_pid(keep)
            if pid is not None and pid not in killed:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                    killed.add(pid)
        code, summary, told = _finish(process)
    finally:
        process.kill()
    assert len(killed) == KILLS, told
    assert code == 0, (summary, told)
    assert summary["restarts"]["trader"] == KILLS
    assert summary["fills"] > 0, "a run without fills proves nothing"
    assert summary["agreed"]
    assert summary["positions_lots"] == summary["venue_positions_lots"]
    assert summary["cash_quanta"] == summary["venue_cash_quanta"]
    replayed = subprocess.run(
        [sys.executable, "-m", "appliance", "replay", str(keep / "state" / "recordings"), "--json"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert replayed.returncode == 0, replayed.stdout + replayed.stderr


def test_ctrl_c_ends_everything_within_three_seconds(tmp_path: Path) -> None:
    """Show that an interrupt ends all processes quickly and cleanly; fails on a slow end or a process left behind."""
    keep = tmp_path / "run"
    process = _start(keep)
    try:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("mode: NORMAL"):
                break
        assert len(_session_members(keep)) >= 5
        process.send_signal(signal.SIGINT)
        asked_s = time.monotonic()
        process.communicate(timeout=10)
        took_s = time.monotonic() - asked_s
    finally:
        process.kill()
    assert process.returncode == 0
    assert took_s < 3.0
    assert _session_members(keep) == []


def test_a_killed_launcher_leaves_no_process_behind(tmp_path: Path) -> None:
    """Show that the children end when their launcher is killed outright; fails when one lives on."""
    keep = tmp_path / "run"
    process = _start(keep)
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("mode: NORMAL"):
            break
    process.kill()
    process.communicate(timeout=10)
    deadline_s = time.monotonic() + 5
    while _session_members(keep) and time.monotonic() < deadline_s:
        time.sleep(0.05)
    assert _session_members(keep) == []


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--for", "soon"), "write 30s, 5m or 1h"),
        (("--for", "0s"), "write 30s, 5m or 1h"),
        (("--config", "/nowhere/appliance.toml"), "give the path of an appliance.toml"),
    ],
)
def test_bad_words_are_refused_in_one_clear_line(words: tuple[str, ...], says: str) -> None:
    """Show that bad input ends with exit code 2 and what to do; fails on a traceback or silence."""
    done = subprocess.run(
        [sys.executable, "-m", "appliance", "run", *words], capture_output=True, text=True, check=False, timeout=30
    )
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_a_guardian_that_was_held_up_stops_trading_and_lets_it_go_on(tmp_path: Path) -> None:
    """Show that permission lapses within its expiry when the guardian hangs, and that trading resumes by itself when it
    comes back with the latch clear; fails when either does not happen.
    """
    keep = tmp_path / "run"
    process = _start(keep, "--for", "6s")
    try:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("mode: NORMAL"):
                break
        (guardian,) = [
            pid
            for pid in _session_members(keep)
            if b"\0guardian\0" in (Path("/proc") / str(pid) / "cmdline").read_bytes()
        ]
        os.kill(guardian, signal.SIGSTOP)
        time.sleep(0.6)
        os.kill(guardian, signal.SIGCONT)
        code, summary, told = _finish(process)
    finally:
        process.kill()
    assert code == 0, (summary, told)
    assert "mode: EMERGENCY" in told
    assert summary["mode"] == "NORMAL"
    assert summary["agreed"]
    assert summary["restarts"] == {"venue": 0, "last-resort": 0, "guardian": 0, "reporter": 0, "trader": 0}
