"""`STATUS.txt`: what was found on the card and what to do about it, for a person with a card reader and no keyboard."""

from collections.abc import Sequence
from typing import NamedTuple

NAME = "STATUS.txt"
_RULE = "-" * 72


class Status(NamedTuple):
    """Hold what is told."""

    version: str
    device: str
    problems: Sequence[str]
    kept: Sequence[str]
    reach: Sequence[str] = ()


def told(status: Status) -> str:
    """Return the text; the same state gives the same text, so that nothing is written twice."""
    lines = [f"Bot4 Edge {status.version}", _RULE]
    if status.problems:
        lines += [
            "STOPPED. The settings on this card cannot be used, and nothing trades.",
            "The lamp shows blue and yellow in turn. Correct what is listed here, with any",
            "editor, then put the card back and switch the power on again.",
            "",
            *(f"  * {line}" for problem in status.problems for line in problem.splitlines()),
        ]
    else:
        lines += ["The settings on this card are in use. What the lamp says is on the front of the box."]
    lines += ["", f"Device (a seal is made for it): {status.device}"]
    kept = ", ".join(status.kept) or "none"
    lines += [f"Keys kept inside, encrypted: {kept}"]
    if status.reach:
        lines += ["", "How to reach it:", *(f"  {one}" for one in status.reach)]
    return "\r\n".join(lines) + "\r\n"
