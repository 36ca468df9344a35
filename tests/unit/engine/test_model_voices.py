"""What models have to do with a decision: asked in time, heard while fresh, weighed as they earned, written down."""

import math
from collections.abc import Iterator

import msgspec
import numpy as np
import pytest

from appliance.core import commands, events
from appliance.core.values import Side
from appliance.engine.model_bars import HISTORY_BARS
from appliance.engine.model_desk import event_of, step_of
from appliance.engine.model_voices import silent
from appliance.lab.evaluation import answers_for
from appliance.lab.ohlcv import BarSeries
from appliance.market.bars import Bar
from appliance.signals.fusion import Credit
from appliance.signals.models.installed import models_folder, trusted_key
from appliance.signals.models.panel import Panel
from appliance.signals.models.registry import Registry, load
from appliance.strategies.contract import Stance
from appliance.trading import records
from tests.unit.engine.builders import CONFIG, MARKET, SECOND_NS, Rig

TRIAL = CONFIG.replace('["trend"]', '["trend", "models"]') + '[models]\nbar_s = 1\nweight = "trial"\ncache_s = 60\n'
EARNED = TRIAL.replace("trial", "earned")
SET, OTHER = "0123456789ab", "ba9876543210"


def untold(_done: int, _of: int) -> None:
    """Tell nobody how far it is."""


def answer(**changed: object) -> events.ModelsAnswered:
    """Return a good answer that expects to win."""
    good = events.ModelsAnswered(
        instrument=MARKET,
        start_s=0,
        state="good",
        models=SET,
        weight_percent=0,
        chance_ppm=900_000,
        edge_ppm=12_000,
        width_ppm=30_000,
        cost_ppm=5_600,
        volatility_of_usual_percent=100,
        regime="rising",
        members=(("trees", 900_000),),
        reasons=tuple((f"figure {number}", 900_000 - number) for number in range(5)),
        detail="",
        took_us=900,
    )
    return msgspec.structs.replace(good, **changed)


def facts(rig: Rig, kind: type[records.Record]) -> list[records.AnyRecord]:
    """Return every record of a kind so far."""
    return [fact for fact in map(records.decode, rig.rows) if isinstance(fact, kind)]


def test_models_that_earned_nothing_open_nothing() -> None:
    """Shows that a weight of zero makes the surest answer no entry; fails when models without an edge could trade."""
    rig = Rig(EARNED).running().tell(answer())
    assert rig.orders() == []
    assert rig.trader._parts.voices.answered(answer()).stance is Stance.LEAVE


def test_an_answer_opens_a_position_as_small_as_a_canarys() -> None:
    """Shows the models' own entry, its size on probation and its row before the intent; fails when a new set trades in
    full or a reason is lost.
    """
    config = TRIAL.replace("position_fraction_percent = 1", "position_fraction_percent = 2")
    rig = Rig(config.replace("cache_s", "canary_percent = 0.5\ncache_s")).running().tell(answer())
    order = rig.orders()[-1]
    assert order.strategy == "models"
    spent = order.size_lots * order.price_ticks
    rig.bar(Stance.ENTER)
    assert rig.orders()[-1].strategy == "trend"
    assert spent == pytest.approx(rig.orders()[-1].size_lots * rig.orders()[-1].price_ticks / 4, rel=0.02)
    decided = facts(rig, records.Decision)[0]
    assert isinstance(decided, records.Decision)
    assert (decided.strategy, decided.models, decided.regime) == ("models", SET, "rising")
    assert decided.reasons == answer().reasons
    kinds = [row.kind for row in rig.rows]
    assert kinds.index("decision") == kinds.index("intent") - 1


def test_models_that_expect_a_loss_stop_a_technical_entry() -> None:
    """Shows the refusal counted and nothing opened while the answer is fresh, and the entry again when it is not; fails
    when a stale answer still speaks.
    """
    against = answer(chance_ppm=20_000, edge_ppm=-20_000, weight_percent=60)
    rig = Rig(TRIAL).running().tell(against).bar(Stance.ENTER)
    assert rig.orders() == []
    assert rig.trader.denials["the voices together do not say so"] == 1
    rig.pass_time(60 * SECOND_NS).bar(Stance.ENTER)
    assert [order.strategy for order in rig.orders()] == ["trend"]


def test_a_wild_market_shortens_how_long_an_answer_counts() -> None:
    """Shows the same answer gone after a quarter of the time; fails when its life does not follow volatility."""
    against = answer(chance_ppm=20_000, edge_ppm=-20_000, weight_percent=60, volatility_of_usual_percent=1_000)
    rig = Rig(TRIAL).running().tell(against).pass_time(16 * SECOND_NS).bar(Stance.ENTER)
    assert len(rig.orders()) == 1


@pytest.mark.parametrize("state", ["late", "vetoed", "absent"])
def test_an_answer_that_says_nothing_leaves_the_last_good_one(state: str) -> None:
    """Shows the cache: a late, vetoed or absent answer neither opens anything nor forgets what was said; fails when
    silence counts as an opinion.
    """
    ask = commands.AskModels(MARKET, 0, b"")
    rig = Rig(TRIAL).running().tell(silent(ask, state, "", SET, 0))
    assert rig.orders() == []
    against = answer(chance_ppm=20_000, edge_ppm=-20_000, weight_percent=60)
    rig.tell(against, silent(ask, state, "", SET, 0)).bar(Stance.ENTER)
    assert rig.orders() == []


def test_a_withdrawn_set_stays_withdrawn_through_a_restart() -> None:
    """Shows rollback written down, in force after a restart, and ended only by another set; fails when a restart gives
    bad models another chance.
    """
    late = silent(commands.AskModels(MARKET, 0, b""), "late", "", SET, 0)
    rig = Rig(TRIAL).running().tell(*[late] * 12)
    stages = [fact.stage for fact in facts(rig, records.Models) if isinstance(fact, records.Models)]
    assert stages == ["canary", "withdrawn"]
    later = rig.restarted(TRIAL).running().tell(answer())
    assert later.orders() == []
    later.tell(answer(models=OTHER))
    assert [order.strategy for order in later.orders()] == ["models"]
    assert later.trader.ledger.model_stages == {OTHER: "canary"}


def holding() -> Rig:
    """Return a trader whose models hold a position, for long enough to be let go."""
    rig = Rig(TRIAL).running().tell(answer())
    rig.fill(rig.orders()[-1])
    return rig.pass_time(11 * SECOND_NS)


def test_a_position_is_let_go_when_the_models_expect_a_loss_or_their_word_stops_counting() -> None:
    """Shows the models' own exit for both reasons; fails when withdrawn models leave a position nobody looks after."""
    assert holding().tell(answer(edge_ppm=-1)).orders()[-1].side is Side.SELL
    rig = holding()
    late = silent(commands.AskModels(MARKET, 0, b""), "late", "", SET, 0)
    rig.tell(*[late] * 8)
    assert len(rig.orders()) == 1
    rig.tell(*[late] * 4)
    assert [order.side for order in rig.orders()] == [Side.BUY, Side.SELL]


def test_what_the_voices_earned_outlives_a_restart() -> None:
    """Shows credits written as rows and in force after a replay; fails when a restart forgets who was right."""
    rig = Rig(TRIAL).running().bar().tell(answer())
    bid = rig.trader.tapes[MARKET].bid_ticks
    rig.quote(bid * 101 // 100).bar().bar().tell(answer())
    earned = rig.trader._parts.voices._credits
    assert earned["models"].share > 0.5
    assert rig.trader.ledger.credits["models"] == tuple(earned["models"])
    later = rig.restarted(TRIAL)
    assert later.trader._parts.voices._credits == earned
    assert later.trader._parts.voices._credits["outside"] == Credit()


def test_the_book_tempers_a_strategy_and_is_named_among_the_reasons() -> None:
    """Shows a wish to buy counting half against a book that leans the other way, enough for models to stop it, alone
    never stopped, and the pressure in the row; fails when microstructure has no part in a decision or rules it.
    """
    rig = Rig(TRIAL).running()
    voices = rig.trader._parts.voices
    assert voices.fuse(MARKET, "trend", -1.0).score == 0.5
    assert all(voices.fuse(MARKET, "trend", pressure).allowed for pressure in (-9.0, -1.0, 0.0, 1.0, math.nan))
    assert voices.fuse(MARKET, "trend", math.nan).score == voices.fuse(MARKET, "trend", 1.0).score == 1.0
    voices.decided(MARKET, "trend", "why", voices.fuse(MARKET, "trend", -1.0), -1.0)
    [row] = [one.row for one in rig.trader._parts.scribe.take() if isinstance(one, commands.WriteRow)]
    decided = records.decode(row)
    assert isinstance(decided, records.Decision)
    assert decided.score_ppm == 500_000
    assert decided.reasons == (("trend: why", 1_000_000), ("pressure of the book", -500_000))


def test_a_stopped_appliance_hears_no_model() -> None:
    """Shows that an answer which arrives after permission is gone neither opens nor closes anything; fails when models
    have a way of their own.
    """
    rig = Rig(TRIAL).running().permit(permitted=False, latched=True).tell(answer())
    assert rig.orders() == []
    rig = holding().permit(permitted=False, latched=True)
    orders = len(rig.orders())
    rig.tell(answer(edge_ppm=-1))
    assert len(rig.orders()) == orders


def test_a_decision_without_models_is_written_down_too() -> None:
    """Shows the reason of a technical entry kept; fails when only models are explained."""
    rig = Rig(CONFIG).running().bar(Stance.ENTER)
    decided = facts(rig, records.Decision)[0]
    assert isinstance(decided, records.Decision)
    assert decided.weights == {"technical": 1_000_000}
    assert decided.reasons[0][0].startswith("trend: the test says so")


def test_forecasts_are_followed_to_their_end_and_judged() -> None:
    """Shows that sure forecasts of a market that falls through their barrier withdraw the models; fails when outcomes
    are not taken from the bars that follow.
    """
    rig = Rig(EARNED).running()
    for _ in range(6):
        rig.bar().tell(answer())
    assert rig.trader.ledger.model_stages == {SET: "canary"}
    bid = rig.trader.tapes[MARKET].bid_ticks
    rig.quote(bid * 96 // 100)
    for _ in range(3):
        rig.bar()
    assert rig.trader.ledger.model_stages == {SET: "withdrawn"}
    reason = [fact.reason for fact in facts(rig, records.Models) if isinstance(fact, records.Models)][-1]
    assert reason.startswith("what they advised fell")


@pytest.fixture(scope="module")
def registry() -> Registry:
    """Return the shipped models."""
    return load(models_folder(), trusted_key())


def market(count: int) -> BarSeries:
    """Return a seeded market in whole ticks and lots, as a venue gives it; wild by turns."""
    draw = np.random.default_rng(11)
    wild = 1.0 + 2.0 * (np.arange(count) // 150 % 2)
    closes = np.round(640_000 * np.exp(np.cumsum(draw.normal(0.0, 0.0012, count) * wild)))
    opens = np.r_[640_000.0, closes[:-1]]
    reach = np.round(600 * draw.random((2, count)))
    volumes = np.round(draw.exponential(3e5, count)) + 1
    bars = np.column_stack(
        [opens, np.maximum(opens, closes) + reach[0], np.minimum(opens, closes) - reach[1], closes, volumes]
    )
    return BarSeries(1_750_000_200 // 300 * 300 + 300 * np.arange(count), bars, 300)


def bars_of(series: BarSeries) -> Iterator[Bar]:
    """Yield a series as the engine's bars of a minute: each base bar as one minute and four of its close."""
    for start_s, row in zip(series.starts_s.tolist(), series.bars.astype(np.int64).tolist(), strict=True):
        opened, high, low, close, volume = row
        yield Bar(MARKET, start_s * SECOND_NS, opened, high, low, close, volume, 1, 0)
        for minute in range(1, 5):
            yield Bar(MARKET, (start_s + 60 * minute) * SECOND_NS, close, close, close, close, 0, 1, 0)


def test_live_and_batch_decide_alike_on_the_same_bars(registry: Registry) -> None:
    """Shows, with the shipped models, that what the venue remembers and then live bars one by one, with models that are
    started anew for every answer, give the chance, edge and regime of the whole file at once; fails when what was
    evaluated is not what trades, as when a regime is believed anew after a start.
    """
    series, first = market(HISTORY_BARS + 216), HISTORY_BARS
    rig = Rig(CONFIG.replace("bar_s = 1", "bar_s = 60"))
    voices = rig.trader._parts.voices
    rows = zip(series.starts_s.tolist(), series.bars.astype(np.int64).tolist(), strict=True)
    past = tuple((start_s, *row) for start_s, row in list(rows)[:first])
    voices.connected()
    voices.remembered(events.HistoryTold(MARKET, 300, past, past[-1][0] + 300))
    for bar in bars_of(BarSeries(series.starts_s[first:], series.bars[first:], 300)):
        voices.bar(bar)
        if bar.start_ns == (past[-1][0] + 540) * SECOND_NS:
            # The first live bar began before anybody looked: the venue tells it as well.
            seen = tuple(map(int, series.bars[first]))
            voices.remembered(events.HistoryTold(MARKET, 300, ((past[-1][0] + 300, *seen),), past[-1][0] + 600))
    asks = [command for command in rig.trader._parts.scribe.take() if isinstance(command, commands.AskModels)]
    live = [Panel(registry).answer([(ask.instrument, step_of(ask))])[0] for ask in asks]
    assert len(live) == 19
    batch = {one.start_s: one for one in answers_for(Panel(registry), series, MARKET, untold).answers}
    for one in live:
        other = batch[one.start_s]
        assert (one.vetoed, one.regime) == (False, other.regime)
        assert one.chance == pytest.approx(other.chance, abs=1e-6)
        assert one.edge == pytest.approx(other.edge, abs=1e-6)
    assert len({one.regime for one in live}) > 1


def test_an_answer_travels_in_whole_parts(registry: Registry) -> None:
    """Shows that what the step is told is the answer to a part per million; fails when a field is exchanged."""
    judged = answers_for(Panel(registry), market(720), MARKET, untold)
    said = judged.answers[-1]
    told = event_of(said, registry, 5)
    assert told.chance_ppm == round(said.chance * 1e6)
    assert told.edge_ppm == round(said.edge * 1e6)
    assert told.width_ppm == round(said.width * 1e6)
    assert (told.state, told.regime, told.took_us) == ("good", said.regime, 5)
    assert told.weight_percent == registry.described.weight_percent
    assert math.isclose(told.cost_ppm, 5_600)
    assert [name for name, _ in told.reasons] == [reason.name for reason in said.reasons]
