"""The paper venue's floor: one account, deep synthetic markets, and every order type the venue offers.

Synchronous, seeded and without a clock, like `Exchange`, with which it shares listings, matching and accounts. Whoever
drives it first lets time pass (`advance`), then asks for something, then drains what happened: the steps of the
account's orders and the prints of the market. A refusal is a text in the venue's own words.

Everything that happens by itself happens in the order of its time: arrivals of the market, expiries, the dead-man
timer; a print sets waiting orders off before the next arrival.
"""

import heapq
from collections import deque
from collections.abc import Sequence
from typing import Final

from appliance.core.clock import NANOSECONDS_PER_SECOND
from appliance.core.errors import ConfigError, ConversionError
from appliance.core.events import AnyEvent, OrderEnded, OrderTraded, TradePrinted
from appliance.core.instruments import Instrument
from appliance.core.require import require
from appliance.core.values import QUANTA_PER_QUOTE_UNIT, Ending, OrderKind, SelfTrade, Side, VenueState
from appliance.venues.simulator.fees import TieredAccount
from appliance.venues.simulator.ladder import LadderMarket
from appliance.venues.simulator.listing import Listing
from appliance.venues.simulator.matching import Place
from appliance.venues.simulator.terms import InForce, PaperOrder, Step, StepKind, Terms

OPEN_ORDERS_MAX: Final = 225
ENDED_ORDERS_KEPT_MAX: Final = 20_000
DEAD_MAN_S_MAX: Final = 86_400
LEVEL_QUANTA: Final = 3_000 * QUANTA_PER_QUOTE_UNIT
USER_REQUESTED: Final = "User requested"
_LETTERS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_FUNDS: Final = "EOrder:Insufficient funds"
_ENDINGS: Final = {Ending.CANCELED: StepKind.CANCELED, Ending.EXPIRED: StepKind.EXPIRED}


def identifier(letter: str, first: int, second: int) -> str:
    """Return an id spelled as the venue spells them, unique for a pair of numbers below 36**8."""
    digits = []
    for number in (second, first):
        for _ in range(8):
            number, digit = divmod(number, 36)  # noqa: PLW2901 - long division
            digits.append(_LETTERS[digit])
    text = letter + "".join(reversed(digits))
    return f"{text[:6]}-{text[6:11]}-{text[11:]}"


class Floor:
    """Trade one account against deep markets."""

    def __init__(
        self,
        instruments: Sequence[Instrument],
        markets: Sequence[LadderMarket],
        cash_quanta: int,
        *,
        now_ns: int,
        epoch_ns: int,
    ) -> None:
        """Open with one market an instrument; the epoch is added to every time to make the venue's."""
        if not instruments:
            raise ConfigError("the paper venue needs at least one instrument")
        self.instruments = {instrument.symbol: instrument for instrument in instruments}
        self.account = TieredAccount(self.instruments, cash_quanta)
        self.now_ns = now_ns
        self.orders: dict[str, PaperOrder] = {}
        self.open: dict[str, PaperOrder] = {}
        self.dead_man_due_ns: int | None = None
        self.closes_refused = 0
        self._epoch_ns = epoch_ns
        self._serial = (epoch_ns + now_ns) // 1_000_000
        self._numbers = {symbol: number for number, symbol in enumerate(self.instruments)}
        self.orders_count = 0
        self._steps: list[Step] = []
        self._prints: list[TradePrinted] = []
        self._last_ticks: dict[str, int] = {}
        self._waiting: dict[str, list[PaperOrder]] = {symbol: [] for symbol in self.instruments}
        self._expiries: list[tuple[int, str]] = []
        self._ended: deque[str] = deque()
        self.listings: dict[str, Listing] = {}
        self.markets = dict(zip(self.instruments, markets, strict=True))
        for number, (symbol, instrument) in enumerate(self.instruments.items()):
            self.listings[symbol] = Listing(instrument, self.markets[symbol], self.account, str(number), epoch_ns)
        self._arrivals = [(market.next_ns, symbol) for symbol, market in self.markets.items()]
        heapq.heapify(self._arrivals)

    @property
    def venue_ns(self) -> int:
        """Return the venue's time."""
        return self.now_ns + self._epoch_ns

    def last_ticks(self, symbol: str) -> int:
        """Return the last traded price, or the middle before any trade."""
        market = self.markets[symbol]
        return self._last_ticks.get(symbol, (market.bid_ticks + market.ask_ticks) // 2)

    def execution_id(self, trade: OrderTraded) -> str:
        """Return the venue's id of an execution."""
        listing, number = trade.trade_id.split("-")
        return identifier("T", self._serial, int(number) * len(self._numbers) + int(listing))

    def drain(self) -> tuple[list[Step], list[TradePrinted]]:
        """Return what happened since the last time."""
        drained = self._steps, self._prints
        self._steps, self._prints = [], []
        self._forget_ended()
        return drained

    def next_ns(self) -> int:
        """Return when something happens by itself next."""
        due = [self._arrivals[0][0]]
        if self.dead_man_due_ns is not None:
            due.append(self.dead_man_due_ns)
        if self._expiries:
            due.append(self._expiries[0][0])
        return min(due)

    def advance(self, until_ns: int) -> None:
        """Let time pass."""
        require(until_ns >= self.now_ns, "the floor's time cannot go back")
        while (due_ns := self.next_ns()) <= until_ns:
            self.now_ns = max(self.now_ns, due_ns)
            if self.dead_man_due_ns is not None and self.dead_man_due_ns <= due_ns:
                self.dead_man_due_ns = None
                self.cancel_all("Cancel all orders after timeout")
            elif self._expiries and self._expiries[0][0] <= due_ns:
                self._expire(heapq.heappop(self._expiries)[1])
            else:
                self._arrive()
        self.now_ns = until_ns

    def set_dead_man(self, timeout_s: int) -> None:
        """Cancel everything after so many seconds unless told again; zero disarms."""
        require(0 <= timeout_s <= DEAD_MAN_S_MAX, "the timer's bounds were checked before")
        self.dead_man_due_ns = self.now_ns + timeout_s * NANOSECONDS_PER_SECOND if timeout_s else None

    def place(self, terms: Terms, *, validate: bool = False) -> PaperOrder | str:
        """Place an order, or return why not; one that is only validated changes nothing."""
        order = PaperOrder(identifier("O", self._serial, self.orders_count), terms, self.venue_ns)
        refusal = self._refusal(order)
        if refusal or validate:
            return refusal or order
        self.orders_count += 1
        self.orders[order.venue_id] = self.open[order.venue_id] = order
        if terms.expire_ns:
            heapq.heappush(self._expiries, (terms.expire_ns - self._epoch_ns, order.venue_id))
        self._step(StepKind.PENDING, order)
        self._step(StepKind.NEW, order)
        if order.triggered:
            self._meet(order)
        else:
            self.account.hold(order, order.live_lots)
            self._waiting[terms.symbol].append(order)
        self._set_off(terms.symbol)
        return order

    def cancel(self, order: PaperOrder, reason: str = USER_REQUESTED, how: Ending = Ending.CANCELED) -> None:
        """Take an open order off the book."""
        order.reason = reason
        events: list[AnyEvent] = []
        listing = self.listings[order.instrument]
        waiting = self._waiting[order.instrument]
        if order in waiting:
            waiting.remove(order)
        listing.end(order, how, self.venue_ns, events)
        listing.publish(self.venue_ns, events)
        self._record(events)

    def cancel_all(self, reason: str = USER_REQUESTED) -> int:
        """Take every open order off the book and return how many they were."""
        orders = list(self.open.values())
        for order in orders:
            self.cancel(order, reason)
        return len(orders)

    def amend(self, order: PaperOrder, terms: Terms) -> str:
        """Give an open order new terms, or return why not; it keeps its place when it only becomes smaller."""
        if terms.size_lots <= order.filled_lots:
            return "EGeneral:Invalid arguments:order_qty"
        before, was_amended = order.terms, order.amended
        keeps = terms.price_ticks == before.price_ticks and terms.size_lots <= before.size_lots
        resting = self.listings[order.instrument].resting[order.side]
        moves = order in resting and not keeps
        self.account.hold(order, 0)
        order.change(terms)
        refusal = self._unaffordable(order) or self._crossing(order)
        if refusal:
            order.change(before)
            order.amended = was_amended
        if refusal or not moves:
            self.account.hold(order, order.live_lots)
        if refusal:
            return refusal
        self._step(StepKind.AMENDED, order, USER_REQUESTED)
        if moves:
            resting.remove(order)
            self._meet(order)
        self._set_off(order.instrument)
        return ""

    def audit(self) -> tuple[str, ...]:
        """Return every contradiction in the books; nothing when all is exact."""
        return self.account.disagreements(self.open.values())

    def _refusal(self, order: PaperOrder) -> str:
        terms = order.terms
        named = terms.client_id and any(other.terms.client_id == terms.client_id for other in self.open.values())
        if named:
            return "EOrder:cl_ord_id already in use"
        if sum(other.instrument == terms.symbol for other in self.open.values()) >= OPEN_ORDERS_MAX:
            return "EOrder:Orders limit exceeded"
        return self._unaffordable(order) or self._crossing(order)

    def _unaffordable(self, order: PaperOrder) -> str:
        """Return a refusal when the account cannot pay for an order that is not on the book."""
        if order.side is Side.SELL:
            return "" if order.live_lots <= self.account.free_lots(order.instrument) else _FUNDS
        instrument = self.instruments[order.instrument]
        try:
            if order.kind is OrderKind.LIMIT or not order.triggered:
                notional = instrument.notional_quanta(order.price_ticks, order.live_lots)
            else:
                taken = self.listings[order.instrument].sweep(order)
                notional = sum(instrument.notional_quanta(place.price_ticks, place.size_lots) for place in taken)
        except ConversionError:
            return "EGeneral:Invalid arguments:volume"
        cost = self.account.cost_quanta(order.instrument, notional)
        return _FUNDS if cost > self.account.free_quanta() else ""

    def _crossing(self, order: PaperOrder) -> str:
        crosses = order.terms.post_only and order.triggered and self.listings[order.instrument].sweep(order)
        return "EOrder:Post only order" if crosses else ""

    def _meet(self, order: PaperOrder) -> None:
        """Let an order that is on no book trade with what it meets, then rest or end."""
        listing = self.listings[order.instrument]
        if order.terms.self_trade is SelfTrade.CANCEL_OLDEST:
            self._give_way(listing, order)
        taken = listing.sweep(order)
        if order.terms.in_force is InForce.FOK and sum(place.size_lots for place in taken) < order.live_lots:
            taken = []
        own = listing.resting[order.side.opposite]
        ends = order.immediate or order.kind is OrderKind.MARKET
        order.reason = "Immediate order not filled" if ends else "Self trade prevention"
        events: list[AnyEvent] = []
        listing.execute(order, taken, self.venue_ns, events)
        self._record(events)
        if taken:
            self._after_taking(listing, order, taken)
        met_own = order.state is VenueState.CANCELED and not ends and own
        if met_own and order.terms.self_trade is SelfTrade.CANCEL_BOTH and isinstance(own[0], PaperOrder):
            self.cancel(own[0], "Self trade prevention")

    def _after_taking(self, listing: Listing, order: PaperOrder, taken: list[Place]) -> None:
        self.markets[order.instrument].push(order.side.sign, sum(place.size_lots for place in taken))
        listing.publish(self.venue_ns, [])

    def _give_way(self, listing: Listing, order: PaperOrder) -> None:
        """Cancel the account's own resting orders that an arriving one would meet."""
        own = listing.resting[order.side.opposite]
        while own and isinstance(own[0], PaperOrder):
            price = own[0].price_ticks
            left = order.live_lots - sum(place.size_lots for place in listing.sweep(order))
            reaches = order.kind is OrderKind.MARKET or (price - order.price_ticks) * order.side.sign <= 0
            if not left or not reaches:
                return
            self.cancel(own[0], "Self trade prevention")

    def _arrive(self) -> None:
        symbol = self._arrivals[0][1]
        events: list[AnyEvent] = []
        self.listings[symbol].arrive(events)
        heapq.heapreplace(self._arrivals, (self.markets[symbol].next_ns, symbol))
        self._record(events)
        self._set_off(symbol)

    def _set_off(self, symbol: str) -> None:
        waiting = self._waiting[symbol]
        while waiting and (due := next((each for each in waiting if each.set_off_by(self.last_ticks(symbol))), None)):
            waiting.remove(due)
            due.triggered = True
            self.account.hold(due, 0)
            due.price_ticks = due.terms.price_ticks
            self._step(StepKind.TRIGGERED, due)
            refusal = self._unaffordable(due) or self._crossing(due)
            if refusal:
                self.cancel(due, refusal)
            else:
                self._meet(due)

    def _expire(self, order_id: str) -> None:
        order = self.open.get(order_id)
        if order is not None:
            self.cancel(order, "Order expired", Ending.EXPIRED)

    def _record(self, events: list[AnyEvent]) -> None:
        """Turn what the listing reports into steps, and let conditional closes follow fills."""
        filled: dict[str, int] = {}
        for event in events:
            if isinstance(event, TradePrinted):
                self._last_ticks[event.instrument] = event.price_ticks
                self._prints.append(event)
            elif isinstance(event, OrderTraded):
                filled[event.client_id] = filled.get(event.client_id, 0) + event.size_lots
                self._traded(self.orders[event.client_id], event)
            elif isinstance(event, OrderEnded):
                order = self.orders[event.client_id]
                self._finish(order, _ENDINGS[event.how], order.reason or USER_REQUESTED)
        for order_id, lots in filled.items():
            self._close(self.orders[order_id], lots)

    def _traded(self, order: PaperOrder, trade: OrderTraded) -> None:
        order.told_lots += trade.size_lots
        order.told_quanta += self.instruments[order.instrument].notional_quanta(trade.price_ticks, trade.size_lots)
        self._steps.append(Step(StepKind.TRADE, order, trade.venue_ns, order.told_lots, order.told_quanta, trade=trade))
        if order.told_lots == order.size_lots:
            self._finish(order, StepKind.FILLED, "")

    def _finish(self, order: PaperOrder, kind: StepKind, reason: str) -> None:
        order.reason = reason
        order.closed_ns = self.venue_ns
        self._step(kind, order, reason)
        if self.open.pop(order.venue_id, None) is not None:
            self._ended.append(order.venue_id)

    def _close(self, order: PaperOrder, lots: int) -> None:
        close = order.terms.close
        if close is None:
            return
        terms = Terms(
            symbol=order.instrument,
            side=order.side.opposite,
            order_type=close.order_type,
            size_lots=lots,
            price_ticks=close.price_ticks,
            trigger_ticks=close.trigger_ticks,
            parent_id=order.venue_id,
        )
        self.closes_refused += isinstance(self.place(terms), str)

    def _step(self, kind: StepKind, order: PaperOrder, reason: str = "") -> None:
        self._steps.append(Step(kind, order, self.venue_ns, order.told_lots, order.told_quanta, reason))

    def _forget_ended(self) -> None:
        while len(self._ended) > ENDED_ORDERS_KEPT_MAX:
            del self.orders[self._ended.popleft()]
