"""Carry out cards on a rig, in order, and let none pass that was not carried out."""

from collections.abc import Callable, Sequence

from hil_tests.result import Card, Result
from hil_tests.rig import ABILITIES, Rig


def carried_out(rig: Rig, cards: Sequence[Card], told: Callable[[Card, Result], None]) -> list[tuple[Card, Result]]:
    """Return what came of every card; after one that failed the rest is not run, for it begins where that one ends."""
    found: list[tuple[Card, Result]] = []
    broken = ""
    for card in cards:
        result = _result(rig, card, broken)
        if result.wrong:
            broken = card.number
        found.append((card, result))
        told(card, result)
    return found


def _result(rig: Rig, card: Card, broken: str) -> Result:
    lacking = sorted(card.needs - rig.abilities)
    if lacking:
        return Result("", {}, ABILITIES[lacking[0]])
    if card.run is None:
        return Result("", {}, "nobody has written its procedure yet")
    if broken:
        return Result("", {}, f"begins where {broken} should have ended, which failed")
    try:
        return card.run(rig)
    except Exception as problem:  # noqa: BLE001 - whatever breaks in a card is that card's failure, told with the others
        return Result(f"{type(problem).__name__}: {problem}", {})
