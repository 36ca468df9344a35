"""The venue's own log of what arrived, with the moment it did: evidence that no trader can alter."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from appliance.core.errors import ConfigError

LINES_MAX: Final = 1_000_000
_QUIET: Final = frozenset({"ping", "subscribe", "unsubscribe"})
_KEPT: Final = ("cl_ord_id", "side", "symbol", "pair", "order_type", "ordertype", "type", "timeout", "deadline")

Arrived = Callable[[str, str, Mapping[str, Any], int], None]


@contextmanager
def open_arrivals(path: Path, lines_max: int = LINES_MAX) -> Iterator[Arrived]:
    """Append to a file until it has too many lines."""
    try:
        file = path.open("a", encoding="ascii", buffering=1)
    except OSError as problem:
        raise ConfigError(f"cannot write arrivals to {path}: {problem.strerror}; name another file") from problem
    left = lines_max

    def arrived(key: str, method: str, fields: Mapping[str, Any], now_ns: int) -> None:
        nonlocal left
        if left > 0 and method not in _QUIET:
            left -= 1
            kept = {name: fields[name] for name in _KEPT if name in fields}
            file.write(json.dumps({"arrived_ns": now_ns, "key": key, "method": method, **kept}) + "\n")

    with file:
        yield arrived


def asked_in(frame: bytes) -> tuple[str, str, Mapping[str, Any]]:
    """Return whose request a frame holds, as far as it says so, its method and its fields."""
    try:
        request = json.loads(frame)
        fields = request.get("params", {})
        return "token", str(request.get("method", "")), fields if isinstance(fields, dict) else {}
    except (ValueError, AttributeError, RecursionError):
        return "token", "unreadable", {}
