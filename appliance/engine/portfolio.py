"""What the account is worth and how it stands against its limits, at the marks of the moment."""

from collections import deque

from appliance.core.clock import NANOSECONDS_PER_DAY, NANOSECONDS_PER_SECOND
from appliance.core.instruments import Instrument
from appliance.core.values import PARTS_PER_MILLION, OrderKind, Side, parts_of
from appliance.market.tape import Tape
from appliance.risk.correlation import Correlations
from appliance.risk.limits import RiskLimits, Standing, Usage, usages
from appliance.trading import records
from appliance.trading.desk import Plan
from appliance.trading.ledger import Ledger, Position
from appliance.trading.scribe import Scribe

MARK_INTERVAL_NS = 60 * NANOSECONDS_PER_SECOND
_MINUTE_NS = 60 * NANOSECONDS_PER_SECOND


class Portfolio:
    """Value the ledger with the tapes."""

    __slots__ = ("_instruments", "_limits", "_marked_ns", "_scribe", "_sent_ns", "_tapes", "correlations")

    def __init__(
        self, scribe: Scribe, instruments: dict[str, Instrument], tapes: dict[str, Tape], limits: RiskLimits
    ) -> None:
        """Look at one ledger through one set of tapes."""
        self._scribe = scribe
        self._instruments = instruments
        self._tapes = tapes
        self._limits = limits
        self._marked_ns: int | None = None
        self._sent_ns: deque[int] = deque(maxlen=max(limits.orders_per_minute, 1))
        self.correlations = Correlations(tuple(instruments))

    @property
    def _ledger(self) -> Ledger:
        return self._scribe.ledger

    def value_quanta(self, name: str) -> int:
        """Return what a position would fetch at the bid; at cost while there is no quote."""
        position = self._ledger.positions.get(name)
        return 0 if position is None or position.lots == 0 else self._worth(name, position)

    def _worth(self, name: str, position: Position) -> int:
        bid_ticks = self._tapes[name].bid_ticks
        return self._instruments[name].notional_quanta(bid_ticks, position.lots) if bid_ticks else position.cost_quanta

    def equity_quanta(self) -> int:
        """Return cash and positions at their marks."""
        return self._ledger.cash_quanta + sum(self.value_quanta(name) for name in self._ledger.positions)

    def drawdown_ppm(self) -> int:
        """Return how far equity is below its highest mark."""
        peak_quanta = self._ledger.peak_quanta
        return max(0, peak_quanta - self.equity_quanta()) * PARTS_PER_MILLION // peak_quanta if peak_quanta > 0 else 0

    def count_order(self) -> None:
        """Remember that an entry was planned now."""
        self._sent_ns.append(self._scribe.now_ns)

    def mark(self) -> None:
        """Write the account's worth down once a minute, and at every change of day."""
        ledger, now_ns = self._ledger, self._scribe.now_ns
        if not ledger.funded:
            return
        day = self._scribe.wall_ns // NANOSECONDS_PER_DAY
        new_day = day > ledger.day
        if not new_day and self._marked_ns is not None and now_ns - self._marked_ns < MARK_INTERVAL_NS:
            return
        self._marked_ns = now_ns
        equity = self.equity_quanta()
        day_start = equity if new_day else ledger.day_start_quanta
        peak = max(equity, ledger.peak_quanta)
        self._scribe.write(records.Equity(equity, ledger.cash_quanta, peak, day_start, max(day, ledger.day)))

    def standing(self, plan: Plan) -> Standing:
        """Measure the account as if the plan and every unsettled entry had filled."""
        ledger = self._ledger
        added = self._instruments[plan.instrument].notional_quanta(plan.price_ticks, plan.size_lots)
        parts, equity = self._parts()
        symbol, strategy, sector, venue, own = self._exposures(plan, parts)
        held = {name for name, _, _ in parts}
        return Standing(
            equity_quanta=equity,
            order_quanta=added,
            position_quanta=own + added,
            positions_count=len(held | {plan.instrument}),
            symbol_quanta=symbol + added,
            venue_quanta=venue + added,
            strategy_quanta=strategy + added,
            sector_quanta=sector + added,
            correlation_ppm=self._correlation_ppm(plan.instrument, held - {plan.instrument}),
            day_loss_quanta=max(0, ledger.day_start_quanta - equity),
            day_start_quanta=ledger.day_start_quanta,
            drawdown_quanta=max(0, ledger.peak_quanta - equity),
            peak_quanta=ledger.peak_quanta,
            orders_last_minute=self._orders_last_minute(),
        )

    def usages(self) -> list[Usage]:
        """Return every limit as it stands with no further order."""
        names = list(self._instruments)
        standings = [self._resting(name) for name in names]
        by_limit: dict[str, Usage] = {}
        for standing in standings:
            for usage in usages(standing, self._limits):
                if usage.name not in by_limit or usage.used > by_limit[usage.name].used:
                    by_limit[usage.name] = usage
        return [
            usage for name, usage in by_limit.items() if name not in {"order size", "smallest order", "correlation"}
        ]

    def account_usages(self) -> tuple[Usage, Usage]:
        """Return the two limits that bound the account as a whole: the day's loss and the drawdown."""
        ledger, limits, equity = self._ledger, self._limits, self.equity_quanta()
        return (
            Usage(
                "daily loss",
                max(0, ledger.day_start_quanta - equity),
                parts_of(max(ledger.day_start_quanta, 0), limits.daily_loss_ppm),
            ),
            Usage(
                "drawdown",
                max(0, ledger.peak_quanta - equity),
                parts_of(max(ledger.peak_quanta, 0), limits.drawdown_ppm),
            ),
        )

    def _resting(self, name: str) -> Standing:
        strategies = self._ledger.positions[name].lots_by_strategy if name in self._ledger.positions else {}
        largest = max(strategies, key=lambda strategy: strategies[strategy], default="")
        nothing = Plan(name, largest, Side.BUY, OrderKind.LIMIT, 1, 0, reduce_only=True, reason="")
        standing = self.standing(nothing)
        held_count = sum(1 for position in self._ledger.positions.values() if position.lots)
        # The question "may one more order go" counts that order; at rest there is none.
        return standing._replace(positions_count=held_count, orders_last_minute=standing.orders_last_minute - 1)

    def _exposures(self, plan: Plan, parts: list[tuple[str, str, int]]) -> tuple[int, int, int, int, int]:
        instruments, instrument, own_strategy = self._instruments, plan.instrument, plan.strategy
        own_sector = instruments[instrument].sector
        symbol = strategy = sector = venue = own = 0
        for name, holder, value in parts:
            venue += value
            if holder == own_strategy:
                strategy += value
            if name == instrument:
                symbol += value
                own += value if holder == own_strategy else 0
            if instruments[name].sector == own_sector:
                sector += value
        return symbol, strategy, sector, venue, own

    def _parts(self) -> tuple[list[tuple[str, str, int]], int]:
        """Return what each holder has of each instrument, or may still get, and what the account is worth."""
        ledger, instruments, tapes = self._ledger, self._instruments, self._tapes
        parts, equity = [], ledger.cash_quanta
        for name, position in ledger.positions.items():
            if lots := position.lots:
                value = self._worth(name, position)
                equity += value
                for holder, held in position.lots_by_strategy.items():
                    parts.append((name, holder, abs(value) * abs(held) // abs(lots)))
        for order in ledger.working.values():
            if not order.reduce_only:
                name = order.instrument
                price_ticks = order.price_ticks or tapes[name].ask_ticks
                pending = instruments[name].notional_quanta(price_ticks, order.exposed_lots)
                parts.append((name, order.strategy, pending))
        return parts, equity

    def _orders_last_minute(self) -> int:
        sent_ns, minute_ago_ns = self._sent_ns, self._scribe.now_ns - _MINUTE_NS
        while sent_ns and sent_ns[0] <= minute_ago_ns:
            sent_ns.popleft()
        return len(sent_ns)

    def _correlation_ppm(self, instrument: str, others: set[str]) -> int:
        highest = self.correlations.highest(instrument, others) if others else 0.0
        return PARTS_PER_MILLION if highest is None else int(highest * PARTS_PER_MILLION)
