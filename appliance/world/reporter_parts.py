"""The reporter of a world: which worlds have one, and how it is joined to the trader, the oracle and the broker."""

import random
from collections import Counter
from typing import NamedTuple

from appliance.world.broker import Broker
from appliance.world.delivery import Delivery
from appliance.world.disk import Disk
from appliance.world.inspector import Inspector
from appliance.world.publishing import Publishing
from appliance.world.reporter import Clocks, Reporter, ReporterMaking
from appliance.world.schedule import Beside
from appliance.world.shell import WallClock

DEVICE = "world"


class Further(NamedTuple):
    """Hold dice and a schedule that draw nothing from the trader's world."""

    dice: random.Random
    schedule: Beside


def publishing_for(further: Further, inspector: Inspector, tag: str) -> Publishing:
    """Return the trader's side of the link, which stands between the trader and the inspector."""

    def disk() -> Disk:
        return inspector.parts.disk

    def failed(sentence: str) -> None:
        inspector.found(7, f"the trader's link to the reporter: {sentence}")

    return Publishing(further.schedule, further.dice, inspector, disk, (DEVICE, tag), failed)


def reporter_for(
    further: Further,
    inspector: Inspector,
    publishing: Publishing,
    making: ReporterMaking,
    clock: WallClock,
    tag: str,
) -> Reporter:
    """Return the reporter's process, its oracle and its broker, joined."""

    def undelivered(sentence: str) -> None:
        inspector.found(8, sentence)

    def failed(sentence: str) -> None:
        inspector.found(7, f"the reporter: {sentence}")

    delivery = Delivery(tag, inspector.parts.disk, undelivered, inspector.note)
    broker = Broker(further.schedule, further.dice, delivery)
    clocks = Clocks(further.schedule, clock.wall_ns)
    return Reporter(clocks, further.dice, making, publishing, delivery, broker, failed)


def brought_about(reporter: Reporter) -> Counter[str]:
    """Return how often what several faults bring about has happened."""
    return +Counter(
        {
            "message sent again": reporter.delivery.repeated_count,
            "equity rows merged": reporter.delivery.merged_count,
            "outbox full": reporter.waits_for_room,
            "outbox commits lost": reporter.commits_lost,
        }
    )
