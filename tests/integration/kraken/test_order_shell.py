"""The order connection against a venue that does what the test tells it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from appliance.core.commands import AskAccount, AskOrder, SendCancel, SendCancelAll, SetDeadMan
from appliance.core.events import (
    AccountReported,
    CancelRefused,
    Holding,
    OrderAcknowledged,
    OrderEnded,
    OrderLinkChanged,
    OrderRefused,
    OrderReported,
    OrderTraded,
    SendTimedOut,
)
from appliance.core.values import REFUSED_AS_DUPLICATE, Ending, OrderKind, Side, VenueState
from appliance.venues.kraken.orders import KrakenOrders, is_refusal
from appliance.wire.kraken.numbers import moment_ns
from tests.integration.kraken.scripted import CLOCK, Desk, Scripted, SetClock, order, orders

pytestmark = pytest.mark.timeout(30)
Scene = Callable[[Scripted, Desk, KrakenOrders], Awaitable[None]]
TRADE = {
    "order_id": "V-b4-1",
    "exec_type": "trade",
    "exec_id": "T1",
    "last_qty": 0.0001,
    "last_price": 64000.1,
    "fees": [{"asset": "USD", "qty": 0.01664}],
    "liquidity_ind": "t",
}
NEW = {"order_id": "V-b4-1", "cl_ord_id": "b4-1", "exec_type": "new", "symbol": "BTC/USD", "side": "buy"}
INFO = {
    "status": "open",
    "cl_ord_id": "b4-1",
    "descr": {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "price": "64000.0"},
    "vol": "0.00010000",
    "vol_exec": "0.00000000",
    "opentm": 1700000000.5,
}


@contextlib.asynccontextmanager
async def running(shell: KrakenOrders) -> AsyncIterator[None]:
    """Run a shell beside the test."""
    task = asyncio.create_task(shell.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def play(scene: Scene, folder: Path) -> None:
    """Play a scene with a connection that is up."""

    async def run() -> None:
        async with Scripted() as venue:
            desk = Desk()
            shell = orders(venue, desk, folder)
            async with running(shell):
                await desk.until(lambda: shell.connected)
                await scene(venue, desk, shell)

    asyncio.run(run())


def test_an_order_goes_out_in_the_venues_words_and_comes_back_as_events(tmp_path: Path) -> None:
    """Shows the whole path of an order that trades and ends; fails when a price, a size, a fee or an id is lost."""

    async def scene(venue: Scripted, desk: Desk, shell: KrakenOrders) -> None:
        assert shell.send(order())
        await desk.until(lambda: desk.of(OrderAcknowledged))
        await venue.execute(NEW)
        await venue.execute(TRADE)
        await venue.execute({"order_id": "V-b4-1", "exec_type": "canceled", "cum_qty": 0.0001})
        await desk.until(lambda: desk.of(OrderEnded))
        [asked] = [each["params"] for each in venue.asked if each["method"] == "add_order"]
        due = moment_ns(asked.pop("deadline"))
        assert isinstance(due, int)
        assert 0 < due - CLOCK.wall_ns() <= 2_000_000_000
        assert asked == {
            "order_type": "limit",
            "side": "buy",
            "order_qty": 0.0001,
            "symbol": "BTC/USD",
            "limit_price": 64000.0,
            "time_in_force": "gtc",
            "cl_ord_id": "b4-1",
            "stp_type": "cancel_newest",
            "token": "opens",
        }
        [trade] = desk.of(OrderTraded)
        assert (trade.client_id, trade.trade_id, trade.side, trade.maker) == ("b4-1", "T1", Side.BUY, False)
        assert (trade.price_ticks, trade.size_lots, trade.fee_quanta) == (640_001, 10_000, 166_400_000)
        [ended] = desk.of(OrderEnded)
        assert (ended.client_id, ended.how, ended.filled_lots) == ("b4-1", Ending.CANCELED, 10_000)

    play(scene, tmp_path)


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        ("EOrder:Insufficient funds", "EOrder:Insufficient funds"),
        ("EService:Deadline elapsed", "EService:Deadline elapsed"),
        ("EOrder:cl_ord_id already in use", REFUSED_AS_DUPLICATE),
        ("EService:Unavailable", None),
        ("EGeneral:Internal error", None),
        ("something new", None),
    ],
)
def test_only_clear_words_are_a_refusal(tmp_path: Path, error: str, outcome: str | None) -> None:
    """Shows that an error that may hide an order leaves it unknown; fails when it were taken for a refusal."""

    async def scene(venue: Scripted, desk: Desk, shell: KrakenOrders) -> None:
        venue.errors["add_order"] = error
        assert shell.send(order())
        if outcome is None:
            await desk.until(lambda: desk.of(SendTimedOut))
            assert desk.of(OrderRefused) == []
        else:
            await desk.until(lambda: desk.of(OrderRefused))
            assert desk.of(OrderRefused) == [OrderRefused("b4-1", outcome)]
            assert desk.of(SendTimedOut) == []

    play(scene, tmp_path)


def test_silence_after_sending_is_told_once(tmp_path: Path) -> None:
    """Shows that an order without an answer times out at its deadline; fails when it is told twice, or never."""

    async def scene(venue: Scripted, desk: Desk, shell: KrakenOrders) -> None:
        venue.silent_methods.add("add_order")
        assert shell.send(order(deadline_ms=100))
        await desk.until(lambda: desk.of(SendTimedOut))
        venue.connections[-1].transport.abort()
        await desk.until(lambda: len(desk.of(OrderLinkChanged)) >= 3)
        assert desk.of(SendTimedOut) == [SendTimedOut("b4-1")]

    play(scene, tmp_path)


def test_a_broken_link_leaves_its_orders_unknown_and_comes_back_with_a_fresh_token(tmp_path: Path) -> None:
    """Shows that what was in flight is unknown and the next connection is a new one; fails when a token is reused."""

    async def scene(venue: Scripted, desk: Desk, shell: KrakenOrders) -> None:
        venue.silent_methods.add("add_order")
        assert shell.send(order())
        await desk.until(lambda: "add_order" in venue.methods())
        venue.connections[-1].transport.abort()
        await desk.until(lambda: len(desk.of(OrderLinkChanged)) >= 3)
        assert [change.connected for change in desk.of(OrderLinkChanged)] == [True, False, True]
        assert desk.of(SendTimedOut) == [SendTimedOut("b4-1")]
        tokens = [body for name, body in venue.posted if name == "GetWebSocketsToken"]
        assert len(tokens) == 2
        assert int(tokens[0]["nonce"]) < int(tokens[1]["nonce"])

    play(scene, tmp_path)


def test_a_token_that_ran_out_is_replaced(tmp_path: Path) -> None:
    """Shows that a refused session reconnects with a new token and leaves the order unknown; fails when it is kept."""

    async def scene(venue: Scripted, desk: Desk, shell: KrakenOrders) -> None:
        venue.errors["add_order"] = "ESession:Invalid session"
        assert shell.send(order())
        await desk.until(lambda: len(desk.of(OrderLinkChanged)) >= 3)
        assert desk.of(SendTimedOut) == [SendTimedOut("b4-1")]
        assert len([name for name, _ in venue.posted if name == "GetWebSocketsToken"]) == 2

    play(scene, tmp_path)


def test_a_missing_report_gives_the_connection_up(tmp_path: Path) -> None:
    """Shows that a gap in the reports reconnects, so that the account is compared; fails when it goes unnoticed."""

    async def scene(venue: Scripted, desk: Desk, _shell: KrakenOrders) -> None:
        venue.sequence += 1
        await venue.execute(NEW)
        await desk.until(lambda: len(desk.of(OrderLinkChanged)) >= 3)
        assert "execution message" in desk.of(OrderLinkChanged)[1].reason

    play(scene, tmp_path)


@pytest.mark.parametrize("frame", [b"[1,2", b'{"channel":"weather"}', b'{"method":"add_order"}'])
def test_what_cannot_be_understood_gives_the_connection_up(tmp_path: Path, frame: bytes) -> None:
    """Shows that an unknown message about the account is never passed over; fails when the link stays up."""

    async def scene(venue: Scripted, desk: Desk, _shell: KrakenOrders) -> None:
        await venue.say(frame)
        await desk.until(lambda: len(desk.of(OrderLinkChanged)) >= 3)

    play(scene, tmp_path)


def test_a_venue_that_fell_silent_is_given_up(tmp_path: Path) -> None:
    """Shows that a half-open connection is dropped in the silence limit; fails when it counts as connected."""

    async def scene(venue: Scripted, desk: Desk, shell: KrakenOrders) -> None:
        venue.silent_methods.add("ping")
        await desk.until(lambda: len(desk.of(OrderLinkChanged)) >= 2)
        assert "silent for" in desk.of(OrderLinkChanged)[1].reason
        assert not shell.send(order())

    play(scene, tmp_path)


@pytest.mark.parametrize(("ahead_ms", "leaves"), [(900, True), (-900, True), (1_100, False), (-1_100, False)])
def test_no_order_leaves_while_the_clocks_are_apart(tmp_path: Path, ahead_ms: int, leaves: bool) -> None:
    """Shows the limit from both sides, and that cancels still leave; fails when a deadline could mean nothing."""

    async def run() -> None:
        async with Scripted() as venue:
            desk, venue.clock_ahead_ns = Desk(), ahead_ms * 1_000_000
            shell = orders(venue, desk, tmp_path)
            async with running(shell):
                await desk.until(lambda: shell.connected)
                assert shell.send(order()) is leaves
                assert shell.send(SendCancelAll())
                await desk.until(lambda: "cancel_all" in venue.methods())
                assert ("add_order" in venue.methods()) is leaves

    asyncio.run(run())


@pytest.mark.parametrize("ahead_ns", [-3_600 * 10**9, 3 * 10**9])
def test_a_wall_clock_that_is_set_moves_no_deadline(tmp_path: Path, ahead_ns: int) -> None:
    """Shows that the venue's time stays what it was, at once and not some pings later, and that the clocks count as
    apart; fails when the offset is measured with the clock that was set.
    """

    async def run() -> None:
        async with Scripted() as venue:
            desk, clock = Desk(), SetClock()
            shell = orders(venue, desk, tmp_path, clock=clock)
            assert shell.clock_apart_ns() is None
            async with running(shell):
                await desk.until(lambda: shell.connected)
                clock.ahead_ns = ahead_ns
                assert abs(shell.venue_ns() - CLOCK.wall_ns()) < 10**9
                assert abs((shell.clock_apart_ns() or 0) + ahead_ns) < 10**9
                assert not shell.send(order())

    asyncio.run(run())


def test_cancels_and_the_timer_are_sent_and_their_refusals_told(tmp_path: Path) -> None:
    """Shows both kinds of cancel and the venue's timer, and a cancel of nothing; fails when a refusal is swallowed."""

    async def scene(venue: Scripted, desk: Desk, shell: KrakenOrders) -> None:
        assert shell.send(SetDeadMan(60))
        assert shell.send(SendCancel("b4-1"))
        venue.errors["cancel_order"] = "EOrder:Unknown order"
        assert shell.send(SendCancel("b4-2"))
        await desk.until(lambda: desk.of(CancelRefused))
        assert [refusal.client_id for refusal in desk.of(CancelRefused)][-1] == "b4-2"
        venue.errors["cancel_all_orders_after"] = "EGeneral:Permission denied"
        assert shell.send(SetDeadMan(60))
        await desk.until(lambda: len(desk.of(OrderLinkChanged)) >= 2)
        assert "cancel_all_orders_after" in desk.of(OrderLinkChanged)[1].reason

    play(scene, tmp_path)


def test_an_order_is_asked_about_until_it_is_known(tmp_path: Path) -> None:
    """Shows the answers to a question: unknown, open, ended with its trades; fails when one is mixed up."""

    async def scene(venue: Scripted, desk: Desk, shell: KrakenOrders) -> None:
        ended = INFO | {"status": "canceled", "vol_exec": "0.00010000"}
        trade: dict[str, Any] = {
            "ordertxid": "V1",
            "pair": "XXBTZUSD",
            "time": 1700000001.25,
            "type": "buy",
            "price": "64000.1",
            "fee": "0.01664",
            "vol": "0.0001",
            "maker": True,
        }
        venue.rest |= {"OpenOrders": {"open": {}}, "ClosedOrders": {"closed": {}, "count": 0}}
        assert shell.send(AskOrder("b4-1"))
        await desk.until(lambda: desk.of(OrderReported))
        assert desk.of(OrderReported)[-1].state is VenueState.NOT_FOUND
        venue.rest["OpenOrders"] = {"open": {"V1": INFO}}
        assert shell.send(AskOrder("b4-1"))
        await desk.until(lambda: len(desk.of(OrderReported)) >= 2)
        assert desk.of(OrderReported)[-1].state is VenueState.OPEN
        venue.rest |= {
            "OpenOrders": {"open": {}},
            "ClosedOrders": {"closed": {"V1": ended}, "count": 1},
            "TradesHistory": {"trades": {"T1": trade, "T2": trade | {"ordertxid": "another"}}, "count": 2},
        }
        assert shell.send(AskOrder("b4-1"))
        await desk.until(lambda: len(desk.of(OrderReported)) >= 3)
        report = desk.of(OrderReported)[-1]
        assert (report.state, report.filled_lots) == (VenueState.CANCELED, 10_000)
        [told] = report.trades
        assert (told.trade_id, told.fee_quanta, told.maker) == ("T1", 166_400_000, True)
        assert told.venue_ns == 1_700_000_001_250_000_000

    play(scene, tmp_path)


def test_the_account_is_told_in_our_terms(tmp_path: Path) -> None:
    """Shows cash, holdings, open orders and trades of one comparison, old names included; fails when one is lost."""

    async def scene(venue: Scripted, desk: Desk, shell: KrakenOrders) -> None:
        venue.rest |= {
            "Balance": {"ZUSD": "9000.12345", "XXBT": "0.0150000001", "ETH": "1"},
            "OpenOrders": {"open": {"V1": INFO}},
            "ClosedOrders": {"closed": {}, "count": 0},
            "TradesHistory": {"trades": {}, "count": 0},
        }
        assert shell.send(AskAccount(7, 1_700_000_000_000_000_000))
        assert not shell.send(AskAccount(8, 0)), "two comparisons at once say nothing"
        await desk.until(lambda: desk.of(AccountReported))
        [report] = desk.of(AccountReported)
        assert (report.request, report.cash_quanta, report.trades_complete) == (7, 90_001_234_500_000, True)
        assert report.holdings == (Holding("BTC/USD", 1_500_000),)
        [listed] = report.open_orders
        assert (listed.client_id, listed.side, listed.kind) == ("b4-1", Side.BUY, OrderKind.LIMIT)
        assert (listed.price_ticks, listed.size_lots) == (640_000, 10_000)

    play(scene, tmp_path)


def test_whose_a_trade_was_is_found_out(tmp_path: Path) -> None:
    """Shows a trade named by itself, by its open and by its ended order, and a stranger's; fails when one is lost."""

    async def scene(venue: Scripted, desk: Desk, shell: KrakenOrders) -> None:
        trade: dict[str, Any] = {"pair": "XXBTZUSD", "time": 1700000001.25, "type": "buy", "price": "64000.1"}
        trade |= {"fee": "0", "vol": "0.0001"}
        venue.rest |= {
            "Balance": {},
            "OpenOrders": {"open": {"V2": INFO | {"cl_ord_id": "b4-2"}}},
            "TradesHistory": {"trades": {"T1": trade | {"ordertxid": "V1", "cl_ord_id": "b4-1"}}, "count": 1},
        }
        assert shell.send(AskAccount(1, 0))
        await desk.until(lambda: desk.of(AccountReported))
        assert [each.client_id for each in desk.of(AccountReported)[0].trades] == ["b4-1"]
        assert "ClosedOrders" not in [name for name, _ in venue.posted]
        venue.rest |= {
            "ClosedOrders": {"closed": {"V3": INFO | {"cl_ord_id": "b4-3", "status": "closed"}}, "count": 1},
            "TradesHistory": {"trades": {f"T{n}": trade | {"ordertxid": f"V{n}"} for n in (2, 3, 4)}, "count": 3},
        }
        assert shell.send(AskAccount(2, 0))
        await desk.until(lambda: len(desk.of(AccountReported)) >= 2)
        assert [each.client_id for each in desk.of(AccountReported)[1].trades] == ["b4-2", "b4-3", "V4"]

    play(scene, tmp_path)


def test_a_question_without_an_answer_is_no_answer(tmp_path: Path) -> None:
    """Shows that a refused question posts nothing and may be asked again; fails when it were taken for not found."""

    async def scene(venue: Scripted, desk: Desk, shell: KrakenOrders) -> None:
        venue.rest["OpenOrders"] = ["EService:Unavailable"]
        assert shell.send(AskOrder("b4-1"))
        await desk.until(lambda: any(name == "OpenOrders" for name, _ in venue.posted))
        await desk.until(lambda: desk.said)
        assert desk.of(OrderReported) == []
        assert desk.said == ["asking the venue: the venue refused OpenOrders: EService:Unavailable"]

    play(scene, tmp_path)


@pytest.mark.parametrize("error", ["", "E", "EService:", "EService:Busy", "EGeneral:Temporary lockout", "eorder:x"])
def test_doubtful_words_are_no_refusal(error: str) -> None:
    """Shows that a refusal needs the documented words; fails when a beginning of them were enough."""
    assert not is_refusal(error)


def test_a_rate_that_is_used_up_is_given_time(tmp_path: Path) -> None:
    """Shows that after the venue's word nothing more is asked for a moment; fails when the counter is kept up."""

    async def scene(venue: Scripted, desk: Desk, shell: KrakenOrders) -> None:
        venue.rest["OpenOrders"] = ["EAPI:Rate limit exceeded"]
        assert shell.send(AskOrder("b4-1"))
        await desk.until(lambda: desk.said)
        count = len(venue.posted)
        for _ in range(5):
            assert shell.send(AskOrder("b4-1"))
        await desk.until(lambda: len(desk.said) >= 2)
        await asyncio.sleep(0.05)
        assert len(venue.posted) == count
        assert desk.of(OrderReported) == []

    play(scene, tmp_path)
