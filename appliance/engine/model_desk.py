"""Where the models run: beside the step, in a thread of their own, within a budget.

Asks that wait together are answered together. An answer that is not there within the budget is late: that is said, and
nobody waits for it; while the models are still busy with it, further asks are late at once. Another set of models that
appears in the folder is loaded beside the old one and takes its place between two answers, if all of it is good; the
feed never notices.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, NamedTuple, Protocol

import numpy as np

from appliance.core.clock import Clock
from appliance.core.commands import AskModels
from appliance.core.errors import ApplianceError
from appliance.core.events import ModelsAnswered
from appliance.core.values import PARTS_PER_MILLION
from appliance.engine.model_voices import silent
from appliance.kernels.model_features import OUT_LENGTH
from appliance.signals.models.inputs import HOURS, Step
from appliance.signals.models.panel import Answer, Panel
from appliance.signals.models.registry import MANIFEST_NAME, SIGNATURE_NAME, Registry, load

LOOK_S: Final = 5.0
WAITING_MAX: Final = 64
MICROSECONDS_PER_SECOND: Final = 1_000_000
FINGERPRINT_DIGITS: Final = 12
Post = Callable[[ModelsAnswered], None]
Say = Callable[[str], None]


class Installed(NamedTuple):
    """Hold a set of models that is ready."""

    registry: Registry
    panel: Panel


class Shelf(Protocol):
    """Be where models are installed."""

    def stamp(self) -> tuple[int, ...]:
        """Return what changes when another set is installed."""
        ...

    def load(self) -> Registry:
        """Return the models that were found good, or raise when none can be used."""
        ...


class Folder(NamedTuple):
    """Say where models are installed, and whose signature they must bear."""

    path: Path
    public_key: bytes

    def stamp(self) -> tuple[int, ...]:
        """Return what changes when another set is installed."""
        try:
            status = [(self.path / name).stat() for name in (MANIFEST_NAME, SIGNATURE_NAME)]
        except OSError:
            return ()
        return tuple(value for one in status for value in (one.st_mtime_ns, one.st_size, one.st_ino))

    def load(self) -> Registry:
        """Return the models that were found good."""
        return load(self.path, self.public_key)


class ModelDesk:
    """Answer what the step asks."""

    def __init__(self, folder: Shelf, clock: Clock, budget_s: float, post: Post, say: Say) -> None:
        """Load what is installed; without any, every ask is answered with absence."""
        self._folder, self._clock, self._budget_s, self._post, self._say = folder, clock, budget_s, post, say
        self._waiting: dict[str, AskModels] = {}
        self._asked = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, "models")
        self._busy: asyncio.Future[list[Answer]] | None = None
        self._stamp = folder.stamp()
        self.installed: Installed | None = None
        self.problem = ""
        self._install()

    def ask(self, command: AskModels) -> None:
        """Take an ask without waiting; a newer one of the same instrument takes an older one's place."""
        if command.instrument in self._waiting or len(self._waiting) < WAITING_MAX:
            self._waiting[command.instrument] = command
            self._asked.set()

    async def run(self) -> None:
        """Answer until canceled."""
        try:
            while True:
                try:
                    await asyncio.wait_for(self._asked.wait(), LOOK_S)
                except TimeoutError:
                    await self._look()
                    continue
                self._asked.clear()
                waiting, self._waiting = list(self._waiting.values()), {}
                await self._answer(waiting)
        finally:
            self._thread.shutdown(wait=False, cancel_futures=True)

    async def _look(self) -> None:
        """Install another set if one appeared; loading happens in the models' own thread."""
        if (self._busy is None or self._busy.done()) and self._folder.stamp() != self._stamp:
            self._stamp = self._folder.stamp()
            await asyncio.get_running_loop().run_in_executor(self._thread, self._install)

    def _install(self) -> None:
        try:
            registry = self._folder.load()
        except ApplianceError as problem:
            self.problem = str(problem)
            self._say(f"models: {problem}" + ("" if self.installed is None else "; the ones before serve on"))
            return
        for name, reason in registry.refused.items():
            self._say(f"models: {name} is refused: {reason}")
        if registry.refused and self.installed is not None:
            self._say("models: the ones before serve on")
            return
        self.problem = "; ".join(f"{name}: {reason}" for name, reason in registry.refused.items())
        self.installed = Installed(registry, Panel(registry))
        weight = registry.described.weight_percent
        self._say(f"models: {len(registry.models)} verified and warm; they have earned {weight} % in decisions")

    async def _answer(self, waiting: list[AskModels]) -> None:
        installed = self.installed
        if installed is None:
            for command in waiting:
                self._post(silent(command, "absent", self.problem, "", 0))
            return
        began_ns = self._clock.monotonic_ns()
        name = installed.registry.fingerprint[:FINGERPRINT_DIGITS]
        if self._busy is not None and not self._busy.done():
            for command in waiting:
                self._post(silent(command, "late", "the models are still busy with an earlier ask", name, 0))
            return
        asked = [(command.instrument, step_of(command)) for command in waiting]
        loop = asyncio.get_running_loop()
        self._busy = loop.run_in_executor(self._thread, installed.panel.answer, asked)
        done, _ = await asyncio.wait({self._busy}, timeout=self._budget_s)
        took_us = (self._clock.monotonic_ns() - began_ns) // 1_000
        # A process that stood still may find an answer there whose time is long over.
        if not done or took_us > self._budget_s * MICROSECONDS_PER_SECOND:
            for command in waiting:
                self._post(silent(command, "late", f"no answer within {self._budget_s:g} s", name, took_us))
            return
        for answer in self._busy.result():
            self._post(event_of(answer, installed.registry, took_us))


def step_of(command: AskModels) -> Step:
    """Return the figures in an ask."""
    return Step(command.start_s, np.frombuffer(command.hours, np.float32).reshape(HOURS, OUT_LENGTH))


def event_of(answer: Answer, registry: Registry, took_us: int) -> ModelsAnswered:
    """Return an answer as the step takes it: whole parts per million."""
    joined = registry.joined
    usual = answer.volatility / joined.usual_volatility if joined.usual_volatility > 0.0 else 1.0
    return ModelsAnswered(
        answer.instrument,
        answer.start_s,
        "vetoed" if answer.vetoed else "good",
        registry.fingerprint[:FINGERPRINT_DIGITS],
        registry.described.weight_percent,
        _ppm(answer.chance),
        _ppm(answer.edge),
        _ppm(answer.width),
        _ppm(joined.cost),
        round(usual * 100.0),
        answer.regime,
        tuple((name, _ppm(chance)) for name, chance in answer.members),
        tuple((reason.name, _ppm(reason.contribution)) for reason in answer.reasons),
        answer.detail,
        took_us,
    )


def _ppm(value: float) -> int:
    return round(value * PARTS_PER_MILLION)
