"""After a refusal, patience: whoever was refused an entry waits before the next, each time twice as long.

A venue refuses for a reason that a second try in the same breath does not change: no funds, too small, a limit of its
own, maintenance. Answering each refusal with another order is how an account gets banned. The wait ends early only
with an entry that was taken.
"""

from appliance.trading.ledger import OrderView
from appliance.trading.orders import State

WAIT_NS_MIN = 1_000_000_000
WAIT_NS_MAX = 60_000_000_000


class Restraint:
    """Keep, for each strategy and instrument, until when it has to wait."""

    __slots__ = ("_waits",)

    def __init__(self) -> None:
        """Begin with nobody waiting."""
        self._waits: dict[tuple[str, str], tuple[int, int]] = {}

    def heed(self, order: OrderView, now_ns: int) -> None:
        """Take the state that an order has just come to, by whatever word: only entries count."""
        if order.reduce_only:
            return
        if order.state is State.REFUSED:
            self.refused(order.instrument, order.strategy, now_ns)
        elif order.state in {State.OPEN, State.FILLED}:
            self.accepted(order.instrument, order.strategy)

    def refused(self, instrument: str, strategy: str, now_ns: int) -> None:
        """Let it wait, twice as long as after its last refusal."""
        _, last_ns = self._waits.get((instrument, strategy), (0, 0))
        wait_ns = min(max(2 * last_ns, WAIT_NS_MIN), WAIT_NS_MAX)
        self._waits[instrument, strategy] = (now_ns + wait_ns, wait_ns)

    def accepted(self, instrument: str, strategy: str) -> None:
        """Forget every refusal: the venue took one."""
        self._waits.pop((instrument, strategy), None)

    def waits(self, instrument: str, strategy: str, now_ns: int) -> bool:
        """Tell whether it may not try again yet."""
        until_ns, _ = self._waits.get((instrument, strategy), (0, 0))
        return now_ns < until_ns
