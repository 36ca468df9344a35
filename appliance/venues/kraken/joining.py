"""Join a venue at start: read the key, ask for the terms of the instruments, and only then be able to trade.

The venue may be slower to start than the trader, and so may the network of a box that was just switched on: it is asked
again until a limit. What it says is kept, so that a box whose venue is away for a moment still comes up, with the terms
it knew; the market data connection then tells when they are not the venue's any more.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from appliance.core.clock import NANOSECONDS_PER_MILLISECOND, NANOSECONDS_PER_SECOND, Clock
from appliance.core.config import Config
from appliance.core.errors import ApplianceError, ConfigError, WireError
from appliance.venues.kraken.account import AccountAsker, understood
from appliance.venues.kraken.endpoint import Endpoint, venue_endpoint
from appliance.venues.kraken.keys import TRADER_KEY, VenueKey, key_path, read_key
from appliance.venues.kraken.link import LinkLimits
from appliance.venues.kraken.nonce import NonceCounter
from appliance.venues.kraken.rest import RestClient
from appliance.wire.kraken import rest
from appliance.wire.kraken.names import Names
from appliance.wire.kraken.refusals import Refused

PATIENCE_NS: Final = 10 * NANOSECONDS_PER_SECOND
TERMS_NAME: Final = "venue-terms.json"
TERMS_BYTES_MAX: Final = 1 << 20
_RETRY_S: Final = 0.1
_SAID_EVERY: Final = 20


class Venue(NamedTuple):
    """Hold what trading on a venue needs."""

    market: Endpoint
    orders: Endpoint
    names: Names
    asker: AccountAsker
    client: RestClient
    limits: LinkLimits


async def join(config: Config, clock: Clock, say: Callable[[str], None], patience_ns: int = PATIENCE_NS) -> Venue:
    """Return the venue of a configuration once it has answered, or with the terms it was known by."""
    state, until_ns = config.paths.state, clock.monotonic_ns() + patience_ns
    place = venue_endpoint(config, config.venue.rest_url)
    nonce = NonceCounter(state / "venue.nonce", clock)
    attempts = 0
    while True:
        attempts += 1
        problem = ""
        try:
            key = read_key(key_path(TRADER_KEY, state, config.trading.mode))
            client = RestClient(place, key, nonce)
            return _venue(config, client, await _asked(config, client, state), clock, say)
        except ConfigError:
            # A key or an instrument that is not there yet may come with the venue; one that is wrong will not.
            if clock.monotonic_ns() >= until_ns:
                raise
            problem = "its key or its instruments are not there yet"
        except ApplianceError as found:
            problem = str(found)
        if clock.monotonic_ns() >= until_ns:
            break
        if attempts % _SAID_EVERY == 0:
            say(f"waiting for the venue: {problem}")
        await asyncio.sleep(_RETRY_S)
    return _from_what_was_known(config, place, nonce, clock, say, problem)


async def _asked(config: Config, client: RestClient, state: Path) -> Names:
    body = await client.public("AssetPairs", {"pair": ",".join(config.market.instruments)})
    names = _names(config, body)
    # Without it the box only starts while the venue answers, which is no reason not to start now.
    with suppress(OSError):
        fresh = state / f"{TERMS_NAME}.new"
        fresh.write_bytes(body)
        fresh.replace(state / TERMS_NAME)
    return names


def _from_what_was_known(
    config: Config, place: Endpoint, nonce: NonceCounter, clock: Clock, say: Callable[[str], None], problem: str
) -> Venue:
    key: VenueKey = read_key(key_path(TRADER_KEY, config.paths.state, config.trading.mode))
    path = config.paths.state / TERMS_NAME
    try:
        body = path.read_bytes() if path.stat().st_size <= TERMS_BYTES_MAX else b""
        names = _names(config, body)
    except (OSError, WireError) as absent:
        raise WireError(f"the venue does not answer, and its terms are not known yet: {problem}") from absent
    say(f"the venue does not answer ({problem}); starting with the terms it was known by")
    return _venue(config, RestClient(place, key, nonce), names, clock, say)


def _names(config: Config, body: bytes) -> Names:
    found: dict[str, rest.PairInfo] | rest.Failed | Refused = rest.result(rest.PAIRS, body)
    return Names(understood(found, "AssetPairs"), config.market.instruments)


def _venue(config: Config, client: RestClient, names: Names, clock: Clock, say: Callable[[str], None]) -> Venue:
    limits = LinkLimits(clock_offset_ns_max=config.venue.clock_offset_ms_max * NANOSECONDS_PER_MILLISECOND)
    market, orders = (venue_endpoint(config, url) for url in (config.venue.market_url, config.venue.orders_url))
    return Venue(market, orders, names, AccountAsker(client, names, clock, say), client, limits)
