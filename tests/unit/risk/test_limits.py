"""The hard limits, each on both sides of its bound, and sizing, which never rounds up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.core.values import PARTS_PER_MILLION, parts_of
from appliance.risk.limits import RiskLimits, Standing, Usage, first_exceeded, share_ppm, usages
from appliance.risk.sizing import entry_lots
from appliance.venues.simulator.instruments import BUILT_IN

EQUITY_QUANTA = 1_000_000
BOUNDS = RiskLimits(
    position_ppm=20_000,
    positions_count=10,
    symbol_ppm=50_000,
    venue_ppm=200_000,
    strategy_ppm=300_000,
    sector_ppm=400_000,
    correlation_ppm=700_000,
    heat_ppm=250_000,
    stop_loss_ppm=50_000,
    daily_loss_ppm=30_000,
    drawdown_ppm=150_000,
    order_quanta_min=100,
    order_quanta_max=10_000,
    orders_per_minute=30,
)
RESTING = Standing(
    equity_quanta=EQUITY_QUANTA,
    order_quanta=1_000,
    position_quanta=0,
    positions_count=0,
    symbol_quanta=0,
    venue_quanta=0,
    strategy_quanta=0,
    sector_quanta=0,
    correlation_ppm=0,
    day_loss_quanta=0,
    day_start_quanta=EQUITY_QUANTA,
    drawdown_quanta=0,
    peak_quanta=EQUITY_QUANTA,
    orders_last_minute=0,
)
# Each limit with the last standing it admits and the first it refuses, worked out by hand from the bounds above.
# Heat and venue look at the same sum, so the wider of the two is asked with the other out of its way.
EDGES: dict[str, tuple[dict[str, int], dict[str, int]]] = {
    "order size": ({"order_quanta": 10_000}, {"order_quanta": 10_001}),
    "smallest order": ({"order_quanta": 100}, {"order_quanta": 99}),
    "orders per minute": ({"orders_last_minute": 29}, {"orders_last_minute": 30}),
    "positions": ({"positions_count": 10}, {"positions_count": 11}),
    "position": ({"position_quanta": 20_000}, {"position_quanta": 20_001}),
    "symbol": ({"symbol_quanta": 50_000}, {"symbol_quanta": 50_001}),
    "venue": ({"venue_quanta": 200_000}, {"venue_quanta": 200_001}),
    "strategy": ({"strategy_quanta": 300_000}, {"strategy_quanta": 300_001}),
    "sector": ({"sector_quanta": 400_000}, {"sector_quanta": 400_001}),
    "correlation": ({"correlation_ppm": 700_000}, {"correlation_ppm": 700_001}),
    "heat": ({"venue_quanta": 250_000}, {"venue_quanta": 250_001}),
    "daily loss": ({"day_loss_quanta": 30_000}, {"day_loss_quanta": 30_001}),
    "drawdown": ({"drawdown_quanta": 150_000}, {"drawdown_quanta": 150_001}),
}


def bounds_for(name: str) -> RiskLimits:
    """Return the bounds with the venue's out of the way of the heat's."""
    return BOUNDS._replace(venue_ppm=PARTS_PER_MILLION) if name == "heat" else BOUNDS


def test_every_limit_has_its_edges() -> None:
    """Shows that no limit is left without a test of its bound; fails when one is added to the table alone."""
    assert [usage.name for usage in usages(RESTING, BOUNDS)] == list(EDGES)


@pytest.mark.parametrize("name", EDGES)
def test_each_limit_bites_one_beyond_its_bound(name: str) -> None:
    """Shows the last standing a limit admits and the first it refuses; fails when the bound moves or another bites."""
    admitted, refused = EDGES[name]
    assert first_exceeded(RESTING._replace(**admitted), bounds_for(name)) is None
    exceeded = first_exceeded(RESTING._replace(**refused), bounds_for(name))
    assert exceeded is not None
    assert (exceeded.name, exceeded.exceeded) == (name, True)


@pytest.mark.parametrize("name", ["position", "symbol", "venue", "strategy", "sector", "heat"])
def test_without_equity_nothing_is_allowed(name: str) -> None:
    """Shows that a share of nothing, or of a debt, is nothing; fails when a negative equity allows anything."""
    field = "venue_quanta" if name == "heat" else f"{name}_quanta"
    for equity in (0, -EQUITY_QUANTA):
        used = {usage.name: usage for usage in usages(RESTING._replace(equity_quanta=equity, **{field: 1}), BOUNDS)}
        assert used[name] == Usage(name, 1, 0)


def test_an_unknown_correlation_is_the_worst() -> None:
    """Shows that a correlation that could not be measured is refused; fails when unknown passes for none."""
    exceeded = first_exceeded(RESTING._replace(correlation_ppm=PARTS_PER_MILLION), BOUNDS)
    assert exceeded is not None
    assert exceeded.name == "correlation"


@given(st.builds(Standing, *[st.integers(0, 2 * EQUITY_QUANTA)] * len(Standing._fields)))
def test_the_first_exceeded_is_one_of_the_usages(standing: Standing) -> None:
    """Shows that the quick question and the full list agree; fails when one of them asks another table."""
    exceeded = [usage for usage in usages(standing, BOUNDS) if usage.exceeded]
    assert first_exceeded(standing, BOUNDS) == (exceeded[0] if exceeded else None)


@pytest.mark.parametrize(
    ("part", "whole", "share"), [(1, 4, 250_000), (0, 5, 0), (5, 0, 1_000_000), (5, -1, 1_000_000)]
)
def test_a_share_of_nothing_is_everything(part: int, whole: int, share: int) -> None:
    """Shows that anything of nothing is too much; fails with a division by zero or a share of none."""
    assert share_ppm(part, whole) == share


@given(st.integers(-(10**15), 10**17), st.integers(0, PARTS_PER_MILLION), st.integers(1, 10**7), st.booleans())
def test_an_entry_costs_at_most_its_share(equity: int, fraction_ppm: int, price_ticks: int, reduced: bool) -> None:
    """Shows that an entry never costs more than its share of equity, half of it while reduced, and one more lot would;
    fails when a size is rounded up or a debt buys something.
    """
    market = BUILT_IN[0]
    lots = entry_lots(market, equity, fraction_ppm, price_ticks, reduced=reduced)
    budget = parts_of(max(equity, 0), fraction_ppm) // (2 if reduced else 1)
    affordable = budget // (price_ticks * market.tick_lot_quanta)
    assert lots == (affordable if affordable >= market.size_lots_min else 0)


def test_the_smallest_size_is_all_or_nothing() -> None:
    """Shows both sides of the venue's smallest order; fails when a smaller one is sent or made larger."""
    market = BUILT_IN[0]
    budget = market.size_lots_min * 1_000 * market.tick_lot_quanta
    assert entry_lots(market, budget, PARTS_PER_MILLION, 1_000, reduced=False) == market.size_lots_min
    assert entry_lots(market, budget - 1, PARTS_PER_MILLION, 1_000, reduced=False) == 0
