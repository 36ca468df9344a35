"""What becomes of kept integers when a venue changes an instrument's steps: none may change its meaning.

Lots are what is owned, so they convert exactly or not at all. A price is only what an order was asked to have, and the
venue keeps it as it was; where it falls between two of the new ticks, it is taken as the one that means less risk, and
a guard is then brought in line with it. Cash, cost and fees are quanta, which no step changes.
"""

import math
from fractions import Fraction
from typing import Protocol, Self

from appliance.core.require import require
from appliance.core.values import Side

_LOTS = ("size_lots", "filled_lots", "expected_lots", "asked_lots")
_PRICES = ("price_ticks", "trigger_ticks", "asked_price_ticks", "asked_trigger_ticks")


class Holding(Protocol):
    """Be a position, as far as its lots go."""

    lots: int
    lots_by_strategy: dict[str, int]


class Sized(Protocol):
    """Be an order, as far as its amounts go."""

    side: Side
    size_lots: int
    filled_lots: int
    expected_lots: int
    asked_lots: int


class Conversion:
    """Turn amounts that were counted in old steps into the same amounts in new ones."""

    __slots__ = ("_lots", "_ticks")

    def __init__(self, tick_ratio: Fraction, lot_ratio: Fraction) -> None:
        """Take how many new steps one old step is."""
        self._ticks = tick_ratio
        self._lots = lot_ratio

    @classmethod
    def between(cls, old: tuple[str, str], new: tuple[str, str]) -> Self:
        """Return the conversion between two pairs of tick and lot, each written as a decimal."""
        return cls(Fraction(old[0]) / Fraction(new[0]), Fraction(old[1]) / Fraction(new[1]))

    def carries_position(self, position: Holding) -> bool:
        """Tell whether every lot of a position is a whole number of new ones."""
        return all(self._whole(lots) for lots in (position.lots, *position.lots_by_strategy.values()))

    def carries_order(self, order: Sized) -> bool:
        """Tell whether every size of an order is a whole number of new lots."""
        return all(self._whole(getattr(order, name)) for name in _LOTS)

    def position(self, position: Holding) -> None:
        """Count a position in new lots."""
        require(self.carries_position(position), "a position does not fit the instrument's new lots")
        position.lots = int(position.lots * self._lots)
        position.lots_by_strategy = {name: int(lots * self._lots) for name, lots in position.lots_by_strategy.items()}

    def order(self, order: Sized) -> None:
        """Count an order in new lots and ticks: a buyer's prices rounded down, a seller's up."""
        require(self.carries_order(order), "an order does not fit the instrument's new lots")
        for name in _LOTS:
            setattr(order, name, int(getattr(order, name) * self._lots))
        for name in _PRICES:
            setattr(order, name, self._price(order.side, getattr(order, name)))

    def _whole(self, lots: int) -> bool:
        return (lots * self._lots).denominator == 1

    def _price(self, side: Side, ticks: int) -> int:
        exact = ticks * self._ticks
        rounded = math.floor(exact) if side is Side.BUY else math.ceil(exact)
        return max(rounded, 1) if ticks else 0
