"""Exact numbers and times from the venue's text: no float is ever made.

A tick and a lot are here one unit of the venue's last digit: `price_precision` and `qty_precision` of its instrument
channel, the same digits over which it computes its checksums.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

import msgspec

from appliance.core.errors import WireError
from appliance.core.instruments import PRICE_TICKS_MAX, SIZE_LOTS_MAX
from appliance.kernels.book import SYMBOL_BYTES_MAX
from appliance.wire.kraken.refusals import Reason, Refused, refused

DIGITS_MAX: Final = 17
YEAR_MIN: Final = 1970
YEAR_MAX: Final = 2200
_TEXT_LETTERS_MAX = 64
_DECIMAL_DIGITS_MAX = 40
_DECIMAL_EXPONENT_MAX = 30
_NANOSECONDS = 1_000_000_000
_NUMBER = re.compile(r"(?P<sign>-?)(?P<whole>0|[1-9][0-9]*)(?:\.(?P<part>[0-9]+))?(?:[eE](?P<power>[+-]?[0-9]{1,3}))?")
_TIME = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,9}))?Z",
)


class Grid(msgspec.Struct, frozen=True):
    """Tell how many digits behind the point an instrument's prices and sizes have at the venue."""

    symbol: str
    price_digits: int
    size_digits: int

    def __post_init__(self) -> None:
        if not (0 <= self.price_digits <= DIGITS_MAX and 0 <= self.size_digits <= DIGITS_MAX):
            raise WireError(f"{self.symbol}: digits must be 0 to {DIGITS_MAX}")
        if not (self.symbol.isascii() and 0 < len(self.symbol) <= SYMBOL_BYTES_MAX and '"' not in self.symbol):
            raise WireError(f"{self.symbol!r} is not a symbol of at most {SYMBOL_BYTES_MAX} plain letters")

    def price(self, price_ticks: int) -> Decimal:
        """Return so many ticks as a price."""
        return Decimal(price_ticks).scaleb(-self.price_digits)

    def size(self, size_lots: int) -> Decimal:
        """Return so many lots as a size."""
        return Decimal(size_lots).scaleb(-self.size_digits)

    def ticks(self, text: bytes) -> int | Refused:
        """Return a price's text in ticks; zero is no price."""
        return steps(text, self.price_digits, 1, PRICE_TICKS_MAX)

    def lots(self, text: bytes, smallest: int = 1) -> int | Refused:
        """Return a size's text in lots."""
        return steps(text, self.size_digits, smallest, SIZE_LOTS_MAX)


def steps(text: bytes, digits: int, smallest: int, greatest: int) -> int | Refused:
    """Return a JSON number's text times ten to the digits, exactly, or why it cannot be."""
    shown = text[:_TEXT_LETTERS_MAX].decode("ascii", "replace")
    matched = _NUMBER.fullmatch(shown) if len(text) <= _TEXT_LETTERS_MAX else None
    if matched is None or matched["sign"]:
        return refused(Reason.BAD_NUMBER, shown)
    part = matched["part"] or ""
    mantissa = int(matched["whole"] + part)
    places = digits + int(matched["power"] or 0) - len(part)
    if mantissa == 0:
        value = 0
    elif places > _TEXT_LETTERS_MAX:
        return refused(Reason.OUT_OF_RANGE, shown)
    elif places >= 0:
        value = mantissa * 10**places
    else:
        value, rest = divmod(mantissa, 10**-places)
        if rest:
            return refused(Reason.OFF_GRID, shown)
    return value if smallest <= value <= greatest else refused(Reason.OUT_OF_RANGE, shown)


def moment_ns(text: str) -> int | Refused:
    """Return nanoseconds since 1970 of the venue's written time (RFC 3339 in UTC)."""
    matched = _TIME.fullmatch(text) if text.isascii() else None
    if matched is None:
        return refused(Reason.BAD_TIME, text)
    *date, fraction = matched.groups()
    year, month, day, hour, minute, second = (int(field) for field in date)
    try:
        whole = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return refused(Reason.BAD_TIME, text)
    if not YEAR_MIN <= year <= YEAR_MAX:
        return refused(Reason.BAD_TIME, text)
    return int(whole.timestamp()) * _NANOSECONDS + int((fraction or "").ljust(9, "0"))


def written_time(venue_ns: int) -> str:
    """Return a time as the venue writes it, to the microsecond or finer where it is."""
    seconds, nanoseconds = divmod(venue_ns, _NANOSECONDS)
    fraction = f"{nanoseconds:09d}".removesuffix("000")
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{fraction}Z"


def written_number(number: Decimal) -> msgspec.Raw:
    """Return a decimal as a JSON number without an exponent."""
    return msgspec.Raw(f"{number:f}".encode())


def unsound(message: object) -> Refused | None:
    """Find a decimal in a message that is not finite or beyond any amount, however deep it stands."""
    if isinstance(message, Decimal):
        digits = len(message.as_tuple().digits)
        if not message.is_finite() or digits > _DECIMAL_DIGITS_MAX:
            return refused(Reason.BAD_NUMBER, str(message))
        too_great = message != 0 and abs(message.adjusted()) > _DECIMAL_EXPONENT_MAX
        return refused(Reason.OUT_OF_RANGE, str(message)) if too_great else None
    if isinstance(message, msgspec.Struct):
        return _first_unsound(getattr(message, name) for name in message.__struct_fields__)
    return _first_unsound(message) if isinstance(message, tuple | list) else None


def _first_unsound(parts: Iterable[object]) -> Refused | None:
    return next((found for part in parts if (found := unsound(part)) is not None), None)
