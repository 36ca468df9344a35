"""The venue's REST interface for the trader: one short connection a request, one private request at a time.

A private request carries a number that must rise, so they go out in a row, never side by side. Everything has a limit:
the time, the size, and how many may wait.
"""

import asyncio
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

from appliance.core.errors import WireError
from appliance.venues.kraken import http
from appliance.venues.kraken.endpoint import Endpoint, tls
from appliance.venues.kraken.keys import VenueKey
from appliance.venues.kraken.nonce import NonceCounter
from appliance.wire.kraken.signing import signed

TIMEOUT_S: Final = 5.0
WAITING_MAX: Final = 32
LIMITED: Final = b"EAPI:Rate limit exceeded"
PAUSE_S: Final = 2.0
_READ_BYTES: Final = 65_536
_ERROR_BYTES: Final = 200


class RestClient:
    """Ask a venue over REST."""

    def __init__(self, place: Endpoint, key: VenueKey, nonce: NonceCounter, timeout_s: float = TIMEOUT_S) -> None:
        """Ask at an endpoint with a key."""
        self._place = place
        self._key = key
        self._nonce = nonce
        self._timeout_s = timeout_s
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._held_until_s = 0.0

    async def public(self, name: str, fields: Mapping[str, str] | None = None) -> bytes:
        """Return the body that answers a public request."""
        query = f"?{urlencode(fields)}" if fields else ""
        return await self._exchange(http.get(self._place, f"/0/public/{name}{query}"))

    async def private(self, name: str, fields: Mapping[str, str] | None = None) -> bytes:
        """Return the body that answers a signed request."""
        if self._waiting >= WAITING_MAX:
            raise WireError(f"{self._waiting} requests wait for the venue already")
        if asyncio.get_running_loop().time() < self._held_until_s:
            raise WireError("the venue's request rate was used up; asking again in a moment")
        self._waiting += 1
        try:
            async with self._turn:
                request = signed(
                    f"/0/private/{name}", fields or {}, self._nonce.next(), self._key.name, self._key.private
                )
                body = await self._exchange(http.post(self._place, request.path, request.body, request.headers))
                # Every further request would only keep the venue's counter up.
                if LIMITED in body[:_ERROR_BYTES]:
                    self._held_until_s = asyncio.get_running_loop().time() + PAUSE_S
                return body
        finally:
            self._waiting -= 1

    async def _exchange(self, request: bytes) -> bytes:
        place = self._place
        try:
            async with asyncio.timeout(self._timeout_s):
                context = tls(place)
                name = place.host if context is not None else None
                reader, writer = await asyncio.open_connection(
                    place.host, place.port, ssl=context, server_hostname=name
                )
                try:
                    writer.write(request)
                    return await _answer(reader)
                finally:
                    writer.transport.abort()
        except TimeoutError as problem:
            raise WireError(f"the venue at {place.authority} did not answer in {self._timeout_s} s") from problem
        except OSError as problem:
            raise WireError(f"the venue at {place.authority} cannot be reached: {problem}") from problem


async def _answer(reader: asyncio.StreamReader) -> bytes:
    answer = http.AnswerReader()
    while True:
        body = answer.feed(await reader.read(_READ_BYTES))
        if body is not None:
            return body
