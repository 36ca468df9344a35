"""Drive a trader with what another one was fed, and compare everything it asks for.

The recording holds a digest of each step's commands, so the first step that differs is found exactly; what happens
after it says nothing more, because from there on the two traders are not in the same state. A step that raised when it
was recorded must raise again. The last marker also holds one digest over all commands, which finds a missing one.
"""

import enum
import hashlib
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from appliance.core import config
from appliance.core.commands import AnyCommand
from appliance.core.errors import InvariantBroken, WireError
from appliance.engine.assembly import build_trader
from appliance.engine.trader import Trader
from appliance.market.recording import CRASHED, End, Item, Start, Step, Stopped, bytes_of, digest_of_bytes
from appliance.trading.snapshot import thaw

Build = Callable[[Start], Trader]
Observe = Callable[[bytes], None]


class Tail(enum.StrEnum):
    """Name how a recording ended."""

    ENDED = "ended in good order"
    STOPPED = "recording stopped"
    CUT = "cut off, as by a kill or a power cut"
    DAMAGED = "damaged"
    UNREAD = "not read beyond the difference"


class Divergence(NamedTuple):
    """Hold the first step that did not come out as it was recorded; None stands for no commands."""

    number: int
    step: Step
    replayed: str | None
    commands: list[AnyCommand]
    problem: str


class Outcome(NamedTuple):
    """Hold what a replay found; the digest is SHA-256 over all commands' bytes."""

    start: Start
    events_count: int
    commands_count: int
    digest: str
    divergence: Divergence | None
    tail: Tail
    detail: str


class _Damage(NamedTuple):
    reason: str


class _Result(NamedTuple):
    commands: list[AnyCommand]
    problem: str


def build_from(start: Start) -> Trader:
    """Return the trader that a recording starts with."""
    return build_trader(
        config.loads(start.config_text, "the recorded configuration"),
        {instrument.symbol: instrument for instrument in start.instruments},
        thaw(start.ledger_snapshot),
        tag=start.tag,
        now_ns=start.now_ns,
        wall_ns=start.wall_ns,
    )


def replay(items: Iterable[Item], build: Build, observe: Observe | None = None) -> Outcome:
    """Replay one session up to its end or its first difference; `observe` is told each step's bytes."""
    stream = iter(items)
    start = next(stream, None)
    if not isinstance(start, Start):
        raise WireError("the recording is empty")
    return _Replay(start, build(start), observe).run(_guarded(stream))


class _Replay:
    """Count and compare while one session is replayed."""

    def __init__(self, start: Start, trader: Trader, observe: Observe | None) -> None:
        self._start = start
        self._trader = trader
        self._observe = observe
        self._events_count = 0
        self._commands_count = 0
        self._digest = hashlib.sha256()
        self._divergence: Divergence | None = None

    def run(self, items: Iterator[Item | _Damage]) -> Outcome:
        """Take items until one ends the replay."""
        for item in items:
            match item:
                case Step():
                    self._step(item)
                    if self._divergence is not None:
                        return self._outcome(Tail.UNREAD, "")
                case End():
                    return self._ended(item)
                case Stopped(reason=reason):
                    return self._outcome(Tail.STOPPED, reason)
                case _Damage(reason=reason):
                    return self._outcome(Tail.DAMAGED, reason)
                case Start():
                    return self._outcome(Tail.DAMAGED, "a second start")
        return self._outcome(Tail.CUT, "")

    def _step(self, step: Step) -> None:
        self._events_count += 1
        result = _carry_out(self._trader, step)
        replayed = CRASHED if result.problem else self._digest_of(result.commands)
        if replayed != step.digest:
            self._divergence = Divergence(self._events_count, step, replayed, *result)

    def _digest_of(self, commands: list[AnyCommand]) -> str | None:
        if not commands:
            return None
        commands_bytes = bytes_of(commands)
        self._digest.update(commands_bytes)
        self._commands_count += len(commands)
        if self._observe is not None:
            self._observe(commands_bytes)
        return digest_of_bytes(commands_bytes)

    def _ended(self, end: End) -> Outcome:
        found = End(
            events_count=self._events_count,
            commands_count=self._commands_count,
            commands_digest=self._digest.hexdigest(),
        )
        if end == found:
            return self._outcome(Tail.ENDED, "")
        return self._outcome(Tail.DAMAGED, f"its end says {end.events_count} events and {end.commands_count} commands")

    def _outcome(self, tail: Tail, detail: str) -> Outcome:
        return Outcome(
            self._start,
            self._events_count,
            self._commands_count,
            self._digest.hexdigest(),
            self._divergence,
            tail,
            detail,
        )


def _carry_out(trader: Trader, step: Step) -> _Result:
    try:
        return _Result(trader.step(step.now_ns, step.event), "")
    except (Exception, InvariantBroken) as problem:  # noqa: BLE001 - whatever a step raises is what came of it
        return _Result([], f"{type(problem).__name__}: {problem}")


def _guarded(items: Iterator[Item]) -> Iterator[Item | _Damage]:
    try:
        yield from items
    except WireError as problem:
        yield _Damage(str(problem))
