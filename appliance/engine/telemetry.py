"""What the trader says about itself: to the guardian in a few words, to the reporter in full."""

from appliance.core.clock import NANOSECONDS_PER_MICROSECOND, NANOSECONDS_PER_MILLISECOND
from appliance.engine.measures import Spread
from appliance.engine.trader import Trader
from appliance.market.quality.watch import QualityWatch
from appliance.risk.limits import share_ppm
from appliance.safety.breakers.breaker import Breaker
from appliance.safety.breakers.circuit import State
from appliance.safety.health.verdict import Verdict
from appliance.safety.heartbeat import Heartbeat
from appliance.safety.lamps import Lamp
from appliance.store.chain import Head
from appliance.wire.report import Dropped, Exposure, HealthVerdict, Position, Telemetry


def heartbeat_of(trader: Trader, now_ns: int, pid: int, loops: int, durable: int, *, ending: bool) -> Heartbeat:
    """Return what the guardian is told."""
    conduct = trader.conduct
    return Heartbeat(
        beat_ns=now_ns,
        pid=pid,
        mode=trader.mode,
        loop_count=loops,
        journal_count=durable,
        input_count=trader.inputs_count,
        acknowledged_latch_sequence=conduct.acknowledged_latch,
        open_entries_count=sum(1 for order in trader.ledger.unsettled() if not order.reduce_only),
        verified_flat=conduct.stop_verified,
        stopping=ending,
    )


def telemetry_of(
    trader: Trader,
    *,
    wall_ns: int,
    head: Head,
    lamp_code: int,
    dropped: tuple[Dropped, ...],
    journal_ns: int,
    tick_to_order: Spread,
    machine: tuple[Verdict, ...],
) -> Telemetry:
    """Return what the reporter is told."""
    ledger, portfolio = trader.ledger, trader.portfolio
    equity = portfolio.equity_quanta()
    ages = [trader.watch.feed_age_ns(name) for name in trader.tapes]
    known_ages = [age for age in ages if age is not None]
    oldest_ms = max(known_ages) // NANOSECONDS_PER_MILLISECOND if known_ages and len(known_ages) == len(ages) else None
    return Telemetry(
        wall_ns=wall_ns,
        mode=trader.mode.name,
        mode_since_wall_ns=ledger.mode_wall_ns,
        lamp=Lamp(lamp_code).name if lamp_code in Lamp.__members__.values() else Lamp.DARK.name,
        equity_quanta=equity,
        cash_quanta=ledger.cash_quanta,
        drawdown_ppm=portfolio.drawdown_ppm(),
        day_pnl_quanta=equity - ledger.day_start_quanta if ledger.day_start_quanta else 0,
        positions=tuple(
            Position(name, position.lots, trader.tapes[name].bid_ticks, portfolio.value_quanta(name))
            for name, position in ledger.positions.items()
            if position.lots
        ),
        exposure=tuple(
            Exposure(usage.name, share_ppm(usage.used, usage.allowed) if usage.used else 0)
            for usage in (portfolio.usages() if ledger.funded else ())
        ),
        feed_age_ms=oldest_ms,
        journal_latency_us=journal_ns // NANOSECONDS_PER_MICROSECOND if journal_ns else None,
        tick_to_order_ns_p50=tick_to_order.quantile_ns(5_000),
        tick_to_order_ns_p99=tick_to_order.quantile_ns(9_900),
        tick_to_order_ns_p99_9=tick_to_order.quantile_ns(9_990),
        events_count=trader.events_count,
        orders_count=ledger.intents_count,
        fills_count=ledger.fills_count,
        rejected_count=ledger.refused_count,
        dropped=dropped,
        head_sequence=head.sequence,
        head_hash=head.hash.hex(),
        health=_health(trader, machine),
    )


def _health(trader: Trader, machine: tuple[Verdict, ...]) -> tuple[HealthVerdict, ...]:
    watch = trader.watch
    refused = sum(sum(tape.refused.values()) for tape in trader.tapes.values())
    return (
        HealthVerdict("order connection", watch.orders_connected, "up" if watch.orders_connected else "down"),
        HealthVerdict(
            "books", trader.conduct.reconciled, "equal to the venue's" if trader.conduct.reconciled else "open"
        ),
        HealthVerdict("market messages", good=True, detail=f"{refused:,} refused"),
        *(HealthVerdict(verdict.check, verdict.good, verdict.detail) for verdict in (*watch.verdicts(), *machine)),
        *(_bars(name, quality) for name, quality in trader.quality.items()),
        *(HealthVerdict(f"models of {name}", good, told) for name, good, told in trader.voices.states_of_bars()),
        *(_breaker(breaker) for breaker in trader.board.network.breakers.values()),
    )


def _breaker(breaker: Breaker) -> HealthVerdict:
    closed = breaker.state is State.CLOSED
    state = breaker.state.name.lower().replace("_", " ")
    return HealthVerdict(f"breaker of {breaker.name}", closed, state if closed else f"{state}: {breaker.cause}")


def _bars(name: str, quality: QualityWatch) -> HealthVerdict:
    return HealthVerdict(f"bars of {name}", quality.usable, quality.told())
