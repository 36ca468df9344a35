"""The last resort's own way to the venue: signed REST requests, one blocking connection each, until a deadline.

Written by hand instead of using the trader's connections: those need an event loop and half of the trader, and what
stops the trader must share as little with it as can be. For the same reason it asks for no terms of instruments: a
holding counts in hundred-millionths, the digits that the venue gives a size, and an order that it finds too small to
take is left as dust.
"""

import time
from collections.abc import Callable, Mapping
from decimal import ROUND_FLOOR, Decimal
from typing import Annotated, Final, TypeVar

import msgspec
from msgspec import UNSET, Meta, Raw, UnsetType

from appliance.core.clock import NANOSECONDS_PER_MILLISECOND, NANOSECONDS_PER_SECOND, Clock
from appliance.core.commands import SendCancel, SendCancelAll, SendOrder, VenueCommand
from appliance.core.errors import ApplianceError, StoreFailure, WireError
from appliance.core.events import AccountReported, Holding, OpenOrder
from appliance.core.values import OrderKind, Side
from appliance.guardian.last_resort import Clearing, Outcome, entries_in
from appliance.venues.kraken.blocking import exchange
from appliance.venues.kraken.endpoint import Endpoint
from appliance.venues.kraken.http import post
from appliance.venues.kraken.keys import VenueKey
from appliance.venues.kraken.nonce import NonceCounter
from appliance.wire.kraken.signing import signed

ANSWER_S: Final = 1.0
LOTS_PER_UNIT: Final = 100_000_000
_ASK_INTERVAL_NS: Final = 100 * NANOSECONDS_PER_MILLISECOND
_RETRY_FIRST_NS: Final = 20 * NANOSECONDS_PER_MILLISECOND
_RETRY_CAP_NS: Final = 500 * NANOSECONDS_PER_MILLISECOND
_CONNECTIONS_MAX: Final = 100
_TOO_SMALL: Final = ("EOrder:Order minimum not met", "EOrder:Cost minimum not met")
_GONE: Final = "EOrder:Unknown order"
_NANOSECONDS_PER_MICROSECOND: Final = 1_000
Text = Annotated[str, Meta(max_length=256)]
T = TypeVar("T")


class _Answer(msgspec.Struct, frozen=True):
    error: Annotated[tuple[Text, ...], Meta(max_length=64)]
    result: Raw | UnsetType = UNSET


class _Description(msgspec.Struct, frozen=True):
    pair: Text
    type: Side


class _Order(msgspec.Struct, frozen=True):
    descr: _Description


class _OpenOrders(msgspec.Struct, frozen=True):
    open: Annotated[dict[Text, _Order], Meta(max_length=10_000)]


class Refusal(WireError):
    """Report the venue's own words for what it did not do."""


_ANSWERS: Final = msgspec.json.Decoder(_Answer)
_ORDERS: Final = msgspec.json.Decoder(_OpenOrders)
_BALANCES: Final[msgspec.json.Decoder[dict[str, Decimal]]] = msgspec.json.Decoder(dict[str, Decimal])
_ANYTHING: Final = msgspec.json.Decoder(msgspec.Raw)


class Numbers:
    """Hand out rising request numbers, also when the card can no longer keep them."""

    def __init__(self, counter: NonceCounter, clock: Clock) -> None:
        self._counter = counter
        self._clock = clock
        self._last = 0

    def next(self) -> int:
        """Return a number above all before it."""
        try:
            number = self._counter.next()
        except StoreFailure:
            number = self._clock.wall_ns() // _NANOSECONDS_PER_MICROSECOND
        self._last = max(number, self._last + 1)
        return self._last


class Door:
    """Ask and tell the venue with one key."""

    def __init__(
        self, place: Endpoint, key: VenueKey, numbers: Numbers, clock: Clock, pairs: Mapping[str, str]
    ) -> None:
        """Use a key; `pairs` names the instrument through which an asset's holding can be sold."""
        self._place = place
        self._key = key
        self._numbers = numbers
        self._clock = clock
        self._pairs = pairs
        self._dust: set[str] = set()
        self._requests = 0

    def send(self, command: VenueCommand) -> None:
        """Carry out one command."""
        match command:
            case SendCancelAll():
                self._ask("CancelAll", {}, _ANYTHING)
            case SendCancel(client_id=order_id):
                self._cancel(order_id)
            case SendOrder():
                self._sell(command)
            case _:
                raise WireError("the last resort only cancels and sells")

    def account(self) -> tuple[AccountReported, int]:
        """Ask for the account and return it with the moment of asking."""
        asked_ns = self._clock.monotonic_ns()
        self._requests += 1
        orders = self._ask("OpenOrders", {}, _ORDERS)
        balances = self._ask("Balance", {}, _BALANCES)
        report = AccountReported(
            self._requests,
            cash_quanta=0,
            holdings=self._holdings(balances),
            open_orders=tuple(_open_order(name, order) for name, order in orders.open.items()),
            trades=(),
            trades_complete=False,
            venue_ns=self._clock.wall_ns(),
        )
        return report, asked_ns

    def _cancel(self, order_id: str) -> None:
        try:
            self._ask("CancelOrder", {"txid": order_id}, _ANYTHING)
        except Refusal as refusal:
            # It ended between the question and this: what was wanted.
            if _GONE not in str(refusal):
                raise

    def _sell(self, command: SendOrder) -> None:
        volume = Decimal(command.size_lots) / LOTS_PER_UNIT
        fields = {"ordertype": "market", "type": command.side.value, "volume": f"{volume:.8f}"}
        try:
            self._ask("AddOrder", fields | {"pair": command.instrument, "cl_ord_id": command.client_id}, _ANYTHING)
        except Refusal as refusal:
            if not str(refusal).startswith(_TOO_SMALL):
                raise
            self._dust.add(command.instrument)

    def _holdings(self, balances: Mapping[str, Decimal]) -> tuple[Holding, ...]:
        held: dict[str, int] = {}
        for name, amount in balances.items():
            pair = self._pairs.get(name.partition(".")[0])
            if pair is not None and pair not in self._dust:
                held[pair] = held.get(pair, 0) + int((amount * LOTS_PER_UNIT).to_integral_value(ROUND_FLOOR))
        return tuple(Holding(pair, lots) for pair, lots in held.items() if lots)

    def _ask(self, name: str, fields: Mapping[str, str], decoder: "msgspec.json.Decoder[T]") -> T:
        path = f"/0/private/{name}"
        request = signed(path, fields, self._numbers.next(), self._key.name, self._key.private)
        body = exchange(self._place, post(self._place, request.path, request.body, request.headers), ANSWER_S)
        try:
            answer = _ANSWERS.decode(body)
            if answer.error:
                raise Refusal(", ".join(answer.error))
            if isinstance(answer.result, UnsetType):
                raise WireError(f"the venue answered {name} with neither a result nor an error")
            return decoder.decode(answer.result)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
            raise WireError(f"the venue's answer to {name} cannot be read: {problem}") from problem


class LastResort:
    """Ask, clear, verify; and again until it is verified or the time is over."""

    def __init__(
        self,
        place: Endpoint,
        key: Callable[[], VenueKey],
        counter: NonceCounter,
        clock: Clock,
        pairs: Mapping[str, str],
        deadline_ns: int,
        on_progress: Callable[[], None],
    ) -> None:
        """Prepare for a venue; the key is asked for once a try, and every try and answer is progress."""
        self._place = place
        self._key = key
        self._numbers = Numbers(counter, clock)
        self._clock = clock
        self._pairs = pairs
        self._deadline_ns = deadline_ns
        self._on_progress = on_progress
        self._connections_count = 0
        self._reason = ""

    def run(self, policy: str, quiet_ns: int) -> Outcome:
        """Clear the account and say whether that is proven."""
        started_ns = self._clock.monotonic_ns()
        until_ns = started_ns + self._deadline_ns
        clearing = Clearing(policy, started_ns, quiet_ns, f"{self._clock.wall_ns():x}"[-9:])
        wait_ns = _RETRY_FIRST_NS
        while not clearing.verified and self._clock.monotonic_ns() < until_ns:
            if self._connections_count >= _CONNECTIONS_MAX:
                break
            self._connections_count += 1
            self._on_progress()
            self._try(clearing, until_ns)
            if not clearing.verified:
                _sleep(wait_ns)
                wait_ns = min(2 * wait_ns, _RETRY_CAP_NS)
        return self._outcome(clearing, started_ns)

    def _try(self, clearing: Clearing, until_ns: int) -> None:
        try:
            self._clear(Door(self._place, self._key(), self._numbers, self._clock, self._pairs), clearing, until_ns)
        except ApplianceError as problem:
            self._reason = str(problem)

    def _clear(self, door: Door, clearing: Clearing, until_ns: int) -> None:
        for command in clearing.begin():
            door.send(command)
        while self._clock.monotonic_ns() < until_ns:
            report, asked_ns = door.account()
            self._on_progress()
            commands = clearing.reported(report, asked_ns)
            if clearing.verified:
                return
            for command in commands:
                door.send(command)
            # What was just canceled is asked about at once; the proof cannot come sooner than it can.
            if not commands:
                _sleep(max(_ASK_INTERVAL_NS, clearing.proof_ns - self._clock.monotonic_ns()))
        self._reason = "the venue still shows what should be gone, or the proof needs more time"

    def _outcome(self, clearing: Clearing, started_ns: int) -> Outcome:
        last = clearing.last
        clear_ns = clearing.clear_ns
        return Outcome(
            verified=clearing.verified,
            policy=clearing.policy,
            reason="verified" if clearing.verified else self._reason,
            took_ms=(self._clock.monotonic_ns() - started_ns) // NANOSECONDS_PER_MILLISECOND,
            clear_ms=-1 if clear_ns is None else (clear_ns - started_ns) // NANOSECONDS_PER_MILLISECOND,
            connections_count=self._connections_count,
            canceled_count=clearing.canceled_count,
            sold_count=clearing.sold_count,
            entries_count=-1 if last is None else entries_in(last),
            open_orders_count=-1 if last is None else len(last.open_orders),
            holdings_count=-1 if last is None else sum(holding.size_lots != 0 for holding in last.holdings),
        )


def _open_order(name: str, order: _Order) -> OpenOrder:
    """Return an order under the venue's own id, which is all that canceling needs."""
    return OpenOrder(name, order.descr.pair, order.descr.type, OrderKind.LIMIT, 0, 0, 0)


def _sleep(duration_ns: int) -> None:
    time.sleep(duration_ns / NANOSECONDS_PER_SECOND)
