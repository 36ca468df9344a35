"""Everything a fault can reach, in one place, and the count of what really happened."""

import random
from collections import Counter
from dataclasses import dataclass, field

from appliance.core.commands import SendCancel, SendOrder
from appliance.core.values import OrderKind, Side
from appliance.world.disk import Disk
from appliance.world.inspector import Inspector
from appliance.world.keeper import Keeper
from appliance.world.links import Connection
from appliance.world.models import Models
from appliance.world.person import Person
from appliance.world.reporter import Reporter
from appliance.world.schedule import Schedule
from appliance.world.shell import Shell, WallClock
from appliance.world.venue import STRANGER, Venue

_STRANGER_DEADLINE_MS = 1_000


@dataclass(slots=True)
class Stage:
    """Join the parts of one simulated world."""

    schedule: Schedule
    dice: random.Random
    inspector: Inspector
    venue: Venue
    feed: Connection
    orders: Connection
    disk: Disk
    keeper: Keeper
    person: Person
    shell: Shell
    clock: WallClock
    further_dice: random.Random
    reporter: Reporter | None = None
    models: Models | None = None
    happened: Counter[str] = field(default_factory=Counter)
    strangers_count: int = 0

    def count(self, what: str) -> None:
        """Note that a fault really took effect."""
        self.happened[what] += 1
        self.inspector.note(what)

    def place_stranger(self) -> None:
        """Let somebody else place an order on our account that will never trade."""
        self.strangers_count += 1
        name, instrument = next(iter(self.venue.exchange.instruments.items()))
        self.venue.receive(
            SendOrder(
                f"{STRANGER}{self.strangers_count}",
                name,
                Side.BUY,
                OrderKind.LIMIT,
                1,
                instrument.size_lots_min,
                reduce_only=False,
                deadline_ms=_STRANGER_DEADLINE_MS,
                trace=0,
            ),
            self.schedule.now_ns,
        )

    def remove_strangers(self) -> None:
        """Let somebody else cancel what they placed."""
        for order in self.venue.exchange.open_orders():
            if order.client_id.startswith(STRANGER):
                self.venue.receive(SendCancel(order.client_id), self.schedule.now_ns)
