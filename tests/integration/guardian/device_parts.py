"""The real guardian process on simulated pins, and the hands and eyes around it."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from appliance.guardian.bench import bench_path
from appliance.safety.heartbeat import Heartbeat, HeartbeatWriter, heartbeat_path
from appliance.safety.lease import LatchState, LeaseInformation, LeaseReader, lease_path
from appliance.safety.modes import Mode
from appliance.safety.page import boot_identity

CONFIG = """
[safety]
lease_expiry_ms = 250
lease_renew_ms = 20
acknowledge_ms_max = 500
reset_hold_ms = 1000
lamp_test = false
[pins]
factory = "simulated"
tamper_fitted = true
[paths]
state = "{folder}/state"
runtime = "{folder}/run"
"""
REPORT = Heartbeat(
    beat_ns=0,
    pid=os.getpid(),
    mode=Mode.NORMAL,
    loop_count=0,
    journal_count=0,
    input_count=0,
    acknowledged_latch_sequence=0,
    open_entries_count=0,
    verified_flat=False,
    stopping=False,
)


class Device:
    """Run guardians in one folder and watch them from outside."""

    def __init__(self, folder: Path, safety: str = "") -> None:
        """Write the configuration, with more settings of its first section; nothing runs yet."""
        self.folder = folder
        self.state, self.runtime = folder / "state", folder / "run"
        self.config = folder / "appliance.toml"
        self.config.write_text(
            CONFIG.format(folder=folder).replace("[safety]\n", f"[safety]\n{safety}"), encoding="utf-8"
        )
        self.lease = LeaseReader(lease_path(self.runtime), boot_identity())
        self.heartbeat = HeartbeatWriter(heartbeat_path(self.runtime), boot_identity())
        self.report = REPORT
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> subprocess.Popen[str]:
        """Start a guardian and wait until it beats."""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "appliance", "guardian", "--config", str(self.config)],
            stderr=subprocess.PIPE,
            text=True,
        )
        pid = self.process.pid
        assert self.wait(lambda: self.lease.guardian_pid() == pid and self.told().latch_state is not LatchState.UNKNOWN)
        assert self.wait(lambda: bench_path(self.runtime).exists())
        return self.process

    def end(self, number: signal.Signals) -> int:
        """Send a signal and wait for the end."""
        self.running().send_signal(number)
        self.running().communicate(timeout=10)
        return self.running().returncode

    def wait(self, condition: Callable[[], bool], timeout_s: float = 5) -> bool:
        """Beat for the trader until a condition holds."""
        deadline_s = time.monotonic() + timeout_s
        while time.monotonic() < deadline_s:
            self.heartbeat.beat(replace(self.report, beat_ns=time.monotonic_ns()))
            self.lease.refresh()
            if condition():
                return True
            time.sleep(0.005)
        return False

    def told(self) -> LeaseInformation:
        """Return what the guardian tells beside permission."""
        found = self.lease.information()
        assert found is not None
        return found

    def running(self) -> subprocess.Popen[str]:
        """Return the guardian's process."""
        assert self.process is not None
        return self.process

    def permits(self) -> bool:
        """Tell what the trader's gate would see now."""
        return self.lease.permits(time.monotonic_ns())

    def ask(self, line: str) -> str:
        """Let a hand press a button and return its answer."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as channel:
            channel.settimeout(10)
            channel.connect(os.fspath(bench_path(self.runtime)))
            channel.sendall(line.encode())
            return channel.recv(100).decode()

    def events(self) -> str:
        """Return the audit log."""
        return (self.state / "guardian" / "audit.jsonl").read_text(encoding="ascii")
