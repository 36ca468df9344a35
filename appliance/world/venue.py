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
from appliance.core.commands import AskAccount, AskOrder, SendAmend, SendCancel, SendOrder, SetDeadMan, VenueCommand
from appliance.core.events import AnyEvent
from appliance.core.instruments import Instrument
from appliance.venues.simulator.exchange import Exchange, is_market_data
from appliance.venues.simulator.orders import Refusal
from appliance.wire.kraken.serving import market
from appliance.world.links import Connection, milliseconds
from appliance.world.schedule import Schedule

LATE_MS = (200, 6_000)
OVERDUE_MS = (2_100, 6_000)
# Orders under such ids are not the trader's.
STRANGER = "stranger-"
_ANSWERS = events.OrderAcknowledged | events.OrderTraded | events.OrderEnded | events.OrderRefused
_KEPT_QUOTES_MAX = 16
ONLINE = "online"
_PAIR = (
    '{"channel":"instrument","type":"update","data":{"assets":[],"pairs":[{"symbol":"%s","base":"%s","quote":"%s",'
    '"status":"online","qty_precision":%d,"qty_increment":%s,"price_precision":%d,"price_increment":%s,"qty_min":%s,'
    '"cost_min":0.5,"cost_precision":5}]}}'
)
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
        self.status = ONLINE
        # Cash that somebody else has put into the account.
        self.foreign_quanta = 0
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
        refusal = self._refusal(command)
        if refusal is not None:
            self._spread([refusal])
            return
        if self._does("question refused", isinstance(command, AskOrder | AskAccount), always=True):
            return
        if isinstance(command, SetDeadMan) and self._does("dead-man refresh lost", command.timeout_s > 0, always=True):
            return
        self._spread(self.exchange.submit(self._schedule.now_ns, command, sent_ns))
        self._wake()

    def say(self, system: str) -> None:
        """Say on the market data connection whether the venue trades; nothing but online takes new orders."""
        self.status = system
        self.feed.publish([self.status_frame()])

    def status_frame(self) -> AnyEvent:
        """Return the frame that says so."""
        return events.MarketFrame(market.status(self.status, 1).decode())

    def greeting(self) -> Sequence[AnyEvent]:
        """Return what a new market data connection hears first."""
        listed = [self._terms_frame(instrument) for instrument in self.exchange.instruments.values()]
        return [self.status_frame(), *listed, *self.exchange.quotes()]

    def list_anew(self, listed: Instrument) -> None:
        """Trade an instrument on other terms from now on, and say so."""
        if self.exchange.instruments[listed.symbol] != listed:
            self.exchange.relist(listed)
            self.feed.publish([self._terms_frame(listed)])

    def _terms_frame(self, listed: Instrument) -> AnyEvent:
        digits = [-step.normalize().adjusted() for step in (listed.tick, listed.lot)]
        text = _PAIR % (
            listed.symbol,
            listed.base,
            listed.quote,
            digits[1],
            listed.lot,
            digits[0],
            listed.tick,
            listed.lots_to_size(listed.size_lots_min),
        )
        return events.MarketFrame(text)

    def deposit(self, quanta: int) -> None:
        """Let somebody else move cash into the account, or out of it again."""
        self.foreign_quanta += quanta
        self.exchange.account.deposit(quanta)

    def _refusal(self, command: VenueCommand) -> AnyEvent | None:
        if not isinstance(command, SendOrder | SendAmend | SendCancel):
            return None
        reason = ""
        if isinstance(command, SendOrder) and self.status != ONLINE:
            reason = f"EService:Market in {self.status} mode"
        elif self._does("venue refuses an order", isinstance(command, SendOrder)):
            reason = "no"
        elif self._does("venue counts requests", applies=True):
            reason = "EOrder:Rate limit exceeded"
        if not reason:
            return None
        match command:
            case SendOrder(client_id=client_id):
                return events.OrderRefused(client_id, reason)
            case SendAmend():
                return events.AmendRefused.of(command, reason)
            case SendCancel(client_id=client_id):
                return events.CancelRefused(client_id, reason)

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
        told = [event for event in found if is_market_data(event)]
        self.feed.publish(self._distorted(told) if self.misdeeds else told)
        if len(told) == len(found):
            return
        answers = [event for event in found if not is_market_data(event)]
        self._note_what_came_about(answers)
        self.orders.publish(self._mangled(answers) if self.misdeeds else answers)
        self._moved()

    def _note_what_came_about(self, answers: Sequence[AnyEvent]) -> None:
        for event in answers:
            if isinstance(event, events.DeadManFired):
                self._happened("dead-man timer fired")
            elif isinstance(event, events.OrderEnded) and event.filled_lots:
                self._happened("filled in part, then ended")
            elif isinstance(event, events.CancelRefused) and event.reason == Refusal.NOT_OPEN:
                self._happened("cancel met an order that had ended")

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
            if self._does("answer past its deadline", plain):
                self._schedule.after(milliseconds(self._dice, OVERDUE_MS), partial(self._publish_answer, event))
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

    def _distorted(self, told: list[AnyEvent]) -> list[AnyEvent]:
        result: list[AnyEvent] = []
        for event in told:
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
