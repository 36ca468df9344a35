"""Every kind of fault: how it begins, how it ends, and how long it lasts. A new one is one line of the table.

A fault counts when it took effect, not when it was planned: a cut of a link that was down anyway is none. Kinds that
act through the venue's answers are counted by the venue, each time one is really distorted.
"""

import random
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from appliance.core.clock import NANOSECONDS_PER_MILLISECOND, NANOSECONDS_PER_SECOND
from appliance.core.events import ShutdownRequested
from appliance.world import account_faults
from appliance.world.inspector import (
    FAULT_EXCUSED_BY_DISK,
    FAULT_EXCUSED_BY_STRANGER,
    FAULT_EXCUSED_BY_STRANGER_AT_FIRST,
)
from appliance.world.links import Connection, milliseconds
from appliance.world.stage import Stage

FLAPS_MAX = 4
# With so many faults a world plans every kind of the further ones once more.
REPEATED_FROM = 40
FLAPPING_MS = (200, 4_000)
SLOW_MS = (150, 1_900)
DISK_SLOW_MS = (100, 3_500)
HANG_NOTICED_MS = (3_000, 4_000)
GLITCH_NS = NANOSECONDS_PER_MILLISECOND
STOPPED_NS = 4 * NANOSECONDS_PER_SECOND
WALL_STEP_MS = (1_000, 90_000_000)
WALL_STEPS_MAX = 40
# Sooner than the shortest of these faults ends.
WALL_STEPPING_MS = (50, 5_000)
UNSET_CLOCK_NS = -400 * 86_400 * NANOSECONDS_PER_SECOND

Act = Callable[[Stage], None]


class Kind(NamedTuple):
    """Describe one kind of fault; `lasts_ms` is drawn between the two, and some always wait for an order to leave."""

    name: str
    lasts_ms: tuple[int, int]
    begin: Act
    end: Act
    at_door: bool = False


def _nothing(_stage: Stage) -> None:
    pass


def _feed(stage: Stage) -> Connection:
    return stage.feed


def _orders(stage: Stage) -> Connection:
    return stage.orders


def _cut(name: str, which: Callable[[Stage], Connection], lasts_ms: tuple[int, int]) -> Kind:
    def begin(stage: Stage) -> None:
        which(stage).blocked = True
        if which(stage).cut("cut"):
            stage.count(name)

    def end(stage: Stage) -> None:
        which(stage).blocked = stage.venue.stalled

    return Kind(name, lasts_ms, begin, end, at_door=which is _orders)


def _flap(name: str, which: Callable[[Stage], Connection]) -> Kind:
    def once(stage: Stage) -> None:
        if which(stage).cut("flap"):
            stage.count(name)

    def begin(stage: Stage) -> None:
        once(stage)
        for _ in range(stage.dice.randrange(FLAPS_MAX)):
            stage.schedule.after(milliseconds(stage.dice, FLAPPING_MS), partial(once, stage))

    return Kind(name, (0, 0), begin, _nothing, at_door=which is _orders)


def _half_open(name: str, which: Callable[[Stage], Connection]) -> Kind:
    def begin(stage: Stage) -> None:
        if which(stage).go_silent():
            stage.count(name)

    return Kind(name, (0, 0), begin, _nothing, at_door=which is _orders)


def _slow(name: str, which: Callable[[Stage], Connection]) -> Kind:
    def begin(stage: Stage) -> None:
        which(stage).slow_ns = milliseconds(stage.dice, SLOW_MS)
        stage.count(name)

    def end(stage: Stage) -> None:
        which(stage).slow_ns = 0

    return Kind(name, (2_000, 20_000), begin, end)


def _misdeed(name: str, lasts_ms: tuple[int, int]) -> Kind:
    def begin(stage: Stage) -> None:
        stage.venue.misdeeds.add(name)

    def end(stage: Stage) -> None:
        stage.venue.misdeeds.discard(name)

    return Kind(name, lasts_ms, begin, end)


def _stall(stage: Stage) -> None:
    if stage.venue.stalled:
        return
    stage.venue.stalled = True
    stage.count("venue stalls")
    stage.schedule.after(milliseconds(stage.dice, HANG_NOTICED_MS), partial(_notice_stall, stage))


def _notice_stall(stage: Stage) -> None:
    if stage.venue.stalled:
        for connection in (stage.feed, stage.orders):
            connection.blocked = True
            connection.cut("silent")


def _unstall(stage: Stage) -> None:
    if stage.venue.stalled:
        stage.feed.blocked = stage.orders.blocked = False
        stage.venue.resume()


def _stranger(stage: Stage) -> None:
    stage.inspector.excuses |= {FAULT_EXCUSED_BY_STRANGER, FAULT_EXCUSED_BY_STRANGER_AT_FIRST}
    stage.place_stranger()
    stage.count("order of a stranger")


def _remove_strangers(stage: Stage) -> None:
    stage.remove_strangers()


def _kill(stage: Stage) -> None:
    if stage.shell.trader is not None:
        stage.count("process killed")
        stage.shell.kill()


def power_cut(stage: Stage) -> None:
    """Take the power away from everything in the box."""
    if stage.shell.kept_down:
        return
    stage.count("power cut")
    stage.shell.kept_down = True
    stage.shell.kill()
    stage.keeper.silence()
    if stage.reporter is not None:
        stage.reporter.lose_power()
    stage.clock.synchronized = False
    stage.clock.error_ns = UNSET_CLOCK_NS


def power_on(stage: Stage) -> None:
    """Give it back; the clock is right some time later."""
    if stage.reporter is not None:
        stage.reporter.get_power()
    if stage.shell.kept_down:
        stage.shell.kept_down = False
        stage.keeper.restart()
        stage.shell.start()
        stage.schedule.after(milliseconds(stage.dice, (0, 15_000)), partial(_set_clock, stage))


def _press_without_power(stage: Stage) -> None:
    power_cut(stage)
    if stage.keeper.contact_closed:
        stage.count("pressed at boot")
        stage.person.press()


def _hang(stage: Stage) -> None:
    if stage.shell.trader is None or stage.shell.hung:
        return
    stage.count("process hangs")
    stage.shell.hang()
    stage.schedule.after(milliseconds(stage.dice, HANG_NOTICED_MS), partial(_notice_hang, stage))


def _notice_hang(stage: Stage) -> None:
    if stage.shell.hung:
        stage.feed.cut("dropped by the venue")
        stage.orders.cut("dropped by the venue")


def _wake(stage: Stage) -> None:
    stage.shell.resume()


def _shut_down(stage: Stage) -> None:
    if stage.shell.trader is not None:
        stage.count("told to shut down")
        stage.shell.deliver(ShutdownRequested("asked to"))


def _start_again(stage: Stage) -> None:
    if stage.shell.ended_code is not None:
        stage.shell.ended_code = None
        stage.shell.start()


def _slow_disk(stage: Stage) -> None:
    stage.disk.slow_ns = milliseconds(stage.dice, DISK_SLOW_MS)
    stage.count("disk slow")


def _quick_disk(stage: Stage) -> None:
    stage.disk.slow_ns = 0


def _fail_disk(stage: Stage) -> None:
    if not stage.disk.failed and stage.shell.trader is not None:
        stage.inspector.excuses.add(FAULT_EXCUSED_BY_DISK)
        stage.count("disk fails")
        stage.disk.fail()


def _new_disk(stage: Stage) -> None:
    if stage.disk.failed:
        stage.shell.kept_down = True
        stage.shell.kill()
        stage.disk.crash()
        stage.disk.replace()
        stage.shell.kept_down = False
        stage.shell.start()


def _press(stage: Stage) -> None:
    stage.count("stop pressed")
    stage.person.press()


def _restart_stopped(stage: Stage) -> None:
    stage.person.press(reset_later=False)
    stage.schedule.after(STOPPED_NS, partial(_restart_while_stopped, stage))


def _restart_while_stopped(stage: Stage) -> None:
    if stage.keeper.latched and stage.keeper.contact_closed and not stage.shell.kept_down:
        stage.count("power cut while stopped")
        power_cut(stage)


def _power_on_and_start(stage: Stage) -> None:
    power_on(stage)
    stage.schedule.after(STOPPED_NS, stage.person.reset_and_start)


def _glitch(stage: Stage) -> None:
    if stage.keeper.contact_closed and not stage.keeper.silent:
        stage.count("glitch on the stop wire")
        stage.keeper.open_contact()
        stage.schedule.after(GLITCH_NS, stage.keeper.close_contact)


def _reset_halfway(stage: Stage) -> None:
    if not stage.keeper.latched:
        stage.person.press(reset_later=False)
        stage.schedule.after(NANOSECONDS_PER_SECOND, partial(_reset_halfway_now, stage))
        return
    _reset_halfway_now(stage)


def _reset_halfway_now(stage: Stage) -> None:
    if stage.keeper.latched:
        stage.count("reset gesture left unfinished")
        stage.person.reset_halfway()


def _reset_wholly(stage: Stage) -> None:
    stage.person.reset_and_start()


def _silence_guardian(stage: Stage) -> None:
    if stage.keeper.silence():
        stage.count("guardian silent")
        stage.keeper.review()


def _resume_guardian(stage: Stage) -> None:
    if not stage.shell.kept_down:
        stage.keeper.resume()


def _stop_guardian(stage: Stage) -> None:
    stage.keeper.silence()


def _restart_guardian(stage: Stage) -> None:
    if stage.keeper.silent and not stage.shell.kept_down:
        stage.count("guardian restarted")
        stage.keeper.restart()


def _unset_clock(stage: Stage) -> None:
    stage.clock.synchronized = False
    stage.count("clock not synchronized")


def _set_clock(stage: Stage) -> None:
    stage.clock.error_ns = 0
    stage.clock.synchronized = True


def _step_clock(stage: Stage) -> None:
    sign = 1 if stage.dice.getrandbits(1) else -1
    stage.clock.error_ns += sign * milliseconds(stage.dice, WALL_STEP_MS)
    stage.count("wall clock steps")
    # Drawn from the step itself, so that neither the world's dice nor the reporter's move.
    dice = random.Random(stage.clock.error_ns)
    for _ in range(dice.randrange(WALL_STEPS_MAX)):
        wait_ns = milliseconds(dice, WALL_STEPPING_MS)
        stage.schedule.after(wait_ns, partial(_step_again, stage, stage.clock.error_ns))


def _step_again(stage: Stage, error_ns: int) -> None:
    # Two time sources that disagree: the clock is set to and fro.
    stage.clock.error_ns = 0 if stage.clock.error_ns else error_ns


KINDS: tuple[Kind, ...] = (
    _cut("feed cut", _feed, (100, 9_000)),
    _flap("feed flaps", _feed),
    _half_open("feed half open", _feed),
    _slow("feed slow", _feed),
    _cut("order link cut", _orders, (100, 9_000)),
    _cut("order link away for long", _orders, (11_000, 20_000)),
    _flap("order link flaps", _orders),
    _half_open("order link half open", _orders),
    _slow("order link slow", _orders),
    _misdeed("quote sent twice", (1_000, 5_000)),
    _misdeed("quote sent late", (1_000, 5_000)),
    _misdeed("crossed quote", (1_000, 5_000)),
    _misdeed("quote without a price", (1_000, 5_000)),
    _misdeed("outlier print", (1_000, 5_000)),
    _misdeed("venue refuses an order", (5_000, 30_000)),
    _misdeed("answer never published", (5_000, 30_000)),
    _misdeed("answer published twice", (5_000, 30_000)),
    _misdeed("fill before its acknowledgement", (5_000, 30_000)),
    _misdeed("fill long after the fact", (5_000, 30_000)),
    _misdeed("dead-man refresh lost", (11_000, 16_000)),
    _misdeed("answer past its deadline", (5_000, 30_000)),
    _misdeed("venue counts requests", (3_000, 15_000)),
    _misdeed("question refused", (10_000, 30_000)),
    Kind("venue in maintenance", (2_000, 15_000), account_faults.maintain, account_faults.end_maintenance),
    Kind("terms changed", (2_000, 15_000), account_faults.change_terms, account_faults.restore_terms),
    Kind("cash of a stranger", (15_000, 40_000), account_faults.deposit, account_faults.withdraw_deposit),
    Kind("key revoked", (1_000, 20_000), account_faults.revoke_key, account_faults.renew_key),
    Kind("venue stalls", (300, 9_000), _stall, _unstall),
    Kind("order of a stranger", (1_000, 30_000), _stranger, _remove_strangers),
    Kind("process killed", (0, 0), _kill, _nothing, at_door=True),
    Kind("power cut", (500, 8_000), power_cut, power_on),
    Kind("pressed at boot", (500, 4_000), _press_without_power, power_on),
    Kind("process hangs", (100, 14_000), _hang, _wake),
    Kind("told to shut down", (3_000, 9_000), _shut_down, _start_again),
    Kind("disk slow", (2_000, 20_000), _slow_disk, _quick_disk),
    Kind("disk fails", (10_000, 25_000), _fail_disk, _new_disk),
    Kind("stop pressed", (0, 0), _press, _nothing),
    Kind("power cut while stopped", (5_000, 12_000), _restart_stopped, _power_on_and_start),
    Kind("glitch on the stop wire", (0, 0), _glitch, _nothing),
    Kind("reset gesture left unfinished", (20_000, 30_000), _reset_halfway, _reset_wholly),
    Kind("guardian silent", (100, 5_000), _silence_guardian, _resume_guardian),
    Kind("guardian restarted", (100, 5_000), _stop_guardian, _restart_guardian),
    Kind("clock not synchronized", (2_000, 20_000), _unset_clock, _set_clock),
    Kind("wall clock steps", (5_000, 60_000), _step_clock, _set_clock),
)

# Not a fault of its own but what several of them bring about; a run in which it never happened has shown too little.
BROUGHT_ABOUT = ("dead-man timer fired", "filled in part, then ended", "cancel met an order that had ended")
NAMES = tuple(kind.name for kind in KINDS) + BROUGHT_ABOUT


def heal(stage: Stage, kinds: Sequence[Kind]) -> None:
    """End every fault of these kinds."""
    for kind in kinds:
        kind.end(stage)
    for connection in (stage.feed, stage.orders):
        connection.blocked = False
    stage.keeper.resume()
    stage.person.let_go()
    stage.person.reset_and_start()
