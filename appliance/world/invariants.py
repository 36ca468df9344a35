"""What must hold of the trader, one function each, numbered as everywhere in this project; each returns what is wrong.

CHECKED_IN says of all twelve what they are and which modules of this room check them, and when.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from appliance.core.clock import NANOSECONDS_PER_MILLISECOND
from appliance.core.commands import SendOrder
from appliance.core.values import OrderKind, Side, parts_of
from appliance.engine.trader import Trader
from appliance.risk.limits import RiskLimits
from appliance.safety.modes import Mode
from appliance.trading.ledger import Ledger
from appliance.venues.simulator.exchange import Exchange
from appliance.venues.simulator.orders import VenueOrder
from appliance.world.books import Books
from appliance.world.digest import digest
from appliance.world.disk import Disk
from appliance.world.keeper import Keeper
from appliance.world.shell import HEALTH_NS, WallClock
from appliance.world.venue import STRANGER

CHECKED_IN: Mapping[int, tuple[str, str]] = MappingProxyType(
    {
        1: ("no order that adds exposure leaves after a stop", "invariants, at the door"),
        2: ("stopped survives everything until a reset and a separate start", "invariants, after every event"),
        3: ("positions are the sum of unique executions, and the venue's own when quiet", "invariants, books"),
        4: ("cash is conserved exactly", "invariants, books"),
        5: ("what is filled, open or unknown is counted, and within the limits", "invariants"),
        6: (
            "an intent is durable before it is sent, and sent at most once",
            "invariants, at the door and after a crash",
        ),
        7: ("the state after a restart is the fold of the journal", "invariants, digest"),
        8: (
            "no row is lost, altered or invented between journal and broker",
            "delivery, after every commit and arrival",
        ),
        9: ("the lamp says what is true", "lamp_truth, after every event"),
        10: ("nothing opens where it must not, and nothing is tried over and over", "invariants, told, opinions"),
        11: ("damage to the journal is found, and only damage", "inspector, at every start"),
        12: ("after healing, everything converges", "simulation, at the end"),
    }
)
# The trader measures with the quote it has; the world with the one that is true by now.
PRICE_ALLOWANCE_PPM = 1_030_000
_MAY_OPEN = frozenset({Mode.NORMAL, Mode.REDUCED})
_MAY_RUN = frozenset({Mode.RECONCILING, Mode.NORMAL, Mode.REDUCED, Mode.PAUSED})


class Underway(NamedTuple):
    """Be one order that has left and may still reach the venue."""

    command: SendOrder
    sent_ns: int
    due_ns: int

    def may_count(self) -> bool:
        """Tell whether the venue will still accept it when it arrives."""
        return self.due_ns - self.sent_ns <= self.command.deadline_ms * NANOSECONDS_PER_MILLISECOND


class MarketSeen(NamedTuple):
    """Be the newest quote of one instrument that the process was given."""

    sequence: int
    at_ns: int
    good: bool


def leaves_only_with_permission(keeper: Keeper, command: SendOrder) -> str:
    """Check 1 at the door: with a stop or without a lease only orders that reduce may pass."""
    if command.reduce_only and command.side is Side.SELL:
        return ""
    if keeper.stop_stands:
        return f"order {command.client_id} left although the stop stands"
    if keeper.lease_ran_out:
        return f"order {command.client_id} left although nobody has renewed the lease"
    return "" if keeper.permitted() else f"order {command.client_id} left without a valid lease"


def stays_stopped(keeper: Keeper, trader: Trader, told_stopped: bool) -> str:
    """Check 2: no lease while a stop stands, and a trader that was told runs in no mode that may trade."""
    if keeper.stop_stands and keeper.permitted():
        return "the lease is valid although nobody has reset and started since the stop"
    if told_stopped and trader.mode in _MAY_RUN:
        return f"the trader is {trader.mode.name} although it was told that it is stopped"
    return ""


def positions_are_fills(ledger: Ledger, books: Books) -> str:
    """Check 3 against the rows: every position is the sum of the unique executions written down."""
    ours = {name: position.lots for name, position in ledger.positions.items() if position.lots}
    theirs = {name: lots for name, lots in books.lots.items() if lots}
    return "" if ours == theirs else f"the ledger holds {ours}, its executions add up to {theirs}"


def equals_the_venue(ledger: Ledger, exchange: Exchange, underway: Iterable[Underway], foreign_quanta: int) -> str:
    """Check 3 and 4 against the venue, whenever nothing is open, unknown or under way."""
    moving = ledger.in_flight or not ledger.funded or any(order.may_count() for order in underway)
    standing = {order.client_id for order in ledger.unsettled()}
    listed = {order.client_id for order in exchange.open_orders() if order.client_id in ledger.orders}
    # A guard that stands here and there is not moving; one that stands on one side alone is.
    if moving or listed != standing or any(order.filled_lots for order in exchange.open_orders()):
        return ""
    for name, lots in exchange.account.lots.items():
        if ledger.position_lots(name) != lots:
            return f"the venue holds {lots} lots of {name}, the ledger {ledger.position_lots(name)}, and all is quiet"
    if ledger.cash_quanta != exchange.cash_quanta - foreign_quanta:
        ours = exchange.cash_quanta - foreign_quanta
        return f"the venue has {ours} quanta of ours, the ledger {ledger.cash_quanta}, and all is quiet"
    return ""


def positions_are_guarded(ledger: Ledger, exchange: Exchange) -> str:
    """Check 12 at rest: as many lots as are held sleep at the venue in stops, where the venue takes so few."""
    for name, lots in exchange.account.lots.items():
        guarded = sum(order.live_lots for order in _own(exchange) if order.instrument == name and order.has_trigger)
        smallest = exchange.instruments[name].size_lots_min
        holders = ledger.positions[name].lots_by_strategy if name in ledger.positions else {}
        wanted = sum(held for held in holders.values() if held >= smallest)
        # A guard from a time when the venue took smaller ones may stand on.
        if not wanted <= guarded <= max(lots, 0):
            return f"{guarded} of {lots} lots of {name} are guarded at the venue, {wanted} should be"
    return ""


def cash_is_conserved(ledger: Ledger, books: Books) -> str:
    """Check 4: cash is what the account began with and every execution since, to the quantum."""
    if ledger.cash_quanta == books.cash_quanta:
        return ""
    return f"the ledger has {ledger.cash_quanta} quanta, its executions leave {books.cash_quanta}"


def exposure_is_counted(ledger: Ledger, exchange: Exchange, underway: Iterable[Underway]) -> str:
    """Check 5: what could still happen at the venue lies within what the ledger counts with."""
    pending = [(order.instrument, order.side, order.live_lots) for order in _own(exchange)]
    pending += [
        (sent.command.instrument, sent.command.side, sent.command.size_lots) for sent in underway if sent.may_count()
    ]
    exposed = [(view.instrument, view.side, view.exposed_lots) for view in ledger.unsettled()]
    for name, lots in exchange.account.lots.items():
        least, most = _reach(name, lots, pending)
        low, high = _reach(name, ledger.position_lots(name), exposed)
        if most > high:
            return f"{name} may come to {most} lots, the ledger counts with {high} at most"
        # Nothing lends, so no sale can take the holding below zero.
        if max(least, 0) < low:
            return f"{name} may come down to {max(least, 0)} lots, the ledger counts with {low} at least"
    return ""


def _reach(name: str, lots: int, pending: Iterable[tuple[str, Side, int]]) -> tuple[int, int]:
    least = most = lots
    for instrument, side, size_lots in pending:
        if instrument == name and side is Side.BUY:
            most += size_lots
        elif instrument == name:
            least -= size_lots
    return least, most


def _own(exchange: Exchange) -> list[VenueOrder]:
    return [order for order in exchange.open_orders() if not order.client_id.startswith(STRANGER)]


def within_limits(exchange: Exchange, marks: dict[str, int], underway: Iterable[Underway], limits: RiskLimits) -> str:
    """Check 5 at the door: filled, open and under way together are within the symbol's and the venue's limit."""
    used: dict[str, int] = {}
    for name, lots in exchange.account.lots.items():
        used[name] = exchange.instruments[name].notional_quanta(marks.get(name, 0), lots)
    equity = exchange.cash_quanta + sum(used.values())
    pending = [
        (order.instrument, order.price_ticks, order.live_lots) for order in _own(exchange) if order.side is Side.BUY
    ]
    pending += [
        (sent.command.instrument, sent.command.price_ticks, sent.command.size_lots)
        for sent in underway
        if sent.may_count() and sent.command.side is Side.BUY and sent.command.kind is OrderKind.LIMIT
    ]
    for name, price_ticks, lots in pending:
        used[name] += exchange.instruments[name].notional_quanta(price_ticks, lots)
    for name, value in used.items():
        if value > _allowed(equity, limits.symbol_ppm):
            return f"{name} stands at {value} of {parts_of(equity, limits.symbol_ppm)} quanta"
    total = sum(used.values())
    return "" if total <= _allowed(equity, limits.venue_ppm) else f"the venue stands at {total} quanta, over its limit"


def is_durable_and_new(command: SendOrder, books: Books, disk: Disk, sent: set[str]) -> str:
    """Check 6 at the door: the intent would survive a power cut now, and its id never left before."""
    sequence = books.intent_rows.get(command.client_id)
    if sequence is None:
        return f"order {command.client_id} left without an intent in the journal"
    if not disk.holds(sequence):
        return f"order {command.client_id} left before its intent (row {sequence}) was durable"
    return f"order {command.client_id} left twice" if command.client_id in sent else ""


def restart_is_the_fold(before: Ledger, books: Books) -> str:
    """Check 7: the live ledger equals the fold of the very bytes that were written."""
    same = digest(before) == digest(books.shadow)
    return "" if same else f"at row {before.sequence} the live ledger is not the fold of its rows"


def nothing_sent_is_forgotten(disk: Disk, books: Books, sent: Iterable[str]) -> str:
    """Check 6 and 7 after a crash: the intent of every order that ever left is still in the journal."""
    last = disk.rows[-1].sequence if disk.rows else 0
    for client_id in sent:
        if books.intent_rows.get(client_id, last + 1) > last:
            return f"order {client_id} left, and its intent did not survive the crash"
    return ""


def would_meet_own(command: SendOrder, exchange: Exchange) -> str:
    """Check 10 at the door: no entry leaves while an order of ours rests that it would trade with."""
    if command.reduce_only:
        return ""
    for order in _own(exchange):
        resting = not order.has_trigger and order.instrument == command.instrument and order.side is not command.side
        if resting and (command.price_ticks - order.price_ticks) * command.side.sign >= 0:
            return f"order {command.client_id} would trade with our own {order.client_id}"
    return ""


def market_is_usable(command: SendOrder, seen: MarketSeen | None, now_ns: int, age_ns_max: int, synced: bool) -> str:
    """Check 10 at the door, for orders that open."""
    if command.reduce_only:
        return ""
    if seen is None:
        return f"order {command.client_id} opens in a market that was not seen since the feed connected"
    if not seen.good:
        return f"order {command.client_id} opens although the last quote was crossed or had no price"
    if now_ns - seen.at_ns > age_ns_max:
        return f"order {command.client_id} opens on a quote {(now_ns - seen.at_ns) // 1_000_000} ms old"
    return "" if synced else f"order {command.client_id} opens although nobody vouches for the clock"


def clocks_agree(command: SendOrder, clock: WallClock) -> str:
    """Check 10 at the door, for orders that open: a deadline on a clock that is far from the venue's means nothing."""
    if command.reduce_only or not clock.too_far:
        return ""
    return f"order {command.client_id} opens although the venue's clock is {clock.apart_ns() / 1e9:.3f} s from ours"


def heeds_the_clocks(trader: Trader, apart_for_ns: int) -> str:
    """Check 10 with every tick: a trader whose order connection shows clocks apart is paused by the next look."""
    if trader.mode not in _MAY_OPEN or apart_for_ns <= HEALTH_NS:
        return ""
    return f"the trader is {trader.mode.name} although the clocks have been apart for {apart_for_ns / 1e9:.1f} s"


def fault_is_excused(reason: str, excuses: frozenset[str]) -> str:
    """Check 12 for the one state that does not heal by itself: only what truly needs a person may lead to it."""
    if any(excuse in reason for excuse in excuses) or reason.startswith("still there after a restart"):
        return ""
    return f"the trader gave up: {reason}"


def _allowed(equity_quanta: int, share_ppm: int) -> int:
    return parts_of(parts_of(max(equity_quanta, 0), share_ppm), PRICE_ALLOWANCE_PPM)
