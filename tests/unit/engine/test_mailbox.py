"""The trader's mailbox: two lanes, both bounded, one of them lossless."""

import asyncio

import pytest

from appliance.core.errors import InvariantBroken
from appliance.core.events import AnyEvent, FeedChanged, OrderAcknowledged, QuoteChanged
from appliance.engine.mailbox import Mailbox


def _quote(sequence: int) -> QuoteChanged:
    return QuoteChanged("BTC/USD", 100, 1, 101, 1, sequence, 0)


def _answer(number: int) -> OrderAcknowledged:
    return OrderAcknowledged(f"id{number}", "V", 0)


def _all(mailbox: Mailbox) -> list[AnyEvent]:
    taken = []
    while (waiting := mailbox.take()) is not None:
        taken.append(waiting[1])
    return taken


def test_our_own_orders_go_before_the_market() -> None:
    """Show that a flood of quotes cannot delay an answer; fails when the lanes are one queue."""
    mailbox = Mailbox()
    for sequence in range(5):
        mailbox.put(0, _quote(sequence))
    mailbox.put(0, _answer(1))
    assert _all(mailbox)[0] == _answer(1)


def test_each_lane_keeps_its_order() -> None:
    """Show that within a lane nothing overtakes; fails on any reordering."""
    mailbox = Mailbox()
    for number in range(3):
        mailbox.put(0, _quote(number))
        mailbox.put(0, _answer(number))
    assert _all(mailbox) == [*map(_answer, range(3)), *map(_quote, range(3))]


def test_too_much_market_is_dropped_whole_counted_and_told() -> None:
    """Show that an overflow empties the lane and reads as a lost connection; fails when it drops silently."""
    mailbox = Mailbox(market_max=3)
    for sequence in range(4):
        mailbox.put(0, _quote(sequence))
    told = _all(mailbox)
    assert mailbox.dropped == 3
    assert [type(event) for event in told] == [FeedChanged, FeedChanged, QuoteChanged]
    assert [event.connected for event in told if isinstance(event, FeedChanged)] == [False, True]
    assert told[-1] == _quote(3)


def test_the_lossless_lane_stops_the_process_when_full() -> None:
    """Show that an event of our own orders is never dropped; fails when a full lane swallows one."""
    mailbox = Mailbox(first_max=2)
    mailbox.put(0, _answer(1))
    mailbox.put(0, _answer(2))
    with pytest.raises(InvariantBroken):
        mailbox.put(0, _answer(3))


def test_waiting_ends_when_something_comes() -> None:
    """Show that a waiter wakes for an event put later, and does not wait when one is there; fails on a lost wake-up."""

    async def scenario() -> AnyEvent | None:
        mailbox = Mailbox()
        waiter = asyncio.create_task(mailbox.wait())
        await asyncio.sleep(0)
        assert not waiter.done()
        mailbox.put(0, _answer(1))
        await asyncio.wait_for(waiter, 1)
        await asyncio.wait_for(mailbox.wait(), 1)
        taken = mailbox.take()
        return taken[1] if taken else None

    assert asyncio.run(scenario()) == _answer(1)
