"""What the last resort does at the venue, decided from the venue's account reports alone.

It knows nothing of the trader: no journal, no orders of its own, no memory of an earlier run. So it may be run twice,
or beside a living trader, and it works when the trader is stopped, dead or has lost its database.

An order that was on its way when the trader died may still reach the venue until its deadline has passed, which the
venue enforces. A clear report before that is only a first sign; a clear report to a question asked after it is proof.

The account is a spot account that cannot borrow: nothing can be sold that is not held, so buying is what adds exposure,
and every order to sell is a protective one. Policy `cancel` therefore ends the orders to buy and keeps the others.
"""

from typing import Final

import msgspec

from appliance.core.commands import SendCancel, SendCancelAll, SendOrder, VenueCommand
from appliance.core.errors import ConfigError
from appliance.core.events import AccountReported
from appliance.core.values import OrderKind, Side

POLICIES: Final = ("cancel", "cancel_all", "flatten")
_SALES_MAX: Final = 200


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """Say what came of one run; times count from its start, and -1 means never."""

    verified: bool
    policy: str
    reason: str
    took_ms: int
    clear_ms: int
    connections_count: int
    canceled_count: int
    sold_count: int
    entries_count: int
    open_orders_count: int
    holdings_count: int


class Clearing:
    """Decide what to send next, and when nothing is left to send."""

    def __init__(self, policy: str, started_ns: int, quiet_ns: int, tag: str) -> None:
        """Clear by a policy; no order sent before `started_ns` can arrive more than `quiet_ns` after it."""
        if policy not in POLICIES:
            raise ConfigError(f"{policy} is no stop policy; choose {', '.join(POLICIES)}")
        self.policy = policy
        self.proof_ns = started_ns + quiet_ns
        self._tag = tag
        self._last: AccountReported | None = None
        self.clear_ns: int | None = None
        self.verified = False
        self.canceled_count = 0
        self.sold_count = 0

    @property
    def last(self) -> AccountReported | None:
        """Return the newest account report."""
        return self._last

    def begin(self) -> tuple[VenueCommand, ...]:
        """Return what can be sent before anything is known."""
        return () if self.policy == "cancel" else (SendCancelAll(),)

    def reported(self, report: AccountReported, asked_ns: int) -> tuple[VenueCommand, ...]:
        """Take the answer to a question asked at that moment and return what is to be sent on it."""
        self._last = report
        canceling = self._cancels(report)
        selling = self._sales(report) if not canceling else ()
        if canceling or selling:
            self.clear_ns = None
            return canceling or selling
        self.clear_ns = asked_ns if self.clear_ns is None else self.clear_ns
        self.verified = asked_ns >= self.proof_ns and not self._held(report)
        return ()

    def _cancels(self, report: AccountReported) -> tuple[VenueCommand, ...]:
        if self.policy != "cancel":
            found = len(report.open_orders)
            self.canceled_count += found
            return (SendCancelAll(),) if found else ()
        entries = tuple(SendCancel(order.client_id) for order in report.open_orders if order.side is Side.BUY)
        self.canceled_count += len(entries)
        return entries

    def _sales(self, report: AccountReported) -> tuple[VenueCommand, ...]:
        if not self._held(report) or self.sold_count >= _SALES_MAX:
            return ()
        sales: list[VenueCommand] = []
        for holding in report.holdings:
            if holding.size_lots > 0:
                self.sold_count += 1
                sales.append(_sale(f"last-{self._tag}-{self.sold_count}", holding.instrument, holding.size_lots))
        return tuple(sales)

    def _held(self, report: AccountReported) -> bool:
        return self.policy == "flatten" and any(holding.size_lots for holding in report.holdings)


def entries_in(report: AccountReported) -> int:
    """Count the orders that could still add exposure."""
    return sum(order.side is Side.BUY for order in report.open_orders)


def _sale(client_id: str, instrument: str, size_lots: int) -> SendOrder:
    return SendOrder(
        client_id=client_id,
        instrument=instrument,
        side=Side.SELL,
        kind=OrderKind.MARKET,
        price_ticks=0,
        size_lots=size_lots,
        reduce_only=True,
        deadline_ms=1_000,
        trace=0,
    )
