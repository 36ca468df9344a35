"""The step: what is opened, what is closed, what is refused and counted, and always the same for the same events."""

import hashlib
import subprocess
import sys

import msgspec
import pytest

from appliance.core import commands, events
from appliance.core.commands import SendOrder
from appliance.core.config import demo
from appliance.core.values import OrderKind, Side, VenueState
from appliance.engine.assembly import build_trader
from appliance.safety.modes import Mode
from appliance.strategies.contract import Stance
from appliance.trading import records
from appliance.trading.ledger import Ledger, replay
from appliance.trading.orders import State
from appliance.trading.restraint import WAIT_NS_MIN
from appliance.venues.simulator.exchange import Exchange
from appliance.venues.simulator.instruments import BUILT_IN
from tests.unit.engine.builders import ASK_TICKS, BID_TICKS, CONFIG, EPOCH_NS, INSTRUMENTS, MARKET, SECOND_NS, TAG, Rig
from tests.unit.trading.builders import fold_of

ENTRY_TICKS = ASK_TICKS + ASK_TICKS * 500 // 1_000_000


def test_an_opinion_becomes_one_order() -> None:
    """Shows an entry sized by the fraction, priced through the ask, sent once, and no second one while the first works;
    fails when size, price or side is wrong or the strategy's repetition opens twice.
    """
    rig = Rig().running().bar(Stance.ENTER)
    (order,) = rig.take(SendOrder)
    assert isinstance(order, SendOrder)
    lots = 100 * 10**10 // (ENTRY_TICKS * 10)
    assert (order.side, order.kind, order.price_ticks, order.size_lots) == (
        Side.BUY,
        OrderKind.LIMIT,
        ENTRY_TICKS,
        lots,
    )
    rig.bar(Stance.ENTER)
    assert rig.take(SendOrder) == []


def test_a_holding_strategy_does_not_buy_again() -> None:
    """Shows that a strategy in the market adds nothing; fails when each bar pyramids."""
    rig = Rig().holding().bar(Stance.ENTER)
    assert len(rig.orders()) == 1


def test_reduced_halves_an_entry() -> None:
    """Shows that REDUCED opens with half the size; fails when the mode has no consequence."""
    rig = Rig().running()
    ledger = rig.trader.ledger
    ledger.day_start_quanta = ledger.cash_quanta * 1_000_000 // 980_000
    rig.bar(Stance.ENTER)
    assert rig.mode is Mode.REDUCED
    assert rig.orders()[0].size_lots == 50 * 10**10 // (ENTRY_TICKS * 10)


@pytest.mark.parametrize("stance", [Stance.ENTER, Stance.LEAVE, Stance.WAIT])
def test_a_stale_market_is_not_asked_about(stance: Stance) -> None:
    """Shows that no opinion is followed while the quote is too old; fails when trades alone keep a market alive."""
    rig = Rig().running().pass_time(6 * SECOND_NS, quoted=False)
    rig.bar(stance, quoted=False)
    assert rig.trader.bars_count > 0
    assert rig.orders() == []


def test_nothing_is_opened_while_paused() -> None:
    """Shows that PAUSED opens nothing though the market is fresh; fails when the mode is not asked."""
    rig = Rig().running()
    rig.synchronized = False
    rig.pass_time(SECOND_NS).bar(Stance.ENTER)
    assert (rig.mode, rig.orders()) == (Mode.PAUSED, [])


@pytest.mark.parametrize(
    "event",
    [
        events.FeedChanged(connected=False, reason=""),
        events.OrderLinkChanged(connected=False, reason=""),
        events.PermissionChanged(permitted=False, latch_sequence=0, start_sequence=0),
        events.QuoteChanged(MARKET, 5, 1, 4, 1, 10**6, EPOCH_NS),
    ],
    ids=["feed", "orders", "permission", "crossed"],
)
def test_what_changes_before_the_disk_answers_withdraws_the_entry(event: events.AnyEvent) -> None:
    """Shows that an entry is judged again when its row is safe; fails when it leaves on what was true before."""
    rig = Rig().running()
    rig.disk = False
    rig.bar(Stance.ENTER)
    order = rig.orders()[0]
    assert (order.state, rig.take(SendOrder)) == (State.PLANNED, [])
    rig.disk = True
    rig.tell(event).tell(events.JournalReached(rig.trader.ledger.sequence))
    assert (order.state, rig.take(SendOrder)) == (State.NEVER, [])


def test_a_reduction_leaves_without_permission_to_open() -> None:
    """Shows that selling what is held goes out while PAUSED on a silent clock; fails when reducing needs the right to
    open.
    """
    rig = Rig().holding()
    rig.synchronized = False
    rig.pass_time(11 * SECOND_NS).bar(Stance.LEAVE)
    assert rig.mode is Mode.PAUSED
    assert [order.side for order in rig.orders()] == [Side.BUY, Side.SELL]
    assert rig.orders()[-1].state is State.OPEN


@pytest.mark.parametrize(("held_s", "orders_count"), [(7, 1), (11, 2)])
def test_a_strategy_holds_for_its_minimum(held_s: int, orders_count: int) -> None:
    """Shows both sides of the minimum hold of ten seconds; fails when a strategy leaves sooner, or never."""
    rig = Rig().holding().pass_time(held_s * SECOND_NS).bar(Stance.LEAVE)
    assert len(rig.orders()) == orders_count


def test_a_sale_heard_only_by_asking_leaves_no_old_holding_time() -> None:
    """Shows that the minimum hold begins anew with a new position however the old one ended; fails when a later entry
    may leave at once.
    """
    rig = Rig().holding().pass_time(11 * SECOND_NS)
    rig.bar(Stance.LEAVE)
    sale = rig.orders()[-1]
    fill = events.OrderTraded(
        sale.client_id, "S", MARKET, Side.SELL, BID_TICKS, sale.size_lots, 0, maker=False, venue_ns=2
    )
    rig.tell(events.OrderReported(sale.client_id, VenueState.FILLED, sale.size_lots, (fill,), 2))
    assert rig.lots == 0
    rig.pass_time(11 * SECOND_NS).bar(Stance.ENTER)
    rig.fill(rig.orders()[-1]).bar(Stance.LEAVE)
    assert rig.orders()[-1].side is Side.BUY


@pytest.mark.parametrize(("fall_ppm", "stopped"), [(45_000, False), (56_000, True)])
def test_a_loss_beyond_the_stop_sells_at_any_price_once(fall_ppm: int, stopped: bool) -> None:
    """Shows both sides of the stop loss of 5 % of cost when the venue's own stop has not acted for two seconds, within
    the minimum hold, and that it is sent once; fails when it does not fire, fires early or repeats.
    """
    rig = Rig().holding()
    bid_ticks = BID_TICKS - BID_TICKS * fall_ppm // 1_000_000
    rig.quote(bid_ticks).quote(bid_ticks).pass_time(SECOND_NS)
    assert len(rig.orders()) == 1
    rig.pass_time(2 * SECOND_NS)
    sales = [order for order in rig.orders() if order.side is Side.SELL]
    assert len(sales) == int(stopped)
    if stopped:
        assert (sales[0].order_kind, sales[0].size_lots, sales[0].reason) == (
            OrderKind.MARKET,
            rig.lots,
            "stop loss reached",
        )


def test_a_stop_is_not_taken_from_a_crossed_book() -> None:
    """Shows that a nonsense quote sells nothing; fails when a crossed book triggers the stop."""
    rig = Rig().holding()
    rig.tell(events.QuoteChanged(MARKET, BID_TICKS // 2, 1, BID_TICKS // 2 - 1, 1, 10**6, EPOCH_NS))
    assert [order.side for order in rig.orders()] == [Side.BUY]


@pytest.mark.parametrize(
    ("limits", "fraction_ppm", "name"),
    [
        ({"position_ppm": 9_000}, 10_000, "position"),
        ({"heat_ppm": 9_000}, 10_000, "heat"),
        ({"order_quanta_max": 99 * 10**10}, 10_000, "order size"),
        ({"order_quanta_min": 101 * 10**10}, 10_000, "smallest order"),
        ({}, 100, "size below the venue's smallest order"),
    ],
)
def test_a_denied_entry_is_counted_by_its_limit(limits: dict[str, int], fraction_ppm: int, name: str) -> None:
    """Shows that an entry beyond a limit is not planned and is counted under its name; fails when it passes or
    disappears.
    """
    rig = Rig().running()
    parts = rig.trader._parts
    rig.trader._parts = parts._replace(
        limits=parts.limits._replace(**limits), settings=parts.settings._replace(fraction_ppm=fraction_ppm)
    )
    rig.bar(Stance.ENTER)
    assert rig.orders() == []
    assert dict(rig.trader.denials) == {name: 1}


def test_entries_per_minute_are_bounded() -> None:
    """Shows that entries beyond the rate are denied and return with the next minute; fails when nobody counts."""
    rig = Rig(CONFIG.replace("[risk]", "[risk]\norders_per_minute_max = 2")).running()
    rig.venue = False
    for _ in range(4):
        rig.bar(Stance.ENTER)
        rig.tell(events.OrderRefused(rig.orders()[-1].client_id, "no funds"))
        rig.trader._parts.restraint.accepted(MARKET, "trend")
    assert (len(rig.orders()), rig.trader.denials["orders per minute"]) == (2, 2)
    rig.pass_time(61 * SECOND_NS).bar(Stance.ENTER)
    assert len(rig.orders()) == 3


def test_a_refused_entry_is_not_followed_by_the_next_at_once() -> None:
    """Shows that after three refusals a strategy waits four seconds and tries again, and that an accepted order ends
    the patience; fails when every bar answers a refusal with an order.
    """
    rig = Rig().running()
    rig.venue = False
    for _ in range(3):
        rig.bar(Stance.ENTER)
        rig.tell(events.OrderRefused(rig.orders()[-1].client_id, "no funds")).pass_time(SECOND_NS)
    count = len(rig.orders())
    rig.bar(Stance.ENTER)
    assert (len(rig.orders()), rig.trader.denials["refused a moment ago"]) == (count, 1)
    rig.pass_time(4 * SECOND_NS).bar(Stance.ENTER)
    entry = rig.orders()[-1]
    rig.tell(events.OrderAcknowledged(entry.client_id, "V", 0), events.OrderRefused(entry.client_id, "late word"))
    assert not rig.trader._parts.restraint.waits(MARKET, "trend", rig.now_ns)


@pytest.mark.parametrize("late", [False, True])
def test_a_refusal_counts_however_it_is_learned_and_once(late: bool) -> None:
    """Shows that a strategy waits after a refusal that came when its order was given up, or that only the answer to a
    question told, and that the same word again is no other refusal; fails when the next entry follows at once, or the
    wait doubles for one refusal said twice.
    """
    rig = Rig().running()
    rig.venue = False
    rig.bar(Stance.ENTER)
    entry = rig.orders()[-1]
    refused = events.OrderRefused(entry.client_id, "deadline passed")
    if late:
        rig.tell(events.SendTimedOut(entry.client_id))
        rig.tell(events.OrderReported(entry.client_id, VenueState.NOT_FOUND, 0, (), 0), refused)
    else:
        rig.tell(events.SendTimedOut(entry.client_id))
        rig.tell(events.OrderReported(entry.client_id, VenueState.REFUSED, 0, (), 0))
    restraint, since_ns = rig.trader._parts.restraint, rig.now_ns
    rig.tell(refused)
    assert entry.state is State.REFUSED
    assert restraint.waits(MARKET, "trend", since_ns + WAIT_NS_MIN - 1)
    assert not restraint.waits(MARKET, "trend", since_ns + WAIT_NS_MIN)


def test_words_about_other_markets_are_left_alone() -> None:
    """Shows that market data nobody asked for changes nothing; fails when it breaks the step."""
    rig = Rig().running()
    rig.tell(
        events.QuoteChanged("XRP/USD", 1, 1, 2, 1, 1, 1),
        events.TradePrinted("XRP/USD", 1, 1, Side.BUY, 1, 1),
        events.OrderTraded("stranger", "x", "XRP/USD", Side.BUY, 1, 1, 0, maker=False, venue_ns=1),
        events.SendFailed("stranger", "no order connection"),
        events.CancelRefused("stranger", ""),
    )
    assert (rig.mode, rig.orders()) == (Mode.PAUSED, [])


def test_a_failed_send_settles_the_order() -> None:
    """Shows that an order the shell stopped is never exposure again; fails when it is followed as unknown."""
    rig = Rig().running()
    rig.venue = False
    rig.bar(Stance.ENTER)
    order = rig.orders()[-1]
    rig.tell(events.SendFailed(order.client_id, "the gate had no permission"))
    assert (order.state, rig.trader.ledger.working) == (State.NEVER, {})


def test_a_restart_continues_from_the_journal() -> None:
    """Shows that the ledger replayed from the rows is the live one, and that a start writes its boot, adopts what was
    left and cancels it; fails when a restart forgets or re-sends an order.
    """
    rig = Rig().running()
    rig.venue = False
    rig.bar(Stance.ENTER)
    left = rig.orders()[-1]
    assert fold_of(replay(rig.rows)) == fold_of(rig.trader.ledger)
    later = rig.restarted()
    first = later.trader.step(later.now_ns, events.FeedChanged(connected=False, reason=""))
    kinds = [command.row.kind for command in first if isinstance(command, commands.WriteRow)]
    assert kinds[0] == "boot"
    assert "parameters" not in kinds
    adopted = later.trader.ledger.orders[left.client_id]
    assert adopted.working
    later.venue = False
    later.permit().connect().pass_time(9 * SECOND_NS)
    assert commands.AskOrder(left.client_id) in later.asked
    assert later.take(SendOrder) == []


def test_changed_settings_are_written_down_at_the_next_start() -> None:
    """Shows that a restart with other settings records them; fails when the journal cannot tell under which limits an
    order was made.
    """
    later = Rig().running().restarted(CONFIG.replace("minimum_hold_s = 10", "minimum_hold_s = 20")).permit()
    facts = [records.decode(row) for row in later.rows]
    written = [fact for fact in facts if isinstance(fact, records.Parameters)]
    assert [fact.values["risk.minimum_hold_s"] for fact in written] == ["10", "20"]


def test_traces_tie_an_order_to_its_event() -> None:
    """Shows that every row of an order carries the trace of the event that caused it; fails when a fill loses it."""
    rig = Rig().holding()
    identifier = rig.orders()[0].client_id
    facts = [(records.decode(row), row.trace) for row in rig.rows]
    own = {type(fact).__name__: trace for fact, trace in facts if getattr(fact, "client_id", "") == identifier}
    assert set(own) == {"Intent", "Order", "Fill"}
    assert len(set(own.values())) == 1


def day(seconds: int, seed: int) -> str:
    """Trade a synthetic market and return a digest of every command's bytes."""
    venue = Exchange(BUILT_IN, seed=seed, cash_quanta=10**14, trade_interval_ns=SECOND_NS // 10, epoch_ns=EPOCH_NS)
    trader = build_trader(demo(), INSTRUMENTS, Ledger(), tag=TAG, now_ns=0, wall_ns=EPOCH_NS)
    digest = hashlib.sha256()
    now_ns = tick_ns = orders_count = 0
    pending: list[events.AnyEvent] = [
        events.FeedChanged(connected=True, reason=""),
        events.OrderLinkChanged(connected=True, reason=""),
        events.PermissionChanged(permitted=True, latch_sequence=0, start_sequence=0),
    ]
    while now_ns < seconds * SECOND_NS:
        while pending:
            for command in trader.step(now_ns, pending.pop(0)):
                digest.update(msgspec.msgpack.encode(command))
                orders_count += isinstance(command, SendOrder)
                match command:
                    case commands.WriteRow(row):
                        pending.append(events.JournalReached(row.sequence))
                    case (
                        commands.EndProcess()
                        | commands.StopLayer()
                        | commands.StartLayer()
                        | commands.SubscribeMarket()
                        | commands.AskModels()
                        | commands.AskHistory()
                    ):
                        pass
                    case _:
                        pending += venue.submit(now_ns, command, now_ns)
        now_ns = min(venue.next_ns(), tick_ns)
        if now_ns == tick_ns:
            pending.append(events.TimePassed(EPOCH_NS + now_ns, wall_synchronized=True))
            tick_ns += SECOND_NS // 10
        pending += venue.advance(now_ns)
    assert orders_count > 0, "a day without orders shows nothing"
    assert trader.ledger.cash_quanta == venue.cash_quanta
    return digest.hexdigest()


def test_the_same_events_give_the_same_bytes_in_any_process() -> None:
    """Shows that two processes with different string hashes ask for the very same bytes; fails when a set's order, the
    clock or chance slips into the step.
    """
    program = "from tests.unit.engine.test_trader import day; print(day(40, 3))"
    digests = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed, "PATH": "/usr/bin:/bin"},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert digests == {day(40, 3) + "\n"}
    assert day(40, 4) != day(40, 3)
