"""Requests to the venue, spelled as its documentation spells them: fields in its order, amounts as plain decimals.

A request is a frozen message without a token. The token is added while encoding and nowhere kept, so that a request
can be logged, compared and journaled.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from appliance.core.errors import WireError
from appliance.core.secret import Secret
from appliance.core.values import Side
from appliance.kernels.book import DEPTHS
from appliance.wire.kraken.numbers import unsound, written_number

BATCH_ADD_MIN: Final = 2
BATCH_ADD_MAX: Final = 15
BATCH_CANCEL_MAX: Final = 50
TIMEOUT_S_MAX: Final = 86_400
Text = Annotated[str, Meta(max_length=256)]
_ENCODER = msgspec.json.Encoder()


class Request(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, kw_only=True, tag_field="method"):
    """Be the common parent of everything that is asked of the venue; the tag is the method."""


class Subscribe(Request, frozen=True, gc=False, kw_only=True, tag="subscribe"):
    """Ask for a channel."""

    channel: str
    symbol: tuple[str, ...] | UnsetType = UNSET
    depth: int | UnsetType = UNSET
    interval: int | UnsetType = UNSET
    event_trigger: str | UnsetType = UNSET
    snapshot: bool | UnsetType = UNSET
    snap_orders: bool | UnsetType = UNSET
    snap_trades: bool | UnsetType = UNSET

    def __post_init__(self) -> None:
        _check_channel(self.channel, self.depth)


class Unsubscribe(Request, frozen=True, gc=False, kw_only=True, tag="unsubscribe"):
    """Give a channel up."""

    channel: str
    symbol: tuple[str, ...] | UnsetType = UNSET
    depth: int | UnsetType = UNSET
    interval: int | UnsetType = UNSET
    event_trigger: str | UnsetType = UNSET

    def __post_init__(self) -> None:
        _check_channel(self.channel, self.depth)


class Ping(Request, frozen=True, gc=False, kw_only=True, tag="ping"):
    """Ask for a pong."""


class TriggerAt(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, kw_only=True):
    """Say what sets an order off."""

    reference: Literal["last", "index"] | UnsetType = UNSET
    price: Decimal
    price_type: Literal["static", "pct", "quote"] | UnsetType = UNSET


class OrderSpec(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, kw_only=True):
    """Describe one order of a batch."""

    order_type: Text
    side: Side
    order_qty: Decimal
    limit_price: Decimal | UnsetType = UNSET
    triggers: TriggerAt | UnsetType = UNSET
    time_in_force: Literal["gtc", "gtd", "ioc", "fok"] | UnsetType = UNSET
    expire_time: Text | UnsetType = UNSET
    reduce_only: bool | UnsetType = UNSET
    post_only: bool | UnsetType = UNSET
    stp_type: Literal["cancel_newest", "cancel_oldest", "cancel_both"] | UnsetType = UNSET
    cl_ord_id: Text | UnsetType = UNSET
    order_userref: int | UnsetType = UNSET


class AddOrder(Request, frozen=True, gc=False, kw_only=True, tag="add_order"):
    """Place an order; the deadline is the venue's promise not to match it later."""

    order_type: Text
    side: Side
    order_qty: Decimal
    symbol: Text
    limit_price: Decimal | UnsetType = UNSET
    triggers: TriggerAt | UnsetType = UNSET
    time_in_force: Literal["gtc", "gtd", "ioc", "fok"] | UnsetType = UNSET
    margin: bool | UnsetType = UNSET
    post_only: bool | UnsetType = UNSET
    reduce_only: bool | UnsetType = UNSET
    expire_time: Text | UnsetType = UNSET
    deadline: Text | UnsetType = UNSET
    cl_ord_id: Text | UnsetType = UNSET
    order_userref: int | UnsetType = UNSET
    stp_type: Literal["cancel_newest", "cancel_oldest", "cancel_both"] | UnsetType = UNSET
    validate: bool | UnsetType = UNSET


class AmendOrder(Request, frozen=True, gc=False, kw_only=True, tag="amend_order"):
    """Change an order in place."""

    order_id: Text | UnsetType = UNSET
    cl_ord_id: Text | UnsetType = UNSET
    order_qty: Decimal | UnsetType = UNSET
    limit_price: Decimal | UnsetType = UNSET
    trigger_price: Decimal | UnsetType = UNSET
    post_only: bool | UnsetType = UNSET
    deadline: Text | UnsetType = UNSET


class CancelOrder(Request, frozen=True, gc=False, kw_only=True, tag="cancel_order"):
    """Cancel orders by the venue's ids or ours."""

    order_id: tuple[str, ...] | UnsetType = UNSET
    cl_ord_id: tuple[str, ...] | UnsetType = UNSET

    def __post_init__(self) -> None:
        if not 1 <= _length(self.order_id) + _length(self.cl_ord_id) <= BATCH_CANCEL_MAX:
            raise WireError(f"cancel_order names 1 to {BATCH_CANCEL_MAX} orders")


class CancelAll(Request, frozen=True, gc=False, kw_only=True, tag="cancel_all"):
    """Cancel everything the account has open."""


class CancelAllOrdersAfter(Request, frozen=True, gc=False, kw_only=True, tag="cancel_all_orders_after"):
    """Set the venue's own timer that cancels everything; 0 switches it off."""

    timeout: int

    def __post_init__(self) -> None:
        if not 0 <= self.timeout <= TIMEOUT_S_MAX:
            raise WireError(f"the timer must be 0 to {TIMEOUT_S_MAX} seconds, not {self.timeout}")


class BatchAdd(Request, frozen=True, gc=False, kw_only=True, tag="batch_add"):
    """Place several orders of one instrument at once."""

    symbol: Text
    orders: tuple[OrderSpec, ...]
    deadline: Text | UnsetType = UNSET
    validate: bool | UnsetType = UNSET

    def __post_init__(self) -> None:
        if not BATCH_ADD_MIN <= len(self.orders) <= BATCH_ADD_MAX:
            raise WireError(f"batch_add places {BATCH_ADD_MIN} to {BATCH_ADD_MAX} orders, not {len(self.orders)}")


class BatchCancel(Request, frozen=True, gc=False, kw_only=True, tag="batch_cancel"):
    """Cancel several orders by the venue's ids or ours."""

    orders: tuple[str, ...] = ()
    cl_ord_id: tuple[str, ...] | UnsetType = UNSET

    def __post_init__(self) -> None:
        if not 1 <= len(self.orders) + _length(self.cl_ord_id) <= BATCH_CANCEL_MAX:
            raise WireError(f"batch_cancel names 1 to {BATCH_CANCEL_MAX} orders")


def encode(request: Request, request_number: int, token: Secret | None = None) -> bytes:
    """Return the bytes of a request; the token is needed for orders and for the account's channels."""
    wrong = unsound(request)
    if wrong is not None:
        raise WireError(f"an amount of this request cannot be sent: {wrong.detail}")
    fields = _plain(msgspec.to_builtins(request, builtin_types=(Decimal,)))
    method = fields.pop("method")
    if token is not None:
        fields["token"] = token.reveal()
    message = {"method": method} | ({"params": fields} if fields else {}) | {"req_id": request_number}
    return _ENCODER.encode(message)


def _plain(value: Any) -> Any:  # noqa: ANN401 - whatever JSON can hold
    if isinstance(value, Decimal):
        return written_number(value)
    if isinstance(value, Mapping):
        return {name: _plain(part) for name, part in value.items()}
    return [_plain(part) for part in value] if isinstance(value, list | tuple) else value


def _check_channel(channel: str, depth: int | UnsetType) -> None:
    if not isinstance(depth, UnsetType) and (channel != "book" or depth not in DEPTHS):
        raise WireError(f"a depth is for the channel book and one of {', '.join(map(str, DEPTHS))}")


def _length(names: Sequence[str] | UnsetType) -> int:
    return 0 if isinstance(names, UnsetType) else len(names)
