"""`appliance venue`: run the simulated venue alone, for the appliance or, with a port, for any Kraken client."""

import argparse
import asyncio
import json
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from appliance.core.clock import NANOSECONDS_PER_SECOND, SystemClock
from appliance.core.config import Config, demo, load
from appliance.core.errors import ConfigError
from appliance.core.instruments import Instrument
from appliance.core.secret import Secret
from appliance.core.values import cash_to_quanta
from appliance.venues.simulator.arrivals import open_arrivals
from appliance.venues.simulator.exchange import Exchange
from appliance.venues.simulator.instruments import BUILT_IN
from appliance.venues.simulator.kraken.faults import FaultPlan
from appliance.venues.simulator.kraken.keys import CANCEL, TRADE, drawn_key
from appliance.venues.simulator.kraken.paper import paper_floor
from appliance.venues.simulator.kraken.serve import announced, kept_key, serve_until_ended
from appliance.venues.simulator.kraken.server import KrakenServer, Latency
from appliance.venues.simulator.last_resort_key import KEY_NAME, issue_key
from appliance.venues.simulator.server import VenueServer

SOCKET_NAME = "venue.sock"
PORT_MAX = 65_535
SPEED_MAX = 1_000
LATENCY_MS_MAX = 60_000
LATENCY_SIGMA = 0.5
HISTORY_NS = 60 * NANOSECONDS_PER_SECOND


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of `appliance venue`."""
    parser.add_argument("--socket", type=Path, metavar="PATH", help=f"where to listen (default: runtime/{SOCKET_NAME})")
    parser.add_argument("--config", type=Path, metavar="FILE", help="the configuration (default: the demonstration's)")
    parser.add_argument("--seed", type=int, metavar="N", help="another market than the configured seed's")
    parser.add_argument("--json", action="store_true", help="say that it listens as one line of JSON")
    parser.add_argument(
        "--last-resort-key",
        type=Path,
        metavar="FILE",
        help=f"the secret that opens the last-resort channel, made if missing (default: state/{KEY_NAME} of --config)",
    )
    parser.add_argument(
        "--arrivals", type=Path, metavar="FILE", help="append one JSON line for every command that arrives"
    )
    kraken = parser.add_argument_group("as a Kraken server on loopback")
    kraken.add_argument("--port", type=int, metavar="N", help="serve WebSocket v2 and REST on a port (0: any free one)")
    kraken.add_argument("--key", type=Path, metavar="FILE", help="keep the account's API key there, made if missing")
    kraken.add_argument("--speed", type=int, default=1, metavar="N", help="let the market live N times as fast")
    kraken.add_argument(
        "--latency-ms", type=float, default=0, metavar="MS", help="median delay of a message, log-normal"
    )
    kraken.add_argument(
        "--faults", default="", metavar="PLAN", help="what goes wrong: drop=5,half_open@10,maintenance@20+5"
    )


def run(arguments: argparse.Namespace) -> int:
    """Serve until stopped by a signal."""
    config = demo() if arguments.config is None else load(arguments.config)
    seed = config.market.seed if arguments.seed is None else arguments.seed
    path = arguments.socket or Path(config.paths.runtime) / SOCKET_NAME
    clock = SystemClock()
    if arguments.port is not None:
        return _serve_kraken(arguments, config, seed, clock)
    if arguments.config is not None:
        # All processes start at once, and any of them may be the first to need the folder.
        config.paths.runtime.mkdir(parents=True, exist_ok=True)
    key = _key(arguments, config)
    with ExitStack() as stack:
        log = None if arguments.arrivals is None else stack.enter_context(open_arrivals(arguments.arrivals))
        server = VenueServer(_exchange(config, seed, clock), clock, last_resort_key=key, on_arrival=log)
        asyncio.run(server.serve(path, _announcement(path, seed, as_json=arguments.json)))
    return 0


def _serve_kraken(arguments: argparse.Namespace, config: Config, seed: int, clock: SystemClock) -> int:
    if not (
        0 <= arguments.port <= PORT_MAX
        and 0 < arguments.speed <= SPEED_MAX
        and 0 <= arguments.latency_ms <= LATENCY_MS_MAX
    ):
        raise ConfigError(f"choose a port to {PORT_MAX}, a speed to {SPEED_MAX} and a latency to {LATENCY_MS_MAX} ms")
    keys = [drawn_key("trading", TRADE) if arguments.key is None else kept_key(arguments.key, "trading", TRADE)]
    if arguments.last_resort_key is not None:
        keys.append(kept_key(arguments.last_resort_key, "last resort", CANCEL))
    floor = paper_floor(
        clock,
        seed=seed,
        cash=config.trading.capital_quote,
        instruments=_listed(config.market.instruments),
        trade_interval_ns=NANOSECONDS_PER_SECOND // config.market.trades_per_second,
        speed=arguments.speed,
    )
    latency = Latency(arguments.latency_ms, LATENCY_SIGMA, seed)
    faults = FaultPlan.parse(arguments.faults, seed)
    server = KrakenServer(floor, clock, keys, port=arguments.port, latency=latency, faults=faults)
    asyncio.run(
        serve_until_ended(server, lambda: print(announced(server, keys, seed, as_json=arguments.json), flush=True))
    )
    return 0


def _key(arguments: argparse.Namespace, config: Config) -> Secret | None:
    """Keep the key in the state folder; a venue alone, without a configuration, has none unless it is named."""
    if arguments.last_resort_key is not None:
        return issue_key(arguments.last_resort_key)
    return None if arguments.config is None else issue_key(config.paths.state / KEY_NAME)


def _exchange(config: Config, seed: int, clock: SystemClock) -> Exchange:
    # The market has a past when it opens: whoever connects first is told of it like whoever comes later.
    start_ns = clock.monotonic_ns() - HISTORY_NS
    return Exchange(
        _listed(config.market.instruments),
        seed,
        cash_to_quanta(config.trading.capital_quote),
        start_ns=start_ns,
        epoch_ns=clock.wall_ns() - start_ns,
        trade_interval_ns=NANOSECONDS_PER_SECOND // config.market.trades_per_second,
    )


def _listed(symbols: tuple[str, ...]) -> tuple[Instrument, ...]:
    listed = {instrument.symbol: instrument for instrument in BUILT_IN}
    unknown = [symbol for symbol in symbols if symbol not in listed]
    if unknown:
        raise ConfigError(f"the built-in venue does not list {', '.join(unknown)}; it lists {', '.join(listed)}")
    return tuple(listed[symbol] for symbol in symbols)


def _announcement(path: Path, seed: int, *, as_json: bool) -> Callable[[], None]:
    facts = {"listening": str(path), "synthetic": True, "seed": seed}
    line = json.dumps(facts) if as_json else f"venue: synthetic market, seed {seed}, listening on {path}"
    return lambda: print(line, flush=True)
