"""The outbox and what fills it, without a broker: nothing twice, nothing missing, whatever journal and disk do."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.core.errors import StoreFailure, WireError
from appliance.reporting.mqtt.feeder import FIRST_ROWS_MAX, Feeder
from appliance.reporting.mqtt.outbox import SENDING_MAX, Draft, Outbox, Position, open_outbox
from appliance.reporting.mqtt.payloads import Summary, merged
from appliance.reporting.mqtt.topics import Topics
from appliance.trading.records import Equity
from tests.integration.reporting.scripted_trader import hello, note, row

TOPICS = Topics("bot4-edge", "bot4-demo")


def with_outbox(path: Path, body: Callable[[Outbox], Awaitable[None]], rows_max: int = 1000) -> None:
    """Run a body with an outbox of its own."""

    async def whole() -> None:
        outbox = await open_outbox(path, rows_max)
        try:
            await body(outbox)
        finally:
            await outbox.close()

    asyncio.run(whole())


async def names(outbox: Outbox) -> list[tuple[str, int]]:
    """Return journal and sequence of what waits."""
    waiting = [msgspec.json.decode(one.payload) for one in await outbox.after(0, 10_000)]
    return [(one["journal"], one["sequence"]) for one in waiting]


async def followed(outbox: Outbox) -> Feeder:
    """Return a feeder that goes on where the outbox ends."""
    return Feeder(outbox, await outbox.load(), TOPICS)


def test_a_journal_that_lost_published_rows_gets_another_name(tmp_path: Path) -> None:
    """After rows 1 to 8 a journal that ends at 5 is followed under a new name, so no name means two rows, and a restart
    remembers it; wrong if the new rows were taken for doubles of the old ones.
    """

    async def body(outbox: Outbox) -> None:
        feeder = await followed(outbox)
        assert feeder.greet(hello(0)) == 1
        for number in range(1, 9):
            assert feeder.take_row(row(number, note(number)))
        await feeder.settle()
        again = await followed(outbox)
        assert again.greet(hello(5)) == 6
        again.take_row(row(6, note(60)))
        await again.settle()
        assert again.shortened == 1
        assert (await names(outbox))[-2:] == [("abc12", 8), ("abc12~1", 6)]
        assert (await followed(outbox)).journal == "abc12~1"

    with_outbox(tmp_path / "o.db", body)


def test_another_journal_begins_anew_and_a_gap_is_refused(tmp_path: Path) -> None:
    """A journal with another tag is followed from its last thousand rows, a known row is ignored and a gap refused;
    wrong if the position of one journal were used for another.
    """

    async def body(outbox: Outbox) -> None:
        feeder = await followed(outbox)
        feeder.greet(hello(0))
        feeder.take_row(row(1, note(1)))
        assert not feeder.take_row(row(1, note(1)))
        with pytest.raises(WireError, match="rows are missing"):
            feeder.take_row(row(3, note(3)))
        await feeder.settle()
        assert feeder.greet(hello(5000, "zzz99")) == 5000 - FIRST_ROWS_MAX + 1

    with_outbox(tmp_path / "o.db", body)


def test_a_damaged_database_is_set_aside(tmp_path: Path) -> None:
    """A file that is no database is kept as evidence and a new one begun; wrong if the reporter could not start, or the
    damage were overwritten.
    """
    path = tmp_path / "o.db"
    path.write_bytes(b"not a database" * 1000)

    async def body(outbox: Outbox) -> None:
        assert await outbox.load() is None

    with_outbox(path, body)
    assert (tmp_path / "o.db.damaged").read_bytes().startswith(b"not a database")


def test_a_full_disk_is_a_failure_that_passes(tmp_path: Path) -> None:
    """A disk that takes no more refuses the whole batch and its position, and takes both later; wrong if half of them
    stayed, or the connection were left inside a transaction.
    """

    async def body(outbox: Outbox) -> None:
        feeder = await followed(outbox)
        feeder.greet(hello(0))
        ((pages,),) = await outbox._connection.execute_fetchall("PRAGMA page_count")
        await outbox._connection.execute(f"PRAGMA max_page_count = {pages + 2}")
        for number in range(1, 200):
            feeder.take_row(row(number, note(number)))
        with pytest.raises(StoreFailure, match="not kept by the disk"):
            await feeder.settle()
        assert outbox.count == 0
        assert await outbox.load() is None
        await outbox._connection.execute("PRAGMA max_page_count = 100000")
        await feeder.settle()
        assert len(await names(outbox)) == 199

    with_outbox(tmp_path / "o.db", body)


def test_a_batch_that_fails_leaves_no_transaction_open(tmp_path: Path) -> None:
    """A batch with the same row twice is refused whole and the next one is taken; wrong if the refused one stayed half
    stored, or every later batch failed inside its transaction.
    """

    async def body(outbox: Outbox) -> None:
        one = Draft(1, thinned=False, topic="t", payload=b'{"journal":"j","sequence":1}')
        with pytest.raises(StoreFailure):
            await outbox.store([one, one], Position("j", 0, 1))
        assert await names(outbox) == []
        await outbox.store([one], Position("j", 0, 1))
        assert await names(outbox) == [("j", 1)]

    with_outbox(tmp_path / "o.db", body)


@given(st.lists(st.integers(1, 30), min_size=1, max_size=12), st.randoms(use_true_random=False))
@settings(max_examples=25)
def test_thinning_keeps_every_row_in_exactly_one_message(
    tmp_path_factory: pytest.TempPathFactory, batches: list[int], generator: random.Random
) -> None:
    """However rows come and go, each equity row is counted once, each event is there once, and order holds; wrong if a
    merge lost or doubled a row, or touched what may be on its way.
    """

    async def body(outbox: Outbox) -> None:
        feeder, sequence, confirmed = await followed(outbox), 0, []
        feeder.greet(hello(0))
        for count in batches:
            for _ in range(count):
                sequence += 1
                record = note(sequence) if generator.random() < 0.2 else Equity(sequence, 1, 100, 1, 0)
                feeder.take_row(row(sequence, record))
            under_way = await outbox.after(0, SENDING_MAX)
            await feeder.settle()
            assert (await outbox.after(0, SENDING_MAX))[: len(under_way)] == under_way
            sent = (await outbox.after(0, SENDING_MAX))[: generator.randrange(8)]
            confirmed += sent
            await outbox.confirm([one.id for one in sent])
        told = [msgspec.json.decode(one.payload) for one in [*confirmed, *await outbox.after(0, 10_000)]]
        assert sum(one.get("count", 1) for one in told) == sequence
        assert [one["sequence"] for one in told] == sorted({one["sequence"] for one in told})
        assert outbox.count == len(told) - len(confirmed)

    with_outbox(tmp_path_factory.mktemp("t") / "o.db", body, rows_max=300)


def test_a_merge_keeps_extremes_and_the_later_state() -> None:
    """Two summaries become one with both counts, both extremes and the later equity; wrong if a fall were lost."""
    one = Summary(
        device="d", journal="j", sequence_first=1, sequence=4, count=3, wall_ms_first=10, wall_ms=40,
        equity=Decimal(5), equity_min=Decimal(2), equity_max=Decimal(9), drawdown_percent=Decimal("1.5"),
    )  # fmt: skip
    later = msgspec.structs.replace(
        one, sequence_first=6, sequence=7, count=2, wall_ms_first=60, wall_ms=70, equity=Decimal(4),
        equity_min=Decimal(3), equity_max=Decimal(8), drawdown_percent=Decimal("0.5"),
    )  # fmt: skip
    both = merged(one, later)
    assert (both.sequence_first, both.sequence, both.count) == (1, 7, 5)
    assert (both.equity, both.equity_min, both.equity_max, both.drawdown_percent) == (
        Decimal(4),
        Decimal(2),
        Decimal(9),
        Decimal("1.5"),
    )
    assert (both.wall_ms_first, both.wall_ms) == (10, 70)


def test_a_position_survives_by_itself(tmp_path: Path) -> None:
    """What was stored is there after the process is gone; wrong if the next one began somewhere else."""

    async def first(outbox: Outbox) -> None:
        feeder = await followed(outbox)
        feeder.greet(hello(0))
        feeder.take_row(row(1, note(1)))
        await feeder.settle()

    async def second(outbox: Outbox) -> None:
        assert await outbox.load() == Position("abc12", 0, 1)
        assert outbox.count == 1

    with_outbox(tmp_path / "o.db", first)
    with_outbox(tmp_path / "o.db", second)
