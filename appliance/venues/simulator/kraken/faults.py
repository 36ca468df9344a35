"""What the paper venue does wrong on purpose: by chance from a seed, or at a moment that a script names.

A plan is written as words with commas between them. `drop=5` drops five in a thousand messages; `half_open@10` does it
once, ten seconds after the start; `maintenance@20+5` keeps it up for five seconds.
"""

import enum
import random
import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from appliance.core.errors import ConfigError

PER_MILLE: Final = 1_000
SCRIPT_MAX: Final = 1_000
SECONDS_MAX: Final = 86_400
_WORD = re.compile(
    r"([a-z_]{1,32})(?:=([0-9]{1,4})|@([0-9]{1,5}(?:\.[0-9]{1,3})?)(?:\+([0-9]{1,5}(?:\.[0-9]{1,3})?))?)"
)


class Chance(enum.StrEnum):
    """Name the faults that happen to single messages."""

    DROP = "drop"
    DELAY = "delay"
    DUPLICATE = "duplicate"
    REORDER = "reorder"
    CORRUPT = "corrupt"
    LOST_ACK = "lost_ack"
    LATE_ACK = "late_ack"
    GHOST = "ghost"
    FILL_FIRST = "fill_first"
    DISCONNECT = "disconnect"


class Moment(enum.StrEnum):
    """Name the faults that happen at a time."""

    HALF_OPEN = "half_open"
    DISCONNECT_ALL = "disconnect_all"
    REJECT_STORM = "reject_storm"
    TOKEN_EXPIRY = "token_expiry"  # noqa: S105 - the name of a fault
    KEY_WITHDRAWS = "key_withdraws"
    MAINTENANCE = "maintenance"
    CANCEL_ONLY = "cancel_only"
    POST_ONLY = "post_only"


class Planned(NamedTuple):
    """Hold one fault of the script."""

    at_ms: int
    what: Moment
    lasts_ms: int


class FaultPlan:
    """Decide what goes wrong."""

    def __init__(self, chances: dict[Chance, int], script: list[Planned], seed: int) -> None:
        """Draw from a seed; the chances are in thousandths."""
        self._chances = chances
        self._script = sorted(script)
        self._random = random.Random(f"faults/{seed}")  # noqa: S311 - faults to replay, not secrets
        self.happened: dict[str, int] = {}

    @classmethod
    def parse(cls, text: str, seed: int) -> "FaultPlan":
        """Return the plan that words describe."""
        chances: dict[Chance, int] = {}
        script: list[Planned] = []
        for word in filter(None, text.replace(" ", "").split(",")):
            found = _WORD.fullmatch(word)
            name = found[1] if found else ""
            if found is not None and found[2] and name in set(Chance) and int(found[2]) <= PER_MILLE:
                chances[Chance(name)] = int(found[2])
            elif found is not None and found[3] and name in set(Moment) and len(script) < SCRIPT_MAX:
                script.append(Planned(_milliseconds(found[3]), Moment(name), _milliseconds(found[4] or "0")))
            else:
                raise ConfigError(
                    f"fault {word!r} is unknown; write one of {', '.join(Chance)} with =thousandths, "
                    f"or one of {', '.join(Moment)} with @seconds, as in drop=5,half_open@10,maintenance@20+5"
                )
        return cls(chances, script, seed)

    def strikes(self, what: Chance) -> bool:
        """Tell whether a fault happens now; it is counted."""
        chance = self._chances.get(what, 0)
        struck = chance > 0 and self._random.randrange(PER_MILLE) < chance
        if struck:
            self.count(what)
        return struck

    def due(self, at_ms: int) -> Iterator[Planned]:
        """Yield the script's faults whose time has come, each once."""
        while self._script and self._script[0].at_ms <= at_ms:
            planned = self._script.pop(0)
            self.count(planned.what)
            yield planned

    def count(self, what: Chance | Moment) -> None:
        """Count a fault that happened."""
        self.happened[what] = self.happened.get(what, 0) + 1

    def pick(self, count: int) -> int:
        """Return one of so many, by chance."""
        return self._random.randrange(count)


def _milliseconds(text: str) -> int:
    whole, _, part = text.partition(".")
    return int(whole) * 1_000 + int(part.ljust(3, "0") or 0)
