"""The desk keeps every order's promise: planned, made durable, sent once, and followed until it is settled.

Three rules carry it. An order, and a change that makes one larger, leaves only after its row is on the disk. No id is
ever sent twice. And an order that fell silent is asked about only after the venue's own deadline (plus grace) has
passed: before that, "not found" may merely mean "not yet", so it is not even asked. Until the answer comes, the order
counts as full exposure.
"""

from typing import NamedTuple

from appliance.core import events
from appliance.core.commands import AskOrder, SendCancel, SendOrder
from appliance.core.identifiers import client_id, sequence_of
from appliance.core.instruments import Instrument
from appliance.core.require import require
from appliance.core.values import REFUSED_AS_DUPLICATE, Ending, OrderKind, Side, VenueState
from appliance.trading import records
from appliance.trading.flight import Flight, due
from appliance.trading.ledger import OrderView
from appliance.trading.orders import Move, State, next_state
from appliance.trading.scribe import Scribe
from appliance.trading.wording import change_of, order_of

STRANGERS_MAX = 64
_ENDINGS = {Ending.CANCELED: Move.CANCEL, Ending.EXPIRED: Move.EXPIRE}
_ANSWERS = {
    VenueState.OPEN: Move.FIND,
    VenueState.CANCELED: Move.CANCEL,
    VenueState.EXPIRED: Move.EXPIRE,
    VenueState.REFUSED: Move.REFUSE,
}


class DeskSettings(NamedTuple):
    """Bound every wait of an order."""

    deadline_ns: int
    grace_ns: int
    query_interval_ns: int
    entry_lifetime_ns: int


class Plan(NamedTuple):
    """Describe an order that decision and risk agreed on."""

    instrument: str
    strategy: str
    side: Side
    order_kind: OrderKind
    price_ticks: int
    size_lots: int
    reduce_only: bool
    reason: str
    trigger_ticks: int = 0


class Desk:
    """Follow every order from its plan to its settlement."""

    __slots__ = ("_flights", "_instruments", "_scribe", "_settings", "_tag", "_waiting", "contradictions", "strangers")

    def __init__(self, scribe: Scribe, tag: str, instruments: dict[str, Instrument], settings: DeskSettings) -> None:
        """Work with the ids of one journal."""
        self._scribe = scribe
        self._tag = tag
        self._instruments = instruments
        self._settings = settings
        self._flights: dict[str, Flight] = {}
        self._waiting: dict[int, str] = {}
        self.contradictions: list[str] = []
        self.strangers: set[str] = set()

    def adopt(self, now_ns: int) -> None:
        """Take over the orders a former run left behind: each may have been sent as late as just now."""
        for order in self._scribe.ledger.unsettled():
            flight = Flight(now_ns, now_ns)
            # What guards a position goes on guarding it.
            flight.cancel_wanted = not order.protects
            self._flights[order.client_id] = flight
            if order.state is State.PLANNED:
                self._move(order, Move.LOSE, "the trader restarted before the venue answered")

    def plan(self, plan: Plan) -> str:
        """Write an intent down; it is sent when the disk has it."""
        ledger = self._scribe.ledger
        identifier = client_id(self._tag, ledger.sequence + 1)
        sequence = self._scribe.write(records.Intent(identifier, *plan))
        self._flights[identifier] = Flight(self._scribe.now_ns, None)
        self._waiting[sequence] = identifier
        return identifier

    def durable(self, sequence: int) -> list[SendOrder]:
        """Return the orders whose rows are now safe, oldest first, each once; say the changes that waited as well."""
        ready = [number for number in self._waiting if number <= sequence]
        orders = []
        for number in ready:
            order = self._scribe.ledger.orders.get(self._waiting.pop(number))
            # While the disk stalled, the order may have been withdrawn, and even forgotten since.
            if order is not None and order.state is State.PLANNED:
                orders.append(self._command(order))
            elif order is not None and order.state is State.OPEN:
                self._say_change(order, number)
        return orders

    def send(self, command: SendOrder) -> None:
        """Let a durable order go."""
        self._flights[command.client_id].sent_ns = self._scribe.now_ns
        self._scribe.ask(command)

    def withdraw(self, identifier: str, reason: str) -> None:
        """Give up an order that certainly never left."""
        order = self._scribe.ledger.orders.get(identifier)
        if order is not None:
            self._move(order, Move.WITHDRAW, reason)

    def unsent(self, order: OrderView) -> bool:
        """Tell whether an order has certainly not left yet."""
        flight = self._flights.get(order.client_id)
        return flight is not None and flight.sent_ns is None

    @property
    def canceling(self) -> bool:
        """Tell whether an order still works whose end was asked for; a guard may be one."""
        orders = self._scribe.ledger.unsettled()
        return any(order.working and self._flights[order.client_id].cancel_wanted for order in orders)

    def cancel(self, order: OrderView) -> None:
        """Cancel an order now and keep asking until it has ended."""
        flight = self._flights[order.client_id]
        if flight.sent_ns is None:
            self.withdraw(order.client_id, "canceled before it was sent")
        elif not flight.cancel_wanted or flight.cancel_ns is None:
            flight.cancel_wanted = True
            self._ask_cancel(order, flight)

    def amend(self, order: OrderView, size_lots: int, price_ticks: int, trigger_ticks: int, reason: str) -> None:
        """Change an open order in place; the larger of the two sizes counts until the venue has answered."""
        require(order.reduce_only, "only an order that reduces may be changed")
        grows = size_lots > order.largest_lots
        change = records.Change(order.client_id, size_lots, price_ticks, trigger_ticks, reason)
        sequence = self._scribe.write(change, order.trace)
        flight = self._flights[order.client_id]
        if grows:
            # A power cut before the row would leave a ledger that knows the smaller size only.
            flight.change_row, flight.amended_ns = sequence, None
            self._waiting[sequence] = order.client_id
        else:
            flight.change_row = None
            self._ask_amend(order, flight)

    def amended(self, event: events.OrderAmended) -> None:
        """Take the amounts that the venue says an order has now."""
        order = self._known(event.client_id)
        if order is None or event.venue_ns < order.changed_venue_ns:
            # Not ours, or an older word than the last: what it says was changed again since.
            return
        if order.asked_lots and not self._said_last(order, event.asked_ns):
            # The late answer to an earlier saying, be the amounts the same; the last one is still on its way.
            return
        said = (event.size_lots, event.price_ticks, event.trigger_ticks)
        self._move(order, Move.AMEND, "the venue changed it")
        if order.asked_lots or said != (order.size_lots, order.price_ticks, order.trigger_ticks):
            self._changed(order, *said, done=True, reason="the venue changed it", venue_ns=event.venue_ns)

    def amend_refused(self, event: events.AmendRefused) -> None:
        """Note that the venue left an order as it was, which may be because it has ended."""
        order = self._known(event.client_id)
        if order is None or not order.asked_lots or not self._said_last(order, event.asked_ns):
            # Not ours, or the late refusal of an earlier saying; the last one is still on its way.
            return
        self._changed(order, order.size_lots, order.price_ticks, order.trigger_ticks, done=False, reason=event.reason)
        if order.state is State.OPEN:
            self._ask(order, self._flights[order.client_id])

    def _said_last(self, order: OrderView, asked_ns: int) -> bool:
        flight = self._flights.get(order.client_id)
        return flight is not None and flight.amended_ns == asked_ns

    def _changed(
        self,
        order: OrderView,
        size_lots: int,
        price_ticks: int,
        trigger_ticks: int,
        *,
        done: bool,
        reason: str,
        venue_ns: int = 0,
    ) -> None:
        self._scribe.write(
            records.Changed(order.client_id, done, size_lots, price_ticks, trigger_ticks, reason, venue_ns), order.trace
        )
        self._follow(order)

    def repeat_cancels(self) -> None:
        """Ask again for every wanted cancel, as when a connection has come back."""
        for order in list(self._scribe.ledger.unsettled()):
            flight = self._flights[order.client_id]
            if flight.cancel_wanted and order.working:
                self._ask_cancel(order, flight)

    def acknowledged(self, event: events.OrderAcknowledged) -> None:
        """Note that the venue accepted an order."""
        order = self._known(event.client_id)
        if order is not None:
            self._move(order, Move.ACKNOWLEDGE, event.venue_id)

    def refused(self, event: events.OrderRefused) -> None:
        """Note that the venue refused an order."""
        order = self._known(event.client_id)
        if order is None:
            return
        if event.reason != REFUSED_AS_DUPLICATE:
            self._move(order, Move.REFUSE, event.reason)
        elif order.working:
            # The order exists, so this refusal says nothing of it; only the venue can say where it stands.
            self._ask(order, self._flights[order.client_id])

    def timed_out(self, event: events.SendTimedOut) -> None:
        """Note that no answer came: the order counts as exposure until the venue is asked."""
        order = self._known(event.client_id)
        if order is not None:
            self._move(order, Move.LOSE, "no answer from the venue in time")

    def traded(self, event: events.OrderTraded) -> None:
        """Book one execution, once."""
        order = self._known(event.client_id)
        if order is None or event.trade_id in order.trade_ids:
            return
        if (event.instrument, event.side) != (order.instrument, order.side):
            self._contradict(order, f"trade {event.trade_id} is a {event.side} of {event.instrument}")
            return
        move = Move.COMPLETE if order.filled_lots + event.size_lots >= order.largest_lots else Move.FILL
        if order.filled_lots + event.size_lots > order.largest_lots:
            self._contradict(order, f"trade {event.trade_id} fills more than was ordered")
        elif next_state(order.state, move) is None:
            self._contradict(order, f"trade {event.trade_id} of an order that was {order.state}")
        notional = self._instruments[event.instrument].notional_quanta(event.price_ticks, event.size_lots)
        self._scribe.write(
            records.Fill(
                event.client_id,
                event.trade_id,
                event.instrument,
                event.side,
                event.price_ticks,
                event.size_lots,
                notional,
                event.fee_quanta,
                event.maker,
                event.venue_ns,
            ),
            order.trace,
        )
        self._follow(order)

    def ended(self, event: events.OrderEnded) -> None:
        """Note that an order left the book; fills it announces but we have not seen stay exposure."""
        order = self._known(event.client_id)
        if order is not None:
            self._move(order, _ENDINGS[event.how], "the venue ended it", event.filled_lots)

    def reported(self, event: events.OrderReported) -> None:
        """Take the venue's answer about one order."""
        order = self._known(event.client_id)
        if order is None:
            return
        for trade in event.trades:
            self.traded(trade)
        if event.state is VenueState.NOT_FOUND:
            self._move(order, Move.MISS, "the venue never received it")
        elif event.state in _ANSWERS:
            self._move(order, _ANSWERS[event.state], f"the venue says {event.state}", event.filled_lots)
        elif order.asked_lots == order.filled_lots == event.filled_lots:
            # Filled, and smaller than we thought: the change that made it so was carried out.
            said = (order.asked_lots, order.asked_price_ticks, order.asked_trigger_ticks)
            self._changed(order, *said, done=True, reason="the venue says filled")
        elif order.filled_lots < order.size_lots:
            self._contradict(order, "the venue says filled but names fewer trades")

    def missing_fills(self, event: events.CancelRefused) -> None:
        """Ask about an order the venue could not cancel: it has ended in a way we have not heard of yet."""
        order = self._known(event.client_id)
        if order is not None and order.state is State.OPEN:
            self._ask(order, self._flights[order.client_id])

    def found(self, identifier: str) -> bool:
        """Note that the venue lists an order as open; tell whether that makes sense to us."""
        order = self._known(identifier)
        if order is None or not order.working:
            return False
        self._move(order, Move.FIND, "the venue lists it as open")
        return True

    def inquire(self, order: OrderView) -> None:
        """Ask about an order that the venue does not list any more."""
        flight = self._flights[order.client_id]
        if order.state is State.OPEN and due(flight.asked_ns, self._scribe.now_ns, self._settings.query_interval_ns):
            self._ask(order, flight)

    def on_time(self) -> None:
        """Do what has become due for every unsettled order."""
        ledger = self._scribe.ledger
        if not ledger.working:
            return
        for order in list(ledger.unsettled()):
            flight = self._flights[order.client_id]
            if order.state is State.PLANNED:
                self._follow_planned(order, flight)
            elif order.state is State.OPEN:
                self._follow_open(order, flight)
            else:
                self._follow_silent(order, flight)

    def _follow_planned(self, order: OrderView, flight: Flight) -> None:
        now_ns = self._scribe.now_ns
        if flight.sent_ns is None:
            if now_ns - flight.planned_ns > self._settings.deadline_ns:
                self._move(order, Move.WITHDRAW, "the disk took longer than the order was worth")
        elif now_ns - flight.sent_ns > self._settings.deadline_ns:
            self._move(order, Move.LOSE, "no answer from the venue in time")

    def _follow_open(self, order: OrderView, flight: Flight) -> None:
        now_ns = self._scribe.now_ns
        if not order.protects and now_ns - flight.planned_ns > self._settings.entry_lifetime_ns:
            flight.cancel_wanted = True
        # Said again only when the venue would refuse the first one by now, so an old change never overtakes a new one.
        patience_ns = self._settings.deadline_ns + self._settings.grace_ns
        said = flight.change_row is None
        if order.asked_lots and said and due(flight.amended_ns, now_ns, patience_ns):
            self._ask_amend(order, flight)
        if flight.cancel_wanted and due(flight.cancel_ns, now_ns, self._settings.query_interval_ns):
            self._ask_cancel(order, flight)

    def _follow_silent(self, order: OrderView, flight: Flight) -> None:
        now_ns = self._scribe.now_ns
        sent_ns = flight.sent_ns if flight.sent_ns is not None else flight.planned_ns
        patient_until_ns = sent_ns + self._settings.deadline_ns + self._settings.grace_ns
        late_enough = order.state is not State.UNKNOWN or now_ns > patient_until_ns
        if late_enough and due(flight.asked_ns, now_ns, self._settings.query_interval_ns):
            self._ask(order, flight)

    def _ask(self, order: OrderView, flight: Flight) -> None:
        flight.asked_ns = self._scribe.now_ns
        self._scribe.ask(AskOrder(order.client_id))

    def _ask_amend(self, order: OrderView, flight: Flight) -> None:
        flight.amended_ns = self._scribe.now_ns
        self._scribe.ask(change_of(order, self._settings.deadline_ns, flight.amended_ns))

    def _say_change(self, order: OrderView, row: int) -> None:
        flight = self._flights[order.client_id]
        if flight.change_row == row:
            flight.change_row = None
            self._ask_amend(order, flight)

    def _ask_cancel(self, order: OrderView, flight: Flight) -> None:
        flight.cancel_ns = self._scribe.now_ns
        self._scribe.ask(SendCancel(order.client_id))

    def _known(self, identifier: str) -> OrderView | None:
        ledger = self._scribe.ledger
        order = ledger.orders.get(identifier)
        if order is None:
            sequence = sequence_of(identifier, self._tag)
            settled_long_ago = sequence is not None and sequence <= ledger.sequence
            if not settled_long_ago and len(self.strangers) < STRANGERS_MAX:
                self.strangers.add(identifier)
        return order

    def _move(self, order: OrderView, move: Move, reason: str, filled_lots: int = 0) -> None:
        new = next_state(order.state, move)
        if new is None:
            self._contradict(order, f"{move} ({reason}) of an order that was {order.state}")
            return
        filled_lots_max = max(order.largest_lots, order.filled_lots)
        if filled_lots > filled_lots_max:
            self._contradict(order, f"the venue counts {filled_lots} lots filled of {order.size_lots}")
            filled_lots = filled_lots_max
        if new is not order.state or filled_lots > max(order.expected_lots, order.filled_lots):
            self._scribe.write(records.Order(order.client_id, move, new, filled_lots, reason), order.trace)
        self._follow(order)

    def _follow(self, order: OrderView) -> None:
        if order.settled:
            self._flights.pop(order.client_id, None)
        elif order.client_id not in self._flights:
            # It was settled until the venue named more fills than we have seen.
            self._flights[order.client_id] = Flight(self._scribe.now_ns, self._scribe.now_ns)

    def _contradict(self, order: OrderView, what: str) -> None:
        self.contradictions.append(f"order {order.client_id}: {what}")

    def _command(self, order: OrderView) -> SendOrder:
        return order_of(order, self._settings.deadline_ns)
