"""The reporter's model: sequence, bounds, staleness."""

import itertools

import pytest

from appliance.core.errors import WireError
from appliance.core.records import Row
from appliance.reporting.model import STALE_AFTER_MS, History, Model, Point
from appliance.trading.records import Equity, Mode
from tests.integration.reporting.scripted_trader import START_WALL_NS, hello, note, row, telemetry

MILLISECOND_NS = 1_000_000


def filled(count: int, entries_max: int = 100) -> Model:
    """Return a model that took so many rows."""
    model = Model(entries_max)
    model.greet(hello(0))
    for sequence in range(1, count + 1):
        model.take_row(row(sequence, note(sequence)))
    return model


def test_the_first_hello_asks_for_no_more_rows_than_are_kept() -> None:
    """A reporter that starts late asks for the last rows only; wrong if it asked for a whole long journal."""
    assert Model(100).greet(hello(1_000_000)) == 999_901
    assert Model(100).greet(hello(3)) == 1


def test_a_gap_is_refused_and_a_duplicate_ignored_and_counted() -> None:
    """No row is ever skipped or shown twice; wrong if a jump in sequence were taken as it comes."""
    model = filled(5)
    assert not model.take_row(row(5, note(5)))
    assert model.duplicates == 1
    with pytest.raises(WireError, match="rows are missing"):
        model.take_row(row(7, note(7)))
    assert model.take_row(row(6, note(6)))
    assert [entry.sequence for entry in model.last_entries(100)] == [1, 2, 3, 4, 5, 6]


def test_it_resumes_after_its_last_row_of_the_same_journal() -> None:
    """A reconnect goes on where it was; wrong if it started over or skipped."""
    model = filled(5)
    assert model.greet(hello(9)) == 6


@pytest.mark.parametrize("greeting", [hello(9, journal_tag="other"), hello(2)])
def test_another_or_a_shortened_journal_starts_over(greeting: object) -> None:
    """Rows of two journals are never mixed; wrong if only the sequence decided."""
    model = filled(5)
    assert isinstance(greeting, type(hello()))
    assert model.greet(greeting) == 1
    assert model.last_entries(100) == []


def test_rows_are_bounded_but_a_change_of_mode_outlives_a_flood_of_orders() -> None:
    """Memory stays bounded and the last mode stays visible; wrong if orders pushed everything else out."""
    model = Model(50)
    model.greet(hello(0))
    model.take_row(row(1, Mode("NORMAL", "PAUSED", "feed is stale", "quality", 0, 0)))
    for sequence in range(2, 502):
        model.take_row(row(sequence, note(sequence)))
    shown = model.last_entries(50)
    assert len(shown) == 51
    assert shown[0].kind == "mode"
    assert [entry.sequence for entry in shown[1:]] == list(range(452, 502))


def test_many_unknown_kinds_take_bounded_room() -> None:
    """A journal that invents kinds cannot make the model grow; wrong if each kind had a store of its own for ever."""
    model = Model(10)
    model.greet(hello(0))
    for sequence in range(1, 1001):
        model.take_row(Row(sequence, START_WALL_NS, 0, f"kind{sequence}", b"{}"))
    assert len(model.last_entries(10)) <= 10 + 17 * 20


def test_entries_after_says_when_it_cannot_be_complete() -> None:
    """A reader is never given entries with a hole; wrong if what fell out of the store were silently left out."""
    model = filled(200, entries_max=50)
    assert model.entries_after(200, 10) == []
    newer = model.entries_after(195, 10)
    assert newer is not None
    assert [entry.sequence for entry in newer] == [196, 197, 198, 199, 200]
    assert model.entries_after(100, 1000) is None
    assert model.entries_after(180, 10) is None


def test_telemetry_goes_stale_after_three_seconds() -> None:
    """What is old is said to be old; wrong if silence looked like the present."""
    model = Model(10)
    assert model.stale(0)
    model.take_telemetry(telemetry(), received_ns=0)
    assert not model.stale(STALE_AFTER_MS * MILLISECOND_NS)
    assert model.stale((STALE_AFTER_MS + 1) * MILLISECOND_NS)


def test_an_equity_row_gives_a_point_with_its_fall_from_the_peak() -> None:
    """The course starts from the journal, before any telemetry; wrong if a restart lost it."""
    model = Model(10)
    model.greet(hello(0))
    model.take_row(row(1, Equity(9 * 10**13, 0, 10**14, 10**14, 1)))
    assert model.history.points == (Point((START_WALL_NS + 700_000_000) // MILLISECOND_NS, 9 * 10**13, 100_000),)


def test_a_row_that_does_not_decode_is_shown_and_gives_no_point() -> None:
    """A damaged payload is visible and harmless; wrong if it ended the link or vanished."""
    model = Model(10)
    model.greet(hello(0))
    model.take_row(Row(1, START_WALL_NS, 0, "equity", b"\xff{"))
    assert [entry.title for entry in model.last_entries(10)] == ["equity"]
    assert model.history.points == ()


def test_the_course_keeps_its_ends_in_bounded_room() -> None:
    """A month of points takes the room of an hour; wrong if the list grew or its old part was cut off."""
    history = History(points_max=100)
    for second in range(50_000):
        history.add(Point(second * 1000, second, 0))
    points = history.points
    assert len(points) < 100
    assert points[0].wall_ms == 0
    assert 50_000_000 - points[-1].wall_ms <= 2 * history.interval_ms
    assert all(later.wall_ms > sooner.wall_ms for sooner, later in itertools.pairwise(points))


def test_a_clock_set_back_does_not_freeze_the_course() -> None:
    """After a step back the course goes on; wrong if it waited until the old time came again."""
    history = History()
    for second in (10, 20, 30):
        history.add(Point(second * 1000, second, 0))
    history.add(Point(15_000, 99, 0))
    assert [point.wall_ms for point in history.points] == [10_000, 15_000]
