"""The layers of a stop that live in the live shell: each with a deadline, each answered, none in the way of another."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from appliance.core.clock import SystemClock
from appliance.core.commands import StartLayer, StopLayer, SubscribeMarket
from appliance.core.errors import InvariantBroken
from appliance.core.events import AnyEvent, LayerStopped
from appliance.core.records import Row
from appliance.engine.shell_layers import (
    TASKS_MAX,
    FeedSwitch,
    ShellLayers,
    Work,
    journal_work,
    outputs_work,
    reporting_work,
)
from appliance.safety.cascade import Layer
from appliance.store.journal import Journal
from appliance.store.limits import JournalLimits
from appliance.trading import records
from appliance.trading.projected import ProjectedLedger

DEADLINE_MS = 60
DEADLINE_S = DEADLINE_MS / 1_000


class Feed:
    """A connection that closes well, raises on closing, hangs on closing, or fails while it is up."""

    def __init__(self, at_close: Callable[[], Awaitable[None]] | None = None) -> None:
        self.at_close = at_close
        self.connected = False
        self.attempts = 0
        self.failure: asyncio.Future[None] | None = None
        self.tried = asyncio.Event()

    def subscribe(self, _command: SubscribeMarket) -> None:
        """Have nothing to begin anew."""

    async def run(self) -> None:
        """Stay up until canceled or failed."""
        self.attempts += 1
        self.connected = True
        self.tried.set()
        self.failure = asyncio.get_running_loop().create_future()
        try:
            await self.failure
        finally:
            if self.at_close is not None:
                await self.at_close()
            self.connected = False


class Bench:
    """A switch, its feed, and the layers around them, in a running loop."""

    def __init__(self, feed: Feed | None = None, works: dict[Layer, Work] | None = None) -> None:
        self.told: list[LayerStopped] = []
        self._answered = asyncio.Event()
        self.feed = feed or Feed()
        self.switch = FeedSwitch(self.feed)
        self.layers = ShellLayers(self.switch, works or {}, self._post)
        self.running = asyncio.create_task(self.switch.run())

    def _post(self, event: AnyEvent) -> None:
        assert isinstance(event, LayerStopped)
        self.told.append(event)
        self._answered.set()

    async def stop(self, layer: str, number: int = 1) -> LayerStopped:
        """Stop one layer and return what is told of it."""
        await asyncio.sleep(0)
        self._answered.clear()
        self.layers.stop(StopLayer(number, layer, DEADLINE_MS))
        async with asyncio.timeout(5):
            await self._answered.wait()
        return self.told[-1]

    async def end(self) -> None:
        """End the switch."""
        self.running.cancel()
        await asyncio.gather(self.running, return_exceptions=True)


async def hang() -> None:
    """Swallow the first cancellation, as a broken connection would."""
    await asyncio.sleep(4 * DEADLINE_S)


async def fail() -> None:
    """Raise, as a broken connection would."""
    raise OSError("the socket is gone")


def test_market_data_is_stopped_and_started_again() -> None:
    """Shows that the connection is gone when the layer is said to be done, and back after a start; fails when it is
    only pretended, or the switch itself ends.
    """

    async def body() -> None:
        bench = Bench()
        told = await bench.stop("feeds", number=7)
        assert (told.number, told.layer, told.outcome) == (7, "feeds", "done")
        assert (bench.feed.connected, bench.switch.wanted) == (False, False)
        again = await bench.stop("feeds")
        assert (again.outcome, again.reason) == ("done", "there was no connection")
        bench.layers.start(StartLayer("feeds"))
        await asyncio.sleep(0.01)
        assert (bench.feed.connected, bench.feed.attempts, bench.running.done()) == (True, 2, False)
        await bench.end()
        assert not bench.feed.connected

    asyncio.run(body())


def test_a_stop_and_a_start_in_one_breath_leave_it_connected() -> None:
    """Shows that a start right behind a stop wins; fails when the switch takes its own cancellation for a failure."""

    async def body() -> None:
        bench = Bench()
        await asyncio.sleep(0.01)
        bench.layers.stop(StopLayer(1, "feeds", DEADLINE_MS))
        await asyncio.sleep(0)
        bench.layers.start(StartLayer("feeds"))
        await asyncio.sleep(0.02)
        assert (bench.feed.connected, bench.feed.attempts, bench.running.done()) == (True, 2, False)
        await bench.end()

    asyncio.run(body())


@pytest.mark.parametrize(("at_close", "outcome"), [(hang, "timed out"), (fail, "failed")])
def test_a_connection_that_closes_badly_is_told_and_comes_back(
    at_close: Callable[[], Awaitable[None]], outcome: str
) -> None:
    """Shows that a hanging or raising close is answered within the deadline, ends nothing, and a later start connects
    again; fails when the process would end or wait.
    """

    async def body() -> None:
        bench = Bench(Feed(at_close))
        loop = asyncio.get_running_loop()
        before_s = loop.time()
        assert (await bench.stop("feeds")).outcome == outcome
        assert loop.time() - before_s < 3 * DEADLINE_S
        bench.feed.tried.clear()
        bench.layers.start(StartLayer("feeds"))
        async with asyncio.timeout(5):
            await bench.feed.tried.wait()
        assert bench.feed.attempts == 2
        bench.feed.at_close = None
        assert not bench.running.done()
        await bench.end()

    asyncio.run(body())


def test_a_connection_that_fails_by_itself_still_fails_its_task() -> None:
    """Shows that a feed's bug ends the switch with that bug; fails when it is taken for a wanted stop."""

    async def body() -> None:
        bench = Bench()
        await asyncio.sleep(0.01)
        assert bench.feed.failure is not None
        bench.feed.failure.set_exception(KeyError("a bug"))
        with pytest.raises(KeyError):
            await bench.running

    asyncio.run(body())


def test_each_work_is_answered_whatever_it_does() -> None:
    """Shows done, failed and timed out for works that return, raise and hang, and for a layer nobody knows; fails when
    one leaves no answer.
    """

    async def good(_deadline_s: float) -> str:
        return "good"

    async def bad(_deadline_s: float) -> str:
        raise ValueError("bad")

    async def slow(_deadline_s: float) -> str:
        await asyncio.sleep(60)
        return "never"

    async def body() -> None:
        bench = Bench(works={Layer.JOURNAL: good, Layer.REPORTING: bad, Layer.OUTPUTS: slow})
        told = [await bench.stop(layer) for layer in ("journal", "reporting", "outputs", "nonsense", "risk")]
        assert [one.outcome for one in told] == ["done", "failed", "timed out", "failed", "failed"]
        assert told[1].reason == "ValueError: bad"
        await bench.end()

    asyncio.run(body())


def test_a_broken_invariant_reaches_the_loops_handler() -> None:
    """Shows that it is not turned into a failed layer but handed to what ends the process; fails when it is lost."""

    async def broken(_deadline_s: float) -> str:
        raise InvariantBroken("what cannot be true")

    async def body() -> None:
        bench = Bench(works={Layer.JOURNAL: broken})
        heard: list[tuple[type, str]] = []
        asyncio.get_running_loop().set_exception_handler(
            lambda _, context: heard.append((type(context["exception"]), context["message"]))
        )
        bench.layers.stop(StopLayer(1, "journal", DEADLINE_MS))
        await asyncio.sleep(0.02)
        assert heard == [(InvariantBroken, "a layer's stop broke an invariant")]
        assert bench.told == []
        await bench.end()

    asyncio.run(body())


def test_stops_that_never_end_are_bounded() -> None:
    """Shows that beyond the bound a stop is answered as failed at once; fails when tasks pile up."""

    async def slow(_deadline_s: float) -> str:
        await asyncio.sleep(60)
        return "never"

    async def body() -> None:
        bench = Bench(works={Layer.JOURNAL: slow})
        for _ in range(TASKS_MAX):
            bench.layers.stop(StopLayer(1, "journal", 60_000))
        assert bench.told == []
        assert (await bench.stop("journal")).outcome == "failed"
        for task in list(bench.layers._tasks):
            task.cancel()
        await bench.end()

    asyncio.run(body())


def open_journal(folder: Path) -> Journal:
    """Open a real journal."""
    return Journal.open(
        folder / "journal.db",
        device="bench",
        clock=SystemClock(),
        on_durable=lambda _: None,
        on_failure=lambda _: None,
        essential_kinds=records.ESSENTIAL_KINDS,
        limits=JournalLimits(),
    )


def test_the_journals_layer_stores_every_row_and_names_the_head(tmp_path: Path) -> None:
    """Shows on a real journal that all rows are stored when it is done, and that the whole hash of the last one is in
    the answer; fails when it answers before the disk has.
    """
    journal = open_journal(tmp_path)
    assert not journal.start(ProjectedLedger())
    try:
        for number in range(1, 51):
            record = records.Refused("equity")
            journal.append(Row(number, number, 0, records.kind_of(record), records.encode(record)))
        said = asyncio.run(_await(journal_work(journal)(2.0)))
        assert journal.head().sequence == 50
        assert said == f"stored up to row 50, chain head {journal.head().hash.hex()}"
    finally:
        journal.close()


def test_a_journal_that_does_not_store_is_a_failure() -> None:
    """Shows that a flush which tells no is raised; fails when rows that are lost are called safe."""
    head = SimpleNamespace(sequence=3, hash=b"")
    stuck = SimpleNamespace(appended=lambda: 5, flush=lambda _timeout_s: False, head=lambda: head)
    with pytest.raises(Exception, match="row 5 is not stored"):
        asyncio.run(_await(journal_work(stuck)(0.1)))


def test_reporting_publishes_first_and_outputs_beat() -> None:
    """Shows that the state is published before it is waited for, and that the guardian's page is written; fails when a
    reporter is sent the state of before.
    """
    done: list[str] = []

    async def written_out() -> int:
        done.append("written out")
        return 2

    publisher = SimpleNamespace(written_out=written_out)
    work = reporting_work(publisher, lambda: done.append("published"))
    assert asyncio.run(_await(work(1.0))) == "written out to 2 reporters"
    asyncio.run(_await(outputs_work(lambda: done.append("beat"))(1.0)))
    assert done == ["published", "written out", "beat"]


async def _await(work: Awaitable[str]) -> str:
    return await work
