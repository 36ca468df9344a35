"""Stops and changes in place, in the venue's words, and as a question about the account finds them again."""

import asyncio
from pathlib import Path

import pytest

from appliance.core.commands import AskAccount, SendAmend, SendOrder
from appliance.core.events import AccountReported, AmendRefused, OpenOrder, OrderAcknowledged, OrderAmended
from appliance.core.values import OrderKind, SelfTrade, Side
from appliance.venues.kraken.orders import KrakenOrders
from tests.integration.kraken.scripted import Desk, Scripted
from tests.integration.kraken.test_order_shell import play

pytestmark = pytest.mark.timeout(30)
AMEND = SendAmend("b4-1", "BTC/USD", 5_000, 0, 610_000, 2_000)


def stop(kind: OrderKind, price_ticks: int = 0) -> SendOrder:
    """Return a stop that guards a ten-thousandth of a coin."""
    return SendOrder(
        "b4-1",
        "BTC/USD",
        Side.SELL,
        kind,
        price_ticks,
        10_000,
        reduce_only=True,
        deadline_ms=2_000,
        trace=0,
        trigger_ticks=600_000,
        self_trade=SelfTrade.CANCEL_OLDEST,
    )


@pytest.mark.parametrize(
    ("kind", "price_ticks", "more"),
    [
        (OrderKind.STOP, 0, {}),
        (OrderKind.STOP_LIMIT, 595_000, {"limit_price": 59500.0, "time_in_force": "gtc"}),
    ],
)
def test_a_stop_goes_out_with_its_trigger(
    tmp_path: Path, kind: OrderKind, price_ticks: int, more: dict[str, object]
) -> None:
    """Shows the venue's words for both kinds of stop; fails when the trigger, the price or the flag against trading
    with ourselves is lost.
    """

    async def scene(venue: Scripted, desk: Desk, shell: KrakenOrders) -> None:
        assert shell.send(stop(kind, price_ticks))
        await desk.until(lambda: desk.of(OrderAcknowledged))
        [asked] = [each["params"] for each in venue.asked if each["method"] == "add_order"]
        asked.pop("deadline")
        assert asked == {
            "order_type": kind.value,
            "side": "sell",
            "order_qty": 0.0001,
            "symbol": "BTC/USD",
            "triggers": {"reference": "last", "price": 60000.0},
            "cl_ord_id": "b4-1",
            "stp_type": "cancel_oldest",
            "token": "opens",
            **more,
        }

    play(scene, tmp_path)


def test_a_change_goes_out_and_its_answer_carries_what_was_asked(tmp_path: Path) -> None:
    """Shows that the venue's bare yes becomes the amounts that were asked for; fails when they are another change's."""

    async def scene(venue: Scripted, desk: Desk, shell: KrakenOrders) -> None:
        assert shell.send(AMEND)
        await desk.until(lambda: desk.of(OrderAmended))
        [asked] = [each["params"] for each in venue.asked if each["method"] == "amend_order"]
        assert asked.pop("deadline")
        assert asked == {"cl_ord_id": "b4-1", "order_qty": 0.00005, "trigger_price": 61000.0, "token": "opens"}
        [amended] = desk.of(OrderAmended)
        assert (amended.client_id, amended.size_lots, amended.price_ticks, amended.trigger_ticks) == (
            "b4-1",
            5_000,
            0,
            610_000,
        )

    play(scene, tmp_path)


@pytest.mark.parametrize(
    ("error", "refused"), [("EOrder:Unknown order", True), ("EService:Unavailable", False), ("something new", False)]
)
def test_only_clear_words_refuse_a_change(tmp_path: Path, error: str, refused: bool) -> None:
    """Shows that an error that may hide a change decides nothing; fails when the smaller size would be counted."""

    async def scene(venue: Scripted, desk: Desk, shell: KrakenOrders) -> None:
        venue.errors["amend_order"] = error
        assert shell.send(AMEND)
        if refused:
            await desk.until(lambda: desk.of(AmendRefused))
            assert desk.of(AmendRefused) == [AmendRefused.of(AMEND, error)]
        else:
            await desk.until(lambda: shell.refused[error])
            await asyncio.sleep(0.05)
        assert len(desk.of(AmendRefused)) == int(refused)
        assert desk.of(OrderAmended) == []

    play(scene, tmp_path)


def test_an_account_lists_a_stop_with_its_trigger(tmp_path: Path) -> None:
    """Shows that the account finds a standing stop again by its trigger, not as a limit at that price; fails when the
    two prices are taken for each other.
    """

    async def scene(venue: Scripted, desk: Desk, shell: KrakenOrders) -> None:
        described = {
            "pair": "XBTUSD",
            "type": "sell",
            "ordertype": "stop-loss-limit",
            "price": "60000.0",
            "price2": "59500.0",
        }
        info = {
            "status": "open",
            "cl_ord_id": "b4-1",
            "descr": described,
            "vol": "0.00010000",
            "vol_exec": "0.00000000",
            "opentm": 1700000000.5,
        }
        venue.rest |= {
            "OpenOrders": {"open": {"V1": info}},
            "ClosedOrders": {"closed": {}, "count": 0},
            "TradesHistory": {"trades": {}, "count": 0},
            "Balance": {"ZUSD": "1000.0000"},
        }
        assert shell.send(AskAccount(1, 0))
        await desk.until(lambda: desk.of(AccountReported))
        [report] = desk.of(AccountReported)
        assert report.open_orders == (
            OpenOrder("b4-1", "BTC/USD", Side.SELL, OrderKind.STOP_LIMIT, 595_000, 10_000, 0, 600_000),
        )

    play(scene, tmp_path)
