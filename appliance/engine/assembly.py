"""Join the pure parts of a trader from a configuration and a replayed ledger.

This is apart from bootstrap so that the simulated world, the lab and a replay, which know nothing of disks and
sockets, drive exactly the object that trades live.
"""

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass

from appliance.core.clock import NANOSECONDS_PER_MILLISECOND, NANOSECONDS_PER_SECOND
from appliance.core.config import Config
from appliance.core.errors import ConfigError
from appliance.core.instruments import Instrument
from appliance.core.require import require
from appliance.core.values import cash_to_quanta, percent_to_ppm
from appliance.engine.breaker_board import BoardSettings, BreakerBoard
from appliance.engine.cascade_layers import Stopping
from appliance.engine.conduct import Conduct, ConductSettings
from appliance.engine.model_voices import ModelVoices, VoiceSettings
from appliance.engine.portfolio import Portfolio
from appliance.engine.trader import Parts, Trader, TradeSettings
from appliance.engine.watch import Watch, WatchSettings
from appliance.market.bars import bar_kind
from appliance.market.intake import Intake
from appliance.market.quality.watch import QualityWatch
from appliance.market.tape import Tape
from appliance.risk.limits import RiskLimits
from appliance.safety.breakers.breaker import BreakerSettings
from appliance.safety.breakers.flow import FlowSettings
from appliance.signals.features import Features
from appliance.signals.figures import Figures
from appliance.signals.fusion import MODELS
from appliance.strategies.breakout import Breakout
from appliance.strategies.candlesticks import Candlesticks
from appliance.strategies.contract import Strategy
from appliance.strategies.cross import Cross
from appliance.strategies.momentum import Momentum
from appliance.strategies.reversion import Reversion
from appliance.strategies.shapes import Shapes
from appliance.strategies.timeframes import SeveralTimeframes
from appliance.strategies.trend import Trend
from appliance.trading import records
from appliance.trading.desk import Desk, DeskSettings
from appliance.trading.ledger import Ledger
from appliance.trading.protection import Protection, ProtectionSettings
from appliance.trading.reconcile import Reconciler
from appliance.trading.restraint import Restraint
from appliance.trading.scribe import Scribe
from appliance.trading.steps import Conversion

ENTRY_LIFETIME_NS = 5 * NANOSECONDS_PER_SECOND
RECONCILE_RETRY_NS = 250 * NANOSECONDS_PER_MILLISECOND
RECONCILE_PATIENCE_NS = 2 * NANOSECONDS_PER_SECOND
SHUTDOWN_PATIENCE_NS = 1_500 * NANOSECONDS_PER_MILLISECOND
HALF_PPM = 500_000
STRATEGIES: dict[str, Callable[[], Strategy]] = {
    kind.name: kind for kind in (Trend, Reversion, Breakout, Momentum, Cross, SeveralTimeframes, Candlesticks, Shapes)
}
# What bars draw is followed only where one of these reads it: compiling and memory that others need not pay.
FIGURE_READERS = frozenset({Candlesticks.name, Shapes.name})


def build_trader(
    config: Config,
    instruments: Mapping[str, Instrument],
    ledger: Ledger,
    *,
    tag: str,
    now_ns: int,
    wall_ns: int,
) -> Trader:
    """Join a trader that continues from a ledger; its first step also returns what booting had to write down."""
    traded = {name: _known(instruments, name) for name in config.market.instruments}
    _refuse_to_abandon(ledger, traded)
    scribe = Scribe(ledger)
    scribe.now_ns = now_ns
    scribe.wall_offset_ns = wall_ns - now_ns
    tapes = {name: _tape(config, instrument) for name, instrument in traded.items()}
    limits = risk_limits(config)
    portfolio = Portfolio(scribe, traded, tapes, limits)
    desk = Desk(scribe, tag, traded, _desk_settings(config))
    age_ns = config.market.feed_age_ms_max * NANOSECONDS_PER_MILLISECOND
    watch = Watch(WatchSettings(age_ns, config.safety.clock_unsynced_allowed), tapes)
    board = BreakerBoard(scribe, tapes, _board_settings(config))
    reconciler = Reconciler(scribe, RECONCILE_RETRY_NS, RECONCILE_PATIENCE_NS)
    conduct = Conduct(
        scribe,
        desk,
        watch,
        portfolio,
        board,
        reconciler,
        Stopping(scribe, desk, reconciler, traded, config.safety.stop_policy, ()),
        _conduct_settings(config),
    )
    parts = Parts(
        scribe,
        traded,
        tapes,
        {name: _features(config) for name in traded},
        tuple(_strategy(name) for name in config.trading.strategies if name != MODELS),
        portfolio,
        limits,
        desk,
        watch,
        conduct,
        _trade_settings(config),
        board,
        ModelVoices(scribe, tuple(traded), _voice_settings(config)),
        Intake(traded),
        Protection(scribe, desk, traded, _protection_settings(config)),
        Restraint(),
        {name: QualityWatch(config.market.bar_s * NANOSECONDS_PER_SECOND) for name in traded},
    )
    _write_start(scribe, config, traded)
    board.adopt()
    desk.adopt(now_ns)
    return Trader(parts)


def _write_start(scribe: Scribe, config: Config, traded: Mapping[str, Instrument]) -> None:
    """Write down that this life began, and what is in force in it that was not before."""
    ledger = scribe.ledger
    scribe.write(records.Boot(ledger.boot_count + 1, config.device.name, config.fingerprint, scribe.now_ns))
    values = _values(config)
    if values != ledger.parameters:
        scribe.write(records.Parameters(values))
    for name, steps in _steps_told_anew(ledger, traded).items():
        scribe.write(records.Steps(name, *steps))


def risk_limits(config: Config) -> RiskLimits:
    """Return the configured limits in integers."""
    risk = config.risk
    return RiskLimits(
        position_ppm=percent_to_ppm(risk.position_percent_max),
        positions_count=risk.positions_count_max,
        symbol_ppm=percent_to_ppm(risk.symbol_percent_max),
        venue_ppm=percent_to_ppm(risk.venue_percent_max),
        strategy_ppm=percent_to_ppm(risk.strategy_percent_max),
        sector_ppm=percent_to_ppm(risk.sector_percent_max),
        correlation_ppm=percent_to_ppm(risk.correlation_percent_max),
        heat_ppm=percent_to_ppm(risk.heat_percent_max),
        stop_loss_ppm=percent_to_ppm(risk.stop_loss_percent),
        daily_loss_ppm=percent_to_ppm(risk.daily_loss_percent_max),
        drawdown_ppm=percent_to_ppm(risk.drawdown_percent_max),
        order_quanta_min=cash_to_quanta(risk.order_quote_min),
        order_quanta_max=cash_to_quanta(risk.order_quote_max),
        orders_per_minute=risk.orders_per_minute_max,
    )


def _values(config: Config) -> dict[str, str]:
    """Return every setting by its full name; what identifies the file itself is in the boot record."""
    return {
        f"{section.name}.{setting.name}": str(getattr(getattr(config, section.name), setting.name))
        for section in fields(config)
        if is_dataclass(getattr(config, section.name))
        for setting in fields(getattr(config, section.name))
    }


def _protection_settings(config: Config) -> ProtectionSettings:
    risk = config.risk
    return ProtectionSettings(percent_to_ppm(risk.stop_loss_percent), percent_to_ppm(risk.stop_slippage_percent_max))


def _conduct_settings(config: Config) -> ConductSettings:
    return ConductSettings(
        config.orders.reconcile_interval_s * NANOSECONDS_PER_SECOND,
        config.orders.dead_man_s,
        SHUTDOWN_PATIENCE_NS,
        HALF_PPM,
    )


def _board_settings(config: Config) -> BoardSettings:
    breakers = config.breakers
    return BoardSettings(
        BreakerSettings(breakers.cool_down_s * NANOSECONDS_PER_SECOND, breakers.trials_count),
        FlowSettings(
            spread_ppm_max=percent_to_ppm(breakers.spread_percent_max),
            spread_of_usual_percent_max=breakers.spread_of_usual_percent_max,
            volume_of_usual_percent_max=breakers.volume_of_usual_percent_max,
            toxicity_ppm_max=percent_to_ppm(breakers.toxicity_percent_max),
        ),
        error_ppm_max=percent_to_ppm(breakers.error_percent_max),
        latency_ns_max=breakers.latency_ms_max * NANOSECONDS_PER_MILLISECOND,
        api_errors_max=breakers.connection_losses_count_max,
        hold_open=breakers.hold_open,
    )


def _trade_settings(config: Config) -> TradeSettings:
    return TradeSettings(
        percent_to_ppm(config.risk.position_fraction_percent),
        config.risk.minimum_hold_s * NANOSECONDS_PER_SECOND,
        models_act=MODELS in config.trading.strategies,
    )


def _voice_settings(config: Config) -> VoiceSettings:
    models = config.models
    return VoiceSettings(
        enabled=models.enabled,
        trial=models.weight == "trial",
        bar_s=config.market.bar_s,
        base_s=models.bar_s,
        cache_ns=models.cache_s * NANOSECONDS_PER_SECOND,
        canary_ppm=percent_to_ppm(models.canary_percent),
    )


def _desk_settings(config: Config) -> DeskSettings:
    orders = config.orders
    return DeskSettings(
        orders.deadline_ms * NANOSECONDS_PER_MILLISECOND,
        orders.unknown_grace_ms * NANOSECONDS_PER_MILLISECOND,
        orders.query_interval_ms * NANOSECONDS_PER_MILLISECOND,
        ENTRY_LIFETIME_NS,
    )


def _tape(config: Config, instrument: Instrument) -> Tape:
    market = config.market
    kinds = tuple(bar_kind(text, instrument) for text in market.more_bars)
    band_ppm = percent_to_ppm(market.price_band_percent_max)
    return Tape(instrument.symbol, market.bar_s * NANOSECONDS_PER_SECOND, band_ppm, kinds)


def _known(instruments: Mapping[str, Instrument], name: str) -> Instrument:
    instrument = instruments.get(name)
    if instrument is None:
        offered = ", ".join(sorted(instruments)) or "none"
        raise ConfigError(f"market.instruments names {name}, which the venue does not offer; it offers: {offered}")
    return instrument


def _steps_told_anew(ledger: Ledger, traded: Mapping[str, Instrument]) -> dict[str, tuple[str, str]]:
    """Return the steps the journal does not know yet, refusing those in which what is held cannot be counted."""
    steps = {name: (str(each.tick.normalize()), str(each.lot.normalize())) for name, each in traded.items()}
    anew = {name: each for name, each in steps.items() if ledger.steps.get(name) != each}
    stuck = ", ".join(name for name, each in anew.items() if not _countable(ledger, name, each))
    if stuck:
        raise ConfigError(
            f"the venue made the size steps of {stuck} coarser, and what is held is no whole number of them: "
            "sell it at the venue, or trade it there to a whole number, and start with a new state folder"
        )
    return anew


def _countable(ledger: Ledger, instrument: str, steps: tuple[str, str]) -> bool:
    conversion = Conversion.between(ledger.steps.get(instrument, steps), steps)
    held = ledger.positions.get(instrument)
    orders = (order for order in ledger.unsettled() if order.instrument == instrument)
    return (held is None or conversion.carries_position(held)) and all(map(conversion.carries_order, orders))


def _refuse_to_abandon(ledger: Ledger, traded: Mapping[str, Instrument]) -> None:
    """Refuse a configuration under which nobody would watch what is held, or an order that may still trade."""
    held = {name for name, position in ledger.positions.items() if position.lots}
    held |= {order.instrument for order in ledger.unsettled()}
    abandoned = ", ".join(sorted(held - traded.keys()))
    if abandoned:
        raise ConfigError(f"market.instruments must still name {abandoned}: there is a position or an order in it")


def reads_figures(config: Config) -> bool:
    """Tell whether a chosen strategy reads what bars draw."""
    return not FIGURE_READERS.isdisjoint(config.trading.strategies)


def _features(config: Config) -> Features:
    return Features(config.market.bar_s * NANOSECONDS_PER_SECOND, Figures() if reads_figures(config) else None)


def _strategy(name: str) -> Strategy:
    require(name in STRATEGIES, f"strategy {name} passed the configuration but is not known here")
    return STRATEGIES[name]()
