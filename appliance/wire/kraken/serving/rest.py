"""Read REST requests and write their answers: forms and JSON bodies, signatures, the one shape of an answer."""

import hmac
import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl

import msgspec

from appliance.core.errors import WireError
from appliance.core.secret import Secret
from appliance.wire.kraken.numbers import written_time
from appliance.wire.kraken.refusals import judged
from appliance.wire.kraken.serving.encoding import encoded
from appliance.wire.kraken.serving.orders import Amendment, CloseAsked, Named, NewOrder
from appliance.wire.kraken.signing import NONCE_MAX, signature

FIELDS_MAX: Final = 200
NAMES_MAX: Final = 50
_DEFERRED: Final = frozenset({"stop-loss-limit", "take-profit-limit"})
_TRIGGERED: Final = frozenset({"stop-loss", "take-profit"}) | _DEFERRED
_SELF_TRADES: Final = {"cancel-newest": "cancel_newest", "cancel-oldest": "cancel_oldest", "cancel-both": "cancel_both"}
_FLAGS: Final = frozenset({"post", "fciq", "nompp", ""})
_WHOLE = re.compile(r"-?[0-9]{1,18}")
_NANOSECONDS: Final = 1_000_000_000


def answer(result: object) -> bytes:
    """Return the answer to a request that was carried out."""
    return encoded({"error": [], "result": result})


def failure(error: str) -> bytes:
    """Return the answer to a request that was refused."""
    return encoded({"error": [error]})


def fields(body: bytes, content_type: str) -> dict[str, str] | None:
    """Return the fields of a form or a flat JSON object, lists joined by commas; None when it is neither."""
    if content_type.startswith("application/json"):
        return _from_json(body)
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=FIELDS_MAX)
    except (UnicodeDecodeError, ValueError):
        return None
    found: dict[str, str] = {}
    for name, value in pairs:
        # A name that is repeated, with brackets or without, is a list.
        plain = name.removesuffix("[]")
        found[plain] = f"{found[plain]},{value}" if plain in found else value
    return found


def nonce_of(found: Mapping[str, str]) -> int | None:
    """Return the nonce of a private request, or None when it has no good one."""
    text = found.get("nonce", "")
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= len(str(NONCE_MAX)) else 0
    return number if 0 < number <= NONCE_MAX else None


def well_signed(path: str, body: bytes, nonce: int, sign: str, private_key: Secret) -> bool:
    """Tell whether API-Sign is that of the key."""
    try:
        return hmac.compare_digest(signature(path, body, nonce, private_key).encode(), sign.encode())
    except WireError:
        return False


def new_order(found: Mapping[str, str], venue_ns: int) -> NewOrder | str:
    """Return the order that a form asks for, or why it asks for none."""
    order_type = found.get("ordertype", "")
    limit, trigger = _prices(order_type, found.get("price", ""), found.get("price2", ""))
    flags = set(found.get("oflags", "").replace(" ", "").split(","))
    in_force = found.get("timeinforce", "GTC")
    expires = _expires(found.get("expiretm", "0"), venue_ns)
    reference = _whole(found.get("userref", "") or "0")
    checks = (
        ("pair" in found, "pair"),
        (bool(found.get("volume")), "volume"),
        (flags <= _FLAGS, "oflags"),
        (found.get("leverage", "none") in {"none", ""}, "leverage"),
        (found.get("trigger", "last") == "last", "Index unavailable"),
        (expires is not None, "expiretm"),
        (found.get("starttm", "0") in {"0", ""}, "starttm"),
        (reference is not None, "userref"),
        (found.get("stptype", "cancel-newest") in _SELF_TRADES, "stptype"),
    )
    wrong = next((what for holds, what in checks if not holds), None)
    if wrong is not None:
        return f"EGeneral:Invalid arguments:{wrong}"
    return NewOrder(
        symbol=found["pair"],
        side=found.get("type", ""),
        order_type=order_type,
        quantity=found["volume"].encode(),
        limit_price=limit,
        trigger_price=trigger,
        in_force=in_force.lower(),
        expires=expires or "",
        post_only="post" in flags,
        reduce_only=found.get("reduce_only", "false").lower() == "true",
        self_trade=_SELF_TRADES[found.get("stptype", "cancel-newest")],
        client_id=found.get("cl_ord_id", ""),
        reference=reference or 0,
        validate=found.get("validate", "false").lower() in {"true", "1"},
        close=_close(found),
    )


def amendment(found: Mapping[str, str]) -> Amendment:
    """Return the change that an AmendOrder form asks for."""
    post_only = found.get("post_only")
    return Amendment(
        order_id=found.get("txid", ""),
        client_id=found.get("cl_ord_id", ""),
        quantity=found.get("order_qty", "").encode(),
        limit_price=found.get("limit_price", "").encode(),
        trigger_price=found.get("trigger_price", "").encode(),
        post_only=None if post_only is None else post_only.lower() == "true",
    )


def edited(found: Mapping[str, str], order_type: str) -> Amendment:
    """Return the change that an EditOrder form asks of an order of a type."""
    limit, trigger = _prices(order_type, found.get("price", ""), found.get("price2", ""))
    return Amendment(
        order_id=found.get("txid", ""),
        quantity=found.get("volume", "").encode(),
        limit_price=limit,
        trigger_price=trigger,
        post_only="post" in found.get("oflags", "").split(","),
    )


def named(found: Mapping[str, str], *lists: str) -> Named:
    """Return the orders a form names: by ids, by our ids, or by a group's number."""
    ids: list[str] = []
    references: list[int] = []
    for name in lists:
        for text in found.get(name, "").split(",")[:NAMES_MAX]:
            number = _whole(text)
            if number is not None:
                references.append(number)
            elif text:
                ids.append(text)
    client_ids = tuple(text for text in found.get("cl_ord_id", "").split(",")[:NAMES_MAX] if text)
    return Named(order_ids=tuple(ids), client_ids=client_ids, references=tuple(references))


def _whole(text: str) -> int | None:
    return int(text) if _WHOLE.fullmatch(text) else None


def _from_json(body: bytes) -> dict[str, str] | None:
    if judged(body) is not None:
        return None
    try:
        found = msgspec.json.decode(body, type=dict[str, str | int | float | bool | list[str | int]])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return {name: _flat(value) for name, value in found.items()} if len(found) <= FIELDS_MAX else None


def _flat(value: str | float | list[str | int]) -> str:
    if isinstance(value, list):
        return ",".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def _prices(order_type: str, price: str, price2: str) -> tuple[bytes, bytes]:
    """Return the limit and the trigger of a form, whose first price means one or the other."""
    if order_type in _DEFERRED:
        return price2.encode(), price.encode()
    return (b"", price.encode()) if order_type in _TRIGGERED else (price.encode(), b"")


def _close(found: Mapping[str, str]) -> CloseAsked | None:
    order_type = found.get("close[ordertype]", "")
    if not order_type:
        return None
    limit, trigger = _prices(order_type, found.get("close[price]", ""), found.get("close[price2]", ""))
    return CloseAsked(order_type=order_type, limit_price=limit, trigger_price=trigger)


def _expires(text: str, venue_ns: int) -> str | None:
    """Return a form's expiry, in seconds from now or since 1970, as the venue writes times; empty for never."""
    digits = text.removeprefix("+")
    if not (digits.isascii() and digits.isdigit()) or len(digits) > len("9999999999"):
        return None
    seconds = int(digits)
    if not seconds:
        return ""
    return written_time(venue_ns + seconds * _NANOSECONDS if text.startswith("+") else seconds * _NANOSECONDS)
