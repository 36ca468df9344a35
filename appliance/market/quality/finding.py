"""What a layer says of a bar: 1 for nothing against it, 0 for not to be believed, and why."""

from typing import Final, NamedTuple


class Finding(NamedTuple):
    """Hold a score from 0 to 1, and the reason when it is below 1."""

    score: float
    reason: str = ""


FINE: Final = Finding(1.0)
