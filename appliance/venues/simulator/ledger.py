"""Ask a running paper venue for its own books; blocking, for tests and for the summary at the end of a run."""

from typing import Final

import msgspec

from appliance.core.errors import WireError
from appliance.venues.kraken.blocking import exchange
from appliance.venues.kraken.endpoint import Endpoint, endpoint
from appliance.venues.kraken.http import get
from appliance.venues.simulator.kraken.operator import BOOKS_PATH, Books

_TIMEOUT_S: Final = 3.0
_DECODER: Final = msgspec.json.Decoder(Books)


def ask_books(place: Endpoint | str, timeout_s: float = _TIMEOUT_S) -> Books:
    """Return the books of the venue at an endpoint, or at an address of this machine."""
    url = place if isinstance(place, str) else place.authority
    place = endpoint(place, plain_loopback=True) if isinstance(place, str) else place
    body = exchange(place, get(place, BOOKS_PATH), timeout_s)
    try:
        return _DECODER.decode(body)
    except msgspec.DecodeError as problem:
        raise WireError(f"what answers at {url} is no paper venue: {problem}") from problem
