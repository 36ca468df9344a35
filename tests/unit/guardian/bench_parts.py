"""A guardian with simulated pins and virtual time, and hands to press its buttons."""

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from appliance.core.clock import VirtualClock
from appliance.guardian.disk import GuardianDisk
from appliance.guardian.edges import Edges
from appliance.guardian.enforcement import Enforcer, Step, kill_trader
from appliance.guardian.keeper import Keeper
from appliance.guardian.last_resort_call import Ended
from appliance.guardian.last_resort_watch import LastResortWatch
from appliance.guardian.loop import Guardian, Limits, Parts
from appliance.guardian.remote_stop import RemoteStopWatch
from appliance.guardian.trader_watch import TraderWatch
from appliance.hardware.pins import Contact, PinAssignment, open_pins
from appliance.hardware.pins_simulated import SimulatedHands
from appliance.safety.button import Button, Gesture
from appliance.safety.heartbeat import Heartbeat, HeartbeatReader, HeartbeatWriter, heartbeat_path
from appliance.safety.lamps import Lamp
from appliance.safety.lease import LatchCause, LeaseInformation, LeaseReader, LeaseWriter, lease_path
from appliance.safety.modes import Mode
from appliance.safety.stop_page import StopPageReader, StopPageWriter, stop_page_path

MS = 1_000_000
BOOT = (1, 2)
DEVICE = "bot4-edge"
PINS = PinAssignment(estop=17, reset=5, case=6, relay=25, red=24, green=22, blue=27, yellow=None)
LIMITS = Limits(lease_expiry_ns=250 * MS, lease_renew_ns=20 * MS, lamp_test=False, yellow_fitted=False)
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


class ScriptedCall:
    """Stand where a call to a parked process would, and end when told to."""

    def __init__(self) -> None:
        """Begin with a process that has taken the call."""
        self.words: list[str] = []
        self.result: Ended | None = None
        self.armed = True
        self.started = True
        self.killed = False
        self.closed = False

    def go(self, word: str) -> bool:
        """Note the word."""
        self.words.append(word)
        return True

    def poll(self) -> Ended | None:
        """Return the end that was scripted."""
        return self.result

    def kill(self) -> None:
        """Note it and die."""
        self.killed = True
        self.result = Ended(b"")

    def close(self) -> None:
        """Note it."""
        self.closed = True


class Bench:
    """Join real parts around simulated pins; time moves only when told."""

    def __init__(
        self,
        folder: Path,
        *,
        closed: bool = True,
        lamp_test: bool = False,
        steps: tuple[Step, ...] = (kill_trader,),
        trader: bool = True,
        case_stops: bool = True,
        yellow: int | None = None,
        relay: int | None = PINS.relay,
        remote_key: bytes | None = None,
    ) -> None:
        """Start the guardian as its root does."""
        self.calls: list[ScriptedCall] = []
        self.state, self.runtime = folder / "state", folder / "run"
        self.clock = VirtualClock(monotonic_ns=1_000 * MS, wall_ns=1_700_000_000_000 * MS)
        self.lease = LeaseWriter(lease_path(self.runtime), BOOT, os.getpid())
        self.edges = Edges(self.lease, self.clock, case_stops=case_stops)
        self.pins = open_pins("simulated", replace(PINS, yellow=yellow, relay=relay), self.clock)
        self.hands = SimulatedHands(self.pins.factory, PINS)
        self.hands.turn(Contact.ESTOP, asserted=closed)
        self.pins.listen(self.edges.push)
        self.disk = GuardianDisk(self.state, self.clock)
        self.latch, self.audit, record = self.disk.latch, self.disk.audit, self.disk.record
        self.keeper = Keeper(self.clock, 5_000 * MS, self.edges.wake)
        self.keeper.open(lambda: self.disk)
        self.disk_hangs = False
        self.button = Button(
            Gesture(), latched=record.latched, closed=closed, reset_down=False, now_ns=self.clock.monotonic_ns()
        )
        reader = HeartbeatReader(heartbeat_path(self.runtime), BOOT)
        self.heartbeat = HeartbeatWriter(heartbeat_path(self.runtime), BOOT)
        parts = Parts(
            self.clock,
            self.pins,
            self.lease,
            self.edges,
            self.button,
            TraderWatch(reader, 2_000 * MS),
            self.keeper,
            Enforcer(1_000 * MS, steps),
            LastResortWatch(self.call),
            None if remote_key is None else self._remote(remote_key),
        )
        limits = replace(LIMITS, lamp_test=lamp_test, case_stops=case_stops, yellow_fitted=yellow is not None)
        self.guardian = Guardian(parts, limits, record, LatchCause.OPEN_AT_BOOT)
        self.reader = LeaseReader(lease_path(self.runtime), BOOT)
        self.report: Heartbeat | None = REPORT if trader else None

    def _remote(self, key: bytes) -> RemoteStopWatch:
        """Take remote stops signed with this key from the page that the reporter would write."""
        path = stop_page_path(self.runtime)
        self.page = StopPageWriter(path, BOOT)
        return RemoteStopWatch(StopPageReader(path, BOOT).read, key, DEVICE, lambda: self.clock.wall_ns() // MS)

    def call(self) -> ScriptedCall:
        """Call what the guardian takes for the last resort."""
        self.calls.append(ScriptedCall())
        return self.calls[-1]

    def run(self, duration_ms: int, until: Callable[[], bool] | None = None) -> None:
        """Let time pass turn by turn, with the trader beating in each."""
        end_ns = self.clock.monotonic_ns() + duration_ms * MS
        while self.clock.monotonic_ns() < end_ns:
            if self.report is not None:
                self.heartbeat.beat(replace(self.report, beat_ns=self.clock.monotonic_ns()))
            next_ns = self.guardian.turn()
            self.write()
            if until is not None and until():
                return
            self.clock.advance_to(max(self.clock.monotonic_ns() + 1, min(next_ns, end_ns)))

    def write(self) -> None:
        """Let the disk keep what waits, unless it hangs."""
        while not self.disk_hangs and self.keeper.step():
            pass

    def trader(self, mode: Mode, *, acknowledged: int = 0, flat: bool = False) -> None:
        """Change what the trader reports."""
        self.report = replace(REPORT, mode=mode, acknowledged_latch_sequence=acknowledged, verified_flat=flat)

    def permits(self) -> bool:
        """Tell what the trader's gate would see."""
        return self.reader.permits(self.clock.monotonic_ns())

    def lamp(self) -> Lamp:
        """Return what the lamp says."""
        return self.guardian.lamp

    def told(self) -> LeaseInformation:
        """Return what the guardian tells beside permission."""
        found = self.reader.information()
        assert found is not None
        return found

    def press(self, duration_ns: int | None = None) -> None:
        """Open the stop contact, for a while or for good."""
        self.hands.turn(Contact.ESTOP, asserted=False)
        if duration_ns is not None:
            self.clock.advance_to(self.clock.monotonic_ns() + duration_ns)
            self.hands.turn(Contact.ESTOP, asserted=True)

    def hold_reset(self, duration_ms: int) -> None:
        """Press the reset button for a while."""
        self.hands.turn(Contact.RESET, asserted=True)
        self.run(duration_ms)
        self.hands.turn(Contact.RESET, asserted=False)
        self.run(40)

    def audit_lines(self) -> list[dict[str, Any]]:
        """Return the audit log's entries."""
        text = (self.state / "guardian" / "audit.jsonl").read_text(encoding="ascii")
        return [json.loads(line) for line in text.splitlines()]

    def events(self) -> list[str]:
        """Return the names of the audited events."""
        text = (self.state / "guardian" / "audit.jsonl").read_text(encoding="ascii")
        return [line.split('"event":"')[1].split('"')[0] for line in text.splitlines()]
