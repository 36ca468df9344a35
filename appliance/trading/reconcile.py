"""Comparing our books with the venue's: equal to the last quantum, or nobody trades.

A comparison is only meaningful when nothing moved between question and answer, so it counts as an attempt only then;
otherwise it is asked again. Executions the venue names and we missed are booked by their ids. Nothing is ever
invented: if cash or holdings still differ after a few quiet attempts, a person has to look.
"""

import enum
from typing import NamedTuple

from appliance.core.commands import AskAccount
from appliance.core.events import AccountReported
from appliance.trading import records
from appliance.trading.desk import Desk
from appliance.trading.orders import State
from appliance.trading.scribe import Scribe

ATTEMPTS_MAX = 5
TRADES_OVERLAP_NS = 60_000_000_000
_DIFFERENCES_NAMED_MAX = 8


class Verdict(enum.Enum):
    """Name what a comparison found."""

    AGREED = "agreed"
    AGAIN = "ask again"
    DISAGREED = "disagreed"


class _Question(NamedTuple):
    request: int
    asked_ns: int
    fills_count: int
    quiet: bool


class Reconciler:
    """Ask for the account until it equals ours, or until it is certain that it does not."""

    __slots__ = (
        "_attempts",
        "_interval_ns",
        "_patience_ns",
        "_question",
        "_requests",
        "_scribe",
        "differences",
        "wanted",
    )

    def __init__(self, scribe: Scribe, interval_ns: int, patience_ns: int) -> None:
        """Repeat an unanswered question after `patience_ns`, and a moved one after `interval_ns`."""
        self._scribe = scribe
        self._interval_ns = interval_ns
        self._patience_ns = patience_ns
        self._question: _Question | None = None
        self._requests = 0
        self._attempts = 0
        self.wanted = False
        self.differences: tuple[str, ...] = ()

    def start(self) -> None:
        """Begin a fresh comparison; the next moment asks."""
        self.wanted = True
        self._attempts = 0
        self._question = None

    def on_time(self) -> None:
        """Ask when it is due."""
        if not self.wanted:
            return
        now_ns = self._scribe.now_ns
        question = self._question
        if question is not None and now_ns - question.asked_ns < self._patience_ns:
            return
        self._requests += 1
        ledger = self._scribe.ledger
        self._question = _Question(self._requests, now_ns, ledger.fills_count, not ledger.in_flight)
        self._scribe.ask(AskAccount(self._requests, max(0, ledger.last_trade_ns - TRADES_OVERLAP_NS)))

    def answered(self, report: AccountReported, desk: Desk) -> Verdict:
        """Take the venue's view of the account and compare."""
        question = self._question
        if not self.wanted or question is None or report.request != question.request:
            return Verdict.AGAIN
        self._question = question._replace(
            request=-1, asked_ns=self._scribe.now_ns - self._patience_ns + self._interval_ns
        )
        ledger = self._scribe.ledger
        for trade in report.trades:
            desk.traded(trade)
        unexplained = [order.client_id for order in report.open_orders if not desk.found(order.client_id)]
        listed = {order.client_id for order in report.open_orders}
        for order in list(ledger.unsettled()):
            if order.state is State.OPEN and order.client_id not in listed:
                desk.inquire(order)
        moved = not question.quiet or ledger.in_flight or question.fills_count != ledger.fills_count
        # A standing stop may have filled unheard of; then the venue lists it no more, and it has been asked about.
        moved = moved or any(order.client_id not in listed for order in ledger.unsettled())
        if moved or not report.trades_complete:
            return Verdict.AGAIN
        if not ledger.funded and not report.holdings and not report.open_orders and not report.trades:
            self._scribe.write(records.Account(report.cash_quanta))
        self.differences = tuple(f"the venue lists order {name} as open, which we do not" for name in unexplained)
        self.differences += self._compare(report)
        self._attempts += 1
        if not self.differences:
            return self._conclude(report, Verdict.AGREED)
        if self._attempts >= ATTEMPTS_MAX:
            return self._conclude(report, Verdict.DISAGREED)
        return Verdict.AGAIN

    def _conclude(self, report: AccountReported, verdict: Verdict) -> Verdict:
        self.wanted = False
        self._question = None
        agreed = verdict is Verdict.AGREED
        self._scribe.write(records.Reconciled(agreed, self.differences[:_DIFFERENCES_NAMED_MAX], report.venue_ns))
        return verdict

    def _compare(self, report: AccountReported) -> tuple[str, ...]:
        ledger = self._scribe.ledger
        if not ledger.funded:
            return ("the account must be flat and without orders when it is first adopted",)
        found = []
        if report.cash_quanta != ledger.cash_quanta:
            found.append(f"cash: the venue has {report.cash_quanta} quanta, we have {ledger.cash_quanta}")
        theirs = {holding.instrument: holding.size_lots for holding in report.holdings if holding.size_lots}
        ours = {name: position.lots for name, position in ledger.positions.items() if position.lots}
        found += [
            f"{name}: the venue holds {theirs.get(name, 0)} lots, we hold {ours.get(name, 0)}"
            for name in sorted(theirs.keys() | ours.keys())
            if theirs.get(name, 0) != ours.get(name, 0)
        ]
        return tuple(found)
