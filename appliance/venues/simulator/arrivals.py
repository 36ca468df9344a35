"""The venue's own log of what arrived, with the moment it did: evidence that no trader can alter."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from appliance.core.commands import SendOrder
from appliance.core.errors import ConfigError
from appliance.wire.venue_link import Channel, Submit

LINES_MAX: Final = 1_000_000

Arrived = Callable[[Channel, Submit, int], None]


@contextmanager
def open_arrivals(path: Path, lines_max: int = LINES_MAX) -> Iterator[Arrived]:
    """Append to a file until it has too many lines."""
    try:
        file = path.open("a", encoding="ascii", buffering=1)
    except OSError as problem:
        raise ConfigError(f"cannot write arrivals to {path}: {problem.strerror}; name another file") from problem
    left = lines_max

    def arrived(channel: Channel, message: Submit, now_ns: int) -> None:
        nonlocal left
        if left > 0:
            left -= 1
            file.write(json.dumps(_line(channel, message, now_ns)) + "\n")

    with file:
        yield arrived


def _line(channel: Channel, message: Submit, now_ns: int) -> dict[str, str | int | bool]:
    command = message.command
    line: dict[str, str | int | bool] = {
        "arrived_ns": now_ns,
        "sent_ns": message.sent_ns,
        "channel": channel.value,
        "command": type(command).__name__,
    }
    if isinstance(command, SendOrder):
        line |= {"client_id": command.client_id, "side": command.side.value, "reduce_only": command.reduce_only}
    return line
