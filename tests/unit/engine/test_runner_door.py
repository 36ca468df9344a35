"""The last door of the live shell: the lease as it is at that very moment decides, not what the trader was told."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from appliance.core.clock import SystemClock
from appliance.core.commands import SendCancel, SendOrder, VenueCommand
from appliance.core.events import SendFailed
from appliance.core.values import OrderKind, Side
from appliance.engine.mailbox import Mailbox
from appliance.engine.runner import Ports, Runner
from appliance.trading.rate import TokenBucket

ENTRY = SendOrder("entry", "BTC/USD", Side.BUY, OrderKind.LIMIT, 1, 1, reduce_only=False, deadline_ms=1, trace=0)
EXIT = SendOrder("exit", "BTC/USD", Side.SELL, OrderKind.LIMIT, 1, 1, reduce_only=True, deadline_ms=1, trace=0)


class Sent:
    """Be an order connection that keeps what it is given."""

    def __init__(self) -> None:
        """Begin with nothing sent."""
        self.commands: list[VenueCommand] = []

    def send(self, command: VenueCommand) -> bool:
        """Keep a command."""
        self.commands.append(command)
        return True


class Door:
    """Hold the shell's own way from a command to the socket, with a lease that a test withdraws."""

    def __init__(self) -> None:
        """Begin permitted."""
        self.permitted = True
        self.sent, self.mailbox, clock = Sent(), Mailbox(), SystemClock()
        parts = dict.fromkeys(Ports._fields, SimpleNamespace()) | {
            "clock": clock,
            "mailbox": self.mailbox,
            "orders": self.sent,
            "rate": TokenBucket(1_000, 1_000, 1, clock.monotonic_ns()),
            "lease": SimpleNamespace(permits=lambda _now_ns: self.permitted),
        }
        self._runner = Runner(cast("Any", SimpleNamespace()), Ports(**cast("dict[str, Any]", parts)))

    def carry(self, command: VenueCommand) -> None:
        """Let the shell carry out what a step commanded."""
        self._runner._carry_out(command, 0)

    def refused(self) -> list[str]:
        """Return the orders that the trader is told were not sent, and forget them."""
        names: list[str] = []
        while (waiting := self.mailbox.take()) is not None:
            assert isinstance(waiting[1], SendFailed)
            names.append(waiting[1].client_id)
        return names


def test_an_entry_leaves_only_while_the_lease_permits() -> None:
    """Shows that a lease withdrawn after the step decided keeps the order in, and that the trader is told;
    fails when the shell believes the trader, or a reading of the lease from before.
    """
    door = Door()
    door.carry(ENTRY)
    assert (door.sent.commands, door.refused()) == ([ENTRY], [])
    door.permitted = False
    door.carry(ENTRY)
    assert (door.sent.commands, door.refused()) == ([ENTRY], ["entry"])
    door.permitted = True
    door.carry(ENTRY)
    assert (door.sent.commands, door.refused()) == ([ENTRY, ENTRY], [])


@pytest.mark.parametrize("command", [EXIT, SendCancel("entry")], ids=lambda command: type(command).__name__)
def test_what_reduces_leaves_without_permission(command: VenueCommand) -> None:
    """Shows that no stop stands in the way of a way out; fails when the door holds back more than entries."""
    door = Door()
    door.permitted = False
    door.carry(command)
    assert (door.sent.commands, door.refused()) == ([command], [])
