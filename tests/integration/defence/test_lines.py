"""Each line of defence with the ones before it disabled, in the running appliance."""

import signal
import time
from collections.abc import Callable

import pytest

from appliance.safety.lamps import Lamp
from appliance.safety.modes import Mode
from tests.integration.defence.box import Box, ms, tell
from tests.integration.defence.wire import Wire

pytestmark = [pytest.mark.serial, pytest.mark.timeout(120)]

EXPIRY_MS = 250
RENEWAL_MS = 20
# What a busy machine may add between a moment and its being seen; not part of any promise.
SEEN_LATE_MS = 100
MakeBox = Callable[..., Box]


def test_a_stopped_trader_is_killed_and_cleared_after(make_box: MakeBox) -> None:
    """A trader that cannot answer the press: the guardian kills it and the last resort cancels at the venue.
    It fails when nobody does the trader's work, or when the lamp claims a stop that nobody verified.
    """
    box = make_box()
    box.start_trading()
    box.rest("left-behind")
    box.kill("trader", signal.SIGSTOP)
    pressed_ns = int(box.press("press estop").split()[1])
    assert not box.permits()
    clear_ns = box.until(lambda: not box.open_ids())
    assert box.processes["trader"].wait(timeout=5) == -signal.SIGKILL
    box.until(lambda: box.events("last-resort-ended"))
    assert box.until(lambda: box.lamp() is Lamp.HALTED)
    [outcome] = box.events("last-resort-ended")
    [latched] = box.events("latched")
    assert outcome["detail"]["verified"] == 1
    assert outcome["detail"]["canceled_count"] >= 1
    assert outcome["detail"]["latch_sequence"] == latched["detail"]["latch_sequence"]
    tell(f"press to venue clear {ms(pressed_ns, clear_ns):.0f} ms (of which 500 waiting for the trader)")
    tell(f"press to verified {ms(pressed_ns, outcome['monotonic_ns']):.0f} ms")


def test_a_press_between_two_last_resorts_is_served_by_the_next(make_box: MakeBox) -> None:
    """The parked process was killed, the trader hangs, and then the press: the next one parked clears. It fails when
    the guardian needs a process that was there at the press.
    """
    box = make_box()
    box.start_trading()
    box.rest("left-behind")
    box.kill("last-resort")
    box.processes["last-resort"].wait()
    box.kill("trader", signal.SIGSTOP)
    box.press("press estop")
    box.until(lambda: box.events("latch-unanswered"))
    assert not box.events("last-resort-started")
    assert "left-behind" in box.open_ids()
    parked_ns = time.monotonic_ns()
    box.start("last-resort")
    clear_ns = box.until(lambda: not box.open_ids())
    assert box.until(lambda: box.lamp() is Lamp.HALTED)
    [started] = box.events("last-resort-started")
    assert started["detail"]["attempt"] == 1
    tell(f"next one started to venue clear {ms(parked_ns, clear_ns):.0f} ms")


def test_a_last_resort_that_hangs_is_ended_and_the_next_one_clears(make_box: MakeBox) -> None:
    """The parked process hangs as well as the trader: it is killed within seconds, and the next one is told. It fails
    when a hung process keeps the line.
    """
    box = make_box()
    box.start_trading()
    box.rest("left-behind")
    box.kill("last-resort", signal.SIGSTOP)
    box.kill("trader", signal.SIGSTOP)
    pressed_ns = int(box.press("press estop").split()[1])
    assert box.processes["last-resort"].wait(timeout=15) == -signal.SIGKILL
    box.start("last-resort")
    clear_ns = box.until(lambda: not box.open_ids())
    assert box.until(lambda: box.lamp() is Lamp.HALTED)
    tell(f"press to venue clear with a hung last resort {ms(pressed_ns, clear_ns):.0f} ms")


def test_a_hung_trader_is_cleared_after_without_a_press(make_box: MakeBox) -> None:
    """A trader that stands still while its orders rest is killed once its silence counts, and cleared after at once.
    It fails when a process that is merely still there were left alone.
    """
    box = make_box()
    box.start_trading()
    box.rest("left-behind")
    stopped_ns = box.kill("trader", signal.SIGSTOP)
    clear_ns = box.until(lambda: not box.open_ids())
    assert box.processes["trader"].wait(timeout=5) == -signal.SIGKILL
    [silent] = box.events("trader-silent")
    assert silent["detail"]["killed"] == 1
    assert box.events("latched") == []
    tell(f"hang to venue clear {ms(stopped_ns, clear_ns):.0f} ms (of which 1000 until silence counts)")


def test_a_dead_trader_that_stays_away_is_cleared_after(make_box: MakeBox) -> None:
    """A trader that died and does not come back: the last resort cancels, with no press at all.
    It fails when an order is left to the venue's own timer.
    """
    box = make_box()
    box.start_trading()
    box.rest("left-behind")
    killed_ns = box.kill("trader")
    clear_ns = box.until(lambda: not box.open_ids())
    box.until(lambda: box.events("last-resort-ended"))
    [started] = box.events("last-resort-started")
    assert started["detail"]["policy"] == "cancel"
    assert "not come back" in started["detail"]["reason"]
    assert not box.permits()
    tell(f"death to venue clear {ms(killed_ns, clear_ns):.0f} ms")


def test_a_dead_trader_and_a_damaged_journal_change_nothing(make_box: MakeBox) -> None:
    """The last resort reads no journal: it clears although the database is garbage. It fails when it needs one."""
    box = make_box()
    box.start_trading()
    box.rest("left-behind")
    box.kill("trader")
    box.processes["trader"].wait()
    for name in ("journal.db", "journal.db-wal"):
        (box.state / name).write_bytes(b"\xff" * 8192)
    pressed_ns = int(box.press("press estop").split()[1])
    clear_ns = box.until(lambda: not box.open_ids())
    box.until(lambda: box.lamp() is Lamp.HALTED)
    tell(f"press to venue clear {ms(pressed_ns, clear_ns):.0f} ms")


def test_a_dead_guardian_takes_permission_with_it(make_box: MakeBox) -> None:
    """Permission ends by itself within the lease, and the trader cancels. It fails when it must be taken."""
    box = make_box(policy="cancel_all")
    box.start_trading()
    box.rest("left-behind")
    killed_ns = box.kill("guardian")
    gone_ns = box.until(lambda: not box.permits(), step_s=0.0005)
    clear_ns = box.until(lambda: not box.open_ids())
    halted_ns = box.until(lambda: box.mode() is Mode.HALTED)
    assert ms(killed_ns, gone_ns) <= EXPIRY_MS + RENEWAL_MS + SEEN_LATE_MS
    tell(f"guardian killed to permission gone {ms(killed_ns, gone_ns):.0f} ms")
    tell(f"guardian killed to venue clear {ms(killed_ns, clear_ns):.0f} ms, halted {ms(killed_ns, halted_ns):.0f} ms")


def test_when_everything_is_killed_the_venue_cancels_by_itself(make_box: MakeBox) -> None:
    """All of ours are gone: the venue's own timer cancels. It fails when the timer was not armed."""
    box = make_box()
    box.start_trading()
    box.until(lambda: box.arrived("cancel_all_orders_after"))
    box.rest("left-behind")
    killed_ns = box.kill("guardian")
    box.kill("trader")
    box.kill("last-resort")
    clear_ns = box.until(lambda: not box.open_ids())
    assert ms(killed_ns, clear_ns) <= 10_000 + SEEN_LATE_MS
    tell(f"everything killed to venue clear {ms(killed_ns, clear_ns):.0f} ms (timer 10 s)")


def test_when_the_network_is_cut_the_venue_cancels_by_itself(make_box: MakeBox) -> None:
    """All of ours run and a stop is pressed, but nothing reaches the venue: the lamp never claims a stop that nobody
    verified, and the venue's own timer cancels. It fails when the timer needs a connection, or the lamp hopes.
    """
    box = make_box()
    wire = Wire(box.place.port)
    try:
        box.reach_venue_through(wire.port)
        box.start_trading()
        box.until(lambda: box.arrived("cancel_all_orders_after"))
        box.rest("left-behind")
        wire.cut()
        cut_ns = time.monotonic_ns()
        box.press("press estop")
        clear_ns = box.until(lambda: not box.open_ids())
        assert box.lamp() is Lamp.EMERGENCY
        assert not box.permits()
    finally:
        wire.close()
    assert ms(cut_ns, clear_ns) <= 10_000 + SEEN_LATE_MS
    tell(f"network cut to venue clear {ms(cut_ns, clear_ns):.0f} ms (timer 10 s)")
