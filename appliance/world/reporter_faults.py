"""The faults of the reporter, of its link to the trader, of its disk and of the broker.

They are drawn and timed by dice of their own, so that a world's trader lives the same life with a reporter as without.
"""

import random
from collections.abc import Callable

from appliance.core.clock import NANOSECONDS_PER_SECOND
from appliance.world.faults import Kind
from appliance.world.links import milliseconds
from appliance.world.reporter import Reporter
from appliance.world.stage import Stage

SLOW_MS = (500, 4_000)
FLAPS_MAX = 5
FLAPPING_NS = NANOSECONDS_PER_SECOND
Begin = Callable[[Reporter], bool]
End = Callable[[Reporter], None]


def _kind(name: str, lasts_ms: tuple[int, int], begin: Begin, end: End | None = None) -> Kind:
    """Return a fault of the reporter that counts when it took effect, and nothing in a world without a reporter."""

    def start(stage: Stage) -> None:
        if stage.reporter is not None and begin(stage.reporter):
            stage.count(name)

    def stop(stage: Stage) -> None:
        if stage.reporter is not None and end is not None:
            end(stage.reporter)

    return Kind(name, lasts_ms, start, stop)


def _fill_disk(reporter: Reporter) -> bool:
    reporter.disk.failing = True
    return reporter.running


def _free_disk(reporter: Reporter) -> None:
    reporter.disk.failing = False


def _block_broker(reporter: Reporter) -> bool:
    reporter.broker.blocked = True
    return reporter.broker.cut("cut")


def _let_broker_in(reporter: Reporter) -> None:
    reporter.broker.blocked = False


def _slow_broker(reporter: Reporter) -> bool:
    reporter.broker.slow_ns = milliseconds(reporter.dice, SLOW_MS)
    return True


def _quick_broker(reporter: Reporter) -> None:
    reporter.broker.slow_ns = 0


def _refuse(reporter: Reporter) -> bool:
    reporter.broker.refusing = True
    return True


def _take_again(reporter: Reporter) -> None:
    reporter.broker.refusing = False


def _flap(reporter: Reporter) -> bool:
    def once_more() -> None:
        reporter.broker.cut("flap")

    for number in range(1, 1 + reporter.dice.randrange(FLAPS_MAX)):
        reporter.schedule.after(number * FLAPPING_NS, once_more)
    return reporter.broker.cut("flap")


def _end_silence(reporter: Reporter) -> None:
    reporter.broker.end_silence()


REPORTER_KINDS: tuple[Kind, ...] = (
    _kind("reporter link cut", (0, 0), lambda reporter: reporter.publishing.cut()),
    _kind("reporter killed", (0, 0), Reporter.kill),
    _kind("reporter hangs", (500, 20_000), Reporter.hang, Reporter.resume),
    _kind("outbox disk full", (1_000, 20_000), _fill_disk, _free_disk),
    _kind("broker away", (1_000, 120_000), _block_broker, _let_broker_in),
    _kind("broker flaps", (0, 0), _flap),
    _kind("broker half open", (0, 0), lambda reporter: reporter.broker.go_silent(), _end_silence),
    _kind("broker slow", (3_000, 30_000), _slow_broker, _quick_broker),
    _kind("broker refuses", (1_000, 10_000), _refuse, _take_again),
)
# Not faults of their own but what several of them bring about.
REPORTER_BROUGHT_ABOUT = ("message sent again", "outbox full", "outbox commits lost")
REPORTER_NAMES = tuple(kind.name for kind in REPORTER_KINDS) + REPORTER_BROUGHT_ABOUT


def dice_of(seed: int, what: str) -> random.Random:
    """Return dice that draw nothing from those of the trader's world."""
    return random.Random(f"{what} of world {seed}")
