"""The desk: durable before sent, sent once, silence is exposure, and every word of the venue in any order."""

import pytest

from appliance.core import commands, events
from appliance.core.identifiers import client_id
from appliance.core.values import Side, VenueState
from appliance.trading.desk import STRANGERS_MAX
from appliance.trading.orders import State
from tests.unit.trading.builders import (
    MILLISECOND_NS,
    SECOND_NS,
    SETTINGS,
    TAG,
    Bench,
    a_plan,
    ended,
    refused,
    reported,
    timed_out,
    traded,
)

PATIENT_UNTIL_NS = SETTINGS.deadline_ns + SETTINGS.grace_ns


def test_nothing_is_sent_before_the_disk_has_it() -> None:
    """Shows that an order is handed out only when its own row is acknowledged; fails when a plan leaves at once."""
    bench = Bench()
    first, second = bench.planned(), bench.planned()
    assert bench.asked() == []
    assert bench.desk.durable(first.sequence - 1) == []
    assert [order.client_id for order in bench.desk.durable(first.sequence)] == [first.client_id]
    assert [order.client_id for order in bench.desk.durable(second.sequence + 5)] == [second.client_id]


def test_no_order_is_handed_out_twice() -> None:
    """Shows that repeating or raising the acknowledgement sends nothing again; fails when an order leaves twice."""
    bench = Bench()
    order = bench.planned()
    (command,) = bench.desk.durable(order.sequence)
    assert bench.desk.durable(order.sequence) == []
    bench.desk.send(command)
    assert bench.desk.durable(order.sequence + 1) == []
    assert bench.asked() == [command]


def test_the_command_says_what_was_planned() -> None:
    """Shows that what is sent is the intent's row word for word; fails when a field is swapped."""
    bench = Bench()
    bench.scribe.trace = 77
    order = bench.planned(a_plan(side=Side.SELL, size_lots=5, price_ticks=9, reduce_only=True))
    (command,) = bench.desk.durable(order.sequence)
    assert command == commands.SendOrder(
        client_id(TAG, order.sequence), "BTC/USD", Side.SELL, order.order_kind, 9, 5, reduce_only=True,
        deadline_ms=2_000, trace=77,
    )  # fmt: skip


def test_a_withdrawn_order_is_never_handed_out() -> None:
    """Shows that an order canceled before it was sent stays here; fails when the disk's late word still sends it."""
    bench = Bench()
    order = bench.planned()
    bench.desk.cancel(order)
    assert (order.state, order.settled) == (State.NEVER, True)
    assert bench.desk.durable(order.sequence) == []
    assert bench.asked() == []


def test_a_disk_slower_than_the_deadline_withdraws_the_order() -> None:
    """Shows both sides of the wait for the disk; fails when a stale order is kept or a fresh one given up."""
    bench = Bench()
    order = bench.planned()
    bench.pass_time(SETTINGS.deadline_ns)
    states = [order.state]
    bench.pass_time(SETTINGS.deadline_ns + 1)
    assert [*states, order.state] == [State.PLANNED, State.NEVER]


def test_a_disk_that_stalls_for_long_forgets_nobody_it_should_not() -> None:
    """Shows that orders withdrawn and forgotten while the disk stalled do not break its return; fails with a lookup of
    an order that is gone.
    """
    bench = Bench()
    for number in range(600):
        bench.at(number).desk.cancel(bench.planned())
    assert bench.desk.durable(bench.ledger.sequence) == []


def test_silence_counts_as_full_exposure() -> None:
    """Shows that an unanswered order is UNKNOWN with all its lots exposed; fails when silence frees it."""
    bench = Bench()
    order = bench.sent()
    assert bench.pass_time(SETTINGS.deadline_ns) == []
    assert order.state is State.PLANNED
    bench.pass_time(SETTINGS.deadline_ns + 1)
    assert (order.state, order.exposed_lots, order.settled) == (State.UNKNOWN, 100, False)


def test_nobody_is_asked_before_deadline_and_grace() -> None:
    """Shows that a question before the venue's enforced deadline is never asked, and repeats after it; fails when an
    early "not found" could be taken for never.
    """
    bench = Bench()
    order = bench.sent()
    bench.desk.timed_out(timed_out(order))
    assert bench.pass_time(PATIENT_UNTIL_NS) == []
    assert bench.pass_time(PATIENT_UNTIL_NS + 1) == [commands.AskOrder(order.client_id)]
    assert bench.pass_time(PATIENT_UNTIL_NS + SETTINGS.query_interval_ns) == []
    assert bench.pass_time(PATIENT_UNTIL_NS + 1 + SETTINGS.query_interval_ns) == [commands.AskOrder(order.client_id)]


def test_silence_ends_only_with_the_venues_answer() -> None:
    """Shows that "not found" after the deadline, and only that, reads as never; fails when it re-sends or stays."""
    bench = Bench()
    order = bench.sent()
    bench.desk.timed_out(timed_out(order))
    bench.pass_time(PATIENT_UNTIL_NS + 1)
    bench.desk.reported(reported(order, VenueState.NOT_FOUND))
    assert (order.state, order.exposed_lots) == (State.NEVER, 0)
    assert bench.pass_time(10 * PATIENT_UNTIL_NS) == []
    assert bench.desk.contradictions == []


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (VenueState.OPEN, State.OPEN),
        (VenueState.CANCELED, State.CANCELED),
        (VenueState.EXPIRED, State.EXPIRED),
        (VenueState.REFUSED, State.REFUSED),
        (VenueState.NOT_FOUND, State.NEVER),
    ],
)
def test_each_answer_settles_a_silent_order(state: VenueState, expected: State) -> None:
    """Shows where each answer leads an unknown order; fails when one is read as another."""
    bench = Bench()
    order = bench.sent()
    bench.desk.timed_out(timed_out(order))
    bench.desk.reported(reported(order, state))
    assert order.state is expected
    assert bench.desk.contradictions == []


def test_an_answer_of_filled_brings_its_trades() -> None:
    """Shows that a silent order found filled is booked from the trades named, and that a filled order without them is
    a contradiction; fails when fills are invented or lost.
    """
    bench = Bench()
    order, bare = bench.sent(), bench.sent()
    bench.desk.reported(reported(order, VenueState.FILLED, 100, (traded(order, "a", 60), traded(order, "b", 40))))
    assert (order.state, order.filled_lots, bench.desk.contradictions) == (State.FILLED, 100, [])
    bench.desk.reported(reported(bare, VenueState.FILLED, 100))
    assert (bare.filled_lots, len(bench.desk.contradictions)) == (0, 1)


def test_a_send_that_failed_after_it_was_given_up_is_no_contradiction() -> None:
    """Shows that the certain word "never left" settles an order that had timed out; fails when it ends in a fault."""
    bench = Bench()
    order = bench.sent()
    bench.pass_time(SETTINGS.deadline_ns + 1)
    bench.desk.withdraw(order.client_id, "no order connection")
    assert (order.state, bench.desk.contradictions) == (State.NEVER, [])


def test_a_cancel_repeats_until_the_order_has_ended() -> None:
    """Shows that a cancel goes out at once, repeats at its interval and stops with the order; fails when one lost
    cancel is the end of it.
    """
    bench = Bench()
    order = bench.opened()
    bench.desk.cancel(order)
    bench.desk.cancel(order)
    assert bench.asked() == [commands.SendCancel(order.client_id)]
    assert bench.pass_time(499 * MILLISECOND_NS) == []
    assert bench.pass_time(500 * MILLISECOND_NS) == [commands.SendCancel(order.client_id)]
    bench.desk.ended(ended(order))
    assert bench.pass_time(SECOND_NS) == []


def test_a_cancel_wanted_while_silent_goes_out_when_the_order_is_found() -> None:
    """Shows that a cancel is not forgotten while an order is unknown; fails when it trades on after it was found."""
    bench = Bench()
    order = bench.sent()
    bench.desk.timed_out(timed_out(order))
    bench.desk.cancel(order)
    assert bench.asked() == [commands.SendCancel(order.client_id)]
    bench.desk.repeat_cancels()
    assert bench.asked() == [commands.SendCancel(order.client_id)]
    bench.at(PATIENT_UNTIL_NS + 1).desk.reported(reported(order, VenueState.OPEN))
    assert bench.pass_time(PATIENT_UNTIL_NS + 2) == [commands.SendCancel(order.client_id)]


def test_an_entry_does_not_outlive_its_time() -> None:
    """Shows both sides of an open order's life; fails when it stays in the book or leaves early."""
    bench = Bench()
    order = bench.opened()
    assert bench.pass_time(SETTINGS.entry_lifetime_ns) == []
    assert bench.pass_time(SETTINGS.entry_lifetime_ns + 1) == [commands.SendCancel(order.client_id)]


def test_a_cancel_the_venue_refuses_is_asked_about() -> None:
    """Shows that "nothing to cancel" about an open order leads to a question; fails when it is taken for an end."""
    bench = Bench()
    order = bench.opened()
    bench.desk.missing_fills(events.CancelRefused(order.client_id, "unknown order"))
    assert bench.asked() == [commands.AskOrder(order.client_id)]
    assert order.state is State.OPEN


def test_strangers_are_named_and_bounded() -> None:
    """Shows that ids of others are remembered up to a bound, and our own long gone ones are not strangers; fails when
    memory grows or an old order raises an alarm.
    """
    bench = Bench()
    order = bench.opened()
    for number in range(STRANGERS_MAX + 10):
        bench.desk.acknowledged(events.OrderAcknowledged(f"stranger-{number}", "", 0))
    assert len(bench.desk.strangers) == STRANGERS_MAX
    bench.desk.strangers.clear()
    bench.desk.acknowledged(events.OrderAcknowledged(client_id(TAG, order.sequence - 1), "", 0))
    assert bench.desk.strangers == set()
    bench.desk.acknowledged(events.OrderAcknowledged(client_id(TAG, bench.ledger.sequence + 1), "", 0))
    assert len(bench.desk.strangers) == 1


def test_every_word_about_a_stranger_only_names_it() -> None:
    """Shows that no event about an unknown id books or asks anything; fails when one is acted upon."""
    bench = Bench()
    order = Bench().opened()
    desk = bench.desk
    desk.refused(refused(order))
    desk.timed_out(timed_out(order))
    desk.traded(traded(order, "a", 1))
    desk.ended(ended(order))
    desk.reported(reported(order, VenueState.OPEN))
    desk.missing_fills(events.CancelRefused(order.client_id, ""))
    desk.withdraw(order.client_id, "")
    assert not desk.found(order.client_id)
    assert bench.asked() == []
    assert (bench.rows, desk.strangers) == ([], {order.client_id})


def test_a_restart_takes_over_every_order_as_possibly_sent() -> None:
    """Shows that orders left behind are unknown or open, canceled and asked about, measured from the restart; fails
    when a planned one is taken for never sent.
    """
    before = Bench()
    planned, silent, opened = before.planned(), before.sent(), before.opened()
    after = Bench(before.replayed())
    after.at(SECOND_NS).desk.adopt(SECOND_NS)
    states = {order.client_id: order.state for order in after.ledger.unsettled()}
    assert states == {
        planned.client_id: State.UNKNOWN,
        silent.client_id: State.UNKNOWN,
        opened.client_id: State.OPEN,
    }
    assert after.desk.durable(after.ledger.sequence) == []
    after.desk.repeat_cancels()
    assert after.asked() == [commands.SendCancel(identifier) for identifier in states]
    asked = after.pass_time(SECOND_NS + PATIENT_UNTIL_NS)
    assert not [command for command in asked if isinstance(command, commands.AskOrder)]
    asked = after.pass_time(SECOND_NS + PATIENT_UNTIL_NS + 1)
    assert [command.client_id for command in asked if isinstance(command, commands.AskOrder)] == [
        planned.client_id,
        silent.client_id,
    ]
