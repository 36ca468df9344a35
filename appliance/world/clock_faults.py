"""The venue's clock is not ours: it goes ahead or falls behind, further than any deadline bears."""

from appliance.world.faults import Kind
from appliance.world.links import milliseconds
from appliance.world.stage import Stage

_APART_MS = (1_001, 20_000)


def _move(stage: Stage) -> None:
    sign = 1 if stage.dice.getrandbits(1) else -1
    stage.clock.venue_error_ns = sign * milliseconds(stage.dice, _APART_MS)
    stage.count("venue's clock apart")


def _set_right(stage: Stage) -> None:
    stage.clock.venue_error_ns = 0


CLOCK_KINDS = (Kind("venue's clock apart", (3_000, 40_000), _move, _set_right),)
