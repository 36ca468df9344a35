"""The layers of a stop that live outside the step: market data, the disk, the reporter and the guardian's page.

Each is a task of its own with a deadline, so none can hold up the loop, and each answers with an event. The step keeps
its own deadlines as well and does not wait for this one to be honest.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from appliance.core.commands import StartLayer, StopLayer
from appliance.core.errors import StoreFailure
from appliance.core.events import LayerStopped
from appliance.engine.ports import Feed, Journal, Post, Publisher
from appliance.safety.cascade import Layer, Word

MILLISECONDS = 1_000
TASKS_MAX = 32
Work = Callable[[float], Awaitable[str]]


class FeedSwitch:
    """Run the market data connection, unless it is switched off."""

    def __init__(self, feed: Feed) -> None:
        """Begin switched on."""
        self._feed = feed
        self._wanted = asyncio.Event()
        self._wanted.set()
        self._running: asyncio.Task[None] | None = None
        self._switched_off: asyncio.Task[None] | None = None

    @property
    def wanted(self) -> bool:
        """Tell whether market data is to come in."""
        return self._wanted.is_set()

    async def run(self) -> None:
        """Stay connected while switched on, until canceled; a connection that fails fails this."""
        while True:
            await self._wanted.wait()
            self._running = running = asyncio.create_task(self._feed.run())
            try:
                await asyncio.wait({running})
            finally:
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)
            if running is not self._switched_off:
                return running.result()

    def start(self) -> None:
        """Switch on."""
        self._wanted.set()

    async def stop(self, _deadline_s: float) -> str:
        """Switch off and wait until the connection is gone; what it raises on the way is raised here."""
        self._wanted.clear()
        running = self._running
        if running is None or running.done():
            return "there was no connection"
        self._switched_off = running
        running.cancel()
        await asyncio.wait({running})
        problem = None if running.cancelled() else running.exception()
        if problem is not None:
            raise problem
        return "disconnected until trading is allowed again"


class ShellLayers:
    """Stop layers when the step asks for it, and tell it what came of each."""

    def __init__(self, feed: FeedSwitch, works: Mapping[Layer, Work], post: Post) -> None:
        """Stop market data by its switch and the others by their works."""
        self._feed = feed
        self._works: dict[Layer, Work] = {Layer.FEEDS: feed.stop, **works}
        self._post = post
        self._tasks: set[asyncio.Task[None]] = set()

    def stop(self, command: StopLayer) -> None:
        """Begin to stop a layer."""
        if len(self._tasks) >= TASKS_MAX:
            self._tell(command, Word.FAILED, "too many former stops of layers are still under way")
            return
        task = asyncio.create_task(self._stop(command), name=f"stop {command.layer}")
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def start(self, command: StartLayer) -> None:
        """Start a layer again; only market data is ever away."""
        if command.layer == Layer.FEEDS:
            self._feed.start()

    async def _stop(self, command: StopLayer) -> None:
        deadline_s = command.deadline_ms / MILLISECONDS
        try:
            async with asyncio.timeout(deadline_s):
                found = await self._works[Layer(command.layer)](deadline_s)
        except TimeoutError:
            self._tell(command, Word.OVERDUE, "it took longer than it may")
        except Exception as problem:  # noqa: BLE001 - whatever one layer raises must not keep the next from stopping
            self._tell(command, Word.FAILED, f"{type(problem).__name__}: {problem}")
        else:
            self._tell(command, Word.DONE, found)

    def _tell(self, command: StopLayer, word: Word, reason: str) -> None:
        self._post(LayerStopped(command.number, command.layer, word, reason))

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (problem := task.exception()) is not None:
            context = {"message": "a layer's stop broke an invariant", "exception": problem, "task": task}
            task.get_loop().call_exception_handler(context)


def journal_work(journal: Journal) -> Work:
    """Return what makes every row safe and names the head of the chain."""

    async def flush(deadline_s: float) -> str:
        appended = journal.appended()
        stored = await asyncio.to_thread(journal.flush, deadline_s)
        head = journal.head()
        if not stored:
            raise StoreFailure(f"row {appended} is not stored, the last one that is has number {head.sequence}")
        return f"stored up to row {head.sequence}, chain head {head.hash.hex()}"

    return flush


def reporting_work(publisher: Publisher, report: Callable[[], None]) -> Work:
    """Return what publishes the state of this moment and waits until every reporter has it."""

    async def write_out(_deadline_s: float) -> str:
        report()
        count = await publisher.written_out()
        return f"written out to {count} reporters" if count else "published, no reporter is connected"

    return write_out


def outputs_work(beat: Callable[[], None]) -> Work:
    """Return what tells the guardian, who lets the relay drop when the stop is verified."""

    async def tell(_deadline_s: float) -> str:
        beat()
        return "the guardian is told, on whose word the relay drops"

    return tell
