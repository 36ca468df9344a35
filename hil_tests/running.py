"""Carry out cards on a rig, in order, and let none pass that was not carried out."""

from collections.abc import Callable, Sequence

from hil_tests.result import Card, Result
from hil_tests.rig import ABILITIES, Rig


def carried_out(rig: Rig, cards: Sequence[Card], told: Callable[[Card, Result], None]) -> list[tuple[Card, Result]]:
    """Return what came of every card; one that begins where a failed one ends is run only if the box gets there."""
    found: list[tuple[Card, Result]] = []
    broken = ""
    for card in cards:
        result, broken = _result(rig, card, broken)
        found.append((card, result))
        told(card, result)
    return found


def _result(rig: Rig, card: Card, broken: str) -> tuple[Result, str]:
    """Return what came of a card, and the number of the failed one whose end the next card still has to make up for."""
    lacking = sorted(card.needs - rig.abilities)
    if lacking:
        return Result("", {}, ABILITIES[lacking[0]]), broken
    if card.run is None:
        return Result("", {}, "nobody has written its procedure yet"), broken
    try:
        if broken and (card.begin is None or not card.begin(rig)):
            return Result("", {}, f"begins where {broken} should have ended, which failed"), broken
        result = card.run(rig)
    except Exception as problem:  # noqa: BLE001 - whatever breaks in a card is that card's failure, told with the others
        result = Result(f"{type(problem).__name__}: {problem}", {})
    return result, card.number if result.wrong else ""
