"""Breakers in the trader: each cause trips, entries wait, everything that lessens exposure goes on."""

import pytest

from appliance.core import commands, events
from appliance.core.values import Side
from appliance.engine.breaker_board import AWAITED_MAX, OUTCOMES_MIN
from appliance.safety.breakers.circuit import Cause, State
from appliance.safety.breakers.flow import WINDOW_NS, WINDOWS_LEARNED_MIN
from appliance.safety.breakers.network import GLOBAL, VENUE
from appliance.safety.breakers.tuning import Odds
from appliance.safety.modes import Mode
from appliance.strategies.contract import Stance
from appliance.trading import records
from appliance.trading.ledger import Ledger
from appliance.trading.snapshot import freeze, thaw
from tests.unit.engine.builders import BID_TICKS, CONFIG, EPOCH_NS, MARKET, SECOND_NS, Rig

COOL_NS = 20 * SECOND_NS
WIDE_TICKS = BID_TICKS // 50


def breaker(rig: Rig, name: str) -> State:
    """Return the state of a breaker."""
    return rig.trader.board.network.breakers[name].state


def changes(rig: Rig) -> list[tuple[str, str, str, str]]:
    """Return every change that was written down."""
    facts = [records.decode(row) for row in rig.rows]
    return [(f.component, f.old, f.new, f.cause) for f in facts if isinstance(f, records.Breaker)]


def widen(rig: Rig, market: str = MARKET) -> Rig:
    """Quote a spread of two percent."""
    rig.sequence += 1
    quote = events.QuoteChanged(market, BID_TICKS, 1, BID_TICKS + WIDE_TICKS, 1, rig.sequence, rig.now_ns + EPOCH_NS)
    return rig.tell(quote)


def trade(rig: Rig, lots: int, side: Side = Side.BUY, after_ns: int = 0) -> Rig:
    """Print a trade at the bid, so much later by the venue's time."""
    rig.sequence += 1
    venue_ns = rig.now_ns + EPOCH_NS + after_ns
    return rig.tell(events.TradePrinted(MARKET, BID_TICKS, lots, side, rig.sequence, venue_ns))


def refuse(rig: Rig) -> Rig:
    """Enter and let the venue refuse the order; the trial of a half-open breaker ends badly by it."""
    rig.venue = False
    rig.bar(Stance.ENTER)
    order = rig.orders()[-1]
    rig.venue = True
    rig.tell(events.OrderRefused(order.client_id, "no funds"))
    # The breaker is what is asked here, not the patience after a refusal.
    rig.trader._parts.restraint.accepted(MARKET, "trend")
    return rig


def test_a_wide_spread_opens_nothing_until_it_was_calm_for_a_cool_down() -> None:
    """Shows the whole way: trip, pause, no entry, cool-down in calm quotes, trials, closed; fails when an entry leaves
    before or the pause never ends.
    """
    rig = widen(Rig().running())
    assert (breaker(rig, MARKET), rig.mode) == (State.OPEN, Mode.PAUSED)
    assert rig.trader.conduct.mode_reason == f"the breaker of {MARKET} is open: spread"
    rig.quote(BID_TICKS).pass_time(COOL_NS - SECOND_NS // 10).bar(Stance.ENTER)
    assert rig.orders() == []
    assert (breaker(rig, MARKET), rig.mode) == (State.HALF_OPEN, Mode.REDUCED)
    for _ in range(3):
        rig.bar(Stance.ENTER)
        rig.fill(rig.orders()[-1]).pass_time(11 * SECOND_NS).bar(Stance.LEAVE)
        rig.fill(rig.orders()[-1])
    assert (breaker(rig, MARKET), rig.mode) == (State.CLOSED, Mode.NORMAL)
    assert [change[1:3] for change in changes(rig)] == [
        ("CLOSED", "OPEN"),
        ("OPEN", "HALF_OPEN"),
        ("HALF_OPEN", "CLOSED"),
    ]


def test_a_spread_that_stays_wide_keeps_it_open() -> None:
    """Shows that the last word about the spread counts for as long as it stands, and that a lost connection takes it
    back; fails when time alone half-opens it, or a market that nobody watches stays open for ever.
    """
    rig = widen(Rig().running()).pass_time(3 * COOL_NS, quoted=False)
    assert breaker(rig, MARKET) is State.OPEN
    rig.tell(events.FeedChanged(connected=False, reason="")).pass_time(COOL_NS, quoted=False)
    assert breaker(rig, MARKET) is State.HALF_OPEN


def test_an_open_breaker_stops_neither_a_reduction_nor_a_cancel() -> None:
    """Shows that with every breaker open a strategy leaves, a loss is stopped and an entry is canceled; fails when a
    breaker can trap a position.
    """
    rig = Rig().holding().pass_time(11 * SECOND_NS)
    for one in rig.trader.board.network.breakers.values():
        one.trip(rig.now_ns, Cause.LATENCY)
    rig.take(commands.SendOrder)
    rig.bar(Stance.LEAVE)
    sent = rig.take(commands.SendOrder)
    assert [command.reduce_only for command in sent if isinstance(command, commands.SendOrder)] == [True]
    canceled = Rig().running().bar(Stance.ENTER)
    for one in canceled.trader.board.network.breakers.values():
        one.trip(canceled.now_ns, Cause.LATENCY)
    canceled.take(commands.SendCancel)
    canceled.pass_time(6 * SECOND_NS)
    assert len(canceled.take(commands.SendCancel)) == 1
    falling = Rig().holding()
    falling.trader.board.network.breakers[GLOBAL].trip(falling.now_ns, Cause.LATENCY)
    falling.quote(BID_TICKS * 9 // 10).pass_time(3 * SECOND_NS)
    assert falling.orders()[-1].reason == "stop loss reached"


def test_a_planned_entry_stays_here_when_the_breaker_opens_before_the_disk_has_it() -> None:
    """Shows that the second look, when the row is durable, withdraws the order; fails when only planning is guarded."""
    rig = Rig().running()
    rig.disk = False
    rig.bar(Stance.ENTER)
    entry = rig.orders()[-1]
    rig.trader.board.network.breakers[VENUE].trip(rig.now_ns, Cause.LATENCY)
    rig.take(commands.SendOrder)
    rig.tell(events.JournalReached(rig.rows[-1].sequence))
    assert rig.take(commands.SendOrder) == []
    assert entry.state == "never"


def test_refusals_trip_the_venue_at_their_share() -> None:
    """Shows that too few orders say nothing, that enough refusals open the venue and with it every instrument, and that
    the next entry is not even planned; fails when a venue that refuses is asked for ever.
    """
    rig = Rig().running()
    for _ in range(OUTCOMES_MIN - 1):
        refuse(rig)
    assert breaker(rig, VENUE) is State.CLOSED
    refuse(rig)
    assert changes(rig) == [(VENUE, "CLOSED", "OPEN", "error rate")]
    assert not rig.trader.board.admits(MARKET)
    count = len(rig.orders())
    rig.bar(Stance.ENTER)
    assert (len(rig.orders()), rig.mode) == (count, Mode.PAUSED)


def test_a_trial_that_never_left_is_given_back() -> None:
    """Shows that entries which the gate refuses, more of them than there are trials, leave the trials as they were;
    fails when a lost permission uses them up and the breaker stays half open for ever.
    """
    rig = widen(Rig().running()).quote(BID_TICKS).pass_time(COOL_NS)
    assert breaker(rig, MARKET) is State.HALF_OPEN
    for _ in range(5):
        rig.venue = False
        rig.bar(Stance.ENTER)
        rig.tell(events.SendFailed(rig.orders()[-1].client_id, "the gate had no permission"))
        rig.venue = True
    assert len(rig.orders()) == 5
    assert rig.trader.board.admits(MARKET)


def test_a_bad_trial_opens_again() -> None:
    """Shows that one refused trial ends the trials, and that no more than three may be on their way; fails when a venue
    that still refuses gets a stream of orders.
    """
    rig = Rig().running()
    for _ in range(OUTCOMES_MIN):
        refuse(rig)
    rig.pass_time(COOL_NS + SECOND_NS)
    assert breaker(rig, VENUE) is State.HALF_OPEN
    refuse(rig)
    assert changes(rig)[-1] == (VENUE, "HALF_OPEN", "OPEN", "error rate")


def test_slow_answers_trip_the_venue() -> None:
    """Shows that half of the last answers being slow opens the venue, and that quick ones do not; fails when latency is
    not measured from the send.
    """
    quick, slow = (
        Rig(CONFIG + "[breakers]\nlatency_ms_max = 500\n").running(),
        Rig(CONFIG + "[breakers]\nlatency_ms_max = 500\n").running(),
    )
    for rig, wait_ns in ((quick, SECOND_NS // 10), (slow, SECOND_NS)):
        for _ in range(OUTCOMES_MIN):
            rig.venue = False
            rig.bar(Stance.ENTER)
            order = rig.orders()[-1]
            rig.now_ns = rig.trader.board._awaited.get(order.client_id, rig.now_ns) + wait_ns
            rig.quote()
            rig.tell(events.OrderAcknowledged(order.client_id, "V", 0))
            rig.venue = True
            rig.pass_time(SECOND_NS).fill(order).pass_time(11 * SECOND_NS).bar(Stance.LEAVE)
            rig.fill(rig.orders()[-1])
    assert breaker(quick, VENUE) is State.CLOSED
    assert (VENUE, "CLOSED", "OPEN", "latency") in changes(slow)


def test_lost_connections_trip_the_venue_and_repeated_word_of_one_does_not() -> None:
    """Shows both sides of the count, and that only a connection that was up can be lost; fails when flapping is
    endured or one loss counts twice.
    """
    rig = Rig(CONFIG + "[breakers]\nconnection_losses_count_max = 4\n").running()
    down, up = (events.FeedChanged(connected=one, reason="") for one in (False, True))
    rig.tell(down, down, down, down, down, down, up)
    for _ in range(2):
        rig.tell(down, up)
    assert breaker(rig, VENUE) is State.CLOSED
    rig.tell(events.OrderLinkChanged(connected=False, reason=""))
    assert changes(rig) == [(VENUE, "CLOSED", "OPEN", "connection errors")]


def test_one_sided_trading_trips_its_instrument() -> None:
    """Shows that a stream of buying alone opens the instrument; fails when toxic flow is not seen in the step."""
    rig = Rig().running()
    for number in range(250):
        trade(rig, 1, Side.BUY, after_ns=number * WINDOW_NS // 100)
    assert changes(rig) == [(MARKET, "CLOSED", "OPEN", "toxic flow")]


def test_a_burst_of_volume_trips_its_instrument_and_a_print_nobody_believes_does_not() -> None:
    """Shows that a burst opens the instrument while an outlier of the same size is not even counted; fails when refused
    prints feed the breaker.
    """
    rig = Rig().running()
    for window in range(WINDOWS_LEARNED_MIN + 2):
        for number in range(4):
            trade(rig, 10, Side.BUY if number % 2 else Side.SELL, after_ns=window * WINDOW_NS + number)
    rig.sequence += 1
    later_ns = rig.now_ns + EPOCH_NS + (WINDOWS_LEARNED_MIN + 1) * WINDOW_NS + 100
    rig.tell(events.TradePrinted(MARKET, 2 * BID_TICKS, 10**6, Side.BUY, rig.sequence, later_ns))
    assert changes(rig) == []
    trade(rig, 10**6, Side.BUY, after_ns=(WINDOWS_LEARNED_MIN + 1) * WINDOW_NS + 200)
    assert changes(rig) == [(MARKET, "CLOSED", "OPEN", "volume")]


def lose(rig: Rig, parts_ppm: int) -> Rig:
    """Stand at a loss of the day."""
    equity = rig.trader.portfolio.equity_quanta()
    rig.trader.ledger.day_start_quanta = equity * 1_000_000 // (1_000_000 - parts_ppm)
    return rig.tell(events.TimePassed(rig.now_ns + rig.wall_offset_ns, wall_synchronized=True))


def test_a_limit_of_the_account_holds_until_well_below() -> None:
    """Shows that a loss just back inside the limit of 3 % still pauses, that one below 90 % of it does not, and that
    each is written once; fails when the mode flaps around the limit.
    """
    rig = Rig().running()
    modes = [lose(rig, ppm).mode for ppm in (31_000, 29_000, 31_000, 28_000, 26_000)]
    assert modes[:4] == [Mode.PAUSED] * 4
    assert lose(rig, 26_000).mode is Mode.REDUCED
    assert changes(rig) == [(GLOBAL, "CLOSED", "OPEN", "risk limit"), (GLOBAL, "OPEN", "CLOSED", "risk limit")]
    assert rig.modes().count("PAUSED") == 1


def test_the_owner_can_hold_everything_by_configuration_alone() -> None:
    """Shows that the setting opens the root at the start, that no time ends it, and that a start without it does; fails
    when it wears off or sticks.
    """
    held = Rig(CONFIG + "[breakers]\nhold_open = true\n").permit().connect().pass_time(100 * SECOND_NS)
    assert (held.mode, breaker(held, GLOBAL)) == (Mode.PAUSED, State.OPEN)
    assert "held by the configuration" in held.trader.conduct.mode_reason
    free = held.restarted().permit().connect().pass_time(SECOND_NS)
    assert (free.mode, breaker(free, GLOBAL)) == (Mode.NORMAL, State.CLOSED)


@pytest.mark.parametrize("state", [State.OPEN, State.HALF_OPEN])
def test_a_restart_finds_an_open_breaker_open_and_what_it_has_learned(state: State) -> None:
    """Shows that a crash neither closes a breaker nor renews its trials, and that its evidence is kept; fails when
    restarting is a way around it.
    """
    rig = widen(Rig().running()).quote(BID_TICKS)
    if state is State.HALF_OPEN:
        rig.pass_time(COOL_NS)
        widen(rig).quote(BID_TICKS).pass_time(2 * COOL_NS)
    assert breaker(rig, MARKET) is state
    later = rig.restarted().permit().connect().pass_time(SECOND_NS)
    assert (breaker(later, MARKET), later.mode) == (State.OPEN, Mode.PAUSED)
    learned = [one.trader.board.network.breakers[MARKET].odds_of(Cause.SPREAD) for one in (rig, later)]
    assert learned[0] == learned[1]
    assert later.pass_time(COOL_NS).mode is Mode.REDUCED


def test_a_snapshot_keeps_breakers_in_their_order() -> None:
    """Shows that a ledger frozen and thawed restores the same breakers, the latest change last; fails when a recording
    forgets them or an older change of another cause comes to count.
    """
    ledger = Ledger()
    kinds = (("OPEN", "spread"), ("OPEN", "volume"), ("CLOSED", "spread"), ("OPEN", "spread"))
    for sequence, (new, cause) in enumerate(kinds, start=1):
        ledger.apply(sequence, 0, 0, records.Breaker(MARKET, "", new, cause, "trip", sequence, 1))
    thawed = thaw(freeze(ledger))
    assert list(thawed.breakers.items()) == list(ledger.breakers.items())
    rig = Rig(ledger=thawed)
    one = rig.trader.board.network.breakers[MARKET]
    assert (one.state, one.cause) == (State.OPEN, Cause.SPREAD)
    assert (one.odds_of(Cause.VOLUME), one.odds_of(Cause.SPREAD)) == (Odds(2, 1), Odds(4, 1))


def test_a_held_limit_outlives_a_restart_until_well_below() -> None:
    """Shows that the zone between the limit and 90 % of it is still closed after a restart; fails when restarting is a
    way around the limit.
    """
    rig = lose(Rig().running(), 31_000)
    later = rig.restarted().permit().connect()
    for ppm, mode in ((29_000, Mode.PAUSED), (20_000, Mode.REDUCED)):
        for _ in range(3):
            lose(later, ppm)
        assert later.mode is mode


def test_one_market_of_two_reduces_and_leaves_the_other_open() -> None:
    """Shows that an open instrument neither pauses the account nor lets its own entries through; fails when breakers
    are not kept apart.
    """
    rig = Rig(CONFIG.replace("[market]", '[market]\ninstruments = ["BTC/USD", "ETH/USD"]'))
    rig.permit().connect()
    for _ in range(5):
        rig.pass_time(SECOND_NS // 5)
        rig.sequence += 1
        rig.tell(events.QuoteChanged("ETH/USD", 300_000, 1, 300_010, 1, rig.sequence, rig.now_ns + EPOCH_NS))
    assert rig.mode is Mode.NORMAL
    widen(rig, "ETH/USD")
    rig.tell(events.TimePassed(rig.now_ns + rig.wall_offset_ns, wall_synchronized=True))
    assert (rig.mode, rig.trader.conduct.mode_reason) == (Mode.REDUCED, "the breaker of ETH/USD is open: spread")
    board = rig.trader.board
    assert (board.admits("ETH/USD"), board.admits(MARKET)) == (False, True)
    rig.strategy.stance = Stance.ENTER
    for market in ("ETH/USD", MARKET):
        for after_ns in (0, SECOND_NS):
            rig.sequence += 1
            venue_ns = rig.now_ns + EPOCH_NS + after_ns
            rig.tell(events.TradePrinted(market, BID_TICKS, 1, Side.BUY, rig.sequence, venue_ns))
    assert [order.instrument for order in rig.orders()] == [MARKET]
    assert rig.trader.denials["circuit breaker"] == 1


def test_orders_that_are_awaited_are_bounded() -> None:
    """Shows that no number of orders makes the memory grow; fails when every order ever sent is kept."""
    rig = Rig().running()
    for number in range(2 * AWAITED_MAX):
        rig.trader.board.sent(f"order-{number}")
    assert len(rig.trader.board._awaited) == AWAITED_MAX
    rig.pass_time(SECOND_NS)
    assert rig.trader.board._awaited == {}
