"""The built-in exchange: synchronous, seeded, without a clock; whoever drives it says what time it is.

`advance` lets the synthetic market run up to a moment; `submit` does the same first and then carries a command out, so
venue times never go back. Both return everything that happened, in order: market data for everybody and answers for
the account's owner (`is_market_data` tells them apart). The same seed, commands and times give the same events.

The books behind it are the truth that a trader's own view is checked against: nothing lends, so neither cash nor a
holding can become negative, and `audit` proves cash and holdings from the executions.
"""

import heapq
from collections import deque
from collections.abc import Mapping, Sequence

from appliance.core.clock import NANOSECONDS_PER_MILLISECOND, NANOSECONDS_PER_SECOND
from appliance.core.commands import (
    AskAccount,
    AskOrder,
    SendAmend,
    SendCancel,
    SendCancelAll,
    SendOrder,
    SetDeadMan,
    VenueCommand,
)
from appliance.core.errors import ConfigError, ConversionError
from appliance.core.events import (
    AccountReported,
    AmendRefused,
    AnyEvent,
    CancelRefused,
    DeadManFired,
    OrderAcknowledged,
    OrderAmended,
    OrderRefused,
    OrderReported,
    OrderTraded,
    QuoteChanged,
    TradePrinted,
)
from appliance.core.instruments import PRICE_TICKS_MAX, SIZE_LOTS_MAX, Instrument
from appliance.core.require import require
from appliance.core.values import (
    PRICED_KINDS,
    QUANTA_PER_QUOTE_UNIT,
    STOP_KINDS,
    Ending,
    Side,
    VenueState,
)
from appliance.venues.simulator import amending
from appliance.venues.simulator.account import Account
from appliance.venues.simulator.instruments import START_TICKS
from appliance.venues.simulator.listing import Listing
from appliance.venues.simulator.market import START_TICKS_MIN, SyntheticMarket
from appliance.venues.simulator.matching import Place
from appliance.venues.simulator.orders import CLIENT_ID_LENGTH_MAX, Refusal, VenueOrder

OPEN_ORDERS_MAX = 200
ENDED_ORDERS_KEPT_MAX = 100_000
TRADES_REPORTED_MAX = 2_000
DEAD_MAN_S_MAX = 86_400
TRADE_INTERVAL_NS = 100 * NANOSECONDS_PER_MILLISECOND
_LEVEL_QUANTA = 3_000 * QUANTA_PER_QUOTE_UNIT


def is_market_data(event: AnyEvent) -> bool:
    """Tell whether an event belongs to the feed rather than to the account's owner."""
    return isinstance(event, QuoteChanged | TradePrinted)


class Exchange:
    """Trade one account against a synthetic market."""

    def __init__(
        self,
        instruments: Sequence[Instrument],
        seed: int,
        cash_quanta: int,
        *,
        start_ns: int = 0,
        epoch_ns: int = 0,
        trade_interval_ns: int = TRADE_INTERVAL_NS,
        start_ticks: Mapping[str, int] = START_TICKS,
        ended_orders_kept_max: int = ENDED_ORDERS_KEPT_MAX,
    ) -> None:
        """Open at `start_ns`; `epoch_ns` is added to make venue times, trades come once an interval on average."""
        if not instruments:
            raise ConfigError("the built-in venue needs at least one instrument")
        self.seed = seed
        self.instruments = {instrument.symbol: instrument for instrument in instruments}
        self.account = Account(self.instruments, cash_quanta)
        self.orders_accepted = 0
        self.orders_refused = 0
        self._epoch_ns = epoch_ns
        self._now_ns = start_ns
        self._listings: dict[str, Listing] = {}
        for number, instrument in enumerate(instruments):
            ticks = start_ticks.get(instrument.symbol, 0)
            if ticks < START_TICKS_MIN:
                raise ConfigError(f"{instrument.symbol}: give it a start price of at least {START_TICKS_MIN} ticks")
            base_lots = max(1, instrument.lots_for(_LEVEL_QUANTA, ticks))
            market = SyntheticMarket(f"{seed}/{instrument.symbol}", ticks, base_lots, trade_interval_ns, start_ns)
            # The epoch keeps ids of a restarted venue apart from those of the one before it.
            prefix = f"{epoch_ns + start_ns:x}-{number}"
            self._listings[instrument.symbol] = Listing(instrument, market, self.account, prefix, epoch_ns)
        self._arrivals = [(each.market.next_ns, symbol) for symbol, each in self._listings.items()]
        heapq.heapify(self._arrivals)
        self._orders: dict[str, VenueOrder] = {}
        self._open: dict[str, VenueOrder] = {}
        self._ended: deque[str] = deque()
        self._ended_kept_max = ended_orders_kept_max
        self._dead_man_due_ns: int | None = None

    def submit(self, now_ns: int, command: VenueCommand, sent_ns: int) -> list[AnyEvent]:
        """Carry out a command that was sent at `sent_ns` and arrives now; return all that happened up to now."""
        events = self.advance(now_ns)
        match command:
            case SendOrder():
                self._send_order(command, sent_ns, events)
            case SendAmend():
                self._amend(command, sent_ns, events)
            case SendCancel():
                self._cancel(command.client_id, events)
            case SendCancelAll():
                self._cancel_all(events)
            case AskOrder():
                events.append(self._report_order(command.client_id))
            case AskAccount():
                events.append(self._report_account(command))
            case SetDeadMan():
                self._set_dead_man(command.timeout_s)
        self._forget_ended()
        return events

    def advance(self, now_ns: int) -> list[AnyEvent]:
        """Let time pass up to now and return what happened."""
        require(now_ns >= self._now_ns, "the exchange's time cannot go back")
        events: list[AnyEvent] = []
        due_ns = self._dead_man_due_ns
        if due_ns is not None and due_ns <= now_ns:
            self._run_market(due_ns, events)
            self._fire_dead_man(events)
        self._run_market(now_ns, events)
        return events

    def next_ns(self) -> int:
        """Return when something will happen by itself next."""
        due_ns = self._dead_man_due_ns
        return self._arrivals[0][0] if due_ns is None else min(due_ns, self._arrivals[0][0])

    def quotes(self) -> list[QuoteChanged]:
        """Return the best bid and ask of every instrument as last published."""
        return [listing.quote(self._venue_ns()) for listing in self._listings.values()]

    def position_lots(self, symbol: str) -> int:
        """Return the account's holding of an instrument."""
        return self.account.lots[symbol]

    @property
    def cash_quanta(self) -> int:
        """Return the account's cash."""
        return self.account.cash_quanta

    def trades_of(self, client_id: str) -> tuple[OrderTraded, ...]:
        """Return every execution of one order."""
        order = self._orders.get(client_id)
        return () if order is None else tuple(order.trades)

    def open_orders(self) -> tuple[VenueOrder, ...]:
        """Return the orders on the book."""
        return tuple(self._open.values())

    def audit(self) -> tuple[str, ...]:
        """Return every contradiction in the books; nothing when all is exact."""
        found = list(self.account.disagreements(self._open.values()))
        for order in self._orders.values():
            if order.filled_lots != sum(trade.size_lots for trade in order.trades):
                found.append(f"{order.client_id}: filled is not the sum of its executions")
            if order.filled_lots > max(order.size_lots, 0):
                found.append(f"{order.client_id}: more was filled than ordered")
        return tuple(found)

    def _venue_ns(self) -> int:
        return self._now_ns + self._epoch_ns

    def _run_market(self, until_ns: int, events: list[AnyEvent]) -> None:
        arrivals, listings = self._arrivals, self._listings
        open_before = len(self._open)
        while arrivals[0][0] <= until_ns:
            listing = listings[arrivals[0][1]]
            listing.arrive(events)
            heapq.heapreplace(arrivals, (listing.market.next_ns, arrivals[0][1]))
        self._now_ns = until_ns
        if open_before:
            self._sort_out_ended()

    def _sort_out_ended(self) -> None:
        for order in [order for order in self._open.values() if order.state is not VenueState.OPEN]:
            del self._open[order.client_id]
            self._ended.append(order.client_id)

    def _forget_ended(self) -> None:
        self._sort_out_ended()
        while len(self._ended) > self._ended_kept_max:
            del self._orders[self._ended.popleft()]

    def _send_order(self, command: SendOrder, sent_ns: int, events: list[AnyEvent]) -> None:
        if command.client_id in self._orders:
            events.append(OrderRefused(command.client_id, Refusal.DUPLICATE))
            return
        order = VenueOrder(command, f"V{self.orders_accepted + 1}")
        refusal = self._wrong_form(command, sent_ns) or self._wrong_amount(command, order)
        taken: list[Place] = []
        if refusal is None and not order.has_trigger:
            taken = self._listings[command.instrument].sweep(order)
            refusal = self._not_affordable(order, taken)
        if refusal is not None:
            self._refuse(order, refusal, events)
            return
        self.orders_accepted += 1
        self._orders[order.client_id] = self._open[order.client_id] = order
        events.append(OrderAcknowledged(order.client_id, order.venue_id, self._venue_ns()))
        listing = self._listings[order.instrument]
        if order.has_trigger:
            listing.sleep(order, self._venue_ns(), events)
        else:
            listing.execute(order, taken, self._venue_ns(), events)
            listing.wake(self._venue_ns(), events)

    def _refuse(self, order: VenueOrder, refusal: Refusal, events: list[AnyEvent]) -> None:
        self.orders_refused += 1
        order.state = VenueState.REFUSED
        if refusal is not Refusal.BAD_ID:
            self._orders[order.client_id] = order
            self._ended.append(order.client_id)
        events.append(OrderRefused(order.client_id, refusal))

    def relist(self, instrument: Instrument) -> None:
        """Take new orders of an instrument on these terms from now on; those that rest keep theirs."""
        known = self.instruments[instrument.symbol]
        require((known.tick, known.lot) == (instrument.tick, instrument.lot), "a book that is traded keeps its steps")
        self.instruments[instrument.symbol] = instrument
        self._listings[instrument.symbol].instrument = instrument

    def _wrong_form(self, command: SendOrder, sent_ns: int) -> Refusal | None:
        instrument = self.instruments.get(command.instrument)
        priced, triggered = command.kind in PRICED_KINDS, command.kind in STOP_KINDS
        name = command.client_id
        if not (0 < len(name) <= CLIENT_ID_LENGTH_MAX and name.isascii() and name.isprintable()):
            return Refusal.BAD_ID
        if sent_ns > self._now_ns:
            return Refusal.FUTURE
        if self._now_ns - sent_ns > command.deadline_ms * NANOSECONDS_PER_MILLISECOND:
            return Refusal.DEADLINE
        if instrument is None:
            return Refusal.INSTRUMENT
        if command.size_lots < instrument.size_lots_min:
            return Refusal.MINIMUM
        if command.size_lots > SIZE_LOTS_MAX or (priced and not 0 < command.price_ticks <= PRICE_TICKS_MAX):
            return Refusal.RANGE
        if triggered and not 0 < command.trigger_ticks <= PRICE_TICKS_MAX:
            return Refusal.RANGE
        return Refusal.CROWDED if len(self._open) >= OPEN_ORDERS_MAX else None

    def _wrong_amount(self, command: SendOrder, order: VenueOrder) -> Refusal | None:
        if command.side is Side.SELL:
            free_lots = self.account.free_lots(command.instrument)
            if command.reduce_only:
                order.live_lots = min(command.size_lots, free_lots)
                return None if order.live_lots else Refusal.REDUCE
            return None if command.size_lots <= free_lots else Refusal.FUNDS
        # No holding is ever short, so buying can never reduce one.
        return Refusal.REDUCE if command.reduce_only else None

    def _not_affordable(self, order: VenueOrder, taken: list[Place]) -> Refusal | None:
        instrument = self.instruments[order.instrument]
        try:
            if order.priced:
                notional = instrument.notional_quanta(order.price_ticks, order.live_lots)
            else:
                notional = sum(instrument.notional_quanta(place.price_ticks, place.size_lots) for place in taken)
        except ConversionError:
            return Refusal.RANGE
        cost = self.account.cost_quanta(order.instrument, notional)
        return Refusal.FUNDS if order.side is Side.BUY and cost > self.account.free_quanta() else None

    def _amend(self, command: SendAmend, sent_ns: int, events: list[AnyEvent]) -> None:
        order = self._open.get(command.client_id)
        if self._now_ns - sent_ns > command.deadline_ms * NANOSECONDS_PER_MILLISECOND:
            events.append(AmendRefused.of(command, Refusal.DEADLINE))
            return
        if order is None:
            known = command.client_id in self._orders
            events.append(AmendRefused.of(command, Refusal.NOT_OPEN if known else Refusal.UNKNOWN))
            return
        listing, venue_ns = self._listings[order.instrument], self._venue_ns()
        refusal = amending.amend(listing, self.account, order, command)
        if refusal is not None:
            events.append(AmendRefused.of(command, refusal))
            return
        amounts = (order.size_lots, order.price_ticks, order.trigger_ticks)
        events.append(OrderAmended(order.client_id, *amounts, venue_ns, command.asked_ns))
        if order not in listing.sleeping and order not in listing.resting[order.side]:
            listing.execute(order, listing.sweep(order), venue_ns, events)
        listing.publish(venue_ns, events)
        listing.wake(venue_ns, events)

    def _cancel(self, client_id: str, events: list[AnyEvent]) -> None:
        order = self._open.get(client_id)
        if order is not None:
            self._end(order, events)
            return
        known = client_id in self._orders
        events.append(CancelRefused(client_id, Refusal.NOT_OPEN if known else Refusal.UNKNOWN))

    def _cancel_all(self, events: list[AnyEvent]) -> None:
        for order in list(self._open.values()):
            self._end(order, events)

    def _end(self, order: VenueOrder, events: list[AnyEvent]) -> None:
        listing = self._listings[order.instrument]
        listing.end(order, Ending.CANCELED, self._venue_ns(), events)
        listing.publish(self._venue_ns(), events)

    def _report_order(self, client_id: str) -> OrderReported:
        order = self._orders.get(client_id)
        if order is None:
            return OrderReported(client_id, VenueState.NOT_FOUND, 0, (), self._venue_ns())
        return order.report(self._venue_ns())

    def _report_account(self, command: AskAccount) -> AccountReported:
        trades, complete = self.account.trades_from(command.trades_from_ns, TRADES_REPORTED_MAX)
        return AccountReported(
            command.request,
            self.account.cash_quanta,
            self.account.holdings(),
            tuple(order.open_order() for order in self._open.values()),
            trades,
            complete,
            self._venue_ns(),
        )

    def _set_dead_man(self, timeout_s: int) -> None:
        if timeout_s == 0:
            self._dead_man_due_ns = None
        elif timeout_s > 0:
            # A longer wait than the limit is cut to it: sooner is the safe side. A negative one means nothing.
            self._dead_man_due_ns = self._now_ns + min(timeout_s, DEAD_MAN_S_MAX) * NANOSECONDS_PER_SECOND

    def _fire_dead_man(self, events: list[AnyEvent]) -> None:
        self._dead_man_due_ns = None
        self._cancel_all(events)
        self._sort_out_ended()
        events.append(DeadManFired(self._venue_ns()))
