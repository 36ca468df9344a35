"""What the paper venue remembers from before it opened: the synthetic market's own process, in longer steps.

A market that never was has no past, but a client asks for one: two days and a half of bars before it trades. So the
same process, from a seed of its own, runs up to the moment of opening with a taker every few seconds, who takes what
all those would who come in that time; then its prices are scaled to end where the market begins. It is kept as bars
only: who asks for every trade is told of those since the opening.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from appliance.core.clock import NANOSECONDS_PER_SECOND
from appliance.venues.simulator.market import SyntheticMarket

INTERVAL_NS: Final = 10 * NANOSECONDS_PER_SECOND
LENGTH_S_MAX: Final = 60 * 3_600


class Remembered(NamedTuple):
    """Hold what was traded at one moment."""

    venue_ns: int
    price_ticks: int
    size_lots: int


def past(name: str, end_ticks: int, base_lots: int, end_ns: int, length_s: int, busy: int) -> Iterator[Remembered]:
    """Yield trades up to a moment, the last of them near a price, each as large as so many of the market's takers."""
    start_ns = end_ns - min(length_s, LENGTH_S_MAX) * NANOSECONDS_PER_SECOND
    market = SyntheticMarket(f"{name}/past", end_ticks, base_lots, INTERVAL_NS, start_ns)
    walked: list[Remembered] = []
    while market.next_ns < end_ns:
        middle_ticks = (market.bid_ticks + market.ask_ticks) // 2
        walked.append(Remembered(market.next_ns, middle_ticks, market.taker_lots * busy))
        market.move()
    for each in walked:
        yield each._replace(price_ticks=max(1, each.price_ticks * end_ticks // walked[-1].price_ticks))
