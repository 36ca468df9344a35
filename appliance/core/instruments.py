"""What can be traded, and the only doors between a decimal number and the integer grid.

A price or size that is not a multiple of its step is refused, never rounded: rounding is a decision for the caller,
who knows which way means less risk.
"""

from decimal import ROUND_CEILING, Context, Decimal, Inexact, localcontext
from typing import Self

import msgspec

from appliance.core.errors import ConversionError
from appliance.core.values import CASH_QUANTUM, INT64_MAX

PRICE_TICKS_MAX = 10**15
SIZE_LOTS_MAX = 10**17
_DIGITS_MAX = 60


class Instrument(msgspec.Struct, frozen=True, kw_only=True):
    """Describe one instrument's grid, smallest order and fees."""

    symbol: str
    base: str
    quote: str
    tick: Decimal
    lot: Decimal
    tick_lot_quanta: int
    size_lots_min: int
    maker_fee_ppm: int
    taker_fee_ppm: int
    sector: str = "crypto"
    short_allowed: bool = False

    @classmethod
    def define(
        cls,
        symbol: str,
        *,
        tick: Decimal,
        lot: Decimal,
        size_lots_min: int,
        maker_fee_ppm: int,
        taker_fee_ppm: int,
        sector: str = "crypto",
        short_allowed: bool = False,
    ) -> Self:
        """Define an instrument, refusing a grid on which money would not be exact."""
        base, separator, quote = symbol.partition("/")
        if not (base and separator and quote):
            raise ConversionError(f"instrument {symbol!r} must be written BASE/QUOTE")
        if not (tick.is_finite() and lot.is_finite() and tick > 0 and lot > 0 and size_lots_min > 0):
            raise ConversionError(f"{symbol}: tick, lot and the smallest size must be positive")
        try:
            with localcontext(Context(prec=_DIGITS_MAX, traps=[Inexact])):
                ratio = tick * lot / CASH_QUANTUM
        except Inexact:
            ratio = Decimal(0)
        if ratio != ratio.to_integral_value() or not 0 < ratio <= PRICE_TICKS_MAX:
            raise ConversionError(
                f"{symbol}: tick {tick} x lot {lot} is not a whole number of cash quanta ({CASH_QUANTUM}); "
                "use a coarser lot that is a multiple of the venue's"
            )
        return cls(
            symbol=symbol,
            base=base,
            quote=quote,
            tick=tick,
            lot=lot,
            tick_lot_quanta=int(ratio),
            size_lots_min=size_lots_min,
            maker_fee_ppm=maker_fee_ppm,
            taker_fee_ppm=taker_fee_ppm,
            sector=sector,
            short_allowed=short_allowed,
        )

    def price_to_ticks(self, price: Decimal) -> int:
        """Return a price in ticks, refusing one between two ticks, at or below zero, or beyond the limit."""
        return self._steps(price, self.tick, PRICE_TICKS_MAX, "price")

    def size_to_lots(self, size: Decimal) -> int:
        """Return a size in lots, refusing one between two lots, at or below zero, or beyond the limit."""
        return self._steps(size, self.lot, SIZE_LOTS_MAX, "size")

    def ticks_to_price(self, price_ticks: int) -> Decimal:
        """Return the exact price of so many ticks."""
        with localcontext(prec=_DIGITS_MAX):
            return price_ticks * self.tick

    def lots_to_size(self, size_lots: int) -> Decimal:
        """Return the exact size of so many lots; negative for a short position."""
        with localcontext(prec=_DIGITS_MAX):
            return size_lots * self.lot

    def notional_quanta(self, price_ticks: int, size_lots: int) -> int:
        """Return what so many lots cost at a price, exactly."""
        notional = price_ticks * size_lots * self.tick_lot_quanta
        if not -INT64_MAX <= notional <= INT64_MAX:
            raise ConversionError(f"{self.symbol}: {size_lots} lots at {price_ticks} ticks do not fit the ledger")
        return notional

    def lots_for(self, budget_quanta: int, price_ticks: int) -> int:
        """Return how many whole lots a budget buys at a price, never more."""
        return max(budget_quanta, 0) // (price_ticks * self.tick_lot_quanta)

    def smallest_from(self, size: Decimal) -> int:
        """Return the smallest order a venue names in lots, rounded up: a little more is taken, a little less is not."""
        with localcontext(prec=_DIGITS_MAX):
            lots = int((size / self.lot).to_integral_value(ROUND_CEILING))
        return min(max(lots, 1), SIZE_LOTS_MAX)

    def _steps(self, amount: Decimal, step: Decimal, limit: int, what: str) -> int:
        if not amount.is_finite() or amount <= 0:
            raise ConversionError(f"{self.symbol}: {what} {amount} must be a positive number")
        with localcontext(prec=_DIGITS_MAX):
            if amount > limit * step:
                raise ConversionError(f"{self.symbol}: {what} {amount} is beyond the limit of {limit} steps of {step}")
            steps = (amount / step).to_integral_value()
            # Compared after multiplying back: a quotient is rounded to its last digit, a comparison never is.
            if steps * step != amount:
                raise ConversionError(f"{self.symbol}: {what} {amount} is not a multiple of {step}")
        return int(steps)
