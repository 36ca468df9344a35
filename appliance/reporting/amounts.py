"""Exact amounts as people read them; text leaves here, so no reader rounds money a second time."""

from decimal import ROUND_HALF_EVEN, Decimal, localcontext

from appliance.core.values import QUANTA_PER_QUOTE_UNIT
from appliance.wire.report import Grid

QUANTA_PER_CENT = QUANTA_PER_QUOTE_UNIT // 100
_CENT = Decimal("0.01")
_DIGITS_MAX = 60
_TAIL_LENGTH = 6


def money(amount_quanta: int) -> str:
    """Return an amount of quote currency with thousands separators and two decimals."""
    with localcontext(prec=_DIGITS_MAX):
        rounded = (Decimal(amount_quanta) / QUANTA_PER_QUOTE_UNIT).quantize(_CENT, ROUND_HALF_EVEN)
        return f"{rounded + 0:,}"  # + 0 turns a negative zero into zero


def signed_money(amount_quanta: int) -> str:
    """Return an amount like `money`, with its sign always shown."""
    text = money(amount_quanta)
    return text if text.startswith("-") or text == "0.00" else f"+{text}"


def percent(parts_ppm: int, decimals: int = 2) -> str:
    """Return parts per million as a percentage."""
    with localcontext(prec=_DIGITS_MAX):
        return f"{Decimal(parts_ppm) / 10_000:.{decimals}f} %"


def price(grid: Grid | None, price_ticks: int) -> str:
    """Return a price as the venue writes it, or in ticks when the instrument is not known."""
    if grid is None:
        return f"{price_ticks} ticks"
    with localcontext(prec=_DIGITS_MAX):
        return f"{price_ticks * grid.tick:,}"


def size(grid: Grid | None, size_lots: int) -> str:
    """Return a size in the base currency, or in lots when the instrument is not known."""
    if grid is None:
        return f"{size_lots} lots"
    with localcontext(prec=_DIGITS_MAX):
        text = f"{size_lots * grid.lot:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def duration_ns(span_ns: int | None) -> str:
    """Return a span in the unit that suits its length."""
    if span_ns is None:
        return "–"
    for unit_ns, unit in ((1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "µs")):
        if span_ns >= unit_ns:
            return f"{Decimal(span_ns) / unit_ns:.3g} {unit}"
    return f"{span_ns} ns"


def tail(identifier: str) -> str:
    """Return the end of a long identifier, by which people tell two apart."""
    return identifier if len(identifier) <= _TAIL_LENGTH else f"…{identifier[-_TAIL_LENGTH:]}"
