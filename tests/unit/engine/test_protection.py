"""Every position is guarded by a stop at the venue, and its lots are given up in order when they are to be sold."""

import itertools

import msgspec
import pytest

from appliance.core import commands, events
from appliance.core.values import Ending, OrderKind, Side, VenueState
from appliance.engine.trader import GUARD_PATIENCE_NS
from appliance.safety.modes import Mode
from appliance.strategies.contract import Stance
from appliance.trading import decision
from appliance.trading.ledger import OrderView
from appliance.trading.orders import State
from appliance.trading.protection import RETRY_NS_MAX, SALE_PATIENCE_NS
from tests.unit.engine.builders import BID_TICKS, CONFIG, MARKET, SECOND_NS, Rig
from tests.unit.engine.stops import policy, stop


def test_a_position_is_guarded_at_its_share_of_loss() -> None:
    """Shows the one stop a position gets: its size, its trigger rounded toward selling sooner, any price; fails when a
    position is bare, or the trigger is not 5 % below cost.
    """
    rig = Rig().holding().pass_time(SECOND_NS)
    (guard,) = rig.guards()
    entry = rig.orders()[0]
    assert (guard.size_lots, guard.side, guard.order_kind, guard.price_ticks) == (
        rig.lots,
        Side.SELL,
        OrderKind.STOP,
        0,
    )
    assert guard.trigger_ticks == -(-entry.price_ticks * 95 // 100)
    assert guard.stands


def test_a_guard_may_be_given_a_lowest_price() -> None:
    """Shows that the owner's slippage makes it a stop with a limit; fails when the setting changes nothing."""
    rig = Rig(CONFIG + "stop_slippage_percent_max = 1\n").holding()
    (guard,) = rig.guards()
    assert guard.order_kind is OrderKind.STOP_LIMIT
    assert guard.price_ticks == guard.trigger_ticks - guard.trigger_ticks // 100


def test_a_position_that_grows_in_parts_has_one_guard_of_its_size() -> None:
    """Shows that each partial fill leads to a change in place and never to a second stop; fails when guards pile up or
    one covers less than is held.
    """
    rig = Rig().running().bar(Stance.ENTER)
    entry = rig.orders()[0]
    part = entry.size_lots // 4
    for _ in range(3):
        rig.fill(entry, part).pass_time(2 * SECOND_NS)
        (guard,) = rig.guards()
        assert (guard.size_lots, guard.stands) == (rig.lots, True)
    assert len(rig.take(commands.SendAmend)) == 2


def test_a_sale_waits_until_the_guard_has_ended() -> None:
    """Shows the exchange: the guard is canceled, and only its end lets the sale leave; fails when the venue would find
    the lots held back, or the position stays bare longer than the sale takes.
    """
    rig = Rig().holding().pass_time(11 * SECOND_NS)
    (guard,) = rig.guards()
    rig.venue = False
    rig.bar(Stance.LEAVE)
    assert rig.take(commands.SendCancel)[0] == commands.SendCancel(guard.client_id)
    assert len(rig.orders()) == 1
    rig.tell(events.OrderEnded(guard.client_id, Ending.CANCELED, 0, 0))
    sale = rig.orders()[-1]
    assert (sale.side, sale.size_lots, sale.order_kind) == (Side.SELL, rig.lots, OrderKind.LIMIT)


def test_the_guard_that_filled_first_wins() -> None:
    """Shows the race of guard and sale: the guard sold while its cancel was on its way, so nothing is left to sell;
    fails when the sale is sent all the same.
    """
    rig = Rig().holding().pass_time(11 * SECOND_NS)
    (guard,) = rig.guards()
    rig.venue = False
    rig.bar(Stance.LEAVE)
    rig.tell(events.CancelRefused(guard.client_id, "order is not open"))
    assert commands.AskOrder(guard.client_id) in rig.asked
    rig.fill(guard, price_ticks=guard.trigger_ticks)
    assert (rig.lots, guard.state, len(rig.orders())) == (0, State.FILLED, 1)
    assert rig.trader.ledger.positions[MARKET].lots_by_strategy == {}


def test_a_guard_that_filled_in_part_leaves_the_rest_to_the_sale() -> None:
    """Shows that the sale takes what is then held and no more; fails when it would sell what the guard sold already."""
    rig = Rig().holding().pass_time(11 * SECOND_NS)
    (guard,) = rig.guards()
    rig.venue = False
    rig.bar(Stance.LEAVE)
    rig.fill(guard, 1_000)
    rig.tell(events.OrderEnded(guard.client_id, Ending.CANCELED, 1_000, 0))
    assert rig.orders()[-1].size_lots == rig.lots == guard.size_lots - 1_000


def test_a_sale_that_comes_to_nothing_leaves_a_guarded_position() -> None:
    """Shows that a sale which expired is followed by a new guard; fails when the position stays bare."""
    rig = Rig().holding().pass_time(11 * SECOND_NS).bar(Stance.LEAVE)
    sale = rig.orders()[-1]
    rig.tell(events.OrderEnded(sale.client_id, Ending.EXPIRED, 0, 0)).pass_time(2 * SECOND_NS)
    guard = rig.guards()[-1]
    assert (guard.stands, guard.size_lots) == (True, rig.lots)


def test_a_guard_that_will_not_end_keeps_the_position() -> None:
    """Shows that a wanted sale is given up after ten seconds rather than sent on top of its guard; fails when the same
    lots are sold twice.
    """
    rig = Rig().holding().pass_time(11 * SECOND_NS)
    (guard,) = rig.guards()
    rig.venue = False
    rig.bar(Stance.LEAVE)
    rig.pass_time(SALE_PATIENCE_NS + SECOND_NS)
    rig.tell(events.OrderEnded(guard.client_id, Ending.CANCELED, 0, 0))
    assert len(rig.orders()) == 1
    assert rig.guards()[-1] is not guard


def test_a_refused_guard_is_asked_for_again_without_a_storm() -> None:
    """Shows that a venue that refuses every guard hears of one after 1, 2, 4 ... seconds and at most one a minute;
    fails when a refusal is retried at once, or not at all.
    """
    rig = Rig().holding()
    rig.venue = False
    rig.take(commands.SendOrder)
    for order in rig.guards():
        rig.tell(events.OrderEnded(order.client_id, Ending.CANCELED, 0, 0))
    sent: list[int] = []
    seconds = 200
    for _ in range(seconds * 10):
        rig.pass_time(SECOND_NS // 10)
        for command in rig.take(commands.SendOrder):
            assert isinstance(command, commands.SendOrder)
            sent.append(rig.now_ns)
            rig.tell(events.OrderRefused(command.client_id, "no"))
    waits = [later - sooner for sooner, later in itertools.pairwise(sent)]
    assert 5 <= len(sent) <= 10
    assert all(later >= sooner for sooner, later in itertools.pairwise(waits))
    assert max(waits) <= RETRY_NS_MAX + SECOND_NS


def test_the_trader_acts_when_the_venues_stop_does_not() -> None:
    """Shows that below the trigger for two seconds the trader takes the guard off and sells itself; fails when it sells
    beside the venue at once, or trusts it for ever.
    """
    rig = Rig().holding().pass_time(SECOND_NS)
    rig.quote(BID_TICKS * 94 // 100)
    assert rig.take(commands.SendCancel) == []
    rig.pass_time(GUARD_PATIENCE_NS)
    sale = rig.orders()[-1]
    assert (sale.order_kind, sale.reason, rig.guards()[-1].state) == (
        OrderKind.MARKET,
        "stop loss reached",
        State.CANCELED,
    )


def test_a_sale_that_cannot_leave_is_tried_once_a_second() -> None:
    """Shows that below the trigger, with every order failing to leave, one sale a second is planned; fails when each
    quote plans another.
    """
    rig = Rig().holding().pass_time(SECOND_NS)
    rig.venue = False
    rig.take(commands.SendOrder)
    rig.quote(BID_TICKS * 94 // 100)
    for order in rig.guards():
        rig.tell(events.OrderEnded(order.client_id, Ending.CANCELED, 0, 0))
    seconds, sales_count = 4, 0
    for _ in range(seconds * 10):
        rig.pass_time(SECOND_NS // 10)
        for command in rig.take(commands.SendOrder):
            assert isinstance(command, commands.SendOrder)
            sales_count += command.kind is OrderKind.MARKET
            rig.tell(events.SendFailed(command.client_id, "the venue's clock is too far from ours"))
    assert 2 <= sales_count <= seconds + 1


@pytest.mark.parametrize(("name", "kept"), [("cancel", True), ("cancel_all", False), ("flatten", False)])
def test_a_stop_keeps_guards_or_gives_them_up_by_its_policy(name: str, kept: bool) -> None:
    """Shows the three policies on a guarded position; fails when the default bares a position, or another one leaves an
    order at the venue.
    """
    rig = Rig(policy(name)).holding().pass_time(SECOND_NS)
    (guard,) = rig.guards()
    stop(rig).pass_time(SECOND_NS)
    assert guard.stands is kept
    if name == "cancel":
        rig.pass_time(5 * SECOND_NS)
        assert (rig.mode, guard.stands) == (Mode.HALTED, True)


def test_a_guard_outlives_terms_under_which_it_would_not_be_taken() -> None:
    """Shows that a position smaller than the venue takes by now keeps the guard it has, and that no sale is sent in its
    place, however long the price is below; fails when new terms bare a position, or every quote asks for a sale that
    the venue refuses.
    """
    rig = Rig().holding().pass_time(SECOND_NS)
    (guard,) = rig.guards()
    terms = rig.trader._parts.instruments
    terms[MARKET] = msgspec.structs.replace(terms[MARKET], size_lots_min=rig.lots + 1)
    rig.take(commands.SendCancel)
    rig.quote(BID_TICKS * 94 // 100).pass_time(2 * GUARD_PATIENCE_NS)
    assert (guard.stands, len(rig.orders()), rig.take(commands.SendCancel)) == (True, 1, [])
    terms[MARKET] = msgspec.structs.replace(terms[MARKET], size_lots_min=rig.lots)
    rig.pass_time(SECOND_NS)
    assert (rig.orders()[-1].side, rig.orders()[-1].size_lots) == (Side.SELL, rig.lots)


def exchanging(rig: Rig) -> OrderView:
    """Have a strategy leave, and the venue say nothing yet of the guard that it has to give up for that."""
    rig.holding().pass_time(11 * SECOND_NS)
    rig.venue = False
    rig.bar(Stance.LEAVE)
    (guard,) = rig.guards()
    assert commands.SendCancel(guard.client_id) in rig.asked
    rig.venue = True
    return guard


@pytest.mark.parametrize("halted", [False, True])
def test_a_stop_during_an_exchange_ends_with_a_guarded_position(halted: bool) -> None:
    """Shows that the end of a guard which had to make way for a sale is followed by a new guard and no sale, be it
    heard while stopping or when stopped; fails when a stop leaves a position bare until the next start.
    """
    rig = Rig()
    guard = exchanging(rig)
    rig.venue = halted
    stop(rig)
    if halted:
        rig.pass_time(SECOND_NS // 2)
        rig.tell(events.TimePassed(rig.now_ns + rig.wall_offset_ns, True))  # noqa: FBT003
        assert rig.mode is Mode.HALTED
    rig.venue = True
    rig.tell(events.OrderEnded(guard.client_id, Ending.CANCELED, 0, 0)).pass_time(2 * SECOND_NS)
    later = rig.guards()[-1]
    assert (rig.mode, later.stands, later.size_lots, later is guard) == (Mode.HALTED, True, rig.lots, False)
    assert len(rig.orders()) == 1


def test_a_fault_of_the_market_during_an_exchange_ends_with_a_guarded_position() -> None:
    """Shows that a guard which had to make way for a sale comes back when the market's data ends in a fault, and that
    nothing is sold; fails when the position stays bare for as long as nobody looks.
    """
    rig = Rig()
    guard = exchanging(rig)
    rig.trader.conduct.market_failed("checksums again and again")
    rig.tell(events.OrderEnded(guard.client_id, Ending.CANCELED, 0, 0)).pass_time(2 * SECOND_NS)
    later = rig.guards()[-1]
    assert (rig.mode, later.stands, later.size_lots, later is guard) == (Mode.FAULT, True, rig.lots, False)
    assert len(rig.orders()) == 1


@pytest.mark.parametrize("why", ["the venue disagrees", "the key", "not permitted"])
def test_any_other_fault_sends_no_guard(why: str) -> None:
    """Shows that after a fault which says something against the books or the key, also one that comes second, and
    without permission, nothing is sent; fails when a box that needs a person sells on books that may be wrong.
    """
    rig = Rig()
    guard = exchanging(rig)
    rig.trader.conduct.market_failed("checksums again and again")
    if why == "the venue disagrees":
        rig.trader._parts.desk.contradictions.append("an order filled more than its size")
    elif why == "the key":
        rig.tell(events.KeyRejected("it may withdraw"))
    else:
        stop(rig)
    rig.tell(events.OrderEnded(guard.client_id, Ending.CANCELED, 0, 0)).pass_time(2 * SECOND_NS)
    assert (rig.mode, len(rig.guards()), len(rig.orders())) == (Mode.FAULT, 1, 1)


def test_a_stopped_box_whose_books_are_in_doubt_sends_nothing() -> None:
    """Shows that a guard which ends while the order link is away comes back only after the books were compared; fails
    when a stopped box sells on books that may be wrong.
    """
    rig = Rig().holding().pass_time(SECOND_NS)
    stop(rig).pass_time(2 * SECOND_NS)
    (guard,) = rig.guards()
    rig.venue = False
    rig.tell(events.OrderLinkChanged(connected=False, reason=""), events.OrderLinkChanged(connected=True, reason=""))
    rig.tell(events.OrderEnded(guard.client_id, Ending.CANCELED, 0, 0)).pass_time(SECOND_NS)
    assert (rig.mode, len(rig.guards())) == (Mode.HALTED, 1)
    rig.venue = True
    rig.pass_time(20 * SECOND_NS)
    assert (rig.mode, rig.guards()[-1].stands, len(rig.guards())) == (Mode.HALTED, True, 2)


@pytest.mark.parametrize(("name", "kept"), [("cancel", True), ("cancel_all", False), ("flatten", False)])
def test_a_shutdown_during_an_exchange_waits_for_the_guard(name: str, kept: bool) -> None:
    """Shows that the process ends only after the guard that had to make way has ended and another stands in its place,
    and that policies which keep none send none; fails when a shutdown leaves a position bare.
    """
    rig = Rig(policy(name))
    guard = exchanging(rig)
    rig.venue = False
    rig.tell(events.ShutdownRequested("")).pass_time(SECOND_NS // 2)
    assert rig.take(commands.EndProcess) == []
    rig.venue = True
    rig.tell(events.OrderEnded(guard.client_id, Ending.CANCELED, 0, 0)).pass_time(SECOND_NS // 2)
    assert rig.take(commands.EndProcess) == [commands.EndProcess(0, "ended in good order")]
    assert (rig.guards()[-1] is not guard, len(rig.orders())) == (kept, 1)
    assert rig.guards()[-1].stands is kept


def test_a_restart_finds_its_guard_and_keeps_it() -> None:
    """Shows that a new process adopts the guard that stands, asks for no other and switches the timer off; fails when a
    restart bares the position, doubles the guard, or lets the old timer take it.
    """
    rig = Rig().holding().pass_time(SECOND_NS)
    later = rig.restarted().permit().connect().pass_time(2 * SECOND_NS)
    (guard,) = later.guards()
    assert (later.mode, guard.stands, later.take(commands.SendOrder)) == (Mode.NORMAL, True, [])


def test_the_timer_is_switched_off_after_a_restart_with_a_guard() -> None:
    """Shows that the timer of a former life does not take the guard away; fails when nobody speaks to the venue."""
    later = Rig().holding().pass_time(SECOND_NS).restarted().permit().connect().pass_time(2 * SECOND_NS)
    assert later.take(commands.SetDeadMan) == [commands.SetDeadMan(0)]


def test_a_guard_that_vanished_unheard_is_found_out_and_replaced() -> None:
    """Shows that a comparison which misses the guard asks about it, and that its end leads to a new one; fails when the
    trader believes in a guard that the venue does not have.
    """
    rig = Rig(CONFIG.replace("reconcile_interval_s = 3600", "reconcile_interval_s = 5")).holding().pass_time(SECOND_NS)
    (guard,) = rig.guards()
    rig.lie = lambda report: events.AccountReported(
        report.request, report.cash_quanta, report.holdings, (), (), trades_complete=True, venue_ns=0
    )
    rig.pass_time(6 * SECOND_NS)
    assert commands.AskOrder(guard.client_id) in rig.asked
    rig.lie = lambda report: report
    rig.tell(events.OrderReported(guard.client_id, VenueState.CANCELED, 0, (), 0)).pass_time(2 * SECOND_NS)
    assert (rig.mode, rig.guards()[-1].stands, rig.guards()[-1] is guard) == (Mode.NORMAL, True, False)


def test_two_sales_that_both_filled_take_from_the_other_holders() -> None:
    """Shows the race both sides of which filled: what one strategy sold beyond its own is what the other held, so no
    holder is left short; fails when the books keep a holding nobody has.
    """
    rig = Rig().holding()
    ledger, held = rig.trader.ledger, rig.lots
    position = ledger.positions[MARKET]
    position.lots, position.lots_by_strategy["reversion"] = 2 * held, held
    rig.trader._parts.desk.plan(decision.stop(MARKET, "trend", held, "one"))
    rig.trader._parts.desk.plan(decision.stop(MARKET, "trend", held, "two"))
    rig.tell(events.JournalReached(ledger.sequence))
    for order in rig.orders()[-2:]:
        rig.fill(order)
    assert (position.lots, position.lots_by_strategy) == (0, {})
