"""What the models have to do with a decision, inside the step: their inputs, their answers, their stage.

    bars ─► base bars ─► features ─► AskModels ┄ the shell ┄► ModelsAnswered ─► voice ─► fusion ─► Decision row

The models themselves run in the shell: a model that hangs must not hold up a step, and a replay needs the answers, not
the models. An answer counts for a while, the shorter the wilder the market; after that the models are silent. Silence
is never a reason to open anything.
"""

import math
from collections import deque
from collections.abc import Iterator
from typing import Final, NamedTuple

from appliance.core import events
from appliance.core.clock import NANOSECONDS_PER_SECOND
from appliance.core.commands import AskModels
from appliance.core.values import PARTS_PER_MILLION
from appliance.engine.model_bars import ModelBars
from appliance.market.bars import Bar
from appliance.signals import fusion
from appliance.signals.fusion import MODELS, TECHNICAL, Credit, Fused, Voice
from appliance.signals.models.base_bars import BaseBar, BaseBars
from appliance.signals.models.inputs import STEP_BARS, Step
from appliance.signals.models.service import CANARY, FULL, WITHDRAWN, Service, Stage
from appliance.strategies.contract import WAIT, Opinion, Stance
from appliance.trading import records
from appliance.trading.scribe import Scribe

GOOD: Final = "good"
HORIZON_BARS: Final = 288
FORECASTS_MAX: Final = 32
TTL_PERCENT_MIN: Final = 25
# A trade expected to earn this much is as good as the score gets.
EDGE_PPM_FULL: Final = 10_000
REASONS_COUNT: Final = 5
TRIAL_PERCENT: Final = 20

# What models hold when their word stops counting is let go: nobody else would say when.
_UNBACKED = Opinion(Stance.LEAVE, "the models' word does not count any more")


class VoiceSettings(NamedTuple):
    """Bound what the models may do."""

    enabled: bool
    trial: bool
    bar_s: int
    base_s: int
    cache_ns: int
    canary_ppm: int


class _Forecast(NamedTuple):
    """Hold a forecast until it is known whether it came true."""

    price: float
    width: float
    cost: float
    chance: float
    advised: bool
    bars_left: int


class _Market:
    """Hold one instrument's side of it."""

    __slots__ = ("answer", "answered_ns", "bars", "base", "claims", "close", "forecasts", "touch")

    def __init__(self, scribe: Scribe, instrument: str, settings: VoiceSettings) -> None:
        self.base = BaseBars(settings.bar_s, settings.base_s)
        self.bars = ModelBars(scribe, instrument, settings.base_s)
        self.touch: events.QuoteChanged | None = None
        self.answer: events.ModelsAnswered | None = None
        self.answered_ns = 0
        self.close = 0.0
        self.claims: dict[str, tuple[float, float]] = {}
        self.forecasts: deque[_Forecast] = deque(maxlen=FORECASTS_MAX)


class ModelVoices:
    """Ask the models, hear them, and join them with what the strategies say."""

    __slots__ = ("_credits", "_markets", "_scribe", "_service", "_set", "_settings", "asked_count", "states")

    def __init__(self, scribe: Scribe, instruments: tuple[str, ...], settings: VoiceSettings) -> None:
        """Begin cold; the stage of the models goes on where the journal left it."""
        self._scribe = scribe
        self._settings = settings
        self._markets = {name: _Market(scribe, name, settings) for name in instruments} if settings.enabled else {}
        self._credits = {name: Credit(*scribe.ledger.credits.get(name, ())) for name in fusion.NAMES}
        self._set = next(iter(scribe.ledger.model_stages), "")
        self._service = Service(scribe.ledger.model_stages.get(self._set, CANARY))
        self.asked_count = 0
        self.states: dict[str, int] = {}

    def quote(self, event: events.QuoteChanged) -> None:
        """Remember the touch: a figure of the next bar."""
        market = self._markets.get(event.instrument)
        if market is not None:
            market.touch = event

    def bar(self, bar: Bar) -> None:
        """Take a closed bar, and ask the models where it completes a step that is warm."""
        market = self._markets.get(bar.instrument)
        if market is None:
            return
        gathered = BaseBar(
            bar.start_ns // NANOSECONDS_PER_SECOND,
            float(bar.open_ticks),
            float(bar.high_ticks),
            float(bar.low_ticks),
            float(bar.close_ticks),
            float(bar.volume_lots),
        )
        for base in market.base.add(gathered):
            market.close = base.close
            self._judge_forecasts(market, base)
            for folded in market.bars.live(base, _book(market.touch)):
                self._ask_about(bar.instrument, folded.step)

    def connected(self) -> None:
        """Join what the venue remembers with what will be seen, on a new connection of the market."""
        for market in self._markets.values():
            market.bars.connected()

    def on_time(self) -> None:
        """Ask again for what the venue remembers, where it is due."""
        for market in self._markets.values():
            market.bars.on_time()

    def remembered(self, event: events.HistoryTold) -> None:
        """Take what the venue remembers, and ask the models about the last step of it."""
        market = self._markets.get(event.instrument)
        if market is None:
            return
        folded = market.bars.remembered(event)
        step = next((one.step for one in reversed(folded) if one.step is not None), None)
        if step is not None and event.until_s - step.start_s <= STEP_BARS * self._settings.base_s:
            self._ask_about(event.instrument, step)

    def states_of_bars(self) -> Iterator[tuple[str, bool, str]]:
        """Yield for each instrument whether the models have what they need, and how that stands in words."""
        for name, market in self._markets.items():
            yield name, market.bars.good, market.bars.told

    def _ask_about(self, instrument: str, step: Step | None) -> None:
        # Cold figures would only be vetoed: there is nothing to ask about yet.
        if step is None or not step.warm:
            return
        self.asked_count += 1
        self._scribe.ask(AskModels(instrument, step.start_s, step.hours.tobytes()))

    def answered(self, event: events.ModelsAnswered) -> Opinion:
        """Take an answer and return what the models, as a strategy, want now."""
        self.states[event.state] = self.states.get(event.state, 0) + 1
        market = self._markets.get(event.instrument)
        if market is None:
            return WAIT
        self._adopt(event.models)
        self._keep(self._service.answered(event.state))
        if self._service.stage == WITHDRAWN:
            return _UNBACKED
        if event.state != GOOD:
            # The last good answer counts on for as long as it would have: the cache of a late or vetoed one.
            return WAIT
        if not market.bars.acts(event.start_s):
            # It is about bars that closed before anybody looked: it shows that the models speak, and moves nothing.
            return WAIT
        self._settle_claims(market)
        market.answer, market.answered_ns = event, self._scribe.now_ns
        market.claims[MODELS] = (float(event.edge_ppm), market.close)
        chance = event.chance_ppm / PARTS_PER_MILLION
        width, cost = event.width_ppm / PARTS_PER_MILLION, event.cost_ppm / PARTS_PER_MILLION
        if market.close > 0.0:
            advised = event.edge_ppm > 0
            market.forecasts.append(_Forecast(market.close, width, cost, chance, advised, HORIZON_BARS))
        if self._weight(event) == 0.0:
            return _UNBACKED
        if event.edge_ppm > 0:
            return Opinion(Stance.ENTER, f"models expect {event.edge_ppm / 10_000:.2f} % after costs")
        return Opinion(Stance.LEAVE, f"models expect {event.edge_ppm / 10_000:.2f} % after costs")

    def fuse(self, instrument: str, strategy: str, pressure: float) -> Fused:
        """Join the opinion of a strategy that wants to enter, tempered by the book, with what the models say."""
        market = self._markets.get(instrument)
        answer = None if market is None else self._fresh(market)
        voices: dict[str, Voice] = {}
        weights: dict[str, float] = {}
        if strategy != MODELS:
            voices[TECHNICAL] = Voice(fusion.tempered(pressure), 1.0)
            usual = fusion.USUAL[TECHNICAL]
            weights[TECHNICAL] = fusion.weight_of(TECHNICAL, usual, self._credits[TECHNICAL].share)
        if answer is not None:
            voices[MODELS] = _voice(answer)
            weights[MODELS] = self._weight(answer)
        if market is not None and strategy != MODELS:
            market.claims[TECHNICAL] = (1.0, market.close)
        return fusion.fuse(voices, weights)

    def fraction_ppm(self, strategy: str, fraction_ppm: int) -> int:
        """Return the size of a new position, of equity: the models' own are small while they are a canary."""
        if strategy == MODELS and self._service.stage != FULL:
            return min(fraction_ppm, self._settings.canary_ppm)
        return fraction_ppm

    def decided(self, instrument: str, strategy: str, reason: str, fused: Fused, pressure: float) -> None:
        """Write down why an entry was decided, before the intent to send it."""
        market = self._markets.get(instrument)
        answer = None if market is None else self._fresh(market)
        parts = [] if strategy == MODELS else [(f"{strategy}: {reason}", PARTS_PER_MILLION)]
        if strategy != MODELS and not math.isnan(pressure):
            parts.append(("pressure of the book", round((fusion.tempered(pressure) - 1.0) * PARTS_PER_MILLION)))
        parts += [] if answer is None else list(answer.reasons)
        self._scribe.write(
            records.Decision(
                instrument,
                strategy,
                round(fused.score * PARTS_PER_MILLION),
                round(fused.certainty * PARTS_PER_MILLION),
                {name: round(share * PARTS_PER_MILLION / 100.0) for name, share in fused.weights.items()},
                "" if answer is None else answer.regime,
                "" if answer is None else answer.models,
                tuple(parts[:REASONS_COUNT]),
                reason,
            )
        )

    def _fresh(self, market: _Market) -> events.ModelsAnswered | None:
        """Return the last good answer while it counts."""
        answer = market.answer
        if answer is None:
            return None
        shorter = max(TTL_PERCENT_MIN, min(100, 10_000 // max(1, answer.volatility_of_usual_percent)))
        ttl_ns = self._settings.cache_ns * shorter // 100
        return answer if self._scribe.now_ns - market.answered_ns <= ttl_ns else None

    def _weight(self, answer: events.ModelsAnswered) -> float:
        if self._service.stage == WITHDRAWN:
            return 0.0
        earned = max(answer.weight_percent, TRIAL_PERCENT) if self._settings.trial else answer.weight_percent
        return fusion.weight_of(MODELS, float(earned), self._credits[MODELS].share) if earned else 0.0

    def _adopt(self, models: str) -> None:
        """Put another set of models on probation."""
        if models and models != self._set:
            self._set = models
            self._service = Service()
            self._keep(Stage(CANARY, "another set of models was installed"))

    def _keep(self, moved: Stage | None) -> None:
        if moved is not None:
            self._scribe.write(records.Models(self._set, moved.stage, moved.reason))

    def _judge_forecasts(self, market: _Market, base: BaseBar) -> None:
        """Follow every forecast to its barrier or its end, as they were followed in training."""
        left: list[_Forecast] = []
        for forecast in market.forecasts:
            moved = _ended(forecast, base)
            if moved is None:
                left.append(forecast._replace(bars_left=forecast.bars_left - 1))
            else:
                net = moved - forecast.cost
                self._keep(self._service.came_true(forecast.chance, net, advised=forecast.advised))
        market.forecasts = deque(left, FORECASTS_MAX)

    def _settle_claims(self, market: _Market) -> None:
        """Credit each voice for the sign it gave since the last answer."""
        for name, (score, price) in market.claims.items():
            if price > 0.0 and market.close != price and score != 0.0:
                credit = self._credits[name].noted(right=(score > 0.0) == (market.close > price))
                self._credits[name] = credit
                self._scribe.write(records.Credit(name, credit.right_ppm, credit.said_ppm))
        market.claims.clear()


def _ended(forecast: _Forecast, base: BaseBar) -> float | None:
    """Return how far the price had moved when this bar ended a forecast, or nothing while it goes on."""
    if base.low / forecast.price - 1.0 <= -forecast.width:
        return -forecast.width
    if base.high / forecast.price - 1.0 >= forecast.width:
        return forecast.width
    return base.close / forecast.price - 1.0 if forecast.bars_left <= 1 else None


def _book(touch: events.QuoteChanged | None) -> tuple[float, float, float, float]:
    if touch is None:
        return 0.0, 0.0, 0.0, 0.0
    return float(touch.bid_ticks), float(touch.bid_lots), float(touch.ask_ticks), float(touch.ask_lots)


def _voice(answer: events.ModelsAnswered) -> Voice:
    score = min(max(answer.edge_ppm / EDGE_PPM_FULL, -1.0), 1.0)
    return Voice(score, abs(2.0 * answer.chance_ppm / PARTS_PER_MILLION - 1.0))


def silent(command: AskModels, state: str, detail: str, models: str, took_us: int) -> events.ModelsAnswered:
    """Return the answer of models that say nothing: they are late or absent."""
    return events.ModelsAnswered(
        command.instrument, command.start_s, state, models, 0, 0, 0, 0, 0, 100, "", (), (), detail, took_us
    )
