"""Fees that fall with the volume of the last thirty days, as Kraken's schedule has them.

What an order holds back is reckoned with the listed fee, which is that of the first tier and so the highest: an order
can always pay, however the tier changes while it rests.
"""

from bisect import bisect_right
from collections import deque
from collections.abc import Mapping
from typing import Final

from appliance.core.clock import NANOSECONDS_PER_DAY
from appliance.core.events import OrderTraded
from appliance.core.instruments import Instrument
from appliance.core.values import PARTS_PER_MILLION, QUANTA_PER_QUOTE_UNIT
from appliance.venues.simulator.account import Account

WINDOW_DAYS: Final = 30
# From so much traded in quote currency on, a maker and a taker pay this share of the listed fees, in millionths.
TIERS: Final = (
    (0, 1_000_000, 1_000_000),
    (50_000, 875_000, 923_077),
    (100_000, 750_000, 846_154),
    (250_000, 625_000, 769_231),
    (500_000, 500_000, 692_308),
    (1_000_000, 375_000, 615_385),
    (2_500_000, 250_000, 538_462),
    (5_000_000, 125_000, 461_539),
    (10_000_000, 0, 384_616),
)
_FLOORS: Final = [floor * QUANTA_PER_QUOTE_UNIT for floor, _, _ in TIERS]


class TieredAccount(Account):
    """Charge less the more was traded in the last thirty days."""

    def __init__(self, instruments: Mapping[str, Instrument], cash_quanta: int) -> None:
        """Open the account with an amount of cash and no volume."""
        super().__init__(instruments, cash_quanta)
        self._days: deque[tuple[int, int]] = deque(maxlen=WINDOW_DAYS + 1)

    def volume_quanta(self, venue_ns: int) -> int:
        """Return what was traded in the thirty days up to a moment."""
        oldest = venue_ns // NANOSECONDS_PER_DAY - WINDOW_DAYS
        return sum(quanta for day, quanta in self._days if day > oldest)

    def fees_ppm(self, instrument: Instrument, venue_ns: int) -> tuple[int, int]:
        """Return the maker's and the taker's fee at a moment."""
        _, maker, taker = TIERS[bisect_right(_FLOORS, self.volume_quanta(venue_ns)) - 1]
        return (
            instrument.maker_fee_ppm * maker // PARTS_PER_MILLION,
            instrument.taker_fee_ppm * taker // PARTS_PER_MILLION,
        )

    def _book(self, trade: OrderTraded) -> None:
        super()._book(trade)
        day = trade.venue_ns // NANOSECONDS_PER_DAY
        before = self._days.pop()[1] if self._days and self._days[-1][0] == day else 0
        notional = self._instruments[trade.instrument].notional_quanta(trade.price_ticks, trade.size_lots)
        self._days.append((day, before + notional))
