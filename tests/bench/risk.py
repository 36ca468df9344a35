"""What judging one order costs: the whole standing of a filled account against every limit, and the parts beside it.

The account holds ten instruments and has ten more orders open, so every sum has something to add. Each call is timed
alone, because a slow one is what matters; the empty call's own cost is in the figure.
"""

import time
from collections.abc import Callable

import numpy as np

from appliance.core.events import QuoteChanged
from appliance.core.instruments import Instrument
from appliance.core.values import OrderKind, Side
from appliance.engine.portfolio import Portfolio
from appliance.kernels import bars, book
from appliance.market.bars import BarKind, BarSet, time_kind
from appliance.market.microstructure import Microstructure
from appliance.market.tape import Tape
from appliance.risk.limits import first_exceeded, measures
from appliance.trading import records
from appliance.trading.desk import Plan
from appliance.trading.ledger import Ledger
from appliance.trading.scribe import Scribe
from appliance.venues.simulator.instruments import BUILT_IN
from tests.bench.figures import Figure, figure, show
from tests.unit.risk.test_limits import BOUNDS

SECOND_NS = 1_000_000_000
NAMES = [f"C{number}/USD" for number in range(11)]
CALLS = 20_000
LOTS = 1_000
TRADES = 500_000


def account() -> tuple[Portfolio, Plan]:
    """Return a portfolio with ten positions and ten entries, and a plan for an eleventh instrument that may go."""
    instruments = {
        name: Instrument.define(
            name, tick=BUILT_IN[0].tick, lot=BUILT_IN[0].lot, size_lots_min=1, maker_fee_ppm=0, taker_fee_ppm=0
        )
        for name in NAMES
    }
    tapes = {name: Tape(name, SECOND_NS, 200_000) for name in NAMES}
    scribe = Scribe(Ledger())
    scribe.write(records.Account(10**16))
    limits = BOUNDS._replace(
        position_ppm=10**6,
        positions_count=20,
        symbol_ppm=10**6,
        venue_ppm=10**6,
        order_quanta_max=10**16,
        heat_ppm=10**6,
        strategy_ppm=10**6,
        sector_ppm=10**6,
        correlation_ppm=10**6,
        order_quanta_min=1,
    )
    portfolio = Portfolio(scribe, instruments, tapes, limits)
    for number, name in enumerate(NAMES):
        tapes[name].quote(QuoteChanged(name, 640_000, 1, 640_010, 1, 1, SECOND_NS), 1)
        for bar in range(96):
            portfolio.correlations.add(name, bar, float(np.sin(bar * (number + 1))))
    for number, name in enumerate(NAMES[:10]):
        for order in ("held", "open"):
            intent = records.Intent(
                f"{order}{number}",
                name,
                "trend",
                Side.BUY,
                OrderKind.LIMIT,
                640_000,
                LOTS,
                reduce_only=False,
                reason="",
            )
            scribe.write(intent)
        fill = records.Fill(f"held{number}", f"T{number}", name, Side.BUY, 640_000, LOTS, 640_000 * LOTS, 0, False, 1)  # noqa: FBT003
        scribe.write(fill)
    plan = Plan(NAMES[10], "trend", Side.BUY, OrderKind.LIMIT, 640_000, LOTS, reduce_only=False, reason="")
    if (exceeded := first_exceeded(portfolio.standing(plan), limits)) is not None:
        raise SystemExit(f"the plan of the bench must pass every limit, but not {exceeded}")
    return portfolio, plan


def calls_us(call: Callable[[], object], count: int = CALLS) -> list[float]:
    """Return the time of each call, sorted."""
    taken = []
    for _ in range(count):
        started_ns = time.perf_counter_ns()
        call()
        taken.append((time.perf_counter_ns() - started_ns) / 1000)
    return sorted(taken)


def bars_ns() -> tuple[float, float]:
    """Return what a trade costs in nine kinds of bars, one at a time and in a batch."""
    kinds = [time_kind(seconds * SECOND_NS) for seconds in (1, 5, 60, 300, 900, 3_600)]
    kinds += [
        BarKind("trades", bars.TRADES, 500),
        BarKind("volume", bars.VOLUME, 10**9),
        BarKind("value", bars.VALUE, 10**15),
    ]
    dice = np.random.default_rng(1)
    prices = 640_000 + np.cumsum(dice.integers(-3, 4, TRADES))
    lots, moments = dice.integers(1, 10**6, TRADES), np.cumsum(dice.integers(0, 200_000_000, TRADES))
    live, batch = BarSet("BTC/USD", kinds), BarSet("BTC/USD", kinds)
    few = list(zip(prices.tolist(), lots.tolist(), moments.tolist(), strict=True))[: TRADES // 10]
    live.add(*few[0])
    list(batch.add_many(prices[:1], lots[:1], moments[:1]))
    started_ns = time.perf_counter_ns()
    for trade in few:
        live.add(*trade)
    one_ns = (time.perf_counter_ns() - started_ns) / len(few)
    started_ns = time.perf_counter_ns()
    count = sum(1 for _ in batch.add_many(prices, lots, moments))
    if count < TRADES // 100:
        raise SystemExit("the batch closed fewer bars than can be right")
    return one_ns, (time.perf_counter_ns() - started_ns) / TRADES


def measure() -> list[Figure]:
    """Return the figures."""
    portfolio, plan = account()
    limits = portfolio._limits  # the bench asks what the trader asks
    count = len(measures(portfolio.standing(plan), limits))
    judged = calls_us(lambda: first_exceeded(portfolio.standing(plan), limits))
    rows = book.rows_for(1, 10)
    for level in range(10):
        book.apply_level(rows, 0, 0, 640_000 - level, 100 + level)
        book.apply_level(rows, 0, 1, 640_001 + level, 100 + level)
    micro = Microstructure()
    micro.update(rows, 0)
    looks = calls_us(lambda: micro.update(rows, 0))
    trades = iter(range(10**9))
    vpin = calls_us(lambda: micro.traded(640_000 + next(trades) % 7, 1_000))
    live_ns, batch_ns = bars_ns()
    return [
        figure(f"risk check, one order, {count} limits, p50", judged[len(judged) // 2], "us"),
        figure("risk check, one order, p99", judged[len(judged) * 99 // 100], "us", 20),
        figure("book figures (microprice, flow, depth), p50", looks[len(looks) // 2], "us"),
        figure("book figures, p99", looks[len(looks) * 99 // 100], "us"),
        figure("VPIN, one trade, p99", vpin[len(vpin) * 99 // 100], "us", 10),
        figure("nine kinds of bars, one trade, live", live_ns, "ns"),
        figure("nine kinds of bars, one trade, in a batch", batch_ns, "ns"),
    ]


if __name__ == "__main__":
    show(measure())
