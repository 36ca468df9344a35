"""Any row becomes a line, any course stays bounded, any order of rows keeps the sequence."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.core.errors import WireError
from appliance.core.records import Row
from appliance.reporting.amounts import money
from appliance.reporting.model import History, Model, Point
from appliance.reporting.panel.view import Cursor, update
from appliance.reporting.story import entry_of
from tests.integration.reporting.scripted_trader import hello, note, row

INT64 = st.integers(-(2**63), 2**63 - 1)


@given(st.text(max_size=40), st.binary(max_size=2000), INT64)
def test_any_row_becomes_a_bounded_line(kind: str, payload: bytes, wall_ns: int) -> None:
    """A row of any kind with any payload is shown; wrong if one raised or grew without bound."""
    entry = entry_of(Row(1, wall_ns, 0, kind, payload), {})
    assert len(entry.title) <= 240
    assert len(entry.detail) <= 240


@given(INT64)
def test_money_reads_back_within_half_a_cent(quanta: int) -> None:
    """The text is the amount rounded to a cent; wrong if a digit were lost on the way."""
    cents = int(money(quanta).replace(",", "").replace(".", ""))
    assert abs(cents * 10**8 - quanta) <= 5 * 10**7


@given(st.lists(st.integers(0, 10**9), max_size=300))
def test_a_course_stays_sorted_and_bounded_whatever_the_clock_does(moments: list[int]) -> None:
    """Jumps of the clock in both directions keep the points in order; wrong if the chart ran backwards."""
    history = History(points_max=20)
    for moment in moments:
        history.add(Point(moment, 1, 0))
        points = history.points
        assert len(points) < 20
        assert all(sooner.wall_ms < later.wall_ms for sooner, later in itertools.pairwise(points))


@given(st.lists(st.integers(1, 30), max_size=80))
def test_whatever_arrives_the_rows_held_are_one_unbroken_sequence(arrivals: list[int]) -> None:
    """Duplicates are ignored and gaps refused in any order; wrong if one arrival could leave a hole."""
    model = Model(100)
    model.greet(hello(0))
    for sequence in arrivals:
        last = model.last_sequence or 0
        if sequence > last + 1:
            with pytest.raises(WireError):
                model.take_row(row(sequence, note(sequence)))
        else:
            assert model.take_row(row(sequence, note(sequence))) == (sequence == last + 1)
    held = [entry.sequence for entry in model.last_entries(100)]
    assert held == list(range(1, len(held) + 1))


@given(st.lists(st.one_of(st.integers(1, 400), st.just("look"), st.just("another journal")), max_size=30))
def test_a_reader_who_follows_updates_knows_what_the_model_holds(steps: list[int | str]) -> None:
    """Updates one after another equal the whole; wrong if a reader missed an entry or kept an old journal's."""
    model = Model(50)
    model.greet(hello(0))
    cursor: Cursor | None = None
    known: dict[int, object] = {}
    tag = 0
    for step in [*steps, "look"]:
        if isinstance(step, int):
            for _ in range(step):
                number = (model.last_sequence or 0) + 1
                model.take_row(row(number, note(number)))
        elif step == "another journal":
            tag += 1
            model.greet(hello(0, journal_tag=f"tag{tag}"))
        else:
            document, cursor = update(model, 0, cursor)
            known, added = (
                ({}, document["entries_all"]) if "entries_all" in document else (known, document.get("entries_new", []))
            )
            assert isinstance(added, list)
            known |= {entry["sequence"]: entry for entry in added}
    held = [entry.sequence for entry in model.last_entries(50)]
    assert set(held) <= set(known)
    assert max(known, default=0) == (held[-1] if held else 0)
