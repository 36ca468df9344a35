"""Orders that stand at the venue and are changed in place: whatever is lost or late, the larger size counts."""

import pytest

from appliance.core import commands, events
from appliance.core.errors import InvariantBroken
from appliance.core.values import OrderKind, SelfTrade, Side, VenueState
from appliance.trading.desk import Plan
from appliance.trading.ledger import OrderView
from appliance.trading.orders import State
from tests.unit.trading.builders import (
    MARKET,
    SECOND_NS,
    SETTINGS,
    Bench,
    acknowledged,
    ended,
    fold_of,
    reported,
    traded,
)

GUARD = Plan(MARKET, "trend", Side.SELL, OrderKind.STOP, 0, 100, True, "guards", 900)  # noqa: FBT003


class Standing(Bench):
    """A bench with one standing guard of a hundred lots."""

    def __init__(self) -> None:
        super().__init__()
        self.guard = self.opened(GUARD)
        self.asked()

    def amend(self, size_lots: int, trigger_ticks: int = 950) -> None:
        """Ask for a change, on a disk that keeps its row at once."""
        self.plan_change(size_lots, trigger_ticks)
        assert self.desk.durable(self.ledger.sequence) == []

    def plan_change(self, size_lots: int, trigger_ticks: int = 950) -> None:
        """Ask for a change, on a disk that has not answered."""
        self.desk.amend(self.guard, size_lots, 0, trigger_ticks, "the position changed")

    def sayings(self, now_ns: int) -> int:
        """Count how often the change is said when time has passed."""
        return sum(isinstance(command, commands.SendAmend) for command in self.pass_time(now_ns))

    def amended(self, size_lots: int, asked_ns: int | None = None, venue_ns: int = 0) -> None:
        """Say that the venue changed it when asked last, or at another moment."""
        moment_ns = self.said_ns if asked_ns is None else asked_ns
        self.desk.amended(events.OrderAmended(self.guard.client_id, size_lots, 0, 950, venue_ns, moment_ns))

    def refuse(self, asked_ns: int | None = None) -> None:
        """Say that the venue did not change it when asked last, or at another moment."""
        moment_ns = self.said_ns if asked_ns is None else asked_ns
        self.desk.amend_refused(events.AmendRefused(self.guard.client_id, "no", moment_ns))

    @property
    def said_ns(self) -> int:
        """Return when the change was said last; nothing of it is known of an order that has ended."""
        flight = self.desk._flights.get(self.guard.client_id)
        return 0 if flight is None or flight.amended_ns is None else flight.amended_ns

    def same_after_restart(self) -> None:
        """Compare with the fold of the rows."""
        assert fold_of(self.replayed()) == fold_of(self.ledger)


def sizes(order: OrderView) -> tuple[int, int, int]:
    """Return what an order has, what is asked for it, and what it is exposed to."""
    return order.size_lots, order.asked_lots, order.exposed_lots


def test_a_guard_leaves_with_its_trigger_and_makes_others_give_way() -> None:
    """Shows what the venue is told of a stop; fails when the trigger is lost, or our own entry would stop the stop."""
    bench = Bench()
    bench.planned(GUARD)
    (command,) = bench.desk.durable(bench.ledger.sequence)
    assert (command.kind, command.trigger_ticks, command.self_trade) == (OrderKind.STOP, 900, SelfTrade.CANCEL_OLDEST)
    assert bench.ledger.in_flight
    bench.desk.send(command)
    bench.desk.acknowledged(events.OrderAcknowledged(command.client_id, "V", 0))
    assert not bench.ledger.in_flight


@pytest.mark.parametrize(("size_lots", "exposed_lots"), [(40, 100), (160, 160)])
def test_the_larger_size_counts_until_the_venue_answers(size_lots: int, exposed_lots: int) -> None:
    """Shows both directions of a change; fails when a change that may be in force, or may not, is not counted."""
    bench = Standing()
    bench.amend(size_lots)
    assert sizes(bench.guard) == (100, size_lots, exposed_lots)
    assert bench.ledger.in_flight
    bench.same_after_restart()
    bench.amended(size_lots)
    assert sizes(bench.guard) == (size_lots, 0, size_lots)
    assert (bench.guard.trigger_ticks, bench.guard.stands) == (950, True)
    bench.same_after_restart()


def test_a_larger_size_is_said_when_its_row_is_safe_and_not_before() -> None:
    """Shows that a change leaves after its row, once, however long the disk takes; fails when a power cut could leave a
    venue with more than the journal knows of.
    """
    bench = Standing()
    bench.plan_change(160)
    row = bench.ledger.sequence
    assert bench.sayings(100 * SECOND_NS) == 0
    bench.desk.durable(row - 1)
    assert bench.asked() == []
    bench.desk.durable(row)
    bench.desk.durable(row)
    (said,) = bench.asked()
    assert isinstance(said, commands.SendAmend)
    assert (said.size_lots, said.asked_ns) == (160, 100 * SECOND_NS)
    bench.amended(160)
    assert sizes(bench.guard) == (160, 0, 160)


def test_a_smaller_size_waits_for_no_disk() -> None:
    """Shows that a guard shrinks with its position while the disk stalls; fails when it could sell what is gone."""
    bench = Standing()
    bench.plan_change(40)
    assert any(isinstance(command, commands.SendAmend) for command in bench.asked())


def test_a_smaller_size_takes_the_place_of_a_larger_one_that_waited() -> None:
    """Shows that the older row, when it is safe at last, says nothing; fails when a size is said that nobody wants."""
    bench = Standing()
    bench.plan_change(160)
    bench.plan_change(40)
    (said,) = bench.asked()
    assert isinstance(said, commands.SendAmend)
    bench.desk.durable(bench.ledger.sequence)
    assert (said.size_lots, bench.asked()) == (40, [])


def test_a_change_of_an_order_that_ended_while_the_disk_stalled_is_never_said() -> None:
    """Shows that an end wins over a change that waits; fails when a change of nothing is said."""
    bench = Standing()
    bench.plan_change(160)
    bench.desk.ended(ended(bench.guard))
    bench.desk.durable(bench.ledger.sequence)
    assert not any(isinstance(command, commands.SendAmend) for command in bench.asked())


def test_a_refused_change_leaves_the_order_and_asks_about_it() -> None:
    """Shows that the old amounts hold and that the venue is asked about it; fails when either is skipped."""
    bench = Standing()
    bench.amend(40)
    bench.asked()
    bench.refuse()
    assert sizes(bench.guard) == (100, 0, 100)
    assert bench.asked() == [commands.AskOrder(bench.guard.client_id)]
    bench.refuse()
    assert bench.asked() == []
    bench.same_after_restart()


def test_a_change_without_an_answer_is_said_again_only_past_its_deadline() -> None:
    """Shows both sides of the wait, and that it survives a restart; fails when an old change could overtake a new one,
    or a lost one is forgotten.
    """
    bench = Standing()
    bench.amend(40)
    bench.asked()
    said = (bench.guard.client_id, MARKET, 40, 0, 950, SETTINGS.deadline_ns // 1_000_000)
    patience_ns = SETTINGS.deadline_ns + SETTINGS.grace_ns
    asked = bench.pass_time(patience_ns - 1)
    assert not any(isinstance(command, commands.SendAmend) for command in asked)
    assert commands.SendAmend(*said, patience_ns) in bench.pass_time(patience_ns)
    again = Bench(bench.replayed())
    again.desk.adopt(0)
    assert commands.SendAmend(*said, 1) in again.pass_time(1)


def test_the_late_answer_to_an_earlier_saying_decides_nothing() -> None:
    """Shows that only the answer to the last saying ends the asking, be the amounts the same; fails when an old one
    makes a larger size, which may be in force, be counted as the smaller.
    """
    bench = Standing()
    bench.amend(40)
    first_ns = bench.said_ns
    for moment_ns, size_lots in ((1, 160), (2, 40)):
        bench.at(moment_ns)
        bench.amend(size_lots)
    bench.amended(40, first_ns)
    assert sizes(bench.guard) == (100, 40, 100)
    bench.amended(40)
    assert sizes(bench.guard) == (40, 0, 40)


def test_an_old_word_repeated_after_a_newer_change_decides_nothing() -> None:
    """Shows that a repeated answer to a change that was changed again since is left alone, after a restart as well;
    fails when the smaller size of the past is counted.
    """
    bench = Standing()
    name = bench.guard.client_id
    bench.amend(40)
    bench.amended(40, venue_ns=1)
    bench.amend(160)
    bench.amended(160, venue_ns=2)
    bench.amended(40, venue_ns=1)
    assert sizes(bench.guard) == (160, 0, 160)
    again = Bench(bench.replayed())
    again.desk.adopt(0)
    again.desk.amended(events.OrderAmended(name, 40, 0, 950, 1, 0))
    assert sizes(again.ledger.orders[name]) == (160, 0, 160)


def test_the_late_refusal_of_an_earlier_saying_decides_nothing() -> None:
    """Shows that a refusal counts for the saying it names only, be the amounts the same; fails when a change that is
    still on its way is forgotten.
    """
    bench = Standing()
    bench.amend(160)
    (first,) = bench.asked()
    assert isinstance(first, commands.SendAmend)
    bench.at(first.asked_ns + 1)
    bench.amend(160)
    bench.refuse(first.asked_ns)
    assert sizes(bench.guard) == (100, 160, 160)
    bench.refuse()
    assert sizes(bench.guard) == (100, 0, 100)


def test_a_change_nobody_asked_for_is_taken_as_the_venues_truth() -> None:
    """Shows that a change after its refusal is believed; fails when the books keep a size the venue does not have."""
    bench = Standing()
    bench.amend(160)
    bench.refuse()
    bench.amended(160)
    assert sizes(bench.guard) == (160, 0, 160)
    bench.same_after_restart()


def test_a_fill_of_the_new_size_before_its_answer_is_no_contradiction() -> None:
    """Shows that a fill may come before the word of the change that made room for it; fails when it is called more than
    was ordered.
    """
    bench = Standing()
    bench.amend(160)
    bench.desk.traded(traded(bench.guard, "T1", 150))
    assert (bench.desk.contradictions, bench.guard.state, bench.guard.exposed_lots) == ([], State.OPEN, 10)
    bench.desk.traded(traded(bench.guard, "T2", 10))
    assert bench.guard.state is State.FILLED
    bench.amended(160)
    assert (bench.desk.contradictions, bench.guard.state) == ([], State.FILLED)
    bench.same_after_restart()


def test_a_smaller_size_that_is_filled_already_completes_the_order() -> None:
    """Shows that an order shrunk to what was filled is done; fails when it stays open for ever."""
    bench = Standing()
    bench.desk.traded(traded(bench.guard, "T1", 40))
    bench.amend(40)
    bench.amended(40)
    assert (bench.guard.state, bench.guard.settled) == (State.FILLED, True)
    assert bench.desk.contradictions == []
    bench.same_after_restart()


def test_filled_at_the_asked_size_proves_the_lost_answer() -> None:
    """Shows that a question finds out about a change whose answer and fill were lost; fails when it is called a
    contradiction.
    """
    bench = Standing()
    bench.amend(40)
    trade = traded(bench.guard, "T1", 40)
    bench.desk.reported(reported(bench.guard, VenueState.FILLED, 40, (trade,)))
    assert (bench.desk.contradictions, bench.guard.state, bench.guard.settled) == ([], State.FILLED, True)
    bench.same_after_restart()


def test_an_end_during_a_change_keeps_what_was_filled() -> None:
    """Shows that a cancel wins over a change that is under way; fails when the order goes on counting, or is amended
    again.
    """
    bench = Standing()
    bench.amend(160)
    bench.desk.traded(traded(bench.guard, "T1", 30))
    bench.desk.ended(ended(bench.guard, 30))
    assert (bench.guard.state, bench.guard.exposed_lots) == (State.CANCELED, 0)
    bench.asked()
    assert bench.pass_time(100 * SECOND_NS) == []
    bench.same_after_restart()


def test_only_what_reduces_may_be_changed() -> None:
    """Shows that an entry is never changed past the disk; fails when exposure could grow without a durable intent."""
    bench = Bench()
    entry = bench.opened()
    with pytest.raises(InvariantBroken, match="reduces"):
        bench.desk.amend(entry, 200, 1_000, 0, "no")


def test_a_guard_outlives_the_lifetime_of_an_entry_and_a_restart() -> None:
    """Shows that a guard is canceled neither by its age nor by a restart, while an entry is by both; fails when a
    position is bared by the clock.
    """
    bench = Standing()
    entry = bench.opened()
    late = SETTINGS.entry_lifetime_ns + 1
    assert bench.pass_time(late) == [commands.SendCancel(entry.client_id)]
    again = Bench(bench.replayed())
    again.desk.adopt(0)
    assert again.pass_time(1) == [commands.SendCancel(entry.client_id)]


@pytest.mark.parametrize("known", [True, False])
def test_word_of_a_change_of_an_order_we_do_not_know(known: bool) -> None:
    """Shows that a change of a stranger's order is noted as one; fails when it is believed or crashes."""
    bench = Standing()
    name = bench.guard.client_id if known else "somebody else's"
    bench.desk.amended(events.OrderAmended(name, 100, 0, 900, 0, 0))
    bench.desk.amend_refused(events.AmendRefused(name, "no", 0))
    assert bench.desk.strangers == (set() if known else {name})
    assert sizes(bench.guard) == (100, 0, 100)


def test_an_acknowledgement_lost_before_a_change_is_made_good_by_it() -> None:
    """Shows that word of a change proves an order that fell silent; fails when it stays unknown."""
    bench = Bench()
    guard = bench.sent(GUARD)
    bench.desk.timed_out(events.SendTimedOut(guard.client_id))
    bench.desk.amended(events.OrderAmended(guard.client_id, 100, 0, 900, 0, 0))
    assert guard.state is State.OPEN
    bench.desk.acknowledged(acknowledged(guard))
    assert guard.state is State.OPEN
