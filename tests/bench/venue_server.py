"""What the paper venue can serve on one core, sockets left out: frames told to followers, and orders answered."""

import statistics
import time

from appliance.core.clock import VirtualClock
from appliance.venues.simulator.kraken.keys import TRADE, Keyring, drawn_key
from appliance.venues.simulator.kraken.paper import paper_floor
from appliance.venues.simulator.kraken.rates import RateTier
from appliance.venues.simulator.kraken.rounds import Round
from appliance.venues.simulator.kraken.session import Session
from appliance.venues.simulator.kraken.state import VenueState
from appliance.wire.kraken.serving.encoding import encoded
from tests.bench.figures import Figure, figure, show

ROUNDS = 5
STEPS = 3_000
STEP_NS = 50_000_000
ORDERS = 1_000
FREE = RateTier(10**9, 10**9, 10**9, 10**9)


def opened(depth: int) -> tuple[VirtualClock, VenueState, Session, str]:
    """Open a venue with one session that follows books of a depth, trades and its own orders."""
    clock = VirtualClock(10**12, 10**18)
    state = VenueState(paper_floor(clock), FREE)
    key = drawn_key("bench", TRADE)
    keyring = Keyring([key])
    token = keyring.issue(key, state.floor.now_ns)
    session = Session(state, keyring, 1)
    for channel in ("book", "trade", "executions"):
        public = {} if channel == "executions" else {"symbol": list(state.catalogue.listed)}
        params = {"channel": channel, "token": token, **public} | ({"depth": depth} if channel == "book" else {})
        session.receive(encoded({"method": "subscribe", "params": params}), 0)
    return clock, state, session, token


def frames_per_s(depth: int) -> float:
    """Return how many frames a second one follower can be told."""
    clock, state, session, _ = opened(depth)
    count = 0
    started = time.perf_counter()
    for _ in range(STEPS):
        clock.advance_to(clock.monotonic_ns() + STEP_NS)
        state.floor.advance(clock.monotonic_ns())
        count += len(session.told(Round(state)))
    return count / (time.perf_counter() - started)


def orders_per_s() -> float:
    """Return how many orders a second are placed, told of and canceled."""
    clock, state, session, token = opened(10)
    order = {"order_type": "limit", "side": "buy", "order_qty": 1, "symbol": "BTC/USD", "limit_price": 1000}
    place = encoded({"method": "add_order", "params": {**order, "token": token}, "req_id": 1})
    cancel = encoded({"method": "cancel_all", "params": {"token": token}, "req_id": 2})
    started = time.perf_counter()
    for _ in range(ORDERS):
        clock.advance_to(clock.monotonic_ns() + 1)
        for request in (place, cancel):
            session.receive(request, 0)
            session.told(Round(state))
    return ORDERS / (time.perf_counter() - started)


def measure() -> list[Figure]:
    """Return the median rates."""
    return [
        *(
            figure(
                f"paper venue, books {depth} deep and trades",
                statistics.median(frames_per_s(depth) for _ in range(ROUNDS)),
                "frames/s",
            )
            for depth in (10, 100)
        ),
        figure(
            "paper venue, order placed, told, canceled, told",
            statistics.median(orders_per_s() for _ in range(ROUNDS)),
            "orders/s",
        ),
    ]


if __name__ == "__main__":
    show(measure())
