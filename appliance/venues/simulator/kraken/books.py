"""The published book of one instrument: what is on it now, and what changed since a depth was last told.

Theory of operation. A client that follows a depth applies the changes of an update and then forgets what lies beyond
its depth. So an update must carry every level of the new view that differs from the old one, and a removal for every
old level that is gone or, though the client still holds it, would wrongly count among the best.
"""

from typing import Final

from appliance.core.values import Side
from appliance.venues.simulator.listing import Listing
from appliance.wire.kraken.numbers import Grid
from appliance.wire.kraken.serving import market

DEPTHS: Final = (10, 25, 100, 500, 1_000)
Level = tuple[int, int]


class BookView:
    """Publish one instrument's book at every depth that somebody follows."""

    def __init__(self, listing: Listing, grid: Grid) -> None:
        """Look at a listing."""
        self._listing = listing
        self._grid = grid
        self._told: dict[int, tuple[list[Level], list[Level]]] = {}

    def levels(self, side: Side, depth: int) -> list[Level]:
        """Return the best levels of a side, our own resting orders among the makers'."""
        sign = -side.sign
        levels = self._listing.market.levels(sign)
        resting = self._listing.resting[side]
        if not resting:
            return levels[:depth]
        lots_at = dict(levels)
        for order in resting:
            lots_at[order.price_ticks] = lots_at.get(order.price_ticks, 0) + order.live_lots
        return sorted(lots_at.items(), key=lambda level: level[0] * sign)[:depth]

    def snapshot(self, depth: int, venue_ns: int) -> bytes:
        """Return the whole view of a depth as it was last told, or as it is when nobody follows it yet."""
        bids, asks = self._told.setdefault(depth, self._view(depth))
        return market.book(self._grid, bids, asks, market.checksum(asks, bids), venue_ns, snapshot=True)

    def update(self, depth: int, venue_ns: int) -> bytes | None:
        """Return what changed of a depth that is followed, or None when nothing did."""
        old_bids, old_asks = self._told[depth]
        bids, asks = self._told[depth] = self._view(depth)
        bid_changes = changes(old_bids, bids, -1)
        ask_changes = changes(old_asks, asks, 1)
        if not (bid_changes or ask_changes):
            return None
        return market.book(self._grid, bid_changes, ask_changes, market.checksum(asks, bids), venue_ns, snapshot=False)

    def depths(self) -> tuple[int, ...]:
        """Return the depths whose last told view is kept."""
        return tuple(self._told)

    def forget(self, depth: int) -> None:
        """Stop keeping what nobody follows."""
        self._told.pop(depth, None)

    def _view(self, depth: int) -> tuple[list[Level], list[Level]]:
        return self.levels(Side.BUY, depth), self.levels(Side.SELL, depth)


def changes(old: list[Level], new: list[Level], sign: int) -> list[Level]:
    """Return what turns one view into the other; zero lots remove a level."""
    before, after = dict(old), dict(new)
    told = [level for level in new if before.get(level[0]) != level[1]]
    # What lies behind the worst new level falls out of the client's depth by itself.
    worst = new[-1][0] * sign if new else 0
    gone = [(price, 0) for price in before if price not in after and (price * sign <= worst or len(new) < len(old))]
    return gone + told
