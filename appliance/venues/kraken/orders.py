"""The order connection: commands go out over an authenticated WebSocket, questions over REST, answers come as events.

An order that was written to the socket is in flight until the venue says anything of it; if its deadline passes first,
or the link breaks, the trader is told once that it timed out, which means unknown and never refused. An error counts as
a refusal only where the venue's words say that the order does not exist; every other one leaves it unknown, to be asked
about.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from msgspec import UNSET

from appliance.core.clock import NANOSECONDS_PER_MILLISECOND
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
from appliance.core.errors import WireError
from appliance.core.events import (
    AmendRefused,
    AnyEvent,
    CancelRefused,
    KeyRejected,
    OrderAcknowledged,
    OrderAmended,
    OrderLinkChanged,
    OrderRefused,
    SendTimedOut,
)
from appliance.core.instruments import Instrument
from appliance.core.secret import Secret
from appliance.core.values import REFUSED_AS_DUPLICATE
from appliance.venues.kraken.account import KEY_REJECTIONS, AccountAsker
from appliance.venues.kraken.connection import Connection, Means
from appliance.venues.kraken.endpoint import Endpoint
from appliance.venues.kraken.link import STANDARD, LinkLimits
from appliance.wire.kraken.account import AccountDecoder, Balances, Executions
from appliance.wire.kraken.answers import Answer, OrderPlaced
from appliance.wire.kraken.names import Names
from appliance.wire.kraken.numbers import written_time
from appliance.wire.kraken.order_bytes import OrderWriter
from appliance.wire.kraken.orders import OrderTranslator
from appliance.wire.kraken.refusals import Reason, Refused
from appliance.wire.kraken.requests import (
    AmendOrder,
    CancelAll,
    CancelAllOrdersAfter,
    CancelOrder,
    Request,
    Subscribe,
    encode,
)

IN_FLIGHT_MAX: Final = 256
REQUESTS_KEPT_MAX: Final = 4_096
_MILLISECONDS = 1_000
# The venue's documented words for an order that was judged and not taken ("Error messages", its guide for REST).
_REFUSALS: Final = (
    "EOrder:",
    "EGeneral:Invalid arguments",
    "EGeneral:Permission denied",
    "EAPI:",
    "EAccount:",
    "EQuery:",
    "ETrade:",
    "EService:Deadline elapsed",
    "EService:Market in",
)
_DUPLICATE: Final = "EOrder:cl_ord_id already in use"
_ANNOUNCEMENTS: Final = (b'"channel":"status"', b'"channel":"heartbeat"')


class KrakenOrders(Connection):
    """Send commands and receive what becomes of them."""

    def __init__(
        self,
        place: Endpoint,
        asker: AccountAsker,
        names: Names,
        post: Callable[[AnyEvent], None],
        means: Means,
        limits: LinkLimits = STANDARD,
    ) -> None:
        """Connect to an endpoint; the asker gets tokens and answers questions over REST."""
        super().__init__(place, means, limits)
        self._asker = asker
        self._instruments = names.instruments
        self._post = post
        self._decoder = AccountDecoder()
        self._translator = OrderTranslator(names.instruments.values())
        self._writer = OrderWriter(names.instruments.values())
        self._token: Secret | None = None
        self._reporting = False
        self._in_flight: dict[str, asyncio.TimerHandle] = {}
        self._asked: dict[int, str] = {}
        self._amends: dict[int, SendAmend] = {}

    async def run(self) -> None:
        """Stay connected until canceled."""
        try:
            await super().run()
        finally:
            self._asker.close()

    def send(self, command: VenueCommand) -> bool:
        """Send a command now, or return False when it cannot leave; nothing of it has been sent then."""
        if not self.connected:
            return False
        match command:
            case SendOrder():
                return self._send_order(command)
            case SendAmend():
                return self._send_amend(command)
            case SendCancel(client_id=client_id):
                return self._submit(CancelOrder(cl_ord_id=(client_id,)), client_id)
            case SendCancelAll():
                return self._submit(CancelAll())
            case SetDeadMan(timeout_s=timeout_s):
                return self._submit(CancelAllOrdersAfter(timeout=timeout_s))
            case AskOrder():
                return self._asker.ask_order(command, self._answer_from_rest)
            case AskAccount():
                return self._asker.ask_account(command, self._answer_from_rest)

    def venue_ns(self) -> int:
        """Return the venue's time as far as it is known; ours, where nothing is."""
        offset_ns = self.offset.offset_ns
        return self._clock.wall_ns() if offset_ns is None else self._clock.monotonic_ns() + offset_ns

    def clock_apart_ns(self) -> int | None:
        """Return how far the venue's clock is ahead of our wall clock, or nothing while that is not known."""
        known = self.connected and self.offset.offset_ns is not None
        return self.venue_ns() - self._clock.wall_ns() if known else None

    def _send_order(self, command: SendOrder) -> bool:
        link = self._link
        if link is None or self._tradable(command.instrument) is None or len(self._in_flight) >= IN_FLIGHT_MAX:
            return False
        due_ns, number = self._due_ns(command.deadline_ms), self._numbered(command.client_id)
        sent = link.send(self._writer.write(command, due_ns, number, self._token))
        if sent:
            self._await_answer(command)
        return sent

    def _send_amend(self, command: SendAmend) -> bool:
        instrument = self._tradable(command.instrument)
        if instrument is None:
            return False
        price, trigger = command.price_ticks, command.trigger_ticks
        sent = self._submit(
            AmendOrder(
                cl_ord_id=command.client_id,
                order_qty=instrument.lots_to_size(command.size_lots),
                limit_price=instrument.ticks_to_price(price) if price else UNSET,
                trigger_price=instrument.ticks_to_price(trigger) if trigger else UNSET,
                deadline=written_time(self._due_ns(command.deadline_ms)),
            )
        )
        if sent:
            self._amends[self._requests] = command
            while len(self._amends) > IN_FLIGHT_MAX:
                del self._amends[next(iter(self._amends))]
        return sent

    def _tradable(self, name: str) -> Instrument | None:
        apart_ns = self.clock_apart_ns()
        # A deadline is a moment of the venue's clock: with clocks this far apart it would promise nothing.
        usable = apart_ns is not None and abs(apart_ns) <= self._limits.clock_offset_ns_max
        return self._instruments.get(name) if usable else None

    def _due_ns(self, deadline_ms: int) -> int:
        return self.venue_ns() + deadline_ms * NANOSECONDS_PER_MILLISECOND

    def _submit(self, request: Request, client_id: str = "") -> bool:
        link = self._link
        return link is not None and link.send(encode(request, self._numbered(client_id), self._token))

    def _numbered(self, client_id: str) -> int:
        self._requests += 1
        if client_id:
            self._asked[self._requests] = client_id
            while len(self._asked) > REQUESTS_KEPT_MAX:
                del self._asked[next(iter(self._asked))]
        return self._requests

    def _await_answer(self, command: SendOrder) -> None:
        self._settle(command.client_id)
        self._in_flight[command.client_id] = asyncio.get_running_loop().call_later(
            command.deadline_ms / _MILLISECONDS, self._time_out, command.client_id
        )

    def _settle(self, client_id: str) -> None:
        timer = self._in_flight.pop(client_id, None)
        if timer is not None:
            timer.cancel()

    def _time_out(self, client_id: str) -> None:
        self._settle(client_id)
        self._post(SendTimedOut(client_id))

    async def _prepare(self) -> None:
        problem = await self._asker.key_problem() or await self._asker.timer_problem()
        if problem:
            self._post(KeyRejected(problem))
            raise WireError(problem)
        self._token = await self._asker.token()

    def _opened(self) -> None:
        self.offset.forget()
        self._reporting = False
        self._translator.begin()
        self._ping()
        self._submit(Subscribe(channel="executions", snap_orders=True, snap_trades=False))

    def _received(self, frame: bytes) -> None:
        message = self._decoder.decode(frame)
        if isinstance(message, Answer):
            self._answered(message)
        elif isinstance(message, Executions):
            self._executed(message)
        elif isinstance(message, Refused):
            self._not_understood(message)
        elif isinstance(message, Balances):
            self.refused["balances that nobody asked for"] += 1

    def _not_understood(self, refusal: Refused) -> None:
        if refusal.reason is Reason.UNKNOWN_CHANNEL and refusal.detail in {"status", "heartbeat"}:
            return
        self.refused[refusal.reason] += 1
        # It may have been about an order of ours, so nothing here is certain until the account is compared.
        self._give_up(f"the venue said what cannot be understood: {refusal.reason} ({refusal.detail})")

    def _executed(self, message: Executions) -> None:
        events = self._translator.executions(message)
        if isinstance(events, Refused):
            self._not_understood(events)
            return
        for event in events:
            self._settle(event.client_id)
            self._post(event)
        if message.type == "snapshot":
            self._reporting = True
            self._ready()

    def _ready(self) -> None:
        """Count as connected once reports of orders flow and the venue's clock is known."""
        if not self.connected and self._reporting and self.offset.offset_ns is not None:
            self.connected = True
            self._post(OrderLinkChanged(connected=True, reason="connected"))

    def _answered(self, answer: Answer) -> None:
        if self._ponged(answer):
            self._ready()
            return
        client_id = self._asked.pop(answer.request or 0, "")
        amend = self._amends.pop(answer.request or 0, None)
        match answer.method:
            case "amend_order" if amend is not None:
                self._amend_answered(answer, amend)
            case "add_order":
                self._order_answered(answer, client_id)
            case "cancel_order" if answer.error and client_id:
                self._post(CancelRefused(client_id, answer.error))
            case "subscribe" | "cancel_all_orders_after" if answer.error:
                # Without either nothing may be opened; a fresh connection asks for both again.
                self._give_up(f"the venue refused {answer.method}: {answer.error}")
            case _ if answer.error:
                self.refused[answer.error] += 1
            case _:
                pass

    def _amend_answered(self, answer: Answer, amend: SendAmend) -> None:
        if not answer.error:
            amounts = (amend.size_lots, amend.price_ticks, amend.trigger_ticks)
            self._post(OrderAmended(amend.client_id, *amounts, answer.answered_ns, amend.asked_ns))
        elif is_refusal(answer.error):
            self._post(AmendRefused.of(amend, answer.error))
        else:
            # It may be in force; it counts as that until the trader has said it again.
            self.refused[answer.error] += 1

    def _order_answered(self, answer: Answer, client_id: str) -> None:
        if not client_id:
            return
        placed = answer.result
        if isinstance(placed, OrderPlaced) and isinstance(placed.order_id, str):
            self._settle(client_id)
            self._translator.learn(placed.order_id, client_id)
            self._post(OrderAcknowledged(client_id, placed.order_id, answer.answered_ns))
        elif is_refusal(answer.error):
            self._settle(client_id)
            duplicate = answer.error.startswith(_DUPLICATE)
            self._post(OrderRefused(client_id, REFUSED_AS_DUPLICATE if duplicate else answer.error))
            if answer.error.startswith(KEY_REJECTIONS):
                self._post(KeyRejected(f"the venue says {answer.error}"))
        else:
            self.refused[answer.error] += 1
            self._time_out(client_id)
            if "session" in answer.error.lower():
                self._give_up("the venue no longer takes the token")

    def _answer_from_rest(self, event: AnyEvent) -> None:
        self._post(event)

    def _lost(self, reason: str) -> None:
        self._asked.clear()
        self._amends.clear()
        self._post(OrderLinkChanged(connected=False, reason=reason))
        for client_id in list(self._in_flight):
            self._time_out(client_id)


def is_refusal(error: str) -> bool:
    """Tell whether the venue's words mean that the order does not exist and never will."""
    return error.startswith(_REFUSALS)
