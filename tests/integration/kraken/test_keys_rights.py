"""A key that may do more than trade, or that the venue no longer takes, is never traded with."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from appliance.core.events import KeyRejected, OrderLinkChanged, OrderRefused
from appliance.venues.kraken.orders import KrakenOrders
from tests.integration.kraken.scripted import Desk, Scripted, order, orders
from tests.integration.kraken.test_order_shell import play, running

pytestmark = pytest.mark.timeout(30)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"permissions": ["modify-trades", "withdraw-funds"]}, "it may take money out (withdraw-funds)"),
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


def test_a_key_revoked_while_trading_is_told_of(tmp_path: Path) -> None:
    """Shows that an order refused for its key is more than a refused order; fails when the trader would try again."""

    async def scene(venue: Scripted, desk: Desk, shell: KrakenOrders) -> None:
        venue.errors["add_order"] = "EAPI:Invalid key"
        assert shell.send(order())
        await desk.until(lambda: desk.of(KeyRejected))
        assert len(desk.of(OrderRefused)) == 1

    play(scene, tmp_path)
