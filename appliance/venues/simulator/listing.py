"""One listed instrument: its synthetic market, our resting orders in it, and its tape.

Each synthetic arrival is a taker who trades against the queue, then the makers quote again around the new fair price.
An order of ours that the new quotes cross is filled first, at its own price, so the published book is never crossed.
Our taker never meets our own resting order: it stops one tick before it, and what is left of it is canceled (the
venues' "cancel newest" self-trade prevention), unless it is a stop that asked for the oldest to give way.

An order with a trigger sleeps: it is on no book, but what it would sell is held back all the same, as the venues do.
Once a trade reaches its trigger it is sent into the book like one that just arrived. A sleeping order that buys holds
nothing, so it is measured against the free cash when it wakes.
"""

from appliance.core.events import AnyEvent, OrderEnded, QuoteChanged, TradePrinted
from appliance.core.instruments import Instrument
from appliance.core.values import Ending, SelfTrade, Side, VenueState
from appliance.venues.simulator.account import Account
from appliance.venues.simulator.market import SyntheticMarket
from appliance.venues.simulator.matching import Place, queue_for, take
from appliance.venues.simulator.orders import TRADES_PER_ORDER_MAX, VenueOrder

_ENDINGS = {Ending.CANCELED: VenueState.CANCELED, Ending.EXPIRED: VenueState.EXPIRED}


class Listing:
    """Match our orders and the synthetic flow of one instrument."""

    def __init__(
        self, instrument: Instrument, market: SyntheticMarket, account: Account, trade_prefix: str, epoch_ns: int
    ) -> None:
        """Join the parts; venue times are the caller's times plus the epoch."""
        self.instrument = instrument
        self.market = market
        self.trade_number = 0
        self.sequence = 0
        self.resting: dict[Side, list[VenueOrder]] = {Side.BUY: [], Side.SELL: []}
        self.sleeping: list[VenueOrder] = []
        self.last_ticks = 0
        self._symbol = instrument.symbol
        self._account = account
        self._trade_prefix = trade_prefix
        self._epoch_ns = epoch_ns
        self._published = (0, 0, 0, 0)
        self.publish(epoch_ns, [])

    def arrive(self, events: list[AnyEvent]) -> None:
        """Let the next synthetic taker trade and the makers quote again."""
        market = self.market
        venue_ns = market.next_ns + self._epoch_ns
        maker_side = Side.SELL if market.taker_buys else Side.BUY
        if not market.taker_lots:
            pass
        elif self.resting[maker_side]:
            self._meet_resting(maker_side, venue_ns, events)
        else:
            self._meet_makers(maker_side, venue_ns, events)
        market.move()
        if self.resting[Side.BUY] or self.resting[Side.SELL]:
            self._fill_crossed(venue_ns, events)
        self.publish(venue_ns, events)
        self.wake(venue_ns, events)

    def sleep(self, order: VenueOrder, venue_ns: int, events: list[AnyEvent]) -> None:
        """Let an order with a trigger wait; one that is already reached does not."""
        self.sleeping.append(order)
        self.hold_asleep(order)
        self.wake(venue_ns, events)

    def hold_asleep(self, order: VenueOrder) -> None:
        """Hold back what a sleeping order would sell."""
        if order.side is Side.SELL:
            self._account.hold(order, order.live_lots)

    def wake(self, venue_ns: int, events: list[AnyEvent]) -> None:
        """Set off every sleeping order that the last trade reached, those that they reach in turn as well."""
        while self.last_ticks:
            woken = next((order for order in self.sleeping if order.reached_by(self.last_ticks)), None)
            if woken is None:
                return
            self.sleeping.remove(woken)
            self._set_off(woken, venue_ns, events)

    def publish(self, venue_ns: int, events: list[AnyEvent]) -> None:
        """Report the best bid and ask if they changed, our own orders among them."""
        market = self.market
        quote = (market.bid_ticks, market.bid_lots[0], market.ask_ticks, market.ask_lots[0])
        if self.resting[Side.BUY] or self.resting[Side.SELL]:
            quote = (*self._best(Side.BUY), *self._best(Side.SELL))
        if quote != self._published:
            self._published = quote
            self.sequence += 1
            events.append(QuoteChanged(self._symbol, *quote, self.sequence, venue_ns))

    def quote(self, venue_ns: int) -> QuoteChanged:
        """Return the published best bid and ask, for someone who has just connected."""
        return QuoteChanged(self._symbol, *self._published, self.sequence, venue_ns)

    def sweep(self, order: VenueOrder) -> list[Place]:
        """Return what an arriving order would take at once; nothing is changed."""
        sign = order.side.sign
        limit = order.price_ticks if order.priced else None
        own = self.resting[order.side.opposite]
        if own:
            nearest = own[0].price_ticks - sign
            limit = nearest if limit is None else min(limit * sign, nearest * sign) * sign
        return take(sign, order.live_lots, queue_for(sign, self.market.levels(sign), ()), limit)

    def execute(self, order: VenueOrder, taken: list[Place], venue_ns: int, events: list[AnyEvent]) -> None:
        """Trade an arriving order against the places it takes, then rest or end what is left."""
        sign = order.side.sign
        for place in taken:
            self.market.consume(sign, place.price_ticks, place.size_lots)
            self._fill(order, place.price_ticks, place.size_lots, maker=False, venue_ns=venue_ns, events=events)
        if order.state is VenueState.OPEN and order.live_lots:
            self._keep(order, venue_ns, events)
        self.publish(venue_ns, events)

    def lift(self, order: VenueOrder) -> None:
        """Take a resting order off the book for a moment, releasing what it held."""
        self.resting[order.side].remove(order)
        self._account.hold(order, 0)

    def end(self, order: VenueOrder, how: Ending, venue_ns: int, events: list[AnyEvent]) -> None:
        """Take an open order off the book and release what it held."""
        side = self.resting[order.side]
        if order in side:
            side.remove(order)
        if order in self.sleeping:
            self.sleeping.remove(order)
        self._account.hold(order, 0)
        order.state = _ENDINGS[how]
        events.append(OrderEnded(order.client_id, how, order.filled_lots, venue_ns))

    def _set_off(self, order: VenueOrder, venue_ns: int, events: list[AnyEvent]) -> None:
        if order.self_trade is SelfTrade.CANCEL_OLDEST:
            self._give_way(order, venue_ns, events)
        taken = self.sweep(order)
        if order.side is Side.BUY and not self._affords(order, taken):
            self.end(order, Ending.CANCELED, venue_ns, events)
        else:
            self.execute(order, taken, venue_ns, events)

    def _give_way(self, order: VenueOrder, venue_ns: int, events: list[AnyEvent]) -> None:
        """End our own resting orders that this one would trade with: they are the oldest."""
        for own in list(self.resting[order.side.opposite]):
            if not order.priced or (order.price_ticks - own.price_ticks) * order.side.sign >= 0:
                self.end(own, Ending.CANCELED, venue_ns, events)

    def _affords(self, order: VenueOrder, taken: list[Place]) -> bool:
        if order.priced:
            notional = self.instrument.notional_quanta(order.price_ticks, order.live_lots)
        else:
            notional = sum(self.instrument.notional_quanta(place.price_ticks, place.size_lots) for place in taken)
        return self._account.cost_quanta(self._symbol, notional) <= self._account.free_quanta()

    def _keep(self, order: VenueOrder, venue_ns: int, events: list[AnyEvent]) -> None:
        own = self.resting[order.side.opposite]
        if not order.priced:
            self.end(order, Ending.EXPIRED, venue_ns, events)
        elif order.immediate or (own and (own[0].price_ticks - order.price_ticks) * order.side.sign <= 0):
            self.end(order, Ending.CANCELED, venue_ns, events)
        else:
            self._rest(order)

    def _rest(self, order: VenueOrder) -> None:
        sign = order.side.sign
        order.ahead_lots = self.market.lots_at(-sign, order.price_ticks)
        self._account.hold(order, order.live_lots)
        side = self.resting[order.side]
        side.append(order)
        # Stable, so orders at one price stay in the order they came.
        side.sort(key=lambda resting: -resting.price_ticks * sign)

    def _meet_makers(self, maker_side: Side, venue_ns: int, events: list[AnyEvent]) -> None:
        taker = maker_side.opposite
        for price, took in self.market.meet(taker.sign, self.market.taker_lots):
            self.last_ticks = price
            self.trade_number += 1
            events.append(TradePrinted(self._symbol, price, took, taker, self.trade_number, venue_ns))

    def _meet_resting(self, maker_side: Side, venue_ns: int, events: list[AnyEvent]) -> None:
        sign = -maker_side.sign
        places = queue_for(sign, self.market.levels(sign), self.resting[maker_side])
        for price, lots, order in take(sign, self.market.taker_lots, places):
            if order is None:
                self._print(price, lots, maker_side.opposite, venue_ns, events)
                self._age_queues(maker_side, price, lots)
            else:
                self._fill(order, price, lots, maker=True, venue_ns=venue_ns, events=events)

    def _age_queues(self, side: Side, price_ticks: int, size_lots: int) -> None:
        for order in self.resting[side]:
            if order.price_ticks == price_ticks:
                order.ahead_lots = max(0, order.ahead_lots - size_lots)

    def _fill_crossed(self, venue_ns: int, events: list[AnyEvent]) -> None:
        market = self.market
        for side, touch in ((Side.BUY, market.ask_ticks), (Side.SELL, market.bid_ticks)):
            sign = side.sign
            for order in list(self.resting[side]):
                if order.price_ticks * sign >= touch * sign:
                    self._fill(order, order.price_ticks, order.live_lots, maker=True, venue_ns=venue_ns, events=events)
                else:
                    # Makers who left since were ahead of us no longer.
                    order.ahead_lots = min(order.ahead_lots, market.lots_at(-sign, order.price_ticks))

    def _fill(
        self, order: VenueOrder, price_ticks: int, size_lots: int, *, maker: bool, venue_ns: int, events: list[AnyEvent]
    ) -> None:
        taker_side = order.side.opposite if maker else order.side
        self._print(price_ticks, size_lots, taker_side, venue_ns, events)
        trade_id = f"{self._trade_prefix}-{self.trade_number}"
        events.append(
            self._account.settle(order, price_ticks, size_lots, maker=maker, trade_id=trade_id, venue_ns=venue_ns)
        )
        if order.live_lots == 0:
            self._finish(order, venue_ns, events)
        elif len(order.trades) >= TRADES_PER_ORDER_MAX:
            self.end(order, Ending.EXPIRED, venue_ns, events)

    def _finish(self, order: VenueOrder, venue_ns: int, events: list[AnyEvent]) -> None:
        if order.filled_lots < order.size_lots:
            # A reduce-only order that was cut to the holding: the part that was cut off never lived.
            self.end(order, Ending.CANCELED, venue_ns, events)
            return
        order.state = VenueState.FILLED
        side = self.resting[order.side]
        if order in side:
            side.remove(order)

    def _print(self, price_ticks: int, size_lots: int, taker_side: Side, venue_ns: int, events: list[AnyEvent]) -> None:
        self.last_ticks = price_ticks
        self.trade_number += 1
        events.append(TradePrinted(self._symbol, price_ticks, size_lots, taker_side, self.trade_number, venue_ns))

    def _best(self, side: Side) -> tuple[int, int]:
        sign, market = side.sign, self.market
        price = market.bid_ticks if side is Side.BUY else market.ask_ticks
        resting = self.resting[side]
        if resting:
            price = max(price * sign, resting[0].price_ticks * sign) * sign
        own = sum(order.live_lots for order in resting if order.price_ticks == price)
        return price, own + market.lots_at(-sign, price)
