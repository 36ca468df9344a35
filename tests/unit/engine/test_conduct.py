"""How the trader behaves: every mode is reached by what leads to it, and left only by what ends it."""

import pytest

from appliance.core import commands, events
from appliance.core.values import Ending, OrderKind, Side
from appliance.engine.watch import BOOT_PATIENCE_NS
from appliance.safety.modes import Mode
from appliance.strategies.contract import Stance
from appliance.trading.desk import Plan
from appliance.trading.orders import State
from tests.unit.engine.builders import BID_TICKS, CASH_QUANTA, CONFIG, MARKET, SECOND_NS, Rig

HOUR_NS = 3_600 * SECOND_NS


def policy(name: str) -> str:
    """Return the configuration with a stop policy."""
    return CONFIG + f'[safety]\nstop_policy = "{name}"\n'


def disagree(report: events.AccountReported) -> events.AccountReported:
    """Let the venue be a quantum off."""
    return events.AccountReported(report.request, report.cash_quanta + 1, (), (), (), trades_complete=True, venue_ns=0)


def faulty() -> Rig:
    """Bring the trader to FAULT by a disagreement."""
    rig = Rig().running()
    rig.lie = disagree
    rig.tell(events.DeadManFired(0)).pass_time(5 * SECOND_NS)
    assert rig.mode is Mode.FAULT
    return rig


def test_a_permitted_start_reconciles_and_trades() -> None:
    """Shows the way from BOOT to NORMAL, one record a mode; fails when it trades before the books agree."""
    rig = Rig().permit()
    assert rig.modes() == ["RECONCILING"]
    rig.pass_time(SECOND_NS)
    assert rig.mode is Mode.RECONCILING
    rig.connect().pass_time(SECOND_NS)
    assert rig.modes() == ["RECONCILING", "NORMAL"]
    assert rig.trader.ledger.cash_quanta == CASH_QUANTA


def test_nothing_moves_before_permission_was_heard() -> None:
    """Shows that silence keeps the trader in BOOT; fails when it starts by itself."""
    assert Rig().connect().pass_time(10 * SECOND_NS).modes() == []


def test_a_start_without_permission_is_halted_after_patience() -> None:
    """Shows both sides of the patience at boot, and that the venue confirms before HALTED; fails when a slow guardian
    is taken for a stop at once, or a stop for verified without asking.
    """
    rig = Rig().permit(permitted=False).pass_time(BOOT_PATIENCE_NS)
    assert rig.mode is Mode.BOOT
    rig.pass_time(SECOND_NS)
    assert (rig.modes(), rig.trader.conduct.stop_verified) == (["EMERGENCY"], False)
    rig.connect().pass_time(SECOND_NS)
    assert (rig.modes(), rig.trader.conduct.stop_verified) == (["EMERGENCY", "HALTED"], True)


def test_a_start_with_the_latch_set_stops_at_once() -> None:
    """Shows that a latch set at boot needs no patience; fails when it waits."""
    assert Rig().permit(permitted=False, latched=True).modes() == ["EMERGENCY"]


def test_lost_permission_cancels_verifies_and_halts() -> None:
    """Shows that a stop cancels the entry, waits for the venue's word, halts, and that permission alone leads back over
    a comparison; fails when a step is skipped.
    """
    rig = Rig().running().bar(Stance.ENTER)
    entry = rig.orders()[-1]
    rig.venue = False
    rig.take(commands.AnyCommand)  # type: ignore[arg-type]
    rig.permit(permitted=False, latched=True)
    assert (rig.mode, rig.trader.conduct.mode_reason) == (Mode.EMERGENCY, "the stop was pressed")
    assert rig.take(commands.SendCancel) == [commands.SendCancel(entry.client_id)]
    rig.pass_time(10 * SECOND_NS)
    assert rig.mode is Mode.EMERGENCY
    rig.venue = True
    rig.pass_time(SECOND_NS)
    assert (entry.working, rig.mode) == (False, Mode.HALTED)
    assert commands.SetDeadMan(0) in rig.take(commands.SetDeadMan)
    rig.permit().pass_time(SECOND_NS)
    assert rig.modes()[-4:] == ["EMERGENCY", "HALTED", "RECONCILING", "NORMAL"]


def test_a_lapse_is_told_from_a_press() -> None:
    """Shows that a lease that merely lapsed stops as well, under its own name; fails when it is ignored."""
    rig = Rig().running().permit(permitted=False)
    assert rig.trader.conduct.mode_reason == "the guardian's permission lapsed" or rig.mode is Mode.HALTED
    assert "EMERGENCY" in rig.modes()


@pytest.mark.parametrize(
    ("cause", "cure"),
    [
        (events.FeedChanged(connected=False, reason=""), events.FeedChanged(connected=True, reason="")),
        (events.OrderLinkChanged(connected=False, reason=""), events.OrderLinkChanged(connected=True, reason="")),
        (events.OrderRefused("nobody's", ""), events.DeadManFired(0)),
    ],
    ids=["feed", "orders", "stranger"],
)
def test_a_weak_input_pauses_until_it_is_cured(cause: events.AnyEvent, cure: events.AnyEvent) -> None:
    """Shows that each lost input forbids opening and its return allows it; fails when either is missed."""
    rig = Rig().running().tell(cause)
    modes = [rig.mode, rig.pass_time(SECOND_NS).mode, rig.tell(cure).pass_time(SECOND_NS).mode]
    assert modes == [Mode.PAUSED, Mode.PAUSED, Mode.NORMAL]


def test_a_silent_feed_pauses_after_its_age() -> None:
    """Shows that a connected feed without quotes pauses when they are too old, both sides of the bound, and that a
    quote ends it; fails when connected is taken for alive.
    """
    rig = Rig().running().pass_time(5 * SECOND_NS, quoted=False)
    modes = [rig.mode, rig.pass_time(SECOND_NS // 10, quoted=False).mode]
    assert modes == [Mode.NORMAL, Mode.PAUSED]
    assert "stale" in rig.trader.conduct.mode_reason
    assert rig.pass_time(SECOND_NS // 10).mode is Mode.NORMAL


def test_an_unsynchronized_clock_pauses_unless_allowed() -> None:
    """Shows that nobody opens on a clock that nobody vouches for, but for an owner who said so; fails when the setting
    is not asked.
    """
    strict, lenient = Rig().running(), Rig(CONFIG + "[safety]\nclock_unsynced_allowed = true\n").running()
    for rig in (strict, lenient):
        rig.synchronized = False
        rig.pass_time(SECOND_NS)
    assert (strict.mode, lenient.mode) == (Mode.PAUSED, Mode.NORMAL)
    strict.synchronized = True
    assert strict.pass_time(SECOND_NS).mode is Mode.NORMAL


def lose(rig: Rig, parts_ppm: int) -> Rig:
    """Fall by a share of equity: a stranger to the market, so the mark is moved instead of the price."""
    ledger = rig.trader.ledger
    equity = rig.trader.portfolio.equity_quanta()
    ledger.day_start_quanta = ledger.peak_quanta = equity * 1_000_000 // (1_000_000 - parts_ppm)
    return rig.tell(events.TimePassed(rig.now_ns + rig.wall_offset_ns, wall_synchronized=True))


@pytest.mark.parametrize(
    ("parts_ppm", "mode"),
    [(14_000, Mode.NORMAL), (16_000, Mode.REDUCED), (29_000, Mode.REDUCED), (31_000, Mode.PAUSED)],
)
def test_the_days_loss_reduces_and_then_pauses(parts_ppm: int, mode: Mode) -> None:
    """Shows both sides of half and of all of the daily limit of 3 %; fails when either bound does not bite."""
    assert lose(Rig().running(), parts_ppm).mode is mode


def test_a_new_day_forgives_the_loss_but_not_the_drawdown() -> None:
    """Shows that midnight ends a pause for the day's loss, and that a drawdown outlives it; fails when a person is not
    waited for, or the day never ends.
    """
    rig = Rig().running()
    assert lose(rig, 31_000).mode is Mode.PAUSED
    rig.wall_offset_ns += 24 * HOUR_NS
    assert rig.pass_time(SECOND_NS).mode is Mode.NORMAL
    assert lose(rig, 151_000).mode is Mode.PAUSED
    rig.wall_offset_ns += 24 * HOUR_NS
    assert rig.pass_time(SECOND_NS).mode is Mode.PAUSED
    assert rig.trader.conduct.reasons_to_pause(rig.trader.portfolio.account_usages()) == ["drawdown limit"]


def test_the_limits_hold_without_a_synchronized_clock() -> None:
    """Shows that an owner who allows an unset clock still has a daily limit; fails when the account is never marked."""
    rig = Rig(CONFIG + "[safety]\nclock_unsynced_allowed = true\n")
    rig.synchronized = False
    rig.running()
    assert rig.trader.ledger.day_start_quanta == CASH_QUANTA
    assert rig.trader.ledger.peak_quanta == CASH_QUANTA


def test_the_venues_timer_is_armed_refreshed_and_disarmed() -> None:
    """Shows that the timer is armed before the first order leaves, refreshed in a third of its time and not sooner,
    and disarmed when only a guard stands; fails when an order can rest without it, or it would take a guard away.
    """
    rig = Rig(CONFIG.replace("[orders]", "[orders]\ndead_man_s = 10")).running()
    assert rig.take(commands.SetDeadMan) == []
    rig.bar(Stance.ENTER)
    kinds = [type(command) for command in rig.asked]
    assert kinds.index(commands.SetDeadMan) < kinds.index(commands.SendOrder)
    entry = rig.orders()[-1]
    rig.take(commands.SetDeadMan)
    rig.pass_time(2 * SECOND_NS)
    assert rig.take(commands.SetDeadMan) == []
    rig.pass_time(2 * SECOND_NS)
    assert rig.take(commands.SetDeadMan) == [commands.SetDeadMan(10)]
    rig.fill(entry).pass_time(SECOND_NS)
    assert [guard.stands for guard in rig.guards()] == [True]
    assert rig.take(commands.SetDeadMan) == [commands.SetDeadMan(0)]


def test_a_fired_timer_leads_over_a_comparison() -> None:
    """Shows that after the venue's own timer nothing is opened, and the timer not set, before the books were compared;
    fails when it goes on as before.
    """
    rig = Rig().running().bar(Stance.ENTER)
    rig.venue = False
    rig.asked.clear()
    rig.tell(events.DeadManFired(0)).pass_time(SECOND_NS)
    assert (rig.mode, rig.take(commands.SetDeadMan)) == (Mode.RECONCILING, [])
    rig.venue = True
    rig.tell(events.OrderEnded(rig.orders()[-1].client_id, Ending.CANCELED, 0, 0)).pass_time(5 * SECOND_NS)
    assert (rig.mode, rig.take(commands.SetDeadMan)) == (Mode.NORMAL, [commands.SetDeadMan(60)])


def test_a_fired_timer_leaves_a_position_that_is_guarded_again() -> None:
    """Shows the end state of "position open, timer fired": the venue took the guard away, the books are compared, and
    then a new guard of the same size stands and the timer is off; fails when the position stays bare, when a guard is
    sent before the comparison, or when the timer is armed over a guard alone.
    """
    rig = Rig().holding().pass_time(SECOND_NS)
    (first,) = rig.guards()
    rig.venue = False
    rig.asked.clear()
    rig.tell(events.OrderEnded(first.client_id, Ending.CANCELED, 0, 0), events.DeadManFired(0)).pass_time(SECOND_NS)
    assert (rig.mode, first.state) == (Mode.RECONCILING, State.CANCELED)
    rig.venue = True
    rig.pass_time(5 * SECOND_NS)
    guard = rig.guards()[-1]
    assert (rig.mode, guard.stands, guard.size_lots) == (Mode.NORMAL, True, rig.lots)
    assert rig.take(commands.SetDeadMan)[-1] == commands.SetDeadMan(0)


def test_a_returned_order_link_repeats_cancels_and_compares() -> None:
    """Shows that after a gap every wanted cancel is asked again and the books compared; fails when either is left."""
    rig = Rig().running()
    rig.venue = False
    rig.bar(Stance.ENTER)
    entry = rig.orders()[-1]
    rig.tell(events.OrderAcknowledged(entry.client_id, "V", 0))
    rig.tell(events.ShutdownRequested("")).take(commands.SendCancel)
    rig.tell(events.OrderLinkChanged(connected=False, reason=""), events.OrderLinkChanged(connected=True, reason=""))
    assert rig.mode is Mode.RECONCILING
    assert rig.take(commands.SendCancel) == [commands.SendCancel(entry.client_id)]


def test_periodic_comparisons_find_a_disagreement() -> None:
    """Shows that the books are compared at the interval without leaving NORMAL, and that a lasting difference is a
    fault; fails when nobody looks again.
    """
    rig = Rig(CONFIG.replace("3600", "30")).running()
    rig.take(commands.AskAccount)
    assert rig.pass_time(25 * SECOND_NS).take(commands.AskAccount) == []
    assert len(rig.pass_time(10 * SECOND_NS).take(commands.AskAccount)) == 1
    rig.lie = disagree
    rig.pass_time(40 * SECOND_NS)
    assert rig.mode is Mode.FAULT
    assert "RECONCILING" not in rig.modes()[2:]


def test_a_fault_cancels_and_outlives_restarts_until_a_person_starts() -> None:
    """Shows that a fault survives any number of restarts, its words unchanged, until a start of its own; fails when a
    restart clears it or the reason grows with each.
    """
    rig = faulty()
    reasons = set()
    for _ in range(3):
        rig = rig.restarted().permit().connect().pass_time(SECOND_NS)
        assert rig.mode is Mode.FAULT
        reasons.add(rig.trader.conduct.mode_reason)
    assert len(reasons) == 1
    assert rig.permit(start=1).pass_time(SECOND_NS).mode is Mode.FAULT
    rig = rig.restarted().permit(start=2).connect().pass_time(SECOND_NS)
    assert rig.mode is Mode.NORMAL


def test_a_start_clears_no_fault_of_this_run() -> None:
    """Shows that a journal that fails while booting stops the trader for good; fails when the start button, or an older
    fault, hides it.
    """
    fresh, old = Rig(), faulty().restarted()
    for rig in (fresh, old):
        rig.tell(events.JournalFailed("no room")).permit(start=5).connect().pass_time(SECOND_NS)
        assert rig.mode is Mode.FAULT
        assert rig.trader.conduct.mode_reason == "the journal failed: no room"


def test_a_failed_journal_stops_at_once() -> None:
    """Shows that nothing is opened after the journal failed, and open entries are canceled; fails when it goes on."""
    rig = Rig().running().bar(Stance.ENTER)
    entry = rig.orders()[-1]
    rig.take(commands.SendCancel)
    rig.tell(events.JournalFailed("input/output error"))
    assert rig.mode is Mode.FAULT
    assert rig.take(commands.SendCancel) == [commands.SendCancel(entry.client_id)]
    rig.bar(Stance.ENTER)
    assert len(rig.orders()) == 1


def test_a_contradiction_is_a_fault() -> None:
    """Shows that a venue contradicting itself about an order needs a person; fails when trading goes on."""
    rig = Rig().running().bar(Stance.ENTER)
    entry = rig.orders()[-1]
    rig.fill(entry, entry.size_lots + 1)
    assert rig.mode is Mode.FAULT
    assert "more than was ordered" in rig.trader.conduct.mode_reason


def test_a_fault_during_a_stop_still_halts_and_comes_after() -> None:
    """Shows that a stop with a fault ends in HALTED, and permission then leads to FAULT and not to trading; fails when
    the fault is lost or the stop hangs.
    """
    rig = Rig().running()
    rig.lie = disagree
    rig.permit(permitted=False, latched=True).pass_time(5 * SECOND_NS)
    assert rig.mode is Mode.HALTED
    rig.permit()
    assert rig.modes()[-3:] == ["HALTED", "RECONCILING", "FAULT"]


def protect(rig: Rig) -> str:
    """Let a reduction rest at the venue and return its id."""
    plan = Plan(MARKET, "trend", Side.SELL, OrderKind.LIMIT, 2 * BID_TICKS, rig.lots, reduce_only=True, reason="")
    identifier = rig.trader._parts.desk.plan(plan)
    rig.bar()
    assert rig.trader.ledger.orders[identifier].working
    return identifier


@pytest.mark.parametrize(("name", "kept", "everything"), [("cancel", True, 0), ("cancel_all", False, 1)])
def test_the_stop_policy_decides_about_protective_orders(name: str, kept: bool, everything: int) -> None:
    """Shows that `cancel` keeps a resting reduction and `cancel_all` does not; fails when a policy does the other's."""
    rig = Rig(policy(name)).holding()
    identifier = protect(rig)
    rig.venue = False
    rig.take(commands.SendCancel)
    rig.permit(permitted=False)
    assert [type(command) for command in rig.asked].count(commands.SendCancelAll) == everything
    assert (commands.SendCancel(identifier) in rig.take(commands.SendCancel)) is not kept


def test_flatten_sells_what_is_held_before_it_is_halted() -> None:
    """Shows that the flatten policy sells at any price after the books agree and halts only when flat; fails when
    HALTED is claimed with a position.
    """
    rig = Rig(policy("flatten")).holding()
    rig.permit(permitted=False, latched=True).pass_time(SECOND_NS)
    stop = rig.orders()[-1]
    assert (rig.mode, stop.order_kind, stop.size_lots, stop.reduce_only) == (
        Mode.EMERGENCY,
        OrderKind.MARKET,
        rig.lots,
        True,
    )
    rig.fill(stop).pass_time(SECOND_NS)
    assert (rig.lots, rig.mode) == (0, Mode.HALTED)


def test_a_shutdown_cancels_and_ends_when_clean() -> None:
    """Shows that a request to end pauses, cancels, disarms the timer and ends with code 0, once; fails when it leaves
    an order behind or ends twice.
    """
    rig = Rig().running().bar(Stance.ENTER)
    rig.venue = False
    rig.take(commands.EndProcess)
    rig.tell(events.ShutdownRequested("")).tell(events.ShutdownRequested(""))
    assert (rig.mode, rig.take(commands.EndProcess)) == (Mode.PAUSED, [])
    rig.venue = True
    rig.pass_time(SECOND_NS)
    tail = rig.asked[-2:]
    assert tail == [commands.SetDeadMan(0), commands.EndProcess(0, "ended in good order")]
    rig.pass_time(SECOND_NS)
    assert len(rig.take(commands.EndProcess)) == 1


def test_a_shutdown_has_a_patience() -> None:
    """Shows that an order that will not end holds the shutdown only so long, and that the venue's timer then stays
    armed; fails when the process hangs or disarms it.
    """
    rig = Rig().running().bar(Stance.ENTER)
    rig.venue = False
    rig.take(commands.EndProcess)
    rig.tell(events.ShutdownRequested("")).pass_time(SECOND_NS)
    assert rig.take(commands.EndProcess) == []
    rig.pass_time(SECOND_NS)
    assert commands.EndProcess(0, "ended with orders still unsettled") in rig.asked
    assert commands.SetDeadMan(0) not in rig.asked
