"""The limits as they come: those of the specification, and in force from the first order on."""

from appliance.core.config import loads
from appliance.core.values import PARTS_PER_MILLION
from appliance.engine.assembly import risk_limits

PERCENT = PARTS_PER_MILLION // 100


def test_the_defaults_are_those_of_the_specification() -> None:
    """Shows each limit's default as it was specified; fails when one is loosened, or an empty file means no limits."""
    limits, config = risk_limits(loads("")), loads("")
    assert limits.position_ppm == 2 * PERCENT
    assert limits.positions_count == 10
    assert limits.symbol_ppm == 5 * PERCENT
    assert limits.venue_ppm == 20 * PERCENT
    assert limits.strategy_ppm == 30 * PERCENT
    assert limits.sector_ppm == 40 * PERCENT
    assert limits.correlation_ppm == 70 * PERCENT
    assert limits.heat_ppm == 25 * PERCENT
    assert limits.drawdown_ppm == 15 * PERCENT
    assert 0 < limits.daily_loss_ppm <= limits.drawdown_ppm
    assert limits.stop_loss_ppm == 5 * PERCENT
    assert 0 < limits.order_quanta_min < limits.order_quanta_max
    assert limits.orders_per_minute > 0
    assert config.risk.minimum_hold_s == 300
