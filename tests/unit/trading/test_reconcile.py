"""Comparing books: only when nothing moved, only what the venue names, and a person when it will not agree."""

import pytest

from appliance.core import commands, events
from appliance.core.values import OrderKind, Side
from appliance.trading import records
from appliance.trading.desk import Plan
from appliance.trading.orders import State
from appliance.trading.reconcile import ATTEMPTS_MAX, TRADES_OVERLAP_NS, Reconciler, Verdict
from tests.unit.trading.builders import (
    MARKET,
    OTHER_MARKET,
    SECOND_NS,
    TAG,
    Bench,
    account,
    ended,
    timed_out,
    traded,
)

CASH_QUANTA = 10**12
INTERVAL_NS = SECOND_NS // 4
PATIENCE_NS = 2 * SECOND_NS


class Books(Bench):
    """A bench with a reconciler that has been started."""

    def __init__(self, *, funded: bool = True) -> None:
        super().__init__()
        if funded:
            self.scribe.write(records.Account(CASH_QUANTA))
        self.reconciler = Reconciler(self.scribe, INTERVAL_NS, PATIENCE_NS)
        self.reconciler.start()

    def ask(self) -> int:
        """Let time ask, and return the number of the question."""
        self.at(self.scribe.now_ns + PATIENCE_NS).reconciler.on_time()
        (command,) = self.asked()
        assert isinstance(command, commands.AskAccount)
        return command.request

    def answer(self, report: events.AccountReported) -> Verdict:
        """Hand the venue's view in."""
        return self.reconciler.answered(report, self.desk)

    def reconciled(self) -> list[records.Reconciled]:
        """Return every comparison that was written down."""
        self.asked()
        facts = [records.decode(row) for row in self.rows]
        return [fact for fact in facts if isinstance(fact, records.Reconciled)]


def open_order(client_id: str) -> events.OpenOrder:
    """List an order as the venue does."""
    return events.OpenOrder(client_id, MARKET, Side.BUY, OrderKind.LIMIT, 1_000, 100, 0)


def test_equal_books_agree_at_once() -> None:
    """Shows that one quiet question with equal books agrees and is written down; fails when it takes more."""
    books = Books()
    assert books.answer(account(books.ask(), CASH_QUANTA)) is Verdict.AGREED
    assert books.reconciled() == [records.Reconciled(agreed=True, differences=(), venue_ns=0)]
    books.at(10**12).reconciler.on_time()
    assert books.asked() == []


def test_nothing_is_asked_until_started() -> None:
    """Shows that a reconciler at rest asks nothing and takes no answer; fails when a stray report is compared."""
    books = Books()
    books.answer(account(books.ask(), CASH_QUANTA))
    assert books.answer(account(1, 5)) is Verdict.AGAIN
    assert len(books.reconciled()) == 1


def test_an_unanswered_question_repeats_after_patience() -> None:
    """Shows both sides of the patience, and that only the newest question's answer counts; fails when it asks without
    end or believes an old answer.
    """
    books = Books()
    first = books.ask()
    start_ns = books.scribe.now_ns
    books.at(start_ns + PATIENCE_NS - 1).reconciler.on_time()
    assert books.asked() == []
    books.at(start_ns + PATIENCE_NS).reconciler.on_time()
    assert books.asked() == [commands.AskAccount(first + 1, 0)]
    assert books.answer(account(first, CASH_QUANTA)) is Verdict.AGAIN
    assert books.answer(account(first + 1, CASH_QUANTA)) is Verdict.AGREED


@pytest.mark.parametrize(
    ("report", "words"),
    [
        ({"cash_quanta": CASH_QUANTA + 1}, "cash: the venue has 1000000000001 quanta, we have 1000000000000"),
        ({"holdings": (events.Holding(MARKET, 3),)}, "BTC/USD: the venue holds 3 lots, we hold 0"),
        ({"open_orders": (open_order("stranger"),)}, "the venue lists order stranger as open, which we do not"),
    ],
)
def test_a_difference_is_final_only_after_quiet_attempts(report: dict[str, object], words: str) -> None:
    """Shows that each kind of difference is asked about again up to the bound and then disagrees by name; fails when
    one attempt condemns, or none ever does.
    """
    books = Books()
    content: dict[str, object] = {"cash_quanta": CASH_QUANTA} | report
    for _ in range(ATTEMPTS_MAX - 1):
        assert books.answer(account(books.ask(), **content)) is Verdict.AGAIN  # type: ignore[arg-type]
    assert books.reconciled() == []
    assert books.answer(account(books.ask(), **content)) is Verdict.DISAGREED  # type: ignore[arg-type]
    assert books.reconciler.differences == (words,)
    assert books.reconciled() == [records.Reconciled(agreed=False, differences=(words,), venue_ns=0)]


def test_a_difference_that_heals_agrees() -> None:
    """Shows that a difference gone by the last attempt agrees; fails when attempts only count up."""
    books = Books()
    for _ in range(ATTEMPTS_MAX - 1):
        books.answer(account(books.ask(), CASH_QUANTA - 1))
    assert books.answer(account(books.ask(), CASH_QUANTA)) is Verdict.AGREED


def test_a_moving_account_is_asked_again_without_counting() -> None:
    """Shows that answers while an order is out never count as attempts, and come at the shorter interval; fails when a
    fill in flight is taken for a disagreement.
    """
    books = Books()
    order = books.opened()
    for _ in range(3 * ATTEMPTS_MAX):
        assert books.answer(account(books.ask(), 1, open_orders=(open_order(order.client_id),))) is Verdict.AGAIN
    answered_ns = books.scribe.now_ns
    books.at(answered_ns + INTERVAL_NS - 1).reconciler.on_time()
    assert books.asked() == []
    books.at(answered_ns + INTERVAL_NS).reconciler.on_time()
    assert len(books.asked()) == 1
    assert books.reconciled() == []


def test_a_question_asked_while_something_moved_does_not_count() -> None:
    """Shows that an order settled, or filled, between question and answer voids the comparison; fails when the answer's
    moment is taken for the question's.
    """
    books = Books()
    order = books.opened()
    request = books.ask()
    books.desk.ended(ended(order))
    assert books.answer(account(request, 1)) is Verdict.AGAIN
    for number in range(2 * ATTEMPTS_MAX):
        request = books.ask()
        books.desk.traded(traded(books.opened(), f"quick-{number}", 100))
        assert books.answer(account(request, CASH_QUANTA)) is Verdict.AGAIN
    assert books.reconciled() == []


def test_an_incomplete_list_of_trades_is_no_answer() -> None:
    """Shows that a report that left trades out is asked again; fails when missing fills pass as agreement."""
    books = Books()
    assert books.answer(account(books.ask(), CASH_QUANTA, complete=False)) is Verdict.AGAIN


def test_a_missed_fill_is_booked_from_the_report() -> None:
    """Shows that a fill we never heard of is booked by its id, once, and then the books agree; fails when it is
    invented from the difference or booked twice.
    """
    books = Books()
    order = books.opened()
    books.desk.ended(ended(order, 40))
    fill = traded(order, "missed", 40)
    cash_quanta = CASH_QUANTA - 1_000 * 40 * 10 - 7
    report = {"holdings": (events.Holding(MARKET, 40), events.Holding(OTHER_MARKET, 0)), "trades": (fill, fill)}
    assert books.answer(account(books.ask(), cash_quanta, **report)) is Verdict.AGAIN  # type: ignore[arg-type]
    assert order.settled
    assert books.answer(account(books.ask(), cash_quanta, **report)) is Verdict.AGREED  # type: ignore[arg-type]
    assert books.ledger.fills_count == 1


def test_trades_are_asked_for_with_an_overlap() -> None:
    """Shows that executions are asked for from well before the last one known; fails when a late one falls between."""
    books = Books()
    late_ns = 5 * TRADES_OVERLAP_NS
    books.desk.traded(traded(books.opened(), "a", 100, venue_ns=late_ns))
    books.at(PATIENCE_NS).reconciler.on_time()
    assert books.asked() == [commands.AskAccount(1, late_ns - TRADES_OVERLAP_NS)]


def test_a_silent_order_the_venue_lists_is_found() -> None:
    """Shows that the list of open orders ends an order's silence; fails when it stays unknown."""
    books = Books()
    order = books.sent()
    books.desk.timed_out(timed_out(order))
    books.answer(account(books.ask(), CASH_QUANTA, open_orders=(open_order(order.client_id),)))
    assert order.state is State.OPEN


def test_an_open_order_the_venue_no_longer_lists_is_asked_about() -> None:
    """Shows that an open order missing from the list is asked about by name, not ended; fails when it is dropped."""
    books = Books()
    order = books.opened()
    books.answer(account(books.ask(), CASH_QUANTA))
    assert commands.AskOrder(order.client_id) in books.asked()
    assert order.state is State.OPEN


def test_an_order_we_settled_but_the_venue_lists_disagrees() -> None:
    """Shows that the venue listing an order we believe ended is a difference; fails when it is overlooked."""
    books = Books()
    order = books.opened()
    books.desk.ended(ended(order))
    listed = (open_order(order.client_id),)
    verdicts = [books.answer(account(books.ask(), CASH_QUANTA, open_orders=listed)) for _ in range(ATTEMPTS_MAX)]
    assert verdicts[-1] is Verdict.DISAGREED


@pytest.mark.parametrize(
    "report",
    [
        {"holdings": (events.Holding(MARKET, 1),)},
        {"open_orders": (open_order(f"b4{TAG}-00000099"),)},
    ],
    ids=["holding", "open order"],
)
def test_an_account_is_first_adopted_flat(report: dict[str, object]) -> None:
    """Shows that an account with anything in it is not adopted; fails when a stranger's position becomes ours."""
    books = Books(funded=False)
    verdicts = [books.answer(account(books.ask(), CASH_QUANTA, **report)) for _ in range(ATTEMPTS_MAX)]  # type: ignore[arg-type]
    assert (verdicts[-1], books.ledger.funded) == (Verdict.DISAGREED, False)


def test_a_flat_account_is_adopted_with_its_cash() -> None:
    """Shows that an empty account is adopted in one answer; fails when it needs a person."""
    books = Books(funded=False)
    assert books.answer(account(books.ask(), 5)) is Verdict.AGREED
    assert (books.ledger.funded, books.ledger.cash_quanta) == (True, 5)


def test_differences_written_down_are_bounded() -> None:
    """Shows that a venue full of surprises makes one bounded row; fails when the row grows with them."""
    books = Books()
    holdings = tuple(events.Holding(f"A{number}/USD", 1) for number in range(40))
    for _ in range(ATTEMPTS_MAX):
        books.answer(account(books.ask(), CASH_QUANTA, holdings=holdings))
    assert len(books.reconciled()[0].differences) == 8


def test_a_guard_that_the_venue_does_not_list_keeps_the_comparison_open() -> None:
    """Shows that a standing stop which the venue lists no more is asked about, and that no verdict falls before the
    answer, however often the cash differs; fails when a stop that filled unheard of stops the appliance for good.
    """
    books = Books()
    guard = books.opened(Plan(MARKET, "trend", Side.SELL, OrderKind.STOP, 0, 100, True, "guards", 900))  # noqa: FBT003
    books.asked()
    asked: list[commands.AnyCommand] = []
    for _ in range(ATTEMPTS_MAX + 1):
        assert books.answer(account(books.ask(), CASH_QUANTA + 1)) is Verdict.AGAIN
        asked += books.asked()
    assert commands.AskOrder(guard.client_id) in asked
    listed = events.OpenOrder(guard.client_id, MARKET, Side.SELL, OrderKind.STOP, 0, 100, 0, 900)
    assert books.answer(account(books.ask(), CASH_QUANTA, open_orders=(listed,))) is Verdict.AGREED
