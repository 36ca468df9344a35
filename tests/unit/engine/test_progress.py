"""The watchdog is fed on proof of work only."""

import pytest

from appliance.engine.progress import FEED_INTERVAL_NS, INPUT_NS_MAX, JOURNAL_NS_MAX, LOOP_NS_MAX, Progress

STEP_NS = FEED_INTERVAL_NS


def _worked_until(progress: Progress, end_ns: int, frozen: str = "") -> None:
    """Let every counter move each step, but one."""
    for turn, now_ns in enumerate(range(0, end_ns + 1, STEP_NS)):
        progress.note(
            now_ns,
            events_count=0 if frozen == "loop" else turn,
            rows_waiting=1,
            durable_sequence=0 if frozen == "journal" else turn,
            input_count=0 if frozen == "input" else turn,
        )


def test_work_on_all_three_feeds_the_dog_once_an_interval() -> None:
    """Show that a working trader is fed at its interval; fails when it starves or is fed at every look."""
    progress = Progress(0)
    _worked_until(progress, 10 * STEP_NS)
    assert progress.feed_due(10 * STEP_NS)
    assert not progress.feed_due(10 * STEP_NS + 1)
    assert progress.feed_due(11 * STEP_NS)


@pytest.mark.parametrize(
    ("part", "limit_ns"), [("loop", LOOP_NS_MAX), ("journal", JOURNAL_NS_MAX), ("input", INPUT_NS_MAX)]
)
def test_one_part_standing_still_starves_the_dog(part: str, limit_ns: int) -> None:
    """Show both sides of each limit; fails when a part is not looked at or its limit is another."""
    progress = Progress(0)
    _worked_until(progress, limit_ns, part)
    assert progress.feed_due(limit_ns)
    late_ns = limit_ns + 2 * STEP_NS
    progress = Progress(0)
    _worked_until(progress, late_ns, part)
    assert progress.stalled(late_ns) == part
    assert not progress.feed_due(late_ns)


def test_a_journal_with_nothing_to_write_is_not_stalled() -> None:
    """Show that silence of an idle journal is no stall; fails when only new rows count as progress."""
    progress = Progress(0)
    late_ns = JOURNAL_NS_MAX + 5 * STEP_NS
    for turn, now_ns in enumerate(range(0, late_ns + 1, STEP_NS)):
        progress.note(now_ns, events_count=turn, rows_waiting=0, durable_sequence=7, input_count=turn)
    assert progress.stalled(late_ns) == ""


def test_an_input_that_was_stopped_on_purpose_is_not_missed() -> None:
    """Show that a stop may last for days without starving the dog, and that silence counts again from its end; fails
    when a stopped appliance would be restarted every minute, or a dead feed after a stop is never noticed.
    """
    progress = Progress(0)
    stopped_ns, late_ns = 2 * INPUT_NS_MAX, 3 * INPUT_NS_MAX + 2 * STEP_NS
    for turn, now_ns in enumerate(range(0, late_ns + 1, STEP_NS)):
        wanted = now_ns > stopped_ns
        progress.note(now_ns, events_count=turn, rows_waiting=0, durable_sequence=7, input_count=1, input_wanted=wanted)
        assert (progress.stalled(now_ns) == "input") is (now_ns - stopped_ns > INPUT_NS_MAX)
