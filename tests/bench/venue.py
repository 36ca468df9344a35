"""How many market events a second the built-in exchange makes on one core."""

import statistics
import time

from appliance.core.commands import SendOrder
from appliance.core.values import OrderKind, Side
from appliance.venues.simulator.exchange import Exchange
from appliance.venues.simulator.instruments import BUILT_IN
from appliance.wire.link import encode
from tests.bench.figures import Figure, figure, show

SECOND_NS = 1_000_000_000
ROUNDS = 5
SIMULATED_S = 3_000
CASH_QUANTA = 10**17
EVENTS_PER_S_REACH = 100_000


def exchange_with(resting_count: int) -> Exchange:
    """Return an exchange with so many orders of ours resting on it, which never fill."""
    exchange = Exchange(BUILT_IN, 7, CASH_QUANTA)
    for number in range(resting_count):
        order = SendOrder(
            client_id=f"r{number}",
            instrument="BTC/USD",
            side=Side.BUY,
            kind=OrderKind.LIMIT,
            price_ticks=90_000 + number,
            size_lots=10_000,
            reduce_only=False,
            deadline_ms=1_000,
            trace=0,
        )
        exchange.submit(0, order, 0)
    return exchange


def events_per_s(resting_count: int, *, encoded: bool) -> float:
    """Return the rate of one round, told in steps of a simulated second as a driver would."""
    exchange = exchange_with(resting_count)
    count = 0
    started = time.perf_counter()
    for second in range(1, SIMULATED_S):
        events = exchange.advance(second * SECOND_NS)
        count += len(events)
        if encoded:
            for event in events:
                encode(event)
    return count / (time.perf_counter() - started)


def measure() -> list[Figure]:
    """Return the median rate of each case."""
    cases = {"bare": (0, False), "encoded for the link": (0, True), "ten orders resting": (10, False)}
    return [
        figure(
            f"built-in venue, {name}",
            statistics.median(events_per_s(count, encoded=encoded) for _ in range(ROUNDS)),
            "market events/s",
            EVENTS_PER_S_REACH,
        )
        for name, (count, encoded) in cases.items()
    ]


if __name__ == "__main__":
    show(measure())
