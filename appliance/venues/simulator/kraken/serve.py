"""Run the paper venue alone until a signal ends it, and keep its keys in files."""

import asyncio
import json
import os
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from appliance.core.errors import ConfigError
from appliance.core.secret import Secret, read_secret
from appliance.venues.simulator.kraken.keys import ApiKey, drawn_key
from appliance.venues.simulator.kraken.server import KrakenServer

_SEPARATOR: Final = ":"


async def serve_until_ended(server: KrakenServer, on_listening: Callable[[], None]) -> None:
    """Serve until SIGTERM or SIGINT; a broken invariant of the venue ends it with that error."""
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[None] = loop.create_future()
    loop.set_exception_handler(lambda _, context: _fail(ended, context))
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _end, ended)
    await server.start()
    try:
        on_listening()
        await ended
    finally:
        await server.close()


def announced(server: KrakenServer, keys: Sequence[ApiKey], seed: int, *, as_json: bool) -> str:
    """Return what is said when the venue listens: where, and the keys of its paper money."""
    if as_json:
        told = {each.name: {"key": each.key, "secret": each.private_key.reveal()} for each in keys}
        return json.dumps({"url": server.url, "ws_url": server.ws_url, "synthetic": True, "seed": seed, "keys": told})
    lines = [
        f"venue: paper money on a synthetic market, seed {seed}, as a Kraken server",
        f"REST        {server.url}",
        f"WebSocket   {server.ws_url} (public and authenticated)",
    ]
    for each in keys:
        lines += [f"API key     {each.key} ({each.name})", f"API secret  {each.private_key.reveal()}"]
    return "\n".join(lines)


def kept_key(path: Path, name: str, permissions: frozenset[str]) -> ApiKey:
    """Return the key that a file holds as one line `key:secret`, made first if there is none."""
    made = drawn_key(name, permissions)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        key, separator, private = read_secret(path).reveal().partition(_SEPARATOR)
        if not (key and separator and private):
            raise ConfigError(f"key file {path} must hold key{_SEPARATOR}secret; remove it to have one made") from None
        return ApiKey(name, key, Secret(private), permissions)
    except OSError as problem:
        raise ConfigError(f"the key {path} cannot be made: {problem.strerror}; name another place for it") from problem
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(f"{made.key}{_SEPARATOR}{made.private_key.reveal()}\n")
    return made


def _end(ended: asyncio.Future[None]) -> None:
    if not ended.done():
        ended.set_result(None)


def _fail(ended: asyncio.Future[None], context: dict[str, object]) -> None:
    # Without this, asyncio would log a broken invariant of the venue and carry on.
    problem = context.get("exception")
    if not ended.done():
        ended.set_exception(problem if isinstance(problem, Exception) else RuntimeError(str(context.get("message"))))
