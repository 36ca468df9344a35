"""The venue behind its links: the real exchange, driven by virtual time, answering worse than it does by itself.

What a stream cannot do, a venue can: forget to publish an answer, publish one twice, publish an execution before the
order's acknowledgement or long after its end, send a crossed book or a price that is nonsense, and stop for a while.
The exchange's own books stay exact underneath; they are the truth that everything else is checked against.
"""

import random
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial

import msgspec

from appliance.core import events
from appliance.core.commands import SendOrder, SetDeadMan, VenueCommand
from appliance.core.events import AnyEvent
from appliance.venues.simulator.exchange import Exchange, is_market_data
from appliance.world.links import Connection, milliseconds
from appliance.world.schedule import Schedule

LATE_MS = (200, 6_000)
# Orders under such ids are not the trader's.
STRANGER = "stranger-"
_ANSWERS = events.OrderAcknowledged | events.OrderTraded | events.OrderEnded | events.OrderRefused
_KEPT_QUOTES_MAX = 16
_OUTLIER_FACTOR = 3


class Venue:
    """Take commands, publish what happens, and misbehave in the ways that are switched on."""

    def __init__(
        self,
        schedule: Schedule,
        dice: random.Random,
        exchange: Exchange,
        happened: Callable[[str], None],
        moved: Callable[[], None],
    ) -> None:
        """Drive an exchange; `happened` counts every misdeed, `moved` follows every change of the account."""
        self._schedule = schedule
        self._dice = dice
        self._happened = happened
        self._moved = moved
        self._woken_ns = -1
        self._past: deque[AnyEvent] = deque(maxlen=_KEPT_QUOTES_MAX)
        self.exchange = exchange
        self.stalled = False
        self.waiting: deque[tuple[VenueCommand, int]] = deque()
        self.misdeeds: set[str] = set()
        self.feed: Connection
        self.orders: Connection

    def begin(self) -> None:
        """Let the market run."""
        self._wake()

    def receive(self, command: VenueCommand, sent_ns: int) -> None:
        """Take a command off the wire."""
        if self.stalled:
            self.waiting.append((command, sent_ns))
            return
        if self._does("venue refuses an order", isinstance(command, SendOrder)):
            found: list[AnyEvent] = (
                [events.OrderRefused(command.client_id, "no")] if isinstance(command, SendOrder) else []
            )
            self._spread(found)
            return
        if isinstance(command, SetDeadMan) and self._does("dead-man refresh lost", command.timeout_s > 0, always=True):
            return
        self._spread(self.exchange.submit(self._schedule.now_ns, command, sent_ns))
        self._wake()

    def resume(self) -> None:
        """Carry out everything that waited during a stall."""
        self.stalled = False
        while self.waiting:
            self.receive(*self.waiting.popleft())
        self._woken_ns = -1
        self._wake()

    def _wake(self) -> None:
        due_ns = self.exchange.next_ns()
        if self._woken_ns < self._schedule.now_ns or due_ns < self._woken_ns:
            self._woken_ns = due_ns
            self._schedule.at(due_ns, partial(self._advance, due_ns))

    def _advance(self, due_ns: int) -> None:
        if due_ns == self._woken_ns and not self.stalled:
            self._woken_ns = -1
            self._spread(self.exchange.advance(self._schedule.now_ns))
            self._wake()

    def _spread(self, found: Sequence[AnyEvent]) -> None:
        market = [event for event in found if is_market_data(event)]
        self.feed.publish(self._distorted(market) if self.misdeeds else market)
        if len(market) == len(found):
            return
        answers = [event for event in found if not is_market_data(event)]
        if any(isinstance(event, events.DeadManFired) for event in answers):
            self._happened("dead-man timer fired")
        self.orders.publish(self._mangled(answers) if self.misdeeds else answers)
        self._moved()

    def _does(self, misdeed: str, applies: object, *, always: bool = False) -> bool:
        done = misdeed in self.misdeeds and bool(applies) and (always or self._dice.getrandbits(1) == 1)
        if done:
            self._happened(misdeed)
        return done

    def _mangled(self, answers: list[AnyEvent]) -> list[AnyEvent]:
        result: list[AnyEvent] = []
        for event in answers:
            plain = isinstance(event, _ANSWERS)
            if self._does("answer never published", plain):
                continue
            if self._does("fill long after the fact", isinstance(event, events.OrderTraded)):
                self._publish_later(event)
                continue
            if self._does("fill before its acknowledgement", isinstance(event, events.OrderTraded) and result):
                result.insert(0, event)
            else:
                result.append(event)
            if self._does("answer published twice", plain):
                result.append(event)
                self._publish_later(event)
        return result

    def _publish_later(self, event: AnyEvent) -> None:
        self._schedule.after(milliseconds(self._dice, LATE_MS), partial(self._publish_answer, event))

    def _publish_answer(self, event: AnyEvent) -> None:
        self.orders.publish([event])

    def _distorted(self, market: list[AnyEvent]) -> list[AnyEvent]:
        result: list[AnyEvent] = []
        for event in market:
            if isinstance(event, events.QuoteChanged):
                result += self._distorted_quote(event)
            elif isinstance(event, events.TradePrinted):
                result += self._distorted_trade(event)
        return result

    def _distorted_quote(self, quote: events.QuoteChanged) -> list[AnyEvent]:
        self._past.append(quote)
        if self._does("crossed quote", applies=True):
            return [msgspec.structs.replace(quote, bid_ticks=quote.ask_ticks, ask_ticks=quote.bid_ticks)]
        if self._does("quote without a price", applies=True):
            return [msgspec.structs.replace(quote, bid_ticks=0)]
        result: list[AnyEvent] = [quote]
        if self._does("quote sent twice", applies=True):
            result.append(quote)
        if self._does("quote sent late", applies=True):
            result.append(self._past[0])
        return result

    def _distorted_trade(self, trade: events.TradePrinted) -> list[AnyEvent]:
        if self._does("outlier print", applies=True):
            return [msgspec.structs.replace(trade, price_ticks=trade.price_ticks * _OUTLIER_FACTOR)]
        return [trade]
