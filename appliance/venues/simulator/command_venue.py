"""`appliance venue`: run the built-in paper venue alone, for the appliance or for any Kraken client."""

import argparse
import asyncio
import datetime as dt
import json
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from appliance.core.clock import NANOSECONDS_PER_SECOND, SystemClock
from appliance.core.config import Config, demo, load
from appliance.core.errors import ConfigError
from appliance.core.instruments import Instrument
from appliance.core.settings.contradictions import venue_on_this_machine
from appliance.venues.kraken.endpoint import endpoint
from appliance.venues.simulator.arrivals import open_arrivals
from appliance.venues.simulator.instruments import BUILT_IN
from appliance.venues.simulator.kraken.faults import FaultPlan
from appliance.venues.simulator.kraken.issued import issued, keys_of
from appliance.venues.simulator.kraken.keys import TRADE, ApiKey, seeded_key
from appliance.venues.simulator.kraken.names import Catalogue
from appliance.venues.simulator.kraken.paper import HISTORY_NS, Pace, paper_floor, remember
from appliance.venues.simulator.kraken.rates import PRO, RateTier
from appliance.venues.simulator.kraken.server import KrakenServer, Latency
from appliance.venues.simulator.kraken.tls import CERTIFICATE, KEY, served_from
from appliance.venues.simulator.replay import Moment
from appliance.venues.simulator.replay_files import recorded

SPEED_MAX: Final = 1_000
MINUTE_S: Final = 60
# What a client's models look back on: the slowest frame filled at each of the last 31 hours, and to spare.
HISTORY_BARS: Final = 740
LATENCY_MS_MAX: Final = 60_000
LATENCY_SIGMA: Final = 0.5
# A demonstration trades and reconciles far more often than a venue would suffer; it is not to be about that.
UNHURRIED: Final = RateTier(
    trading_max=10_000, trading_decay_milli_per_s=1_000_000, rest_max=1_000, rest_decay_milli_per_s=100_000
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of `appliance venue`."""
    parser.add_argument("--port", type=int, metavar="N", help="where to listen (default: the port of venue.rest_url)")
    parser.add_argument("--config", type=Path, metavar="FILE", help="the configuration (default: the demonstration's)")
    parser.add_argument("--seed", type=int, metavar="N", help="another market than the configured seed's")
    parser.add_argument(
        "--client-key",
        type=Path,
        metavar="FILE",
        help="a further key that may trade, made if missing, for another client",
    )
    parser.add_argument(
        "--replay",
        action="append",
        default=[],
        metavar="SYMBOL=FILE",
        help="let a recording happen again: bars in .parquet, or Kraken frames one a line in .jsonl or .jsonl.zst",
    )
    parser.add_argument("--speed", type=int, default=1, metavar="N", help="let the market live N times as fast")
    parser.add_argument(
        "--latency-ms", type=float, default=0, metavar="MS", help="median delay of a message, log-normal"
    )
    parser.add_argument("--faults", default="", metavar="WORDS", help="what goes wrong, as in drop=5,half_open@10")
    parser.add_argument(
        "--tls",
        type=Path,
        metavar="DIR",
        help=f"serve encrypted (https, wss) with {CERTIFICATE} and {KEY} of this folder, made if there are none; "
        "a client trusts that certificate, the appliance by venue.ca_file",
    )
    parser.add_argument("--json", action="store_true", help="say that it listens as one line of JSON")
    parser.add_argument(
        "--arrivals", type=Path, metavar="FILE", help="append one JSON line for every request that arrives"
    )


def run(arguments: argparse.Namespace) -> int:
    """Serve until stopped by a signal."""
    config = demo() if arguments.config is None else load(arguments.config)
    if not venue_on_this_machine(config):
        # On the appliance this is a service like any other; where nobody asks for it, it has nothing to do.
        print("venue: the configuration trades live elsewhere, so there is no paper venue to serve")
        return 0
    seed = config.market.seed if arguments.seed is None else arguments.seed
    place = endpoint(config.venue.rest_url, plain_loopback=True)
    if place.secure and arguments.tls is None:
        raise ConfigError(f"venue.rest_url is {config.venue.rest_url}: serve it encrypted, with --tls DIR")
    port = place.port if arguments.port is None else arguments.port
    if not (0 < arguments.speed <= SPEED_MAX and 0 <= arguments.latency_ms <= LATENCY_MS_MAX):
        raise ConfigError(f"choose a speed of 1 to {SPEED_MAX} and a latency of 0 to {LATENCY_MS_MAX} ms")
    clock = SystemClock()
    # Whoever runs it alone, without a configuration's state folder, is told the keys; they open paper money only.
    keys = [seeded_key("paper", str(seed), TRADE)] if arguments.config is None else keys_of(config)
    if arguments.client_key is not None:
        keys.append(issued(arguments.client_key, "client", TRADE))
    with ExitStack() as stack:
        log = None if arguments.arrivals is None else stack.enter_context(open_arrivals(arguments.arrivals))
        recordings = _recordings(arguments.replay, config.market.instruments)
        wanted_s = HISTORY_BARS * config.models.bar_s if config.models.enabled else 0
        # Bars of less than a minute are made of trades, so the market must have been open for so long.
        open_s = wanted_s if config.models.bar_s < MINUTE_S else 0
        pace = Pace(
            NANOSECONDS_PER_SECOND // config.market.trades_per_second,
            arguments.speed,
            HISTORY_NS + open_s * NANOSECONDS_PER_SECOND,
        )
        floor = paper_floor(
            clock,
            seed=seed,
            cash=config.trading.capital_quote,
            instruments=_listed(config.market.instruments),
            pace=pace,
            recordings=recordings,
        )
        server = KrakenServer(
            floor,
            clock,
            keys,
            port=port,
            latency=Latency(arguments.latency_ms, LATENCY_SIGMA, seed),
            faults=FaultPlan.parse(arguments.faults, seed),
            # Who runs it alone meets the limits that the venue has.
            tier=PRO if arguments.config is None else UNHURRIED,
            tls=None if arguments.tls is None else served_from(arguments.tls, _now(clock)),
        )
        server.seed, server.on_arrival = seed, log
        remember(server.state, seed=seed, length_s=wanted_s, pace=pace, recordings=recordings)
        asyncio.run(_serve(server, _facts(arguments, config, seed, keys), as_json=arguments.json))
    return 0


def _now(clock: SystemClock) -> dt.datetime:
    return dt.datetime.fromtimestamp(clock.wall_ns() // NANOSECONDS_PER_SECOND, dt.UTC)


async def _serve(server: KrakenServer, facts: dict[str, object], *, as_json: bool) -> None:
    loop = asyncio.get_running_loop()
    stopped: asyncio.Future[None] = loop.create_future()
    loop.set_exception_handler(lambda _, context: _fail(stopped, context))
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _finish, stopped)
    await server.start()
    try:
        facts = {"rest": server.url, "websocket": server.ws_url, **facts}
        line = json.dumps(facts) if as_json else f"venue: {', '.join(f'{name} {fact}' for name, fact in facts.items())}"
        print(line, flush=True)
        await stopped
    finally:
        await server.close()


def _facts(arguments: argparse.Namespace, config: Config, seed: int, keys: list[ApiKey]) -> dict[str, object]:
    market = f"replay of {', '.join(arguments.replay)}" if arguments.replay else "synthetic"
    facts: dict[str, object] = {"market": market, "seed": seed}
    if arguments.config is not None:
        return facts | {"keys": str(config.paths.state)}
    return facts | {"key": keys[0].key, "private": keys[0].private_key.reveal()}


def _listed(symbols: tuple[str, ...]) -> tuple[Instrument, ...]:
    listed = {instrument.symbol: instrument for instrument in BUILT_IN}
    unknown = [symbol for symbol in symbols if symbol not in listed]
    if unknown:
        raise ConfigError(f"the built-in venue does not list {', '.join(unknown)}; it lists {', '.join(listed)}")
    return tuple(listed[symbol] for symbol in symbols)


def _recordings(words: list[str], symbols: tuple[str, ...]) -> dict[str, Iterator[Moment]]:
    found = {}
    for word in words:
        symbol, _, name = word.partition("=")
        if symbol not in symbols or not name:
            raise ConfigError(f"--replay {word}: write SYMBOL=FILE with a symbol of {', '.join(symbols)}")
        [instrument] = _listed((symbol,))
        found[symbol] = recorded(Path(name), instrument, Catalogue([instrument]).listed[symbol].grid)
    return found


def _finish(stopped: "asyncio.Future[None]") -> None:
    if not stopped.done():
        stopped.set_result(None)


def _fail(stopped: "asyncio.Future[None]", context: dict[str, object]) -> None:
    # Without this, asyncio would log a broken invariant of the venue and carry on.
    problem = context.get("exception")
    if not stopped.done():
        stopped.set_exception(
            problem if isinstance(problem, BaseException) else RuntimeError(str(context.get("message")))
        )
