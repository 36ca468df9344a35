"""Price-time priority between the synthetic makers and our resting orders.

The synthetic makers quote lots at prices; each of our orders remembers how many of those lots were there before it
came. So the queue at one price is: what was ahead of our first order, that order, what came before our second, and so
on, and last the synthetic lots that came after all of ours.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from appliance.venues.simulator.orders import VenueOrder


class Place(NamedTuple):
    """Be one place in the queue a taker meets; without an order it belongs to the synthetic makers."""

    price_ticks: int
    size_lots: int
    order: VenueOrder | None


def queue_for(sign: int, levels: Sequence[tuple[int, int]], resting: Iterable[VenueOrder]) -> list[Place]:
    """Return the whole queue a taker meets, best price first, then oldest; +1 is a buyer, -1 a seller."""
    lots_at = dict(levels)
    placed = dict.fromkeys(lots_at, 0)
    places: list[Place] = []
    for order in resting:
        price = order.price_ticks
        ahead = min(order.ahead_lots, lots_at.get(price, 0)) - placed.get(price, 0)
        if ahead > 0:
            places.append(Place(price, ahead, None))
            placed[price] += ahead
        places.append(Place(price, order.live_lots, order))
    places.extend(Place(price, lots - placed[price], None) for price, lots in levels if lots > placed[price])
    # The sort is stable: within a price the order of arrival above is kept.
    places.sort(key=lambda place: place.price_ticks * sign)
    return places


def take(sign: int, size_lots: int, places: Iterable[Place], limit_ticks: int | None = None) -> list[Place]:
    """Return what a taker of that size gets from a queue without paying worse than its limit."""
    taken: list[Place] = []
    for place in places:
        if size_lots == 0 or (limit_ticks is not None and place.price_ticks * sign > limit_ticks * sign):
            break
        lots = min(size_lots, place.size_lots)
        taken.append(Place(place.price_ticks, lots, place.order))
        size_lots -= lots
    return taken
