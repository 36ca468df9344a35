"""Read what a client sends over WebSocket v2, strictly, answering what does not fit in the venue's own words.

A request that cannot be read is still answered if its method and number can be: a client that made a mistake is told
which. Size and nesting are judged before parsing, as on the client's side.
"""

import re
from typing import Annotated, Final, Literal

import msgspec
from msgspec import UNSET, Meta, Raw, UnsetType

from appliance.wire.kraken.refusals import Refused, judged
from appliance.wire.kraken.serving.orders import Amendment, CloseAsked, Named, NewOrder

REQUEST_BYTES_MAX: Final = 64 * 1024
SYMBOLS_MAX: Final = 100
BATCH_MAX: Final = 50
BATCH_ADD_MIN: Final = 2
BATCH_ADD_MAX: Final = 15
Text = Annotated[str, Meta(max_length=256)]
Names = Annotated[tuple[Text, ...], Meta(max_length=BATCH_MAX)]
Symbols = Annotated[tuple[Text, ...], Meta(max_length=SYMBOLS_MAX)]
_FIELD = re.compile(r"unknown field `(?P<unknown>[^`]{1,64})`|missing required field `(?P<missing>[^`]{1,64})`")
_PATH = re.compile(r"`\$\.(?P<field>[a-z_]{1,64})")
_WANTED = re.compile(r"Expected `([a-z]+)")
_KINDS: Final = {"bool": "boolean", "str": "string", "int": "integer", "array": "array", "object": "object"}


class Params(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Be the common parent of what requests carry."""

    token: Text = ""


class ChannelParams(Params, frozen=True, kw_only=True):
    """Name a channel and what of it."""

    channel: Text
    symbol: Symbols = ()
    depth: int = 10
    interval: int = 1
    event_trigger: Literal["trades", "bbo"] = "trades"
    snapshot: bool = True
    snap_orders: bool = True
    snap_trades: bool = False
    order_status: bool = True
    ratecounter: bool = False
    users: Text = ""
    include_tokenized_assets: bool = False


class TriggerParams(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Say what sets an order off."""

    price: Raw
    reference: Literal["last"] = "last"
    price_type: Literal["static"] = "static"


class CloseParams(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Describe a conditional close."""

    order_type: Text
    limit_price: Raw | UnsetType = UNSET
    limit_price_type: Literal["static"] = "static"
    trigger_price: Raw | UnsetType = UNSET
    trigger_price_type: Literal["static"] = "static"
    stop_price: Raw | UnsetType = UNSET


class OrderParams(Params, frozen=True, kw_only=True):
    """Describe a new order."""

    order_type: Text
    side: Literal["buy", "sell"]
    order_qty: Raw
    symbol: Text = ""
    limit_price: Raw | UnsetType = UNSET
    limit_price_type: Literal["static"] = "static"
    triggers: TriggerParams | UnsetType = UNSET
    time_in_force: Literal["gtc", "gtd", "ioc", "fok"] = "gtc"
    expire_time: Text = ""
    margin: Literal[False] = False
    post_only: bool = False
    reduce_only: bool = False
    deadline: Text = ""
    cl_ord_id: Text = ""
    order_userref: int = 0
    conditional: CloseParams | UnsetType = UNSET
    fee_preference: Literal["quote"] | UnsetType = UNSET
    no_mpp: bool = False
    stp_type: Literal["cancel_newest", "cancel_oldest", "cancel_both"] = "cancel_newest"
    sender_sub_id: Text = ""
    validate: bool = False

    def asked(self, symbol: str = "") -> NewOrder:
        """Return the order that is asked for; in a batch the symbol stands outside."""
        close = None
        if not isinstance(self.conditional, UnsetType):
            trigger = self.conditional.trigger_price or self.conditional.stop_price
            limit = self.conditional.limit_price
            close = CloseAsked(
                order_type=self.conditional.order_type, limit_price=_text(limit), trigger_price=_text(trigger)
            )
        return NewOrder(
            symbol=symbol or self.symbol,
            side=self.side,
            order_type=self.order_type,
            quantity=bytes(self.order_qty),
            limit_price=_text(self.limit_price),
            trigger_price=b"" if isinstance(self.triggers, UnsetType) else bytes(self.triggers.price),
            in_force=self.time_in_force,
            expires=self.expire_time,
            post_only=self.post_only,
            reduce_only=self.reduce_only,
            self_trade=self.stp_type,
            client_id=self.cl_ord_id,
            reference=self.order_userref,
            validate=self.validate,
            close=close,
        )


class BatchAddParams(Params, frozen=True, kw_only=True):
    """Describe several new orders of one instrument."""

    symbol: Text
    orders: Annotated[tuple[OrderParams, ...], Meta(min_length=BATCH_ADD_MIN, max_length=BATCH_ADD_MAX)]
    deadline: Text = ""
    validate: bool = False


class AmendParams(Params, frozen=True, kw_only=True):
    """Describe a change of an order."""

    order_id: Text = ""
    cl_ord_id: Text = ""
    order_qty: Raw | UnsetType = UNSET
    limit_price: Raw | UnsetType = UNSET
    limit_price_type: Literal["static"] = "static"
    trigger_price: Raw | UnsetType = UNSET
    trigger_price_type: Literal["static"] = "static"
    post_only: bool | None = None
    deadline: Text = ""
    symbol: Text = ""

    def asked(self) -> Amendment:
        """Return the change that is asked for."""
        return Amendment(
            order_id=self.order_id,
            client_id=self.cl_ord_id,
            quantity=_text(self.order_qty),
            limit_price=_text(self.limit_price),
            trigger_price=_text(self.trigger_price),
            post_only=self.post_only,
        )


class EditParams(Params, frozen=True, kw_only=True):
    """Describe the order that takes another's place."""

    order_id: Text
    symbol: Text
    order_qty: Raw | UnsetType = UNSET
    limit_price: Raw | UnsetType = UNSET
    triggers: TriggerParams | UnsetType = UNSET
    post_only: bool = False
    reduce_only: bool = False
    order_userref: int = 0
    deadline: Text = ""
    fee_preference: Literal["quote"] | UnsetType = UNSET
    no_mpp: bool = False
    validate: bool = False

    def asked(self) -> Amendment:
        """Return the change that is asked for."""
        return Amendment(
            order_id=self.order_id,
            quantity=_text(self.order_qty),
            limit_price=_text(self.limit_price),
            trigger_price=b"" if isinstance(self.triggers, UnsetType) else bytes(self.triggers.price),
            post_only=self.post_only,
        )


class CancelParams(Params, frozen=True, kw_only=True):
    """Name orders to cancel."""

    order_id: Names = ()
    cl_ord_id: Names = ()
    order_userref: Annotated[tuple[int, ...], Meta(max_length=BATCH_MAX)] = ()
    orders: Names = ()

    def asked(self) -> Named:
        """Return the names."""
        ids = self.order_id + self.orders
        return Named(order_ids=ids, client_ids=self.cl_ord_id, references=self.order_userref)


class TokenParams(Params, frozen=True, kw_only=True):
    """Carry nothing but the token."""


class TimerParams(Params, frozen=True, kw_only=True):
    """Set the dead-man timer."""

    timeout: Annotated[int, Meta(ge=0, le=86_400)]


class PingParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Carry nothing: a ping has no params."""


AnyParams = (
    ChannelParams
    | OrderParams
    | BatchAddParams
    | AmendParams
    | EditParams
    | CancelParams
    | TokenParams
    | TimerParams
    | PingParams
)
_METHODS: Final[dict[str, type[AnyParams]]] = {
    "subscribe": ChannelParams,
    "unsubscribe": ChannelParams,
    "ping": PingParams,
    "add_order": OrderParams,
    "batch_add": BatchAddParams,
    "amend_order": AmendParams,
    "edit_order": EditParams,
    "cancel_order": CancelParams,
    "batch_cancel": CancelParams,
    "cancel_all": TokenParams,
    "cancel_all_orders_after": TimerParams,
}


class Asked(msgspec.Struct, frozen=True):
    """Carry a request that could be read."""

    method: str
    params: AnyParams
    number: int | None = None


class Unreadable(msgspec.Struct, frozen=True):
    """Carry what could be read of a request that does not fit, and the venue's words for why."""

    error: str
    method: str = ""
    number: int | None = None


class _Frame(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    method: Text
    params: Raw | UnsetType = UNSET
    req_id: Annotated[int, Meta(ge=0, le=2**63 - 1)] | UnsetType = UNSET


class RequestDecoder:
    """Decode requests."""

    def __init__(self) -> None:
        self._frame = msgspec.json.Decoder(_Frame)
        self._params = {method: msgspec.json.Decoder(kind) for method, kind in _METHODS.items()}

    def decode(self, frame: bytes) -> Asked | Unreadable:
        """Return the request of a frame, or why it is none."""
        if len(frame) > REQUEST_BYTES_MAX or isinstance(judged(frame), Refused):
            return Unreadable("Request too large")
        try:
            shape = self._frame.decode(frame)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return Unreadable("Malformed request")
        number = None if isinstance(shape.req_id, UnsetType) else shape.req_id
        decoder = self._params.get(shape.method)
        if decoder is None:
            return Unreadable("Unsupported event", shape.method, number)
        if isinstance(shape.params, UnsetType) and shape.method == "ping":
            return Asked(shape.method, PingParams(), number)
        if shape.method == "ping":
            return Unreadable("Unsupported field: 'params' for the given msg type: ping", shape.method, number)
        try:
            text = b"{}" if isinstance(shape.params, UnsetType) else shape.params
            return Asked(shape.method, decoder.decode(text), number)
        except (msgspec.DecodeError, UnicodeDecodeError) as problem:
            return Unreadable(_words(str(problem), shape.method), shape.method, number)


def _words(problem: str, method: str) -> str:
    """Return the venue's words for what a decoder says."""
    found = _FIELD.search(problem)
    if found is not None and found["unknown"]:
        return f"Unsupported field: '{found['unknown']}' for the given msg type: {method.replace('_', ' ')}"
    if found is not None:
        missing = found["missing"]
        return "Token(s) not found" if missing == "token" else f"{missing.capitalize()} field is required"
    place = _PATH.search(problem)
    if place is None:
        return "Malformed request"
    wanted = _WANTED.search(problem)
    kind = _KINDS.get(wanted[1] if wanted else "", "valid value")
    return f"{place['field'].capitalize()} field must be a {kind}"


def _text(number: Raw | UnsetType) -> bytes:
    return b"" if isinstance(number, UnsetType) else bytes(number)
