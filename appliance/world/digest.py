"""The whole state of a ledger as one comparable text, so that a replay can be held against the live one."""

import hashlib
from collections import deque
from collections.abc import Callable
from operator import attrgetter

import msgspec

from appliance.core.require import unreachable
from appliance.trading.ledger import Ledger, OrderView, Position

_HIDDEN = frozenset({"_appliers"})
_Getter = Callable[[object], tuple[object, ...]]


def _all_of(kind: type) -> _Getter:
    slots = [slot for parent in kind.__mro__ for slot in getattr(parent, "__slots__", ())]
    return attrgetter(*(slot for slot in slots if slot not in _HIDDEN))


_PARTS: dict[type, _Getter] = {kind: _all_of(kind) for kind in (Ledger, OrderView, Position)}


def _plain(value: object) -> object:
    if isinstance(value, deque):
        return list(value)
    for kind in type(value).__mro__:
        if kind in _PARTS:
            return _PARTS[kind](value)
    return unreachable(f"a ledger holds a {type(value).__name__}, which its digest does not cover")


_encode = msgspec.json.Encoder(order="deterministic", enc_hook=_plain).encode


def digest(ledger: Ledger) -> str:
    """Return a hash over everything a ledger knows, hidden parts included."""
    return hashlib.sha256(_encode(ledger)).hexdigest()
