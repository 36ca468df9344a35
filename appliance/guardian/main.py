"""The guardian's own root: joins its parts and runs its loop until it is told to end."""

import gc
import os
import signal
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Final

from appliance.core.clock import (
    NANOSECONDS_PER_MILLISECOND,
    NANOSECONDS_PER_SECOND,
    Clock,
    SystemClock,
)
from appliance.core.config import Config
from appliance.guardian.audit_shown import ShownAudit
from appliance.guardian.disk import GuardianDisk
from appliance.guardian.edges import Edges
from appliance.guardian.enforcement import Enforcer, kill_trader
from appliance.guardian.files import make_folder, only_one
from appliance.guardian.keeper import Keeper
from appliance.guardian.last_resort_call import ParkedCall, call_path
from appliance.guardian.last_resort_watch import LastResortWatch
from appliance.guardian.latch import LatchRecord
from appliance.guardian.loop import Guardian, Limits, Parts
from appliance.guardian.remote_stop import RemoteStopWatch
from appliance.guardian.trader_watch import TraderWatch
from appliance.hardware.memory_lock import lock_memory
from appliance.hardware.pins import Contact, PinAssignment, Pins, open_pins
from appliance.hardware.watchdog import Notifier
from appliance.safety.button import Button, Gesture
from appliance.safety.heartbeat import HeartbeatReader, heartbeat_path
from appliance.safety.lamps import PATTERNS, Lamp
from appliance.safety.lease import LatchCause, LeaseWriter, lease_path
from appliance.safety.page import boot_identity
from appliance.safety.stop_page import StopPageReader, stop_page_path

_NOTIFY_NS: Final = NANOSECONDS_PER_SECOND // 2
_FLUSH_S: Final = 1.0
_COLLECT_NS: Final = 60 * NANOSECONDS_PER_SECOND
_NANOSECONDS_PER_MICROSECOND: Final = 1_000


def run(config: Config) -> int:
    """Guard until SIGTERM or SIGINT."""
    clock = SystemClock()
    runtime = config.paths.runtime
    with ExitStack() as stack:
        make_folder(runtime / "guardian")
        stack.enter_context(only_one(runtime / "guardian" / "lock", "guardian"))
        boot = boot_identity()
        lease = LeaseWriter(lease_path(runtime), boot, os.getpid())
        stack.callback(lease.withdraw)
        notifier = Notifier(os.environ)
        stack.callback(notifier.close)
        edges = Edges(lease, clock, case_stops=_case_stops(config))
        assignment = pin_assignment(config)
        pins = open_pins(config.pins.factory, assignment, clock, config.pins.lamp_brightness_percent)
        stack.callback(pins.close)
        if config.pins.factory == "simulated":
            # The only socket that anybody can reach this process through, and only where there is nothing to protect.
            from appliance.guardian.bench import open_bench  # noqa: PLC0415

            stack.enter_context(open_bench(pins, assignment, runtime, config.safety.reset_hold_ms))
        listening_ns = clock.monotonic_ns()
        pins.listen(edges.push)
        last_resort = _last_resort(config)
        stack.callback(last_resort.close)
        keeper = Keeper(clock, config.safety.disk_ms_max * NANOSECONDS_PER_MILLISECOND, edges.wake)
        stack.callback(keeper.flush, _FLUSH_S)
        # Lit while the card is awaited: dark would say that nobody is there.
        pins.show(PATTERNS[Lamp.BOOT].at(0))
        disk = _open_disk(keeper, config, clock)
        if config.pins.factory == "lgpio" and (refused := lock_memory()):
            keeper.note("memory-not-locked", {"explanation": refused})
        joined = Joined(clock, pins, lease, edges, last_resort, keeper)
        guardian = _guardian(config, joined, disk, listening_ns)
        if guardian.broken:
            sys.stderr.write(f"appliance: {guardian.broken}; halted with a fault on the lamp until a restart\n")
        _loop(guardian, edges, clock, notifier)
    return 0


def pin_assignment(config: Config) -> PinAssignment:
    """Return which pins are wired."""
    pins = config.pins
    return PinAssignment(
        estop=pins.estop,
        reset=pins.reset,
        case=pins.tamper if pins.tamper_fitted else None,
        relay=pins.relay if pins.relay_fitted else None,
        red=pins.red,
        green=pins.green,
        blue=pins.blue,
        yellow=pins.yellow if pins.yellow_fitted else None,
    )


def _last_resort(config: Config) -> LastResortWatch:
    return LastResortWatch(partial(ParkedCall, call_path(config.paths.runtime)))


@dataclass(frozen=True, slots=True)
class Joined:
    """Hold the parts that are there before the disk is."""

    clock: Clock
    pins: Pins
    lease: LeaseWriter
    edges: Edges
    last_resort: LastResortWatch
    keeper: Keeper


def _open_disk(keeper: Keeper, config: Config, clock: Clock) -> GuardianDisk | None:
    """Return what the disk holds, or nothing if it fails or takes too long."""
    opened: list[GuardianDisk] = []

    def open_disk() -> GuardianDisk:
        opened.append(GuardianDisk(config.paths.state, clock, ShownAudit(config.paths.runtime).add))
        return opened[0]

    keeper.start(open_disk)
    return opened[0] if keeper.await_disk() else None


def _case_stops(config: Config) -> bool:
    return config.safety.tamper_policy == "stop"


def _guardian(config: Config, joined: Joined, disk: GuardianDisk | None, listening_ns: int) -> Guardian:
    safety, pins, clock = config.safety, joined.pins, joined.clock
    record = disk.record if disk is not None else LatchRecord.lost(LatchCause.STORE_FAILED, clock.wall_ns())
    cause = _boot_cause(pins, disk, case_stops=_case_stops(config))
    button = Button(
        _gesture(config),
        latched=record.latched or cause is not LatchCause.NONE,
        closed=pins.asserted(Contact.ESTOP),
        reset_down=pins.asserted(Contact.RESET),
        now_ns=listening_ns,
    )
    reader = HeartbeatReader(heartbeat_path(config.paths.runtime), boot_identity())
    trader = TraderWatch(reader, safety.heartbeat_ms_max * NANOSECONDS_PER_MILLISECOND)
    enforcer = Enforcer(safety.acknowledge_ms_max * NANOSECONDS_PER_MILLISECOND, (kill_trader,))
    limits = Limits(
        lease_expiry_ns=safety.lease_expiry_ms * NANOSECONDS_PER_MILLISECOND,
        lease_renew_ns=safety.lease_renew_ms * NANOSECONDS_PER_MILLISECOND,
        lamp_test=safety.lamp_test,
        yellow_fitted=config.pins.yellow_fitted,
        stop_policy=safety.stop_policy,
        case_stops=_case_stops(config),
    )
    parts = Parts(
        clock, pins, joined.lease, joined.edges, button, trader, joined.keeper, enforcer, joined.last_resort,
        _remote_stop(config, clock),
    )  # fmt: skip
    return Guardian(parts, limits, record, cause)


def _remote_stop(config: Config, clock: Clock) -> RemoteStopWatch | None:
    if config.safety.remote_stop_key is None:
        return None
    page = StopPageReader(stop_page_path(config.paths.runtime), boot_identity())
    key = bytes.fromhex(config.safety.remote_stop_key)
    return RemoteStopWatch(page.read, key, config.device.name, lambda: clock.wall_ns() // NANOSECONDS_PER_MILLISECOND)


def _boot_cause(pins: Pins, disk: GuardianDisk | None, *, case_stops: bool) -> LatchCause:
    """Say why a start must find the latch set although the record does not say so."""
    if disk is None:
        return LatchCause.STORE_FAILED
    if disk.audit.damage is not None:
        return LatchCause.AUDIT_DAMAGED
    if not pins.asserted(Contact.ESTOP):
        return LatchCause.OPEN_AT_BOOT
    if case_stops and pins.fitted(Contact.CASE) and pins.asserted(Contact.CASE):
        return LatchCause.CASE_OPENED
    return LatchCause.NONE


def _gesture(config: Config) -> Gesture:
    safety = config.safety
    return Gesture(
        glitch_ns=safety.glitch_us * _NANOSECONDS_PER_MICROSECOND,
        hold_ns=safety.reset_hold_ms * NANOSECONDS_PER_MILLISECOND,
        window_ns=safety.start_window_s * NANOSECONDS_PER_SECOND,
        tap_ns_min=safety.bounce_ms * NANOSECONDS_PER_MILLISECOND,
    )


def _loop(guardian: Guardian, edges: Edges, clock: Clock, notifier: Notifier) -> None:
    """Turn until a signal asks to end, without the collector's pauses."""
    ending: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        # Only notes the wish: taking a lock here could meet the very lock the loop holds.
        signal.signal(number, lambda received, _frame: ending.append(received))
    guardian.turn()
    notifier.ready()
    gc.collect()
    gc.freeze()
    gc.disable()
    told_ns = collected_ns = clock.monotonic_ns()
    told_lamp = Lamp.DARK
    while not ending:
        edges.wait(guardian.turn() - clock.monotonic_ns())
        now_ns = clock.monotonic_ns()
        if guardian.lamp is not told_lamp:
            told_lamp = guardian.lamp
            notifier.status(f"lamp: {PATTERNS[told_lamp].label}")
        if now_ns - told_ns >= _NOTIFY_NS:
            told_ns = now_ns
            notifier.alive()
        if now_ns - collected_ns >= _COLLECT_NS:
            collected_ns = now_ns
            gc.collect()
    notifier.stopping()
    guardian.stop()
