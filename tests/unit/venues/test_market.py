"""The synthetic market: replayable, bounded, alive."""

import hashlib

from appliance.venues.simulator.market import LEVELS, Regime, SyntheticMarket

SECOND_NS = 1_000_000_000


def market_of(seed: str, interval_ns: int = SECOND_NS // 10, start_ticks: int = 640_000) -> SyntheticMarket:
    """Return a market that opened at time zero."""
    return SyntheticMarket(seed, start_ticks, 1_000_000, interval_ns, 0)


def test_a_seed_is_one_market_on_every_machine() -> None:
    """Shows that the first thousand arrivals are the ones recorded here; fails when the process depends on the
    machine, on the version of Python, or was changed without anyone noticing.
    """
    market = market_of("7/BTC/USD")
    digest = hashlib.sha256()
    for _ in range(1_000):
        market.move()
        facts = (
            market.next_ns,
            market.bid_ticks,
            market.ask_ticks,
            market.bid_lots,
            market.ask_lots,
            market.taker_lots,
        )
        digest.update(repr((*facts, market.taker_buys)).encode())
    assert digest.hexdigest()[:16] == "b423220400fc4adc"


def test_prices_stay_positive_uncrossed_and_in_range() -> None:
    """Shows the bounds over simulated months at one arrival a minute, and where moods last so long between arrivals
    that they reach the bounds; fails when the walk leaves them.
    """
    for interval_s in (60, 3_600):
        market = market_of("range", interval_s * SECOND_NS, start_ticks=1_000)
        for _ in range(50_000):
            market.move()
            assert 1 <= market.ask_ticks - market.bid_ticks <= 3
            assert market.bid_ticks - (LEVELS - 1) * market.step_ticks > 0
            assert 1_000 // 8 - 3 <= market.bid_ticks <= 8_000
            assert min(market.bid_lots) > 0
            assert min(market.ask_lots) > 0
            assert market.taker_lots > 0


def test_takers_arrive_at_the_rate_that_was_asked_for() -> None:
    """Shows the Poisson pace: mean and spread of the waits agree with the exponential; fails when it is off by 3 %."""
    market = market_of("pace")
    waits = []
    for _ in range(40_000):
        before_ns = market.next_ns
        market.move()
        waits.append((market.next_ns - before_ns) / (SECOND_NS / 10))
    mean = sum(waits) / len(waits)
    spread = sum((wait - mean) ** 2 for wait in waits) / len(waits)
    assert abs(mean - 1) < 0.03
    assert abs(spread - 1) < 0.06


def test_every_mood_comes_and_moves_the_price_its_way() -> None:
    """Shows that all regimes occur, that up rises and down falls by more than the noise, and quiet is quieter than
    reverting; fails when the market is one shapeless walk no strategy could act on.
    """
    market = market_of("moods")
    moves: dict[Regime, list[int]] = {regime: [] for regime in Regime}
    for _ in range(100_000):
        before, regime = market.bid_ticks, market.regime
        market.move()
        moves[regime].append(market.bid_ticks - before)
    mean = {regime: sum(steps) / len(steps) for regime, steps in moves.items()}
    size = {regime: sum(map(abs, steps)) / len(steps) for regime, steps in moves.items()}
    assert mean[Regime.UP] > 3
    assert mean[Regime.DOWN] < -3
    assert abs(mean[Regime.REVERTING]) < 3
    assert size[Regime.QUIET] * 3 < size[Regime.REVERTING]


def test_an_emptied_level_uncovers_the_next() -> None:
    """Shows that taking all of the best price moves the best price, and the ladder keeps its depth;
    fails when an empty level is quoted.
    """
    market = market_of("ladder")
    for sign, best in ((1, market.ask_ticks), (-1, market.bid_ticks)):
        price, lots = market.levels(sign)[0]
        assert price == best
        market.consume(sign, price, lots)
        after = market.levels(sign)
        assert after[0][0] == best + sign * market.step_ticks
        assert len(after) == LEVELS
        assert market.lots_at(sign, after[2][0]) == after[2][1]
        assert market.lots_at(sign, best) == 0
