"""Somebody opens the box: while it runs, or while it is without power."""

from functools import partial

from appliance.core.clock import NANOSECONDS_PER_SECOND
from appliance.world.faults import Kind, power_cut, power_on
from appliance.world.stage import Stage

_SHUT_AFTER_NS = 4 * NANOSECONDS_PER_SECOND


def _open(stage: Stage) -> None:
    if not stage.keeper.case_open and not stage.shell.kept_down:
        stage.count("case opened")
        stage.keeper.open_case()


def _shut(stage: Stage) -> None:
    if stage.keeper.case_open:
        stage.keeper.shut_case()
        stage.person.reset_and_start()


def _open_without_power(stage: Stage) -> None:
    if not stage.keeper.case_open and not stage.shell.kept_down:
        stage.count("case opened without power")
        power_cut(stage)
        stage.keeper.open_case()


def _power_on_and_shut(stage: Stage) -> None:
    if stage.keeper.case_open:
        power_on(stage)
        stage.schedule.after(_SHUT_AFTER_NS, partial(_shut, stage))


CASE_KINDS = (
    Kind("case opened", (500, 20_000), _open, _shut),
    Kind("case opened without power", (500, 8_000), _open_without_power, _power_on_and_shut),
)
