"""The models of the trader's process: the real desk, its budget and its checks, around a model that says what dice say.

The desk runs on a loop of its own that lives, hangs and dies with the process. The thread it computes in is one more
thing that can be slow or stand still. The venue remembers bars of a series that follows from their time alone.
"""

import asyncio
import random
from collections.abc import Callable
from concurrent.futures import Executor
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, TypeVarTuple

import numpy as np

from appliance.core.clock import NANOSECONDS_PER_MILLISECOND, NANOSECONDS_PER_SECOND
from appliance.core.commands import AskHistory, AskModels
from appliance.core.config import Config
from appliance.core.events import HistoryTold
from appliance.engine.model_desk import ModelDesk
from appliance.signals.feature_table import NAMES
from appliance.signals.models.inputs import Step
from appliance.signals.models.joining import ANY, VOLATILITY, Joining
from appliance.signals.models.manifest import Manifest, ModelEntry
from appliance.signals.models.onnx_model import Singles
from appliance.signals.models.registry import LoadedModel, Registry
from appliance.signals.regime import HiddenStates
from appliance.venues.simulator.exchange import Exchange
from appliance.world.links import milliseconds
from appliance.world.model_port import ModelPort, Post
from appliance.world.opinions import Opinions
from appliance.world.reporter import Clocks
from appliance.world.virtual_loop import VirtualLoop

THINKING_MS = (1, 40)
SLOWER_MS = (1, 4_000)
TELLING_MS = (20, 400)
WEIGHT_PERCENT = 40
# Most say that a rise is likelier: a world in which nobody wants to open anything shows little.
CHANCES = (0.3, 0.45, 0.6, 0.7, 0.8, 0.9)
USUAL_VOLATILITY = 0.01
_REGIME_COLUMNS = ("h1_return_24", "h1_volatility", "h1_efficiency")
_SWING, _SWING_PPM = 41, 10
T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class Mouth:
    """Be the model: say a chance that dice give, or what a fault puts in its place."""

    def __init__(self, dice: random.Random, count: Callable[[str], None]) -> None:
        """Begin sane."""
        self._dice = dice
        self._count = count
        self.nonsense: dict[str, float] = {}
        self.sound = True

    def infer(self, rows: Singles) -> Singles:
        """Return something for each row."""
        said = np.array([[self._dice.choice(CHANCES)] for _ in rows], np.float32)
        self.sound = not self.nonsense
        for name, value in self.nonsense.items():
            said[:] = value
            self._count(name)
        return said


class _Shelf:
    """Be where the one set of models lies."""

    def __init__(self, mouth: Mouth) -> None:
        entry = ModelEntry(
            "mouth", "", "", "vector", (NAMES[VOLATILITY],), 1, "member", "", "", "", 0.0, "", "", "", ""
        )
        models = {entry.name: LoadedModel(entry, mouth, (VOLATILITY,), None)}
        described = Manifest("", "", "", WEIGHT_PERCENT, (entry,))
        self._registry = Registry(Path(), "of the world", described, _joined(entry.name), models, {})

    def stamp(self) -> tuple[int, ...]:
        """Return what never changes."""
        return ()

    def load(self) -> Registry:
        """Return the set."""
        return self._registry


def _joined(member: str) -> Joining:
    row, one = np.zeros((1, len(_REGIME_COLUMNS))), np.ones(1)
    hidden = HiddenStates(("calm",), one, np.ones((1, 1)), row, row + 1.0, row[0], row[0] + 1.0)
    line = np.array([0.0, 1.0])
    bound = np.full(len(NAMES), np.inf)
    return Joining(
        members=(member,), weights=one, bias=0.0, neutral=np.zeros(1), curves={ANY: (line, line)},
        win_ratio=1.0, loss_ratio=1.0, hidden=hidden, regime_columns=_REGIME_COLUMNS, low=-bound, high=bound,
        usual_volatility=USUAL_VOLATILITY, cost=0.0, trained_from_s=0, trained_until_s=0,
    )  # fmt: skip


class _Loop(VirtualLoop):
    """Let the process's other threads be the world's."""

    compute: Callable[["asyncio.Future[Any]", Callable[..., Any], tuple[Any, ...]], None]

    def run_in_executor(
        self,
        executor: Executor | None,  # noqa: ARG002 - there is but one other thread
        func: Callable[[*Ts], T],
        *args: *Ts,
    ) -> "asyncio.Future[T]":
        """Begin some work in another thread."""
        future: asyncio.Future[T] = self.create_future()
        self.compute(future, func, args)
        return future


class Around(NamedTuple):
    """Join what the models of a world need of it."""

    clocks: Clocks
    dice: random.Random
    exchange: Exchange
    opinions: Opinions
    tally: Callable[[str], None]
    failed: Callable[[str], None]


class Models(ModelPort):
    """Run the models beside the process, life after life."""

    def __init__(self, around: Around, config: Config, making: type[ModelDesk]) -> None:
        """Prepare; `start` begins the first life."""
        self._around = around
        self._making = making
        self._budget_ms = config.models.budget_ms
        self._loop: _Loop | None = None
        self._desk: ModelDesk
        self._post: Post
        self._held: list[Callable[[], None]] = []
        self._levels: dict[str, int] = {}
        self.mouth = Mouth(around.dice, around.tally)
        self.slow = self.stalled = False

    def start(self, post: Post) -> None:
        """Load the models, and listen."""
        around = self._around
        loop = _Loop(around.clocks.schedule, around.failed)
        loop.compute = partial(self._compute, loop)
        self._loop, self._post = loop, post
        budget_s = self._budget_ms * NANOSECONDS_PER_MILLISECOND / NANOSECONDS_PER_SECOND
        self._desk = self._making(_Shelf(self.mouth), around.clocks, budget_s, post, lambda _line: None)
        loop.spawn(self._desk.run()).add_done_callback(self._lived)

    def end(self) -> None:
        """Be gone, with all that was being worked out."""
        loop, self._loop = self._loop, None
        self._held.clear()
        if loop is not None:
            loop.end()

    def hang(self) -> None:
        """Stand still."""
        if self._loop is not None:
            self._loop.hang()

    def resume(self) -> None:
        """Go on."""
        if self._loop is not None:
            self._loop.resume()

    def ask(self, command: AskModels) -> None:
        """Give an ask to the desk."""
        self._desk.ask(command)

    def recall(self, command: AskHistory) -> None:
        """Tell what the venue remembers, a little later."""
        later = partial(self._tell, self._loop, command)
        self._around.clocks.schedule.after(milliseconds(self._around.dice, TELLING_MS), later)

    def go_on(self) -> None:
        """Let the thread that stood still go on."""
        self.stalled = False
        held, self._held = self._held, []
        for work in held:
            work()

    def _lived(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and (problem := task.exception()) is not None:
            self._around.failed(f"the models' desk died of {type(problem).__name__}: {problem}")

    def _compute(
        self, loop: _Loop, future: "asyncio.Future[Any]", work: Callable[..., Any], words: tuple[Any, ...]
    ) -> None:
        around = self._around
        wait_ns = milliseconds(around.dice, THINKING_MS)
        if self.slow:
            wait_ns += self._budget_ms * NANOSECONDS_PER_MILLISECOND + milliseconds(around.dice, SLOWER_MS)
            around.tally("models slow")
        around.clocks.schedule.after(wait_ns, partial(self._finish, loop, future, partial(self._answer, work, *words)))

    def _finish(self, loop: _Loop, future: "asyncio.Future[Any]", work: Callable[[], Any]) -> None:
        if loop is not self._loop:
            return
        if self.stalled:
            self._around.tally("models stall")
            self._held.append(partial(self._finish, loop, future, work))
            return
        try:
            future.set_result(work())
        except Exception as problem:  # noqa: BLE001 - a thread gives what it died of to whoever waits for it
            future.set_exception(problem)

    def _answer(self, work: Callable[..., Any], asked: list[tuple[str, Step]]) -> Any:  # noqa: ANN401 - whatever the desk works out
        answers = work(asked)
        for instrument, step in asked:
            self._around.opinions.spoke(instrument, step.start_s, sound=self.mouth.sound)
        return answers

    def _tell(self, loop: _Loop | None, command: AskHistory) -> None:
        if loop is None or loop is not self._loop:
            return
        quote = next(one for one in self._around.exchange.quotes() if one.instrument == command.instrument)
        until = quote.venue_ns // NANOSECONDS_PER_SECOND // command.bar_s
        level = self._levels.setdefault(command.instrument, quote.bid_ticks)
        bars = tuple(_bar(level, number, command.bar_s) for number in range(until - command.bars_count, until))
        self._post(HistoryTold(command.instrument, command.bar_s, bars, until * command.bar_s))


def _bar(level: int, number: int, bar_s: int) -> tuple[int, int, int, int, int, int]:
    opened, close = _price(level, number - 1), _price(level, number)
    high, low = max(opened, close) + 1, max(min(opened, close) - 1, 1)
    return number * bar_s, opened, high, low, close, 1 + number % _SWING


def _price(level: int, number: int) -> int:
    return level + level * (number * 7_919 % _SWING) * _SWING_PPM // 1_000_000
