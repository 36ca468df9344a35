"""Fixed-fraction sizing: a constant share of equity per entry, halved while the appliance is in REDUCED."""

from appliance.core.instruments import Instrument
from appliance.core.values import parts_of

REDUCED_PPM = 500_000


def entry_lots(
    instrument: Instrument, equity_quanta: int, fraction_ppm: int, price_ticks: int, *, reduced: bool
) -> int:
    """Return how many lots to buy; zero when the share does not reach the venue's smallest order."""
    budget_quanta = parts_of(max(equity_quanta, 0), fraction_ppm)
    if reduced:
        budget_quanta = parts_of(budget_quanta, REDUCED_PPM)
    lots = instrument.lots_for(budget_quanta, price_ticks)
    return lots if lots >= instrument.size_lots_min else 0
