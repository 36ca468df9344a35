"""Join the parts of a paper venue: instruments, a seed and an amount of money make a floor with a past."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from appliance.core.clock import NANOSECONDS_PER_MILLISECOND, NANOSECONDS_PER_SECOND, Clock
from appliance.core.errors import ConfigError
from appliance.core.instruments import Instrument
from appliance.core.values import cash_to_quanta
from appliance.venues.simulator.floor import LEVEL_QUANTA, Floor
from appliance.venues.simulator.instruments import BUILT_IN, START_TICKS
from appliance.venues.simulator.ladder import LadderMarket
from appliance.venues.simulator.market import START_TICKS_MIN

HISTORY_NS: Final = 60 * NANOSECONDS_PER_SECOND
TRADE_INTERVAL_NS: Final = 100 * NANOSECONDS_PER_MILLISECOND
CASH: Final = Decimal(10_000)


def paper_floor(
    clock: Clock,
    *,
    seed: int = 1,
    cash: Decimal = CASH,
    instruments: Sequence[Instrument] = BUILT_IN,
    start_ticks: Mapping[str, int] = START_TICKS,
    trade_interval_ns: int = TRADE_INTERVAL_NS,
    speed: int = 1,
) -> Floor:
    """Return a floor that has been open for a minute, on synthetic markets that live so many times as fast."""
    start_ns = clock.monotonic_ns() - HISTORY_NS
    markets = []
    for instrument in instruments:
        ticks = start_ticks.get(instrument.symbol, 0)
        if ticks < START_TICKS_MIN:
            raise ConfigError(f"{instrument.symbol}: give it a start price of at least {START_TICKS_MIN} ticks")
        base_lots = max(1, instrument.lots_for(LEVEL_QUANTA, ticks))
        name = f"{seed}/{instrument.symbol}"
        markets.append(LadderMarket(name, ticks, base_lots, trade_interval_ns, start_ns, speed=speed))
    epoch_ns = clock.wall_ns() - clock.monotonic_ns()
    floor = Floor(instruments, markets, cash_to_quanta(cash), now_ns=start_ns, epoch_ns=epoch_ns)
    floor.advance(start_ns + HISTORY_NS)
    return floor
