"""Spell numbers and messages as the venue does: amounts are plain decimals with all their digits."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

from appliance.wire.kraken.numbers import written_number

_ENCODER = msgspec.json.Encoder()


def fixed(steps: int, digits: int) -> str:
    """Return so many units of the last of so many digits."""
    if not digits:
        return str(steps)
    sign, steps = ("-", -steps) if steps < 0 else ("", steps)
    whole, part = divmod(steps, 10**digits)
    return f"{sign}{whole}.{part:0{digits}d}"


def decimal(steps: int, digits: int) -> Decimal:
    """Return so many units of the last of so many digits, exactly."""
    return Decimal(steps).scaleb(-digits)


def encoded(message: object) -> bytes:
    """Return a message as JSON, decimals as numbers without an exponent, structs without what is unset."""
    return _ENCODER.encode(_plain(message))


def _plain(value: Any) -> Any:  # noqa: ANN401 - whatever JSON can hold
    if isinstance(value, Decimal):
        return written_number(value)
    if isinstance(value, Mapping):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if isinstance(value, msgspec.Struct):
        return _plain(msgspec.to_builtins(value, builtin_types=(Decimal,)))
    return value
