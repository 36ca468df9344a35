"""The hard limits: a table of named questions, all asked before an entry, each with what is used and what is allowed.

Working and unknown orders count as if they had filled. A limit that cannot be measured (an unknown correlation)
refuses. Orders that only reduce are not asked: reducing must always be possible.
"""

from typing import NamedTuple

from appliance.core.values import PARTS_PER_MILLION, parts_of


class RiskLimits(NamedTuple):
    """Bound what the account may do; shares are parts per million of equity."""

    position_ppm: int
    positions_count: int
    symbol_ppm: int
    venue_ppm: int
    strategy_ppm: int
    sector_ppm: int
    correlation_ppm: int
    heat_ppm: int
    stop_loss_ppm: int
    daily_loss_ppm: int
    drawdown_ppm: int
    order_quanta_min: int
    order_quanta_max: int
    orders_per_minute: int


class Standing(NamedTuple):
    """Measure the account as it would stand with the order filled."""

    equity_quanta: int
    order_quanta: int
    position_quanta: int
    positions_count: int
    symbol_quanta: int
    venue_quanta: int
    strategy_quanta: int
    sector_quanta: int
    correlation_ppm: int
    day_loss_quanta: int
    day_start_quanta: int
    drawdown_quanta: int
    peak_quanta: int
    orders_last_minute: int


class Usage(NamedTuple):
    """Set what is used of a limit beside what is allowed."""

    name: str
    used: int
    allowed: int

    @property
    def exceeded(self) -> bool:
        """Tell whether more is used than allowed."""
        return self.used > self.allowed


def measures(standing: Standing, limits: RiskLimits) -> tuple[tuple[str, int, int], ...]:
    """Return every limit by name, with what is used of it and what is allowed.

    One function and no table of little ones: it runs once in many thousand messages, when no code is warm.
    """
    s, m = standing, limits
    equity, day_start, peak = max(s.equity_quanta, 0), max(s.day_start_quanta, 0), max(s.peak_quanta, 0)
    return (
        ("order size", s.order_quanta, m.order_quanta_max),
        ("smallest order", m.order_quanta_min, s.order_quanta),
        ("orders per minute", s.orders_last_minute + 1, m.orders_per_minute),
        ("positions", s.positions_count, m.positions_count),
        ("position", s.position_quanta, parts_of(equity, m.position_ppm)),
        ("symbol", s.symbol_quanta, parts_of(equity, m.symbol_ppm)),
        ("venue", s.venue_quanta, parts_of(equity, m.venue_ppm)),
        ("strategy", s.strategy_quanta, parts_of(equity, m.strategy_ppm)),
        ("sector", s.sector_quanta, parts_of(equity, m.sector_ppm)),
        ("correlation", s.correlation_ppm, m.correlation_ppm),
        ("heat", s.venue_quanta, parts_of(equity, m.heat_ppm)),
        ("daily loss", s.day_loss_quanta, parts_of(day_start, m.daily_loss_ppm)),
        ("drawdown", s.drawdown_quanta, parts_of(peak, m.drawdown_ppm)),
    )


def usages(standing: Standing, limits: RiskLimits) -> list[Usage]:
    """Return every limit with what is used of it."""
    return [Usage(*measure) for measure in measures(standing, limits)]


def first_exceeded(standing: Standing, limits: RiskLimits) -> Usage | None:
    """Return the first limit the order would exceed, or None when it may go."""
    for name, used, allowed in measures(standing, limits):
        if used > allowed:
            return Usage(name, used, allowed)
    return None


def share_ppm(part: int, whole: int) -> int:
    """Return a share in parts per million; of nothing, anything is too much."""
    return part * PARTS_PER_MILLION // whole if whole > 0 else PARTS_PER_MILLION
