"""The models' bars: what the venue remembers and what is seen live, joined without a hole and without a bar twice."""

import numpy as np
import pytest

from appliance.core import commands, events
from appliance.engine import model_bars
from appliance.engine.model_bars import ASKS_MAX, HISTORY_BARS, NO_BOOK, Folded, Joint, ModelBars
from appliance.signals.models.base_bars import BaseBar
from appliance.signals.models.inputs import Floats, step_table
from appliance.trading import records
from appliance.trading.ledger import Ledger
from appliance.trading.scribe import Scribe
from tests.unit.engine.builders import MARKET, SECOND_NS, Rig
from tests.unit.engine.test_model_voices import TRIAL, answer, facts, market

BASE_S = 300
SERIES = market(HISTORY_BARS + 60)
STARTS = SERIES.starts_s.tolist()
ROWS: list[tuple[int, int, int, int, int]] = [
    (int(opened), int(high), int(low), int(close), int(volume)) for opened, high, low, close, volume in SERIES.bars
]


class Desk:
    """One instrument's bars, with a venue that remembers the series up to any bar."""

    def __init__(self) -> None:
        self.scribe = Scribe(Ledger())
        self.bars = ModelBars(self.scribe, MARKET, BASE_S)
        self.folded: list[Folded] = []
        self.asks = 0

    def told(self, until: int, *, since: int = 0, problem: str = "") -> "Desk":
        """Let the venue tell the bars before one, which is still open."""
        bars = tuple((STARTS[number], *ROWS[number]) for number in range(since, until))
        event = events.HistoryTold(MARKET, BASE_S, () if problem else bars, STARTS[until], problem)
        self.folded += self.bars.remembered(event)
        return self

    def live(self, number: int, *, part: bool = False) -> "Desk":
        """Close a live bar, of which only a part may have been seen."""
        opened, high, low, close, volume = map(float, ROWS[number])
        bar = BaseBar(STARTS[number], opened, high, low, close, volume)
        self.folded += self.bars.live(bar._replace(open=close, volume=volume / 3) if part else bar, NO_BOOK)
        return self

    def later(self, seconds: float) -> "Desk":
        """Let time pass, a tenth of a second at a time, and count what is asked for."""
        for _ in range(round(seconds * 10)):
            self.scribe.now_ns += SECOND_NS // 10
            self.bars.on_time()
            self.asks += sum(isinstance(one, commands.AskHistory) for one in self.scribe.take())
        return self

    def starts(self) -> list[int]:
        """Return which bars were folded, by their number in the series."""
        return [STARTS.index(one.bar.start_s) for one in self.folded]


@pytest.mark.parametrize("connected_in", [HISTORY_BARS, HISTORY_BARS + 5, HISTORY_BARS + 11, HISTORY_BARS + 23])
def test_features_after_backfill_are_those_of_the_whole_series(connected_in: int) -> None:
    """Shows every step after the start, wherever in an hour that was, equal to the batch over the same bars to 1e-9,
    and warm from the first on; fails when a bar is missing, doubled, half seen or folded before its time.
    """
    desk = Desk()
    desk.bars.connected()
    desk.told(connected_in).live(connected_in, part=True).later(2.5).told(connected_in + 1)
    assert desk.bars.joint is Joint.JOINED
    for number in range(connected_in + 1, connected_in + 30):
        desk.live(number)
    assert desk.starts() == list(range(connected_in + 30))
    table = step_table(SERIES.starts_s, SERIES.bars, BASE_S)
    batch = {int(SERIES.starts_s[row]): vector for row, vector in zip(table.rows, table.vectors, strict=True)}
    steps = [one.step for one in desk.folded if one.step is not None]
    assert [step.warm for step in steps][-3:] == [True] * 3
    for step in steps:
        found: Floats = step.vector.astype(np.float64)
        assert np.allclose(found, batch[step.start_s], rtol=0.0, atol=1e-9, equal_nan=True)


def test_live_bars_wait_for_what_came_before_them() -> None:
    """Shows whole live bars held back until the venue's bars reach them, then folded once each; fails when a late
    answer leaves a hole or doubles a bar.
    """
    desk, first = Desk(), HISTORY_BARS
    desk.bars.connected()
    desk.told(first).live(first, part=True).told(first)
    assert desk.bars.joint is Joint.WAITING
    desk.live(first + 1).live(first + 2)
    assert desk.starts() == list(range(first))
    desk.told(first + 2)
    assert desk.starts() == list(range(first + 3))
    assert not desk.bars.acts(STARTS[first + 2])
    assert desk.bars.acts(STARTS[first + 3])


def test_what_was_missed_between_two_connections_is_asked_for() -> None:
    """Shows a lost connection healed by the venue's own bars; fails when a half-seen bar is folded after it."""
    desk, first = Desk(), HISTORY_BARS
    desk.bars.connected()
    desk.told(first).live(first, part=True).told(first + 1).live(first + 1)
    desk.bars.connected()
    desk.live(first + 4, part=True).live(first + 5)
    assert desk.starts() == list(range(first + 2))
    desk.told(first + 6)
    assert desk.starts() == list(range(first + 6))
    assert (desk.bars.good, desk.bars.told) == (True, "warm")


def test_without_history_the_models_stay_cold_and_say_so() -> None:
    """Shows the bounded asks, the live bars folded after them, the words, and the slow asking that goes on; fails when
    a venue without history stops the models or is asked without end.
    """
    desk, first = Desk(), HISTORY_BARS
    desk.bars.connected()
    desk.asks += len(desk.scribe.take())
    for _ in range(ASKS_MAX):
        desk.told(1, problem="HTTP status 503").later(2.0)
    desk.live(first, part=True).live(first + 1)
    assert desk.asks == ASKS_MAX
    assert desk.bars.joint is Joint.ALONE
    assert (desk.bars.good, desk.bars.told) == (False, "cold: HTTP status 503")
    assert desk.starts() == [first, first + 1]
    assert desk.later(299).asks == ASKS_MAX + 1
    desk.told(first).live(first + 2, part=True).told(first + 3)
    assert (desk.bars.good, desk.bars.told) == (True, "warm")
    assert desk.starts()[2:] == list(range(first + 3))


def test_a_hole_that_cannot_be_closed_leaves_the_models_cold() -> None:
    """Shows that history which never reaches the live bars is thrown away; fails when an average runs over the hole."""
    desk, first = Desk(), HISTORY_BARS
    desk.bars.connected()
    desk.told(first).live(first + 1, part=True)
    for _ in range(ASKS_MAX - 1):
        desk.later(2.0).told(first)
    desk.live(first + 2)
    assert desk.bars.told == "cold: the venue's bars do not reach the live ones"
    assert not any(one.step.warm for one in desk.folded[first:] if one.step is not None)


def test_a_short_past_is_told_as_one() -> None:
    """Shows that too few bars are folded, joined and called too few; fails when a young instrument looks warm."""
    desk, first = Desk(), HISTORY_BARS
    desk.bars.connected()
    desk.told(first, since=first - 100).live(first, part=True).told(first + 1, since=first - 100)
    assert desk.bars.joint is Joint.JOINED
    assert (desk.bars.good, desk.bars.told) == (False, "cold: the venue remembers too few bars, or they have holes")


@pytest.mark.parametrize(
    "bars",
    [
        ((300, 5, 6, 4, 5, 1), (300, 5, 6, 4, 5, 1)),
        ((600, 5, 6, 4, 5, 1), (300, 5, 6, 4, 5, 1)),
        ((301, 5, 6, 4, 5, 1),),
        ((9_000, 5, 6, 4, 5, 1),),
        ((300, 5, 4, 6, 5, 1),),
        ((300, 0, 6, 0, 5, 1),),
        ((300, 5, 6, 4, 5, 0),),
        tuple((300 * number, 5, 6, 4, 5, 1) for number in range(1, 1_100)),
    ],
)
def test_a_history_that_cannot_be_right_is_refused_whole(bars: tuple[tuple[int, int, int, int, int, int], ...]) -> None:
    """Shows doubled, unsorted, unaligned, unfinished, impossible and endless bars refused, none of them folded; fails
    when a bar is believed that had not closed or cannot be.
    """
    desk = Desk()
    desk.bars.connected()
    until_s = 9_000 if len(bars) < 1_000 else 10**9
    assert desk.bars.remembered(events.HistoryTold(MARKET, BASE_S, bars, until_s)) == []
    assert not desk.bars.good
    assert model_bars.unsound(events.HistoryTold(MARKET, BASE_S, bars[:1], until_s), 60) != ""


def test_a_silent_venue_is_asked_again() -> None:
    """Shows an ask without an answer given up after its patience; fails when one lost answer ends all asking."""
    desk = Desk()
    desk.bars.connected()
    desk.scribe.take()
    assert desk.later(59).asks == 0
    assert desk.later(4).asks == 1
    assert "no answer" in desk.bars.told


class Remembering(Rig):
    """A trader whose venue remembers an hour and more of one-second bars."""

    def _answer_as_shell(self, command: commands.AnyCommand) -> list[events.AnyEvent]:
        if not isinstance(command, commands.AskHistory):
            return super()._answer_as_shell(command)
        until_s = (self.now_ns + self.wall_offset_ns) // SECOND_NS
        rows = [(until_s - len(ROWS) + number, *row) for number, row in enumerate(ROWS)]
        return [events.HistoryTold(command.instrument, command.bar_s, tuple(rows), until_s)]


def asked_of(rig: Rig) -> list[commands.AskModels]:
    """Return what the models were asked of our market since last asked."""
    asked = [one for one in rig.take(commands.AskModels) if isinstance(one, commands.AskModels)]
    return [one for one in asked if one.instrument == MARKET]


def test_the_models_are_asked_at_once_and_their_answer_moves_nothing() -> None:
    """Shows a warm ask about the last hour right after the start, and that its sure answer opens nothing and closes
    nothing while the same answer to a live step opens; fails when backfilled bars can trade.
    """
    rig = Remembering(TRIAL).running()
    [ours] = asked_of(rig)
    assert ours.start_s * SECOND_NS > rig.now_ns + rig.wall_offset_ns - 15 * SECOND_NS
    rig.tell(answer(start_s=ours.start_s))
    assert rig.orders() == []
    for _ in range(16):
        rig.bar()
        rig.tell(*[answer(start_s=one.start_s) for one in asked_of(rig)])
    assert [order.strategy for order in rig.orders()] == ["models"]
    decided = facts(rig, records.Decision)
    assert len(decided) == 1
