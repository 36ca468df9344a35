"""The small closed vocabularies and the integer arithmetic of money.

Prices are ticks, sizes are lots, cash is quanta, shares are parts per million: always `int`, the unit last in the
name. One quantum is 1e-10 of the quote currency: fine enough that tick x lot is a whole number of quanta for every
instrument we admit, coarse enough that nine hundred million still fit a signed 64-bit word.
"""

import enum
from decimal import Decimal

CASH_QUANTUM = Decimal("0.0000000001")
# The one refusal that proves existence: the venue has an order under that id already.
REFUSED_AS_DUPLICATE = "duplicate client id"
QUANTA_PER_QUOTE_UNIT = 10_000_000_000
PARTS_PER_MILLION = 1_000_000
INT64_MAX = 2**63 - 1


class Side(enum.StrEnum):
    """Name the two directions of an order."""

    BUY = "buy"
    SELL = "sell"

    @property
    def sign(self) -> int:
        """Return +1 for buying and -1 for selling."""
        return 1 if self is Side.BUY else -1

    @property
    def opposite(self) -> "Side":
        """Return the other direction."""
        return Side.SELL if self is Side.BUY else Side.BUY


class OrderKind(enum.StrEnum):
    """Name how an order meets the book; one with a trigger sleeps at the venue until a trade reaches it."""

    MARKET = "market"
    LIMIT = "limit"
    STOP = "stop-loss"
    STOP_LIMIT = "stop-loss-limit"


STOP_KINDS = frozenset({OrderKind.STOP, OrderKind.STOP_LIMIT})
PRICED_KINDS = frozenset({OrderKind.LIMIT, OrderKind.STOP_LIMIT})


class SelfTrade(enum.StrEnum):
    """Name which of two orders of ours the venue gives up when they would trade with each other."""

    CANCEL_NEWEST = "cancel_newest"
    CANCEL_OLDEST = "cancel_oldest"
    CANCEL_BOTH = "cancel_both"


class Ending(enum.StrEnum):
    """Name how an order that was accepted left the book without being filled in full."""

    CANCELED = "canceled"
    EXPIRED = "expired"


class VenueState(enum.StrEnum):
    """Name what the venue says of an order when it is asked."""

    OPEN = "open"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REFUSED = "refused"
    NOT_FOUND = "not_found"


def parts_of(amount: int, parts_ppm: int) -> int:
    """Return that share of an amount, rounded toward zero: toward less risk for a limit or a size."""
    product = abs(amount) * parts_ppm // PARTS_PER_MILLION
    return product if amount >= 0 else -product


def fee_quanta(notional_quanta: int, fee_ppm: int) -> int:
    """Return a fee rounded up, as every venue rounds it."""
    return -(-notional_quanta * fee_ppm // PARTS_PER_MILLION)


def percent_to_ppm(percent: Decimal | int) -> int:
    """Return a percentage as whole parts per million, rounded toward zero."""
    return int(Decimal(percent) * 10_000)


def cash_to_quanta(amount: Decimal) -> int:
    """Return an amount of quote currency in quanta, rounded down to the quantum."""
    numerator, denominator = amount.as_integer_ratio()
    return numerator * QUANTA_PER_QUOTE_UNIT // denominator


def quanta_to_cash(amount_quanta: int) -> Decimal:
    """Return quanta as an exact amount of quote currency."""
    return Decimal(amount_quanta).scaleb(-10)
