"""What the account is worth, and how it stands against every limit."""

from decimal import Decimal

import pytest

from appliance.core.config import loads
from appliance.core.errors import ConfigError
from appliance.core.values import OrderKind, Side
from appliance.engine.assembly import build_trader, risk_limits
from appliance.safety.modes import Mode
from appliance.strategies.contract import Stance
from appliance.trading import records
from appliance.trading.desk import Plan
from appliance.trading.ledger import Ledger
from tests.unit.engine.builders import BID_TICKS, CASH_QUANTA, CONFIG, INSTRUMENTS, MARKET, SECOND_NS, TAG, Rig

UNIT_QUANTA = 10
OTHER = "ETH/USD"
BOTH = CONFIG.replace("[market]", '[market]\ninstruments = ["BTC/USD", "ETH/USD"]')


def buy(market: str = MARKET, lots: int = 1_000, price_ticks: int = 1_000, strategy: str = "trend") -> Plan:
    """Plan an entry of a known worth."""
    return Plan(market, strategy, Side.BUY, OrderKind.LIMIT, price_ticks, lots, reduce_only=False, reason="")


def test_equity_is_cash_and_what_the_bid_would_fetch() -> None:
    """Shows the account's worth before and after a quote, at cost without one; fails when it is marked at the ask."""
    rig = Rig().holding()
    ledger, portfolio = rig.trader.ledger, rig.trader.portfolio
    rig.quote(BID_TICKS + 500)
    assert portfolio.value_quanta(MARKET) == rig.lots * (BID_TICKS + 500) * UNIT_QUANTA
    assert portfolio.equity_quanta() == ledger.cash_quanta + portfolio.value_quanta(MARKET)
    assert portfolio.value_quanta(OTHER) == 0
    later = rig.restarted()
    assert later.trader.portfolio.value_quanta(MARKET) == ledger.positions[MARKET].cost_quanta


def test_marks_are_written_once_a_minute_and_at_midnight() -> None:
    """Shows one mark a minute, one at the change of day that starts it, and none when the wall clock goes back; fails
    when the card is worn out by marks or a day is counted twice.
    """
    rig = Rig().running()

    def marks() -> list[records.Equity]:
        facts = [records.decode(row) for row in rig.rows]
        return [fact for fact in facts if isinstance(fact, records.Equity)]

    assert [mark.day_start_quanta for mark in marks()] == [CASH_QUANTA]
    rig.pass_time(59 * SECOND_NS)
    assert len(marks()) == 1
    rig.pass_time(2 * SECOND_NS)
    assert len(marks()) == 2
    rig.wall_offset_ns += 86_400 * SECOND_NS
    rig.pass_time(SECOND_NS)
    assert [mark.day for mark in marks()] == [19_700, 19_700, 19_701]
    rig.wall_offset_ns -= 86_400 * SECOND_NS
    rig.pass_time(61 * SECOND_NS)
    assert [mark.day for mark in marks()][3:] == [19_701]


def test_an_unfunded_account_is_not_marked() -> None:
    """Shows that before adoption there is no peak to fall from; fails when a zero becomes the day's start."""
    rig = Rig().permit().pass_time(5 * SECOND_NS)
    assert not [row for row in rig.rows if row.kind == "equity"]
    assert rig.trader.portfolio.drawdown_ppm() == 0


def test_drawdown_is_measured_from_the_peak() -> None:
    """Shows a fall of a tenth as 100,000 parts; fails when it is measured from the day's start."""
    rig = Rig().running()
    rig.trader.ledger.peak_quanta = CASH_QUANTA * 10 // 9
    assert rig.trader.portfolio.drawdown_ppm() == pytest.approx(100_000, abs=1)


def test_working_orders_count_as_if_filled() -> None:
    """Shows that an order in flight is exposure in every sum it belongs to, by what is still open of it; fails when two
    entries in flight could pass a limit together.
    """
    rig = Rig(BOTH).running()
    portfolio = rig.trader.portfolio
    before = portfolio.standing(buy())
    rig.trader._parts.desk.plan(buy(lots=5_000))
    rig.trader._parts.desk.plan(buy(OTHER, 7_000, 2_000, "reversion"))
    after = portfolio.standing(buy())
    own, other = 5_000 * 1_000 * UNIT_QUANTA, 7_000 * 2_000 * INSTRUMENTS[OTHER].tick_lot_quanta
    assert before.order_quanta == 1_000 * 1_000 * UNIT_QUANTA
    assert after.position_quanta - before.position_quanta == own
    assert after.symbol_quanta - before.symbol_quanta == own
    assert after.strategy_quanta - before.strategy_quanta == own
    assert after.venue_quanta - before.venue_quanta == own + other
    assert after.sector_quanta - before.sector_quanta == own + other
    assert (before.positions_count, after.positions_count) == (1, 2)
    assert (before.correlation_ppm, after.correlation_ppm) == (0, 1_000_000)


def test_a_known_correlation_is_measured() -> None:
    """Shows that enough common bars replace the worst case by the measure; fails when it stays unknown or is zero."""
    rig = Rig(BOTH).running()
    rig.trader._parts.desk.plan(buy(OTHER))
    correlations = rig.trader.portfolio.correlations
    for number in range(40):
        correlations.add(MARKET, number, 0.01 * (-1) ** number)
        correlations.add(OTHER, number, -0.02 * (-1) ** number)
    assert rig.trader.portfolio.standing(buy()).correlation_ppm == pytest.approx(1_000_000, abs=1)


def test_usages_at_rest_say_what_is_used_now() -> None:
    """Shows each limit's use with no order asked about; fails when the question itself is counted as an order."""
    rig = Rig(BOTH).running()
    idle = {usage.name: usage.used for usage in rig.trader.portfolio.usages()}
    assert idle.pop("orders per minute") == 0
    assert set(idle.values()) == {0}
    rig.bar(Stance.ENTER)
    rig.fill(rig.orders()[-1])
    used = {usage.name: usage.used for usage in rig.trader.portfolio.usages()}
    assert (used["positions"], used["orders per minute"]) == (1, 1)
    held = rig.lots * BID_TICKS * UNIT_QUANTA
    assert {used[name] for name in ("position", "symbol", "venue", "strategy", "sector", "heat")} == {held}


def test_limits_come_from_the_configuration_in_integers() -> None:
    """Shows that each setting reaches its own limit; fails when two are swapped or a percent is off by tens."""
    limits = risk_limits(loads(CONFIG))
    assert limits == (
        20_000, 10, 50_000, 200_000, 300_000, 400_000, 700_000, 250_000, 50_000, 30_000, 150_000,
        10 * 10**10, 1_000 * 10**10, 30,
    )  # fmt: skip


def test_a_market_the_venue_does_not_offer_is_refused() -> None:
    """Shows that an unknown pair is refused with what is offered; fails when it is traded blindly."""
    with pytest.raises(ConfigError, match="XRP/USD, which the venue does not offer; it offers: BTC/USD, ETH/USD"):
        Rig(CONFIG.replace("[market]", '[market]\ninstruments = ["XRP/USD"]'))


def test_a_configuration_may_not_abandon_what_is_held() -> None:
    """Shows that leaving out a market with a position or a working order is refused by name, and one without is not;
    fails when nobody would watch it.
    """
    only_other = CONFIG.replace("[market]", '[market]\ninstruments = ["ETH/USD"]')
    with pytest.raises(ConfigError, match="must still name BTC/USD"):
        Rig().holding().restarted(only_other)
    working = Rig().running()
    working.venue = False
    with pytest.raises(ConfigError, match="must still name BTC/USD"):
        working.bar(Stance.ENTER).restarted(only_other)
    assert Rig().running().restarted(only_other).permit().mode is Mode.RECONCILING


def test_both_strategies_can_be_built() -> None:
    """Shows that each name in the configuration has its strategy; fails when one is missing."""
    text = CONFIG.replace('["trend"]', '["reversion", "trend"]')
    trader = build_trader(loads(text), INSTRUMENTS, Ledger(), tag=TAG, now_ns=0, wall_ns=0)
    assert [strategy.name for strategy in trader._parts.strategies] == ["reversion", "trend"]
    assert Decimal(trader._parts.settings.fraction_ppm) == 10_000
