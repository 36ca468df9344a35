"""Decode the venue's REST answers: `{"error": [...], "result": ...}`, amounts as exact decimals.

These answers describe and the venue adds to them from time to time, so fields that are not known are left out; what is
used must be there and have its shape. An error is an answer too, and keeps the venue's own words.
"""

from decimal import Decimal
from typing import Annotated, Final, TypeVar

import msgspec
from msgspec import UNSET, Meta, Raw, UnsetType

from appliance.wire.kraken.numbers import unsound
from appliance.wire.kraken.refusals import Reason, Refused, judged, parsed, refused

ENTRIES_MAX: Final = 10_000
_NANOSECONDS = 1_000_000_000
Text = Annotated[str, Meta(max_length=256)]


class RestPart(msgspec.Struct, frozen=True, gc=False):
    """Be the common parent of what these answers are made of."""


class Failed(RestPart, frozen=True, gc=False):
    """Carry the venue's words for why there is no result."""

    errors: tuple[str, ...]

    @property
    def reason(self) -> str:
        """Return the words in one line."""
        return ", ".join(self.errors)


class Token(RestPart, frozen=True, gc=False):
    """Open the authenticated channels of a WebSocket."""

    token: Annotated[str, Meta(min_length=1, max_length=512)]
    expires: int


class KeyInfo(RestPart, frozen=True, gc=False):
    """Tell what the key that asks may do."""

    permissions: Annotated[tuple[Text, ...], Meta(max_length=64)]


class ServerTime(RestPart, frozen=True, gc=False):
    """Tell the venue's time in whole seconds."""

    unixtime: int


class Canceled(RestPart, frozen=True, gc=False):
    """Count what was canceled."""

    count: int


class Description(RestPart, frozen=True, gc=False):
    """Describe an order as it was placed."""

    pair: Text
    type: Text
    ordertype: Text
    price: Decimal = Decimal(0)
    price2: Decimal = Decimal(0)


class OrderInfo(RestPart, frozen=True, gc=False):
    """Describe an order and how far it came."""

    status: Text
    descr: Description
    vol: Decimal
    vol_exec: Decimal
    opentm: Decimal
    cl_ord_id: Text | None = None


class TradeInfo(RestPart, frozen=True, gc=False):
    """Describe one execution."""

    ordertxid: Text
    pair: Text
    time: Decimal
    type: Text
    price: Decimal
    fee: Decimal
    vol: Decimal
    maker: bool = False
    cl_ord_id: Text | None = None


class OpenOrders(RestPart, frozen=True, gc=False):
    """Carry the orders on the book by the venue's ids."""

    open: Annotated[dict[Text, OrderInfo], Meta(max_length=ENTRIES_MAX)]


class ClosedOrders(RestPart, frozen=True, gc=False):
    """Carry a page of ended orders by the venue's ids, newest first, and how many there are in all."""

    closed: Annotated[dict[Text, OrderInfo], Meta(max_length=ENTRIES_MAX)]
    count: int


class TradesHistory(RestPart, frozen=True, gc=False):
    """Carry a page of executions by their ids, newest first, and how many there are in all."""

    trades: Annotated[dict[Text, TradeInfo], Meta(max_length=ENTRIES_MAX)]
    count: int


class PairInfo(RestPart, frozen=True, gc=False):
    """Describe an instrument's names, digits, smallest order and fees."""

    altname: Text
    wsname: Text
    base: Text
    quote: Text
    pair_decimals: Annotated[int, Meta(ge=0, le=17)]
    lot_decimals: Annotated[int, Meta(ge=0, le=17)]
    ordermin: Decimal
    tick_size: Decimal
    fees: Annotated[tuple[tuple[Decimal, Decimal], ...], Meta(min_length=1, max_length=64)]
    fees_maker: Annotated[tuple[tuple[Decimal, Decimal], ...], Meta(min_length=1, max_length=64)] | UnsetType = UNSET
    status: Text = "online"


# Start, open, high, low, close, average price, volume, count of trades.
BarRow = tuple[int, Decimal, Decimal, Decimal, Decimal, Decimal, Decimal, int]
# Price, volume, time, side, kind, notes, number.
PrintRow = tuple[Decimal, Decimal, Decimal, Text, Text, Text, int]
BarsAnswer = dict[str, tuple[BarRow, ...] | int]
PrintsAnswer = dict[str, tuple[PrintRow, ...] | str]
# One instrument's rows under its name, and under `last` from where to ask on.
Bars = Annotated[dict[Text, Annotated[tuple[BarRow, ...], Meta(max_length=ENTRIES_MAX)] | int], Meta(max_length=2)]
Prints = Annotated[dict[Text, Annotated[tuple[PrintRow, ...], Meta(max_length=ENTRIES_MAX)] | Text], Meta(max_length=2)]
Balances = Annotated[dict[Text, Decimal], Meta(max_length=ENTRIES_MAX)]
Pairs = Annotated[dict[Text, PairInfo], Meta(max_length=ENTRIES_MAX)]

_T = TypeVar("_T")


class _Envelope(msgspec.Struct, frozen=True, gc=False):
    error: Annotated[tuple[Annotated[str, Meta(max_length=1_024)], ...], Meta(max_length=64)]
    result: Raw | UnsetType = UNSET


_ENVELOPE = msgspec.json.Decoder(_Envelope)
TOKEN: Final = msgspec.json.Decoder(Token)
KEY_INFO: Final = msgspec.json.Decoder(KeyInfo)
TIME: Final = msgspec.json.Decoder(ServerTime)
CANCELED: Final = msgspec.json.Decoder(Canceled)
OPEN_ORDERS: Final = msgspec.json.Decoder(OpenOrders)
CLOSED_ORDERS: Final = msgspec.json.Decoder(ClosedOrders)
TRADES_HISTORY: Final = msgspec.json.Decoder(TradesHistory)
BALANCES: Final[msgspec.json.Decoder[dict[str, Decimal]]] = msgspec.json.Decoder(Balances)
BARS: Final[msgspec.json.Decoder[BarsAnswer]] = msgspec.json.Decoder(Bars)
PRINTS: Final[msgspec.json.Decoder[PrintsAnswer]] = msgspec.json.Decoder(Prints)
PAIRS: Final[msgspec.json.Decoder[dict[str, PairInfo]]] = msgspec.json.Decoder(Pairs)


def result(decoder: "msgspec.json.Decoder[_T]", body: bytes) -> _T | Failed | Refused:
    """Return the result in an answer, or the venue's error, or why it is no answer."""
    unfit = judged(body)
    if unfit is not None:
        return unfit
    envelope = parsed(_ENVELOPE, body)
    if isinstance(envelope, Refused):
        return envelope
    if envelope.error:
        return Failed(envelope.error)
    if isinstance(envelope.result, UnsetType):
        return refused(Reason.WRONG_SHAPE, "neither a result nor an error")
    found = parsed(decoder, envelope.result)
    return unsound(tuple(found.values()) if isinstance(found, dict) else found) or found


def seconds_ns(seconds: Decimal) -> int:
    """Return nanoseconds of the venue's decimal seconds."""
    return int(seconds * _NANOSECONDS)
