"""`appliance last-resort`: stop at the venue without the trader.

Run by a person it acts at once. A parked one runs beside the guardian instead: started, everything loaded, the key
read, waiting for the guardian's word, so that stopping needs neither time to start nor a card that can still be read.
"""

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from appliance.core.clock import NANOSECONDS_PER_MILLISECOND, NANOSECONDS_PER_SECOND, SystemClock
from appliance.core.config import CONFIG_PATH, Config, load
from appliance.core.errors import ConfigError
from appliance.guardian.last_resort import POLICIES, Outcome
from appliance.guardian.last_resort_link import LastResort
from appliance.guardian.last_resort_parked import Parked, listening
from appliance.hardware.watchdog import Notifier
from appliance.venues.kraken.endpoint import Endpoint, tls, venue_endpoint
from appliance.venues.kraken.keys import LAST_RESORT_KEY as KEY_NAME
from appliance.venues.kraken.keys import VenueKey, key_path, read_key
from appliance.venues.kraken.nonce import NonceCounter

MARGIN_NS: Final = 8 * NANOSECONDS_PER_SECOND


def nonce_path(state: Path) -> Path:
    """Return where the numbers of this key's requests are kept."""
    return state / "last-resort" / "nonce"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--config", type=Path, default=CONFIG_PATH, metavar="FILE", help="the configuration (default: %(default)s)"
    )
    parser.add_argument("--policy", choices=POLICIES, help="what to clear (default: safety.stop_policy)")
    parser.add_argument("--key", type=Path, metavar="FILE", help=f"the venue key (default: state/{KEY_NAME})")
    parser.add_argument("--json", action="store_true", help="print the outcome as one JSON line")
    parser.add_argument("--parked", action="store_true", help="wait for the guardian's calls, again and again")


def run(arguments: argparse.Namespace) -> int:
    """Clear the account at the venue and verify it."""
    config = load(arguments.config)
    key = _key_reader(arguments.key or key_path(KEY_NAME, config.paths.state, config.trading.mode))
    place = venue_endpoint(config, config.venue.rest_url)
    if arguments.parked:
        return _park(config, place, key)
    outcome = _act(config, place, key, arguments.policy or config.safety.stop_policy, lambda: None)
    if arguments.json:
        print(_json(outcome))
    else:
        _print(outcome)
    return 0 if outcome.verified else 1


def _key_reader(path: Path) -> Callable[[], VenueKey]:
    """Read the key anew each time, and fall back on the one read first when the card no longer gives it."""
    kept: list[VenueKey] = []

    def read() -> VenueKey:
        try:
            kept[:] = [read_key(path)]
        except ConfigError:
            if not kept:
                raise
        return kept[0]

    return read


def _park(config: Config, place: Endpoint, key: Callable[[], VenueKey]) -> int:
    notifier = Notifier(os.environ)
    # What encryption needs takes seconds to load from a small card.
    for load_ahead in (key, lambda: tls(place)):
        try:
            load_ahead()
        except ConfigError as problem:
            print(f"appliance: {problem}; it is looked for again when it is needed", file=sys.stderr)

    def act(policy: str) -> str:
        said = _json(_act(config, place, key, policy, notifier.alive))
        print(said, flush=True)
        return said

    with listening(config.paths.runtime, os.environ) as listener:
        notifier.ready()
        parked = Parked(listener, act, notifier.alive)
        while True:
            parked.step()


def _act(
    config: Config, place: Endpoint, key: Callable[[], VenueKey], policy: str, on_progress: Callable[[], None]
) -> Outcome:
    quiet_ns = config.orders.deadline_ms * NANOSECONDS_PER_MILLISECOND
    clock = SystemClock()
    counter = NonceCounter(nonce_path(config.paths.state), clock)
    pairs = _pairs(config.market.instruments)
    resort = LastResort(place, key, counter, clock, pairs, quiet_ns + MARGIN_NS, on_progress)
    return resort.run(policy, quiet_ns)


def _pairs(instruments: tuple[str, ...]) -> dict[str, str]:
    """Return through which instrument each asset is sold, under the venue's older names for it as well."""
    older = {"BTC": ("XBT", "XXBT"), "DOGE": ("XDG", "XXDG")}
    return {
        name: symbol
        for symbol in instruments
        for base in (symbol.partition("/")[0],)
        for name in (base, f"X{base}", *older.get(base, ()))
    }


def _json(outcome: Outcome) -> str:
    return msgspec.json.encode(outcome).decode()


def _print(outcome: Outcome) -> None:
    print("verified" if outcome.verified else f"NOT verified: {outcome.reason}")
    for name, value in msgspec.to_builtins(outcome).items():
        print(f"{name.replace('_', ' '):<18} {value}")
