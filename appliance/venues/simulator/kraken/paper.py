"""Join the parts of a paper venue: instruments, a seed and an amount of money make a floor with a past."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import chain
from types import MappingProxyType
from typing import Final, NamedTuple

from appliance.core.clock import NANOSECONDS_PER_MILLISECOND, NANOSECONDS_PER_SECOND, Clock
from appliance.core.errors import ConfigError
from appliance.core.instruments import Instrument
from appliance.core.values import cash_to_quanta
from appliance.venues.simulator.floor import LEVEL_QUANTA, Floor
from appliance.venues.simulator.instruments import BUILT_IN, START_TICKS
from appliance.venues.simulator.kraken.past import INTERVAL_NS, past
from appliance.venues.simulator.kraken.state import VenueState
from appliance.venues.simulator.ladder import LadderMarket
from appliance.venues.simulator.market import START_TICKS_MIN
from appliance.venues.simulator.replay import Moment, ReplayMarket

HISTORY_NS: Final = 60 * NANOSECONDS_PER_SECOND
TRADE_INTERVAL_NS: Final = 100 * NANOSECONDS_PER_MILLISECOND
CASH: Final = Decimal(10_000)
NONE: Final[Mapping[str, Iterator[Moment]]] = MappingProxyType({})


class Pace(NamedTuple):
    """Say how often takers come, how many times as fast the market lives, and for how long it was open already."""

    trade_interval_ns: int = TRADE_INTERVAL_NS
    speed: int = 1
    open_ns: int = HISTORY_NS


STANDARD: Final = Pace()


def paper_floor(
    clock: Clock,
    *,
    seed: int = 1,
    cash: Decimal = CASH,
    instruments: Sequence[Instrument] = BUILT_IN,
    start_ticks: Mapping[str, int] = START_TICKS,
    pace: Pace = STANDARD,
    recordings: Mapping[str, Iterator[Moment]] = NONE,
) -> Floor:
    """Return a floor that has been open for a minute or more, on synthetic or recorded markets at some speed."""
    start_ns = clock.monotonic_ns() - pace.open_ns
    markets: list[LadderMarket] = []
    for instrument in instruments:
        if instrument.symbol in recordings:
            markets.append(_replayed(instrument, recordings[instrument.symbol], start_ns, pace.speed))
            continue
        ticks = start_ticks.get(instrument.symbol, 0)
        if ticks < START_TICKS_MIN:
            raise ConfigError(f"{instrument.symbol}: give it a start price of at least {START_TICKS_MIN} ticks")
        base_lots = max(1, instrument.lots_for(LEVEL_QUANTA, ticks))
        name = f"{seed}/{instrument.symbol}"
        markets.append(LadderMarket(name, ticks, base_lots, pace.trade_interval_ns, start_ns, speed=pace.speed))
    epoch_ns = clock.wall_ns() - clock.monotonic_ns()
    floor = Floor(instruments, markets, cash_to_quanta(cash), now_ns=start_ns, epoch_ns=epoch_ns)
    floor.advance(start_ns + pace.open_ns)
    return floor


def remember(
    state: VenueState,
    *,
    seed: int,
    length_s: int,
    pace: Pace = STANDARD,
    start_ticks: Mapping[str, int] = START_TICKS,
    recordings: Collection[str] = (),
) -> None:
    """Give every synthetic market bars of the time before it opened; nothing may have been told of it yet."""
    for symbol, instrument in state.floor.instruments.items():
        if symbol in recordings:
            continue
        ticks = start_ticks[symbol]
        base_lots = max(1, instrument.lots_for(LEVEL_QUANTA, ticks))
        busy = max(1, INTERVAL_NS // pace.trade_interval_ns)
        for each in past(f"{seed}/{symbol}", ticks, base_lots, state.floor.venue_ns - pace.open_ns, length_s, busy):
            state.tapes[symbol].remember(*each)


def _replayed(instrument: Instrument, path: Iterator[Moment], start_ns: int, speed: int) -> ReplayMarket:
    first = next(path, None)
    if first is None or first.price_ticks < START_TICKS_MIN:
        raise ConfigError(f"the recording of {instrument.symbol} holds no market; name another file")
    base_lots = max(1, instrument.lots_for(LEVEL_QUANTA, first.price_ticks))
    return ReplayMarket(chain((first,), path), base_lots, start_ns, speed=speed)
