"""One HTTP request over a blocking socket: for what must work without an event loop."""

import socket
from typing import Final

from appliance.core.errors import WireError
from appliance.venues.kraken.endpoint import Endpoint, tls
from appliance.venues.kraken.http import AnswerReader

_READ_BYTES: Final = 65_536


def exchange(place: Endpoint, request: bytes, timeout_s: float) -> bytes:
    """Send a request and return the body that answers it."""
    context = tls(place)
    try:
        with socket.create_connection((place.host, place.port), timeout_s) as plain:
            stream = plain if context is None else context.wrap_socket(plain, server_hostname=place.host)
            with stream:
                stream.sendall(request)
                answer = AnswerReader()
                while (body := answer.feed(stream.recv(_READ_BYTES))) is None:
                    pass
                return body
    except OSError as problem:
        raise WireError(f"no venue answers at {place.authority} ({problem.strerror or problem})") from problem
