"""What happened between two looks at the floor, ready to be told to every session that follows it.

A frame of a public channel is made when the first session asks for it and kept for the others of the round.
"""

from collections.abc import Iterable

from appliance.venues.simulator.kraken.state import VenueState
from appliance.wire.kraken.account import Balance, Execution
from appliance.wire.kraken.serving import market


class Round:
    """Hold what happened and make the frames that tell of it."""

    def __init__(self, state: VenueState) -> None:
        """Take in what happened since the last round."""
        self._state = state
        steps, self._trades = state.drain()
        self.executions: list[Execution] = [state.teller.execution(step) for step in steps]
        self.balances: list[list[Balance]] = state.teller.balance_changes(steps)
        self._frames: dict[tuple[str, str, int], bytes | None] = {}

    def frame(self, channel: str, symbol: str, detail: int) -> bytes | None:
        """Return a public channel's frame of this round, or None when there is nothing to tell."""
        name = (channel, symbol, detail)
        if name not in self._frames:
            self._frames[name] = self._made(channel, symbol, detail)
        return self._frames[name]

    def _made(self, channel: str, symbol: str, detail: int) -> bytes | None:
        if channel == "book":
            return self._state.books[symbol].update(detail, self._state.floor.venue_ns)
        trades = self._trades.get(symbol)
        if not trades:
            return None
        grid, now_ns = self._state.catalogue.listed[symbol].grid, self._state.floor.venue_ns
        if channel == "trade":
            return market.trades(grid, trades, snapshot=False)
        if channel == "ticker":
            return market.ticker(grid, self._state.figures(symbol), now_ns, snapshot=False)
        bar = self._state.tapes[symbol].current(detail)
        return None if bar is None else market.bars(grid, detail, [bar], now_ns, snapshot=False)


def forget_unfollowed(state: VenueState, followed: Iterable[tuple[str, int]]) -> None:
    """Let the books keep only the depths that somebody follows."""
    wanted = set(followed)
    for symbol, book in state.books.items():
        for depth in book.depths():
            if (symbol, depth) not in wanted:
                book.forget(depth)
