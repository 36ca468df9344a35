"""A paper venue under a virtual clock and one client's session at it: no socket, no waiting, no chance."""

import itertools
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

from appliance.core.clock import VirtualClock
from appliance.venues.simulator.kraken.keys import TRADE, Keyring, drawn_key
from appliance.venues.simulator.kraken.paper import paper_floor
from appliance.venues.simulator.kraken.rates import PRO, RateTier
from appliance.venues.simulator.kraken.rounds import Round
from appliance.venues.simulator.kraken.session import Session
from appliance.venues.simulator.kraken.state import VenueState
from appliance.wire.kraken.serving.encoding import encoded

BEGIN_NS = 10**12
WALL_NS = 1_767_225_600 * 10**9
PAIR = "BTC/USD"


class Counter:
    """Ask, and read what is answered and what is told afterwards."""

    def __init__(
        self,
        *,
        seed: int = 1,
        cash: Decimal = Decimal(10_000),
        permissions: frozenset[str] = TRADE,
        tier: RateTier = PRO,
    ) -> None:
        """Open a venue and a session."""
        self.clock = VirtualClock(BEGIN_NS, WALL_NS)
        self.floor = paper_floor(self.clock, seed=seed, cash=cash)
        self.state = VenueState(self.floor, tier)
        self.state.drain()
        self.key = drawn_key("paper", permissions)
        self.keyring = Keyring([self.key])
        self.token = self.keyring.issue(self.key, self.floor.now_ns)
        self.session = Session(self.state, self.keyring, 1)
        self.raw: list[bytes] = []
        self._numbers = itertools.count(1)

    def ask(self, method: str, **params: Any) -> Any:  # noqa: ANN401 - whatever a request holds
        """Send a request with the token and return its first answer."""
        return self.say({"method": method, "params": {"token": self.token, **params}, "req_id": next(self._numbers)})

    def say(self, message: Mapping[str, Any] | bytes) -> Any:  # noqa: ANN401 - as above
        """Send a message as it is."""
        frame = message if isinstance(message, bytes) else encoded(message)
        answers = self.session.receive(frame, self.floor.venue_ns)
        self.raw += answers
        return msgspec.json.decode(answers[0])

    def order(self, order_type: str = "limit", **params: Any) -> Any:  # noqa: ANN401 - as above
        """Place an order to buy a hundredth, unless the parameters say otherwise."""
        plain = {"symbol": PAIR, "side": "buy", "order_qty": Decimal("0.01"), "order_type": order_type}
        return self.ask("add_order", **plain | params)

    def placed(self, order_type: str = "limit", **params: Any) -> str:  # noqa: ANN401 - as above
        """Place an order that must be accepted and return its id."""
        answer = self.order(order_type, **params)
        assert answer["success"], answer
        found: str = answer["result"]["order_id"]
        return found

    def follow(self, channel: str, **params: Any) -> None:  # noqa: ANN401 - as above
        """Subscribe."""
        assert self.ask("subscribe", channel=channel, **params)["success"]

    def told(self) -> list[Any]:
        """Return what the session is told of what happened since the last time."""
        frames = self.session.told(Round(self.state))
        self.raw += frames
        return [msgspec.json.decode(frame) for frame in frames]

    def executions(self) -> list[tuple[str, str]]:
        """Return the id and kind of every step that is told."""
        return [
            (each["order_id"], each["exec_type"])
            for message in self.told()
            if message["channel"] == "executions"
            for each in message["data"]
        ]

    def pass_ms(self, milliseconds: int) -> None:
        """Let time pass."""
        self.clock.advance_to(self.clock.monotonic_ns() + milliseconds * 1_000_000)
        self.floor.advance(self.clock.monotonic_ns())

    def price(self, side: str, ticks: int = 0) -> Decimal:
        """Return the best price of a side, so many ticks away from the middle."""
        market = self.floor.markets[PAIR]
        best = market.bid_ticks - ticks if side == "bid" else market.ask_ticks + ticks
        return Decimal(best).scaleb(-1)
