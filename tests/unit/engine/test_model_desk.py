"""Where models run: nobody waits for a slow one, and another set takes over between two answers."""

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from appliance.bootstrap import require_models
from appliance.core.clock import SystemClock
from appliance.core.commands import AskModels
from appliance.core.config import loads
from appliance.core.errors import ConfigError
from appliance.core.events import ModelsAnswered
from appliance.engine import model_desk
from appliance.engine.model_desk import Folder, Installed, ModelDesk
from appliance.kernels.model_features import OUT_LENGTH
from appliance.signals.feature_table import schema_hash
from appliance.signals.models.inputs import HOURS, Step
from appliance.signals.models.panel import Answer, Panel
from appliance.signals.models.registry import Registry, load
from tests.unit.signals.model_folder import ModelFolder, vector_model

PATIENCE_S = 20.0


class Stuck(Panel):
    """A panel that does not answer until it is let go."""

    def __init__(self, inner: Panel) -> None:
        self.inner = inner
        self.go = threading.Event()

    def answer(self, asked: list[tuple[str, Step]]) -> list[Answer]:
        """Wait, then answer."""
        self.go.wait(PATIENCE_S)
        return self.inner.answer(asked)


class Bench:
    """A desk over a folder, and everything it said."""

    def __init__(self, folder: ModelFolder, budget_s: float = PATIENCE_S) -> None:
        self.said: list[str] = []
        self.answers: list[ModelsAnswered] = []
        where = Folder(folder.path, folder.keys.public)
        self.desk = ModelDesk(where, SystemClock(), budget_s, self.answers.append, self.said.append)

    async def until(self, there: Callable[[], bool]) -> None:
        """Run the desk until something is there."""
        async with asyncio.timeout(PATIENCE_S):
            while not there():  # noqa: ASYNC110 - the desk tells nobody but who it answers
                await asyncio.sleep(0.01)


@pytest.fixture
def folder(tmp_path: Path) -> ModelFolder:
    """Return a folder of good, signed models."""
    return ModelFolder(tmp_path / "models").write()


def ask(name: str = "BTC/USD", start_s: int = 0) -> AskModels:
    """Ask about a step whose figures are all alike."""
    vector = np.full(OUT_LENGTH, 0.01, np.float32)
    return AskModels(name, start_s, np.tile(vector, (HOURS, 1)).tobytes())


def run(bench: Bench, script: Callable[[], object]) -> None:
    """Run a script beside the desk."""

    async def both() -> None:
        work = asyncio.get_running_loop().create_task(bench.desk.run())
        try:
            await script()  # type: ignore[misc]  # a coroutine function
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)

    asyncio.run(both())


def test_asks_that_wait_are_answered_together_and_the_newest_counts(folder: ModelFolder) -> None:
    """Shows one answer for each instrument, of its newest step; fails when old steps pile up."""
    bench = Bench(folder)

    async def script() -> None:
        for start_s in range(3):
            bench.desk.ask(ask("BTC/USD", start_s))
        bench.desk.ask(ask("ETH/USD", 9))
        await bench.until(lambda: len(bench.answers) == 2)

    run(bench, script)
    assert [(one.instrument, one.start_s, one.state) for one in bench.answers] == [
        ("BTC/USD", 2, "good"),
        ("ETH/USD", 9, "good"),
    ]


def test_a_model_that_hangs_makes_answers_late_and_holds_up_nobody(folder: ModelFolder) -> None:
    """Shows the budget, and that further asks are late at once while it hangs; fails when the desk waits."""
    bench = Bench(folder, budget_s=0.05)
    installed = bench.desk.installed
    assert installed is not None
    stuck = Stuck(installed.panel)
    bench.desk.installed = Installed(installed.registry, stuck)

    async def script() -> None:
        bench.desk.ask(ask(start_s=1))
        await bench.until(lambda: len(bench.answers) == 1)
        bench.desk.ask(ask(start_s=2))
        await bench.until(lambda: len(bench.answers) == 2)
        stuck.go.set()
        await bench.until(lambda: bench.desk._busy is not None and bench.desk._busy.done())
        bench.desk.installed = installed
        bench.desk._budget_s = PATIENCE_S
        bench.desk.ask(ask(start_s=3))
        await bench.until(lambda: len(bench.answers) == 3)

    run(bench, script)
    assert [one.state for one in bench.answers] == ["late", "late", "good"]
    assert "still busy" in bench.answers[1].detail


class Jumping(SystemClock):
    """A clock that is well ahead at every look, as after a halt of the whole process."""

    ahead_ns = 0

    def monotonic_ns(self) -> int:
        """Return the time, and jump."""
        self.ahead_ns += int(2 * PATIENCE_S * 10**9)
        return super().monotonic_ns() + self.ahead_ns


def test_an_answer_that_a_process_finds_after_standing_still_is_late(folder: ModelFolder) -> None:
    """Shows the budget measured, not only waited for; fails when what was said long ago counts as said now."""
    bench = Bench(folder)
    bench.desk._clock = Jumping()

    async def script() -> None:
        bench.desk.ask(ask())
        await bench.until(lambda: len(bench.answers) == 1)

    run(bench, script)
    assert bench.answers[0].state == "late"


def test_without_models_every_ask_is_answered_with_absence(tmp_path: Path) -> None:
    """Shows that an empty folder is said and silences the models only; fails when the trader could not start."""
    folder = ModelFolder(tmp_path / "models")
    bench = Bench(folder)

    async def script() -> None:
        bench.desk.ask(ask())
        await bench.until(lambda: len(bench.answers) == 1)

    run(bench, script)
    assert bench.answers[0].state == "absent"
    assert "manifest.toml" in bench.answers[0].detail
    assert "manifest.toml" in bench.desk.problem


@pytest.mark.parametrize(
    ("text", "problem", "refused"),
    [
        ('missing = "refuse"', "gru: another file", True),
        ('missing = "refuse"', "", False),
        ('missing = "without"', "gru: another file", False),
        ('missing = "refuse"\nenabled = false', "gru: another file", False),
    ],
)
def test_the_policy_for_models_that_cannot_be_trusted(text: str, problem: str, refused: bool) -> None:
    """Shows when the appliance does not start for a model's sake; fails when it trades without what is demanded."""
    config = loads(f"[models]\n{text}")
    if refused:
        with pytest.raises(ConfigError, match="gru: another file"):
            require_models(config, problem)
    else:
        require_models(config, problem)


def install(folder: ModelFolder, damage: str) -> None:
    """Put another signed set into the folder; one of its models may be none to trust."""
    data = vector_model(bias=1.0)
    if damage == "truncated and signed":
        folder.add("one", "vector", data[:60], answers=[[0.5], [0.5]])
    else:
        folder.add("one", "vector", data, schema="1" * 64 if damage == "another schema" else schema_hash())
    file = folder.path / "one.onnx"
    if damage == "a bit flipped":
        file.write_bytes(data[:50] + bytes([data[50] ^ 1]) + data[51:])
    elif damage == "truncated":
        file.write_bytes(data[:-1])
    folder.write()
    if damage == "not signed":
        (folder.path / "manifest.sig").write_text("00" * 64)


@pytest.mark.parametrize(
    "damage", ["", "another schema", "a bit flipped", "truncated", "truncated and signed", "not signed"]
)
def test_another_set_takes_over_while_running_if_it_is_good(
    folder: ModelFolder, damage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Shows a new set in use without a restart, and a bad one leaving the old in place, said, while the feed beside it
    goes on as the set is read; fails when answers stop, the loop waits for a file, or what was not verified speaks.
    """
    monkeypatch.setattr(model_desk, "LOOK_S", 0.02)
    bench = Bench(folder)
    before = bench.desk.installed
    assert before is not None
    enough, waited = threading.Event(), []

    def slow_load(path: Path, public_key: bytes) -> Registry:
        # A card that takes its time: the set is read only after the feed has brought a hundred more messages.
        waited.append(enough.wait(PATIENCE_S))
        return load(path, public_key)

    async def feed() -> None:
        for _ in range(100):
            await asyncio.sleep(0)
        enough.set()

    async def script() -> None:
        monkeypatch.setattr(model_desk, "load", slow_load)
        install(folder, damage)
        await asyncio.sleep(0.05)
        await feed()
        await bench.until(lambda: len(bench.said) > 1 and ("serve on" in bench.said[-1] or not damage))
        bench.desk.ask(ask())
        await bench.until(lambda: len(bench.answers) == 1)

    run(bench, script)
    installed = bench.desk.installed
    assert installed is not None
    assert waited
    assert all(waited)
    assert (installed.registry.fingerprint != before.registry.fingerprint) is (not damage)
    assert (bench.answers[0].state, bench.answers[0].models) == ("good", installed.registry.fingerprint[:12])
    assert ("serve on" in bench.said[-1]) is bool(damage)
