"""The step: one event in, commands out, always the same ones for the same events.

    feed ─► tape, bars ─► features ─► strategies ─► decision ─► risk ─► desk ─► gate ─► venue

The object reads no clock, draws no number, opens no file and knows no thread. Live trading, replay, backtest and the
simulated world drive this very object; what differs is only who carries the commands out.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from appliance.core import events
from appliance.core.commands import AnyCommand
from appliance.core.identifiers import trace_id
from appliance.core.instruments import Instrument
from appliance.core.values import STOP_KINDS, OrderKind, Side
from appliance.engine.breaker_board import BreakerBoard
from appliance.engine.conduct import Conduct
from appliance.engine.inlet import Inlet
from appliance.engine.model_voices import ModelVoices
from appliance.engine.portfolio import Portfolio
from appliance.engine.watch import Watch
from appliance.market.bars import Bar
from appliance.market.intake import Intake
from appliance.market.quality.watch import QualityWatch
from appliance.market.tape import Tape
from appliance.risk.limits import RiskLimits, first_exceeded
from appliance.risk.sizing import entry_lots
from appliance.safety.modes import Mode, may_open, may_reduce
from appliance.signals.features import Features
from appliance.signals.fusion import MODELS
from appliance.strategies.contract import Opinion, Stance, Strategy
from appliance.trading import decision
from appliance.trading.desk import Desk
from appliance.trading.gate import admits
from appliance.trading.ledger import Ledger
from appliance.trading.protection import Protection
from appliance.trading.restraint import Restraint
from appliance.trading.scribe import Scribe

GUARD_PATIENCE_NS = 2_000_000_000


class TradeSettings(NamedTuple):
    """Bound how the trader acts on opinions."""

    fraction_ppm: int
    minimum_hold_ns: int
    models_act: bool


class Parts(NamedTuple):
    """Join what a trader is made of."""

    scribe: Scribe
    instruments: dict[str, Instrument]
    tapes: dict[str, Tape]
    features: dict[str, Features]
    strategies: tuple[Strategy, ...]
    portfolio: Portfolio
    limits: RiskLimits
    desk: Desk
    watch: Watch
    conduct: Conduct
    settings: TradeSettings
    board: BreakerBoard
    voices: ModelVoices
    intake: Intake
    protection: Protection
    restraint: Restraint
    quality: dict[str, QualityWatch]


class Trader:
    """Trade: take one event at a time and say what is to be done."""

    __slots__ = (
        "_handlers",
        "_held_since_ns",
        "_inlet",
        "_parts",
        "bars_count",
        "denials",
        "events_count",
        "inputs_count",
    )

    def __init__(self, parts: Parts) -> None:
        """Take parts that have replayed their journal."""
        self._parts = parts
        self._held_since_ns: dict[tuple[str, str], int] = {}
        self.events_count = 0
        self.inputs_count = 0
        self.bars_count = 0
        self.denials: Counter[str] = Counter()
        desk, conduct = parts.desk, parts.conduct
        inward = (self._on_quote, self._on_trade, parts.voices.connected)
        self._inlet = Inlet(parts.intake, parts.instruments, parts.scribe, parts.watch, conduct, *inward)
        self._handlers: dict[type, Callable[[Any], None]] = {
            events.TradePrinted: self._on_trade,
            events.QuoteChanged: self._on_quote,
            events.JournalReached: self._on_journal,
            events.TimePassed: self._on_time,
            events.OrderTraded: self._on_order(self._on_traded),
            events.OrderAcknowledged: self._on_order(desk.acknowledged),
            events.OrderRefused: self._on_order(desk.refused),
            events.OrderEnded: self._on_order(desk.ended),
            events.OrderReported: self._on_order(desk.reported),
            events.OrderAmended: self._on_order(desk.amended),
            events.AmendRefused: self._on_order(desk.amend_refused),
            events.CancelRefused: self._on_order(desk.missing_fills),
            events.SendFailed: self._on_order(lambda event: desk.withdraw(event.client_id, event.reason)),
            events.SendTimedOut: self._on_order(desk.timed_out),
            events.AccountReported: conduct.account_reported,
            events.DeadManFired: conduct.dead_man_fired,
            events.MarketFrame: self._on_frame,
            events.FeedChanged: self._inlet.feed_changed,
            events.OrderLinkChanged: conduct.orders_changed,
            events.KeyRejected: conduct.key_rejected,
            events.PermissionChanged: conduct.permission_changed,
            events.JournalFailed: conduct.journal_failed,
            events.ShutdownRequested: conduct.shutdown_requested,
            events.HealthChanged: conduct.health_changed,
            events.LayerStopped: conduct.layer_stopped,
            events.ModelsAnswered: self._on_models,
            events.HistoryTold: parts.voices.remembered,
        }

    @property
    def mode(self) -> Mode:
        """Return the mode the trader is in."""
        return self._parts.conduct.mode

    @property
    def ledger(self) -> Ledger:
        """Return the account as far as it is known."""
        return self._parts.scribe.ledger

    @property
    def portfolio(self) -> Portfolio:
        """Return the account's worth and standing."""
        return self._parts.portfolio

    @property
    def watch(self) -> Watch:
        """Return what is known of the inputs."""
        return self._parts.watch

    @property
    def conduct(self) -> Conduct:
        """Return how the trader behaves and why."""
        return self._parts.conduct

    @property
    def board(self) -> BreakerBoard:
        """Return the circuit breakers."""
        return self._parts.board

    @property
    def quality(self) -> dict[str, QualityWatch]:
        """Return how far each instrument's bars are believed."""
        return self._parts.quality

    @property
    def voices(self) -> ModelVoices:
        """Return what the models have to say."""
        return self._parts.voices

    @property
    def intake(self) -> Intake:
        """Return the books, and what of the market's frames was refused."""
        return self._parts.intake

    @property
    def instruments(self) -> Mapping[str, Instrument]:
        """Return what is traded, on the venue's terms as they were told last."""
        return self._parts.instruments

    @property
    def tapes(self) -> dict[str, Tape]:
        """Return each instrument's market."""
        return self._parts.tapes

    def step(self, now_ns: int, event: events.AnyEvent) -> list[AnyCommand]:
        """Take one event at a moment and return what is to be done, in order."""
        scribe = self._parts.scribe
        scribe.now_ns = now_ns
        self._parts.watch.now_ns = now_ns
        self.events_count += 1
        scribe.trace = trace_id(scribe.ledger.boot_count, self.events_count)
        self._handlers[type(event)](event)
        return scribe.take()

    def _on_order(self, handle: Callable[[Any], None]) -> Callable[[Any], None]:
        def handler(event: events.OrderEvent) -> None:
            order = self.ledger.orders.get(event.client_id)
            before = None if order is None else order.state
            handle(event)
            if order is not None and order.state is not before:
                self._parts.restraint.heed(order, self._parts.scribe.now_ns)
            self._parts.board.settle(event.client_id)
            self._parts.conduct.review()
            self._protect()

        return handler

    def _on_traded(self, event: events.OrderTraded) -> None:
        self._parts.desk.traded(event)
        order = self.ledger.orders.get(event.client_id)
        if order is None:
            return
        holder = (order.instrument, order.strategy)
        if self.ledger.strategy_lots(*holder) > 0:
            self._held_since_ns.setdefault(holder, self._parts.scribe.now_ns)

    def _on_frame(self, event: events.MarketFrame) -> None:
        self.inputs_count += 1
        self._inlet.frame(event)

    def _on_trade(self, event: events.TradePrinted) -> None:
        self.inputs_count += 1
        tape = self._parts.tapes.get(event.instrument)
        if tape is None:
            return
        believed_count = tape.trades_count
        bar = tape.trade(event)
        if tape.trades_count > believed_count and self._parts.board.traded(event):
            self._parts.conduct.review()
        if bar is not None:
            self._on_bar(bar)

    def _on_quote(self, event: events.QuoteChanged) -> None:
        self.inputs_count += 1
        tape = self._parts.tapes.get(event.instrument)
        if tape is None:
            return
        bar = tape.quote(event, self._parts.scribe.now_ns)
        self._parts.voices.quote(event)
        if self._parts.board.quoted(event):
            self._parts.conduct.review()
        if event.instrument in self.ledger.positions:
            self._stop_losses(event.instrument, tape)
        if bar is not None:
            self._on_bar(bar)

    def _on_time(self, event: events.TimePassed) -> None:
        parts = self._parts
        parts.scribe.wall_offset_ns = event.wall_ns - parts.scribe.now_ns
        parts.watch.clock_synchronized = event.wall_synchronized
        self._inlet.on_time()
        parts.desk.on_time()
        parts.voices.on_time()
        parts.conduct.on_time()
        self._protect()
        if parts.watch.clock_usable:
            parts.portfolio.mark()

    def _on_journal(self, event: events.JournalReached) -> None:
        parts = self._parts
        for order in parts.desk.durable(event.sequence):
            usable = parts.watch.orders_connected and parts.watch.fresh(order.instrument)
            usable = usable and not parts.board.opened(order.instrument)
            reduces = parts.conduct.guards if order.kind in STOP_KINDS else may_reduce(self.mode)
            allowed = reduces if order.reduce_only else may_open(self.mode) and usable
            if allowed and admits(order, permitted=parts.watch.permitted):
                if order.kind not in STOP_KINDS:
                    parts.conduct.dead_man.arm()
                    parts.board.sent(order.client_id)
                parts.desk.send(order)
            else:
                parts.desk.withdraw(order.client_id, f"not sent: {self.mode.name.lower()}, or no usable market")

    def _on_bar(self, bar: Bar) -> None:
        parts = self._parts
        self.bars_count += 1
        tape = parts.tapes[bar.instrument]
        parts.quality[bar.instrument].update(bar, parts.scribe.now_ns, tape.mid_ticks if tape.known else 0)
        features = parts.features[bar.instrument]
        features.update(bar)
        parts.portfolio.correlations.add(bar.instrument, bar.start_ns, features.log_return)
        parts.voices.bar(bar)
        if not self._strategies_heard(bar.instrument):
            return
        for strategy in parts.strategies:
            opinion = strategy.opinion(features)
            if opinion.stance is not Stance.WAIT:
                self._follow(bar.instrument, strategy.name, opinion)

    def _on_models(self, event: events.ModelsAnswered) -> None:
        opinion = self._parts.voices.answered(event)
        acting = self._parts.settings.models_act and self._strategies_heard(event.instrument)
        if acting and opinion.stance is not Stance.WAIT:
            self._follow(event.instrument, MODELS, opinion)

    def _strategies_heard(self, instrument: str) -> bool:
        parts = self._parts
        stopped = parts.conduct.stopping.strategies_stopped or OrderKind.LIMIT not in parts.conduct.sales
        return not stopped and parts.watch.fresh(instrument)

    def _follow(self, instrument: str, strategy: str, opinion: Opinion) -> None:
        held_lots = self.ledger.strategy_lots(instrument, strategy)
        tape = self._parts.tapes[instrument]
        if opinion.stance is Stance.LEAVE and held_lots > 0:
            if self._held_long_enough(instrument, strategy) and not self._leaving(instrument, strategy):
                plan = decision.departure(instrument, strategy, tape.bid_ticks, held_lots, opinion.reason)
                self._parts.protection.leave(plan)
        elif opinion.stance is Stance.ENTER and held_lots == 0 and not self._busy(instrument, strategy, Side.BUY):
            self._enter(instrument, strategy, tape, opinion.reason)

    def _enter(self, instrument: str, strategy: str, tape: Tape, reason: str) -> None:
        parts = self._parts
        if not may_open(self.mode):
            return
        if parts.restraint.waits(instrument, strategy, parts.scribe.now_ns):
            self.denials["refused a moment ago"] += 1
            return
        if not parts.board.admits(instrument):
            self.denials["circuit breaker"] += 1
            return
        if not parts.quality[instrument].usable:
            self.denials["data quality"] += 1
            return
        pressure = tape.micro.pressure
        fused = parts.voices.fuse(instrument, strategy, pressure)
        if not fused.allowed:
            self.denials[fused.why_not] += 1
            return
        plan = decision.entry(instrument, strategy, tape.ask_ticks, 0, reason)
        lots = entry_lots(
            parts.instruments[instrument],
            parts.portfolio.equity_quanta(),
            parts.voices.fraction_ppm(strategy, parts.settings.fraction_ppm),
            plan.price_ticks,
            reduced=self.mode is Mode.REDUCED,
        )
        if lots == 0:
            self.denials["size below the venue's smallest order"] += 1
            return
        plan = plan._replace(size_lots=lots)
        exceeded = first_exceeded(parts.portfolio.standing(plan), parts.limits)
        if exceeded is not None:
            self.denials[exceeded.name] += 1
            return
        parts.portfolio.count_order()
        self._held_since_ns.pop((instrument, strategy), None)
        parts.voices.decided(instrument, strategy, reason, fused, pressure)
        parts.board.planned(instrument, parts.desk.plan(plan))

    def _stop_losses(self, instrument: str, tape: Tape) -> None:
        parts = self._parts
        position = self.ledger.positions.get(instrument)
        if position is None or position.lots <= 0 or not tape.known:
            return
        if OrderKind.MARKET not in parts.conduct.sales or not parts.conduct.guards:
            return
        value_quanta = parts.instruments[instrument].notional_quanta(tape.bid_ticks, position.lots)
        floor_quanta = position.cost_quanta - position.cost_quanta * parts.limits.stop_loss_ppm // 1_000_000
        for strategy, lots in position.lots_by_strategy.items():
            below_ns = parts.protection.below_since(instrument, strategy, below=value_quanta < floor_quanta)
            if below_ns is None or lots <= 0 or self._leaving(instrument, strategy):
                continue
            # The venue's own stop goes first; it is taken off only when it should have sold and has not.
            overdue = parts.scribe.now_ns - below_ns >= GUARD_PATIENCE_NS
            if overdue or not parts.protection.guarded(instrument, strategy, lots):
                parts.protection.leave(decision.stop(instrument, strategy, lots, "stop loss reached"))

    def _protect(self) -> None:
        """Keep every position guarded at the venue for as long as a stop does not demand otherwise."""
        parts = self._parts
        if parts.conduct.guards and parts.watch.orders_connected:
            parts.protection.review(parts.conduct.sales)

    def _busy(self, instrument: str, strategy: str, side: Side) -> bool:
        """Tell whether an order of the strategy, or one that ours would trade against, is still unsettled."""
        return any(
            order.instrument == instrument
            and (order.strategy == strategy or (order.side is not side and not order.protects))
            for order in self.ledger.unsettled()
        )

    def _leaving(self, instrument: str, strategy: str) -> bool:
        """Tell whether the strategy sells already, or a sale would trade against an order that buys."""
        buying = any(order.instrument == instrument and order.side is Side.BUY for order in self.ledger.unsettled())
        return buying or self._parts.protection.leaving(instrument, strategy)

    def _held_long_enough(self, instrument: str, strategy: str) -> bool:
        """Measure the hold in this run's monotonic time; after a restart it begins anew, which only holds longer."""
        now_ns = self._parts.scribe.now_ns
        since_ns = self._held_since_ns.setdefault((instrument, strategy), now_ns)
        return now_ns - since_ns >= self._parts.settings.minimum_hold_ns
