"""A key that may do more than trade, or that the venue no longer takes, is never traded with."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from appliance.core.commands import AskAccount
from appliance.core.events import KeyRejected, OrderLinkChanged, OrderRefused
from appliance.venues.kraken.orders import KrakenOrders
from tests.integration.kraken.scripted import Desk, Scripted, order, orders
from tests.integration.kraken.test_order_shell import play, running

pytestmark = pytest.mark.timeout(30)
DESCRIPTION = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "price": "1", "price2": "0", "order": ""}
OPEN_ORDER = {"status": "open", "opentm": 1, "descr": DESCRIPTION, "vol": "1", "vol_exec": "0", "cl_ord_id": "x"}


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"permissions": ["modify-trades", "withdraw-funds"]}, "it may take money out (withdraw-funds)"),
        ({"permissions": ["Add-Withdraw-Address"]}, "it may take money out (add-withdraw-address)"),
        ({"permissions": ["query-ledger", "earn-funds"]}, "it may do more than trading needs (earn-funds)"),
        (["EAPI:Invalid key"], "the venue says EAPI:Invalid key"),
        (["EGeneral:Permission denied"], "the venue says EGeneral:Permission denied"),
    ],
)
def test_a_key_that_may_withdraw_or_was_revoked_never_connects(tmp_path: Path, answer: Any, reason: str) -> None:  # noqa: ANN401 - whatever a venue answers
    """Shows that such a key is told of and no order connection comes up; fails when it trades all the same."""

    async def run() -> None:
        async with Scripted() as venue:
            venue.rest["GetApiKeyInfo"] = answer
            desk = Desk()
            async with running(orders(venue, desk, tmp_path)):
                await desk.until(lambda: desk.of(KeyRejected))
            assert desk.of(KeyRejected)[0].reason.startswith(reason)
            assert not any(change.connected for change in desk.of(OrderLinkChanged))
            assert "add_order" not in venue.methods()

    asyncio.run(run())


@pytest.mark.parametrize("answer", [["EService:Unavailable"], {"permissions": "all"}, {}])
def test_an_unclear_answer_neither_connects_nor_stops_for_good(tmp_path: Path, answer: Any) -> None:  # noqa: ANN401 - as above
    """Shows that what the venue could not say is asked again, without trading meanwhile; fails when silence is taken
    for a good key, or for a bad one.
    """

    async def run() -> None:
        async with Scripted() as venue:
            venue.rest["GetApiKeyInfo"] = answer
            desk = Desk()
            shell = orders(venue, desk, tmp_path)
            async with running(shell):
                await desk.until(lambda: sum(name == "GetApiKeyInfo" for name, _ in venue.posted) >= 2)
                assert (desk.of(KeyRejected), shell.connected) == ([], False)
                venue.rest["GetApiKeyInfo"] = {"permissions": ["modify-trades"]}
                await desk.until(lambda: shell.connected)

    asyncio.run(run())


def test_a_timer_that_the_venue_refuses_keeps_the_connection_away(tmp_path: Path) -> None:
    """Shows that no order connection comes up where nothing cancels for a silent box; fails when it trades bare."""

    async def run() -> None:
        async with Scripted() as venue:
            venue.rest["CancelAllOrdersAfter"] = ["EGeneral:Permission denied"]
            desk = Desk()
            async with running(orders(venue, desk, tmp_path)):
                await desk.until(lambda: desk.of(KeyRejected))
            assert "the venue's timer" in desk.of(KeyRejected)[0].reason
            assert not any(change.connected for change in desk.of(OrderLinkChanged))

    asyncio.run(run())


def test_the_timer_is_tried_once_and_never_over_standing_orders(tmp_path: Path) -> None:
    """Shows that a timer which may watch over orders is left alone; fails when trying it would switch it off."""

    async def run() -> None:
        async with Scripted() as venue:
            desk, shell = Desk(), orders(venue, Desk(), tmp_path)
            venue.rest["OpenOrders"] = {"open": {"O": OPEN_ORDER}}
            async with running(shell):
                await desk.until(lambda: shell.connected)
                assert "CancelAllOrdersAfter" not in [name for name, _ in venue.posted]
            venue.rest["OpenOrders"] = {"open": {}}
            for _ in range(2):
                async with running(shell):
                    await desk.until(lambda: shell.connected)
            asked = [fields["timeout"] for name, fields in venue.posted if name == "CancelAllOrdersAfter"]
            assert asked == ["0"]

    asyncio.run(run())


def test_a_question_that_the_key_may_not_ask_any_more_tells_of_it(tmp_path: Path) -> None:
    """Shows a key revoked while no order is sent found by the next comparison; fails when it is only asked again."""

    async def scene(venue: Scripted, desk: Desk, shell: KrakenOrders) -> None:
        venue.rest["Balance"] = ["EAPI:Invalid key"]
        assert shell.send(AskAccount(1, 0))
        await desk.until(lambda: desk.of(KeyRejected))
        assert desk.of(KeyRejected)[0].reason == "the venue says EAPI:Invalid key, to Balance"

    play(scene, tmp_path)


def test_a_key_revoked_while_trading_is_told_of(tmp_path: Path) -> None:
    """Shows that an order refused for its key is more than a refused order; fails when the trader would try again."""

    async def scene(venue: Scripted, desk: Desk, shell: KrakenOrders) -> None:
        venue.errors["add_order"] = "EAPI:Invalid key"
        assert shell.send(order())
        await desk.until(lambda: desk.of(KeyRejected))
        assert len(desk.of(OrderRefused)) == 1

    play(scene, tmp_path)
