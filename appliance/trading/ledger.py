"""The account as the fold of its records: cash, positions, orders, the mode and the marks.

The live trader and the replay after a crash call the very same `apply`, so they cannot drift apart. Nothing here
decides anything; it only adds up. Every amount is an integer, so conservation is an equality.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator

from appliance.core.records import Row
from appliance.core.require import require
from appliance.core.values import STOP_KINDS, OrderKind, Side
from appliance.trading import records
from appliance.trading.orders import WORKING, Move, State, next_state
from appliance.trading.steps import Conversion

CLOSED_ORDERS_KEPT_MAX = 512


class OrderView:
    """Hold what is known of one order."""

    __slots__ = (
        "asked_lots",
        "asked_price_ticks",
        "asked_trigger_ticks",
        "changed_venue_ns",
        "client_id",
        "expected_lots",
        "fee_quanta",
        "filled_lots",
        "instrument",
        "notional_quanta",
        "order_kind",
        "planned_wall_ns",
        "price_ticks",
        "reason",
        "reduce_only",
        "sequence",
        "side",
        "size_lots",
        "state",
        "strategy",
        "trace",
        "trade_ids",
        "trigger_ticks",
    )

    def __init__(self, intent: records.Intent, sequence: int, wall_ns: int, trace: int) -> None:
        """Begin as the intent says."""
        self.client_id = intent.client_id
        self.instrument = intent.instrument
        self.strategy = intent.strategy
        self.side: Side = intent.side
        self.order_kind: OrderKind = intent.order_kind
        self.price_ticks = intent.price_ticks
        self.trigger_ticks = intent.trigger_ticks
        self.asked_lots = 0
        self.asked_price_ticks = 0
        self.asked_trigger_ticks = 0
        self.changed_venue_ns = 0
        self.size_lots = intent.size_lots
        self.reduce_only = intent.reduce_only
        self.reason = intent.reason
        self.sequence = sequence
        self.planned_wall_ns = wall_ns
        self.trace = trace
        self.state = State.PLANNED
        self.filled_lots = 0
        self.expected_lots = 0
        self.notional_quanta = 0
        self.fee_quanta = 0
        self.trade_ids: list[str] = []

    @property
    def working(self) -> bool:
        """Tell whether the order may still trade."""
        return self.state in WORKING

    @property
    def protects(self) -> bool:
        """Tell whether the order is meant to stand at the venue and guard a position for as long as there is one."""
        return self.reduce_only and self.order_kind in STOP_KINDS

    @property
    def stands(self) -> bool:
        """Tell whether the venue has taken the order as a standing one, so that nothing of it is under way."""
        return self.protects and self.state is State.OPEN and not self.asked_lots

    @property
    def largest_lots(self) -> int:
        """Return the most lots the order can have at the venue: a change that was asked for may be in force."""
        return max(self.size_lots, self.asked_lots)

    @property
    def exposed_lots(self) -> int:
        """Return the lots that may still arrive: all that is open or unknown, or announced and not yet seen."""
        if self.state in WORKING:
            return self.largest_lots - self.filled_lots
        return max(self.expected_lots - self.filled_lots, 0)

    @property
    def settled(self) -> bool:
        """Tell whether nothing more can arrive."""
        return self.exposed_lots == 0


class Position:
    """Hold the net lots of one instrument and who holds them."""

    __slots__ = ("cost_quanta", "fees_quanta", "lots", "lots_by_strategy", "opened_wall_ns", "realized_quanta")

    def __init__(self) -> None:
        """Begin flat."""
        self.lots = 0
        self.cost_quanta = 0
        self.realized_quanta = 0
        self.fees_quanta = 0
        self.opened_wall_ns: dict[str, int] = {}
        self.lots_by_strategy: dict[str, int] = {}

    def add(self, strategy: str, fill: records.Fill, wall_ns: int) -> None:
        """Add one execution: growing adds its cost, shrinking takes cost out in proportion and realizes the rest."""
        change_lots = fill.side.sign * fill.size_lots
        if self.lots == 0 or (self.lots > 0) == (change_lots > 0):
            self.cost_quanta += fill.side.sign * fill.notional_quanta
        else:
            self._reduce(change_lots, fill)
        self.lots += change_lots
        self.fees_quanta += fill.fee_quanta
        self._attribute(strategy, change_lots, wall_ns)

    def _attribute(self, strategy: str, change_lots: int, wall_ns: int) -> None:
        held = self.lots_by_strategy.get(strategy, 0) + change_lots
        self.lots_by_strategy[strategy] = held
        if held == 0:
            del self.lots_by_strategy[strategy]
            self.opened_wall_ns.pop(strategy, None)
        else:
            self.opened_wall_ns.setdefault(strategy, wall_ns)

    def share_oversold(self, strategy: str, wall_ns: int) -> None:
        """Take what a strategy sold beyond its own off the others: two of its sales may have filled in a race."""
        for other in list(self.lots_by_strategy):
            missing_lots = -self.lots_by_strategy.get(strategy, 0)
            if missing_lots <= 0:
                return
            lots = min(missing_lots, self.lots_by_strategy[other])
            if other != strategy and lots > 0:
                self._attribute(other, -lots, wall_ns)
                self._attribute(strategy, lots, wall_ns)

    def _reduce(self, change_lots: int, fill: records.Fill) -> None:
        closing_lots = min(abs(change_lots), abs(self.lots))
        released_quanta = self.cost_quanta * closing_lots // abs(self.lots)
        closing_quanta = fill.notional_quanta * closing_lots // fill.size_lots
        self.realized_quanta += -fill.side.sign * closing_quanta - released_quanta
        self.cost_quanta -= released_quanta
        opening_quanta = fill.notional_quanta - closing_quanta
        self.cost_quanta += fill.side.sign * opening_quanta


class Ledger:
    """Fold records into the account."""

    __slots__ = (
        "_appliers",
        "_closed",
        "boot_count",
        "breakers",
        "cash_quanta",
        "day",
        "day_start_quanta",
        "fills_count",
        "funded",
        "intents_count",
        "last_trade_ns",
        "latch_sequence",
        "mode",
        "mode_reason",
        "mode_wall_ns",
        "model_stages",
        "orders",
        "parameters",
        "peak_quanta",
        "positions",
        "refused_count",
        "rows_lost",
        "sequence",
        "start_sequence",
        "steps",
        "working",
    )

    def __init__(self) -> None:
        """Begin before the first record."""
        self.sequence = 0
        self.boot_count = 0
        self.funded = False
        self.cash_quanta = 0
        self.peak_quanta = 0
        self.day = 0
        self.day_start_quanta = 0
        self.mode = "BOOT"
        self.mode_reason = ""
        self.mode_wall_ns = 0
        self.latch_sequence = 0
        self.start_sequence = 0
        self.last_trade_ns = 0
        self.intents_count = 0
        self.fills_count = 0
        self.refused_count = 0
        self.rows_lost = 0
        self.parameters: dict[str, str] = {}
        self.breakers: dict[str, dict[str, str | int]] = {}
        self.model_stages: dict[str, str] = {}
        self.steps: dict[str, tuple[str, str]] = {}
        self.positions: dict[str, Position] = {}
        self.orders: dict[str, OrderView] = {}
        self.working: dict[str, OrderView] = {}
        self._closed: deque[str] = deque()
        self._appliers: dict[type, Callable[..., None]] = {
            records.Boot: self._boot,
            records.Parameters: self._parameters,
            records.Account: self._account,
            records.Steps: self._steps,
            records.Intent: self._intent,
            records.Change: self._change,
            records.Changed: self._changed,
            records.Order: self._order,
            records.Fill: self._fill,
            records.Mode: self._mode,
            records.Equity: self._equity,
            records.Reconciled: self._nothing,
            records.Refused: self._refused,
            records.Breaker: self._breaker,
            records.Cascade: self._nothing,
            records.Decision: self._nothing,
            records.Models: self._models,
        }

    def apply(self, sequence: int, wall_ns: int, trace: int, record: records.AnyRecord) -> None:
        """Fold one record in; rows come in order, each once."""
        require(sequence == self.sequence + 1, f"journal row {sequence} follows row {self.sequence}")
        self.sequence = sequence
        self._appliers[type(record)](record, wall_ns, trace)

    def position_lots(self, instrument: str) -> int:
        """Return the net lots held of an instrument."""
        position = self.positions.get(instrument)
        return position.lots if position else 0

    def strategy_lots(self, instrument: str, strategy: str) -> int:
        """Return the lots of an instrument that one strategy holds."""
        position = self.positions.get(instrument)
        return position.lots_by_strategy.get(strategy, 0) if position else 0

    def unsettled(self) -> Iterator[OrderView]:
        """Yield every order from which something may still arrive."""
        return iter(self.working.values())

    @property
    def in_flight(self) -> bool:
        """Tell whether anything is under way: an order that works, or a change; a standing stop is neither."""
        return any(not order.stands for order in self.working.values())

    def _boot(self, record: records.Boot, _wall_ns: int, _trace: int) -> None:
        self.boot_count = record.boot_count

    def _parameters(self, record: records.Parameters, _wall_ns: int, _trace: int) -> None:
        self.parameters = dict(record.values)

    def _account(self, record: records.Account, _wall_ns: int, _trace: int) -> None:
        require(not self.funded, "the account was adopted twice")
        self.funded = True
        self.cash_quanta = record.cash_quanta

    def _steps(self, record: records.Steps, _wall_ns: int, _trace: int) -> None:
        """Count in new steps what was counted in old ones; what is over and does not fit them is forgotten."""
        steps = (record.tick, record.lot)
        conversion = Conversion.between(self.steps.get(record.instrument, steps), steps)
        self.steps[record.instrument] = steps
        if record.instrument in self.positions:
            conversion.position(self.positions[record.instrument])
        for order in [order for order in self.orders.values() if order.instrument == record.instrument]:
            if order.settled and not conversion.carries_order(order):
                self._closed.remove(order.client_id)
                del self.orders[order.client_id]
            else:
                conversion.order(order)

    def _intent(self, record: records.Intent, wall_ns: int, trace: int) -> None:
        require(record.client_id not in self.orders, f"client id {record.client_id} was used twice")
        order = OrderView(record, self.sequence, wall_ns, trace)
        self.orders[record.client_id] = order
        self.working[record.client_id] = order
        self.intents_count += 1

    def _change(self, record: records.Change, _wall_ns: int, _trace: int) -> None:
        order = self._order_of(record.client_id)
        if order is not None:
            order.asked_lots = record.size_lots
            order.asked_price_ticks = record.price_ticks
            order.asked_trigger_ticks = record.trigger_ticks

    def _changed(self, record: records.Changed, _wall_ns: int, _trace: int) -> None:
        order = self._order_of(record.client_id)
        if order is None:
            return
        order.asked_lots = order.asked_price_ticks = order.asked_trigger_ticks = 0
        order.size_lots, order.price_ticks = record.size_lots, record.price_ticks
        order.trigger_ticks = record.trigger_ticks
        order.changed_venue_ns = max(order.changed_venue_ns, record.venue_ns)
        if order.filled_lots >= order.size_lots:
            order.state = next_state(order.state, Move.COMPLETE) or order.state
        self._settle(order)

    def _order_of(self, client_id: str) -> OrderView | None:
        order = self.orders.get(client_id)
        # An intent that found no room on the disk was never sent, so there is nothing to follow.
        require(order is not None or self.rows_lost > 0, f"a record speaks of the unknown order {client_id}")
        return order

    def _order(self, record: records.Order, _wall_ns: int, _trace: int) -> None:
        order = self._order_of(record.client_id)
        if order is None:
            return
        order.state = State(record.state)
        order.expected_lots = max(order.expected_lots, record.filled_lots)
        if order.state is State.REFUSED:
            self.refused_count += 1
        self._settle(order)

    def _fill(self, record: records.Fill, wall_ns: int, _trace: int) -> None:
        order = self.orders[record.client_id]
        order.trade_ids.append(record.trade_id)
        order.filled_lots += record.size_lots
        order.notional_quanta += record.notional_quanta
        order.fee_quanta += record.fee_quanta
        position = self.positions.setdefault(record.instrument, Position())
        position.add(order.strategy, record, wall_ns)
        if order.reduce_only:
            position.share_oversold(order.strategy, wall_ns)
        self.cash_quanta -= record.side.sign * record.notional_quanta + record.fee_quanta
        self.last_trade_ns = max(self.last_trade_ns, record.venue_ns)
        self.fills_count += 1
        move = Move.COMPLETE if order.filled_lots >= order.largest_lots else Move.FILL
        order.state = next_state(order.state, move) or order.state
        self._settle(order)

    def _mode(self, record: records.Mode, wall_ns: int, _trace: int) -> None:
        self.mode = record.new
        self.mode_reason = record.reason
        self.mode_wall_ns = wall_ns
        self.latch_sequence = record.latch_sequence
        self.start_sequence = record.start_sequence

    def _equity(self, record: records.Equity, _wall_ns: int, _trace: int) -> None:
        self.peak_quanta = record.peak_quanta
        self.day = record.day
        self.day_start_quanta = record.day_start_quanta

    def _nothing(self, _record: records.AnyRecord, _wall_ns: int, _trace: int) -> None:
        """Keep nothing: how a comparison, a decision or a stop went changes no book."""

    def _refused(self, _record: records.Refused, _wall_ns: int, _trace: int) -> None:
        self.rows_lost += 1

    def _breaker(self, record: records.Breaker, _wall_ns: int, _trace: int) -> None:
        key = f"{record.component}, {record.cause}"
        # Taken out first, so that the last one in the table is the last that happened.
        self.breakers.pop(key, None)
        self.breakers[key] = records.plain(record)

    def _models(self, record: records.Models, _wall_ns: int, _trace: int) -> None:
        self.model_stages = {record.models: record.stage}

    def _settle(self, order: OrderView) -> None:
        if not order.settled:
            if order.client_id not in self.working:
                # Settled once, and now again with something to come: it must not be forgotten with the closed ones.
                self._closed.remove(order.client_id)
                self.working[order.client_id] = order
            return
        if self.working.pop(order.client_id, None) is not None:
            self._closed.append(order.client_id)
        while len(self._closed) > CLOSED_ORDERS_KEPT_MAX:
            gone = self._closed.popleft()
            if gone not in self.working:
                self.orders.pop(gone, None)


def replay(rows: Iterable[Row]) -> Ledger:
    """Fold a whole journal."""
    ledger = Ledger()
    for row in rows:
        ledger.apply(row.sequence, row.wall_ns, row.trace, records.decode(row))
    return ledger
