"""What a card found, and the small things that every card is written with."""

import time
from collections.abc import Callable
from typing import Any, NamedTuple

LOOK_S = 0.002

Samples = dict[str, list[float]]


class Result(NamedTuple):
    """Hold what went wrong, or nothing; the times it measured; and why it could not be carried out after all."""

    wrong: str
    measured_s: Samples
    not_run: str = ""


class Card(NamedTuple):
    """Describe one procedure; `needs` names what a rig must be able to do for it. Without `run` nobody does it.

    `begin` brings the box where the card begins after another one failed, and tells whether it could.
    """

    number: str
    title: str
    purpose: str
    wiring: str
    procedure: str
    limit: str
    run: Callable[[Any], Result] | None
    needs: frozenset[str] = frozenset()
    begin: Callable[[Any], bool] | None = None


def times(**steps: float | None) -> Result:
    """Return a result in which every step that was not in time is wrong."""
    missed = [name.replace("_", " ") for name, took_s in steps.items() if took_s is None]
    measured_s = {name: [took_s] for name, took_s in steps.items() if took_s is not None}
    return Result("; ".join(f"{name}: not in time" for name in missed), measured_s)


def unless(result: Result, wrong: str) -> Result:
    """Return a result with one thing more that went wrong, or as it was."""
    return result._replace(wrong="; ".join(one for one in (result.wrong, wrong) if one))


def within(limit_s: float, true: Callable[[], bool], after: Callable[[], object] | None = None) -> float | None:
    """Do something, then return after how many seconds something else became true, or None when it did not in time."""
    started_s = time.monotonic()
    if after is not None:
        after()
    while time.monotonic() - started_s < limit_s:
        if true():
            return time.monotonic() - started_s
        time.sleep(LOOK_S)
    return None


def stays(duration_s: float, true: Callable[[], bool]) -> bool:
    """Tell whether something stays true for so long."""
    until_s = time.monotonic() + duration_s
    while time.monotonic() < until_s:
        if not true():
            return False
        time.sleep(LOOK_S)
    return True
