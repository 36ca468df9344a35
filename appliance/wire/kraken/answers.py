"""The venue's answers to requests: one shape on the wire, one message a method here."""

from collections.abc import Callable
from typing import Annotated, Final, TypeVar

import msgspec
from msgspec import UNSET, Meta, Raw, UnsetType

from appliance.wire.kraken.numbers import moment_ns
from appliance.wire.kraken.refusals import Reason, Refused, parsed, refused

BATCH_MAX: Final = 50
Text = Annotated[str, Meta(max_length=1_024)]
Texts = Annotated[tuple[Text, ...], Meta(max_length=64)]


class Result(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, forbid_unknown_fields=True):
    """Be the common parent of what a method returns when it succeeds."""


class Subscription(Result, frozen=True, gc=False):
    """Tell to what was subscribed, or no longer is."""

    channel: Text
    symbol: Text | UnsetType = UNSET
    snapshot: bool | UnsetType = UNSET
    depth: int | UnsetType = UNSET
    interval: int | UnsetType = UNSET
    event_trigger: Text | UnsetType = UNSET
    maxratecount: int | UnsetType = UNSET
    snap_orders: bool | UnsetType = UNSET
    snap_trades: bool | UnsetType = UNSET
    order_status: bool | UnsetType = UNSET
    ratecounter: bool | UnsetType = UNSET
    rebased: bool | UnsetType = UNSET
    users: Text | UnsetType = UNSET
    warnings: Texts | UnsetType = UNSET


class OrderPlaced(Result, frozen=True, gc=False):
    """Name the order that was accepted; in a batch one may carry an error instead of an id."""

    order_id: Text | UnsetType = UNSET
    cl_ord_id: Text | UnsetType = UNSET
    order_userref: int | UnsetType = UNSET
    error: Text | UnsetType = UNSET
    warnings: Texts | UnsetType = UNSET


class OrderAmended(Result, frozen=True, gc=False):
    """Name the amendment and its order."""

    amend_id: Text
    order_id: Text | UnsetType = UNSET
    cl_ord_id: Text | UnsetType = UNSET
    warnings: Texts | UnsetType = UNSET


class OrderEdited(Result, frozen=True, gc=False):
    """Name the order that took another's place."""

    order_id: Text
    original_order_id: Text
    warnings: Texts | UnsetType = UNSET


class OrderCanceled(Result, frozen=True, gc=False):
    """Name the order that was canceled."""

    order_id: Text | UnsetType = UNSET
    cl_ord_id: Text | UnsetType = UNSET
    order_userref: int | UnsetType = UNSET
    warnings: Texts | UnsetType = UNSET


class AllCanceled(Result, frozen=True, gc=False):
    """Count what was canceled."""

    count: Annotated[int, Meta(ge=0)]
    warnings: Texts | UnsetType = UNSET


class DeadManSet(Result, frozen=True, gc=False):
    """Tell when the venue will cancel everything by itself; the second time is 0 when the timer is off."""

    currentTime: Text  # noqa: N815 - the venue's spelling
    triggerTime: Text  # noqa: N815 - the venue's spelling
    warnings: Texts | UnsetType = UNSET


class BatchCanceled(Result, frozen=True, gc=False):
    """Count what a batch canceled."""

    orders_cancelled: Annotated[int, Meta(ge=0)]


class Pong(Result, frozen=True, gc=False):
    """Tell that the connection and the venue's gateway live."""


Placed = Annotated[tuple[OrderPlaced, ...], Meta(max_length=BATCH_MAX)]
AnyResult = (
    Subscription
    | OrderPlaced
    | OrderAmended
    | OrderEdited
    | OrderCanceled
    | AllCanceled
    | DeadManSet
    | BatchCanceled
    | Pong
    | tuple[OrderPlaced, ...]
)


class Answer(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Carry the answer to one request: a result, or the error for which there is none."""

    method: str
    request: int | None
    result: AnyResult | None
    error: str = ""
    symbol: str = ""
    received_ns: int = 0
    answered_ns: int = 0


class _Shape(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, forbid_unknown_fields=True):
    method: Text
    req_id: int | UnsetType = UNSET
    success: bool | UnsetType = UNSET
    result: Raw | UnsetType = UNSET
    error: Text | UnsetType = UNSET
    status: Text | UnsetType = UNSET
    symbol: Text | UnsetType = UNSET
    orders_cancelled: Annotated[int, Meta(ge=0)] | UnsetType = UNSET
    warnings: Texts | UnsetType = UNSET
    time_in: Text | UnsetType = UNSET
    time_out: Text | UnsetType = UNSET


R = TypeVar("R")


def _reader(kind: type[R]) -> Callable[[Raw], R | Refused]:
    decoder = msgspec.json.Decoder(kind)

    def read(text: Raw) -> R | Refused:
        return parsed(decoder, text)

    return read


class AnswerDecoder:
    """Decode answers to requests."""

    def __init__(self) -> None:
        self._shape = msgspec.json.Decoder(_Shape)
        placed = msgspec.json.Decoder(Placed)
        self._results: dict[str, Callable[[Raw], AnyResult | Refused]] = {
            "subscribe": _reader(Subscription),
            "unsubscribe": _reader(Subscription),
            "add_order": _reader(OrderPlaced),
            "amend_order": _reader(OrderAmended),
            "edit_order": _reader(OrderEdited),
            "cancel_order": _reader(OrderCanceled),
            "cancel_all": _reader(AllCanceled),
            "cancel_all_orders_after": _reader(DeadManSet),
            "batch_add": lambda text: parsed(placed, text),
        }

    def decode(self, frame: bytes) -> Answer | Refused:
        """Return the answer of a frame that was judged, or why it is none."""
        shape = parsed(self._shape, frame)
        if isinstance(shape, Refused):
            return shape
        result = self._result(shape)
        received_ns, answered_ns = _moment(shape.time_in), _moment(shape.time_out)
        for part in (result, received_ns, answered_ns):
            if isinstance(part, Refused):
                return part
        return Answer(
            method=shape.method,
            request=None if shape.req_id is UNSET else shape.req_id,
            result=None if isinstance(result, Refused) else result,
            error="" if shape.error is UNSET else shape.error,
            symbol="" if shape.symbol is UNSET else shape.symbol,
            received_ns=0 if isinstance(received_ns, Refused) else received_ns,
            answered_ns=0 if isinstance(answered_ns, Refused) else answered_ns,
        )

    def _result(self, shape: _Shape) -> AnyResult | Refused | None:
        if shape.method not in self._results and shape.method not in {"pong", "ping", "batch_cancel"}:
            return refused(Reason.UNKNOWN_METHOD, shape.method)
        # An answer is a success or an error; one that claims both, or neither, is no answer.
        if shape.success is False or shape.error is not UNSET:
            good = shape.success is False and isinstance(shape.error, str) and shape.result is UNSET
            return None if good else refused(Reason.WRONG_SHAPE, "neither a success nor an error")
        if shape.method == "pong":
            return Pong()
        if shape.success is UNSET or (shape.method == "ping"):
            return refused(Reason.WRONG_SHAPE, "neither a success nor an error")
        if shape.method == "batch_cancel" and shape.orders_cancelled is not UNSET:
            return BatchCanceled(shape.orders_cancelled)
        if shape.result is UNSET or shape.method == "batch_cancel":
            return refused(Reason.WRONG_SHAPE, "a success without a result")
        return self._results[shape.method](shape.result)


def _moment(text: str | UnsetType) -> int | Refused:
    return 0 if isinstance(text, UnsetType) else moment_ns(text)
