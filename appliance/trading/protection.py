"""Every position is guarded by a stop that lives at the venue, and gives its lots up in order when it is to be sold.

Theory of operation. A guard is a stop-loss order, one for each holder (a strategy in an instrument), sized to what is
held and triggered where the position has lost its share. It stands at the venue, so it needs neither this process nor
this machine. When the position changes, the guard is changed in place: at no moment is there none.

A venue holds back what an order would sell, and none that trades spot offers a native pair of which one cancels the
other. So the pair of guard and sale is held here: the guard is canceled, and only when the venue has ended it is the
sale planned, with whatever is then still held. If the guard filled first, the fill wins and there is nothing to sell.
A sale that comes to nothing leaves the position to a new guard.

A guard that the venue refuses is asked for again, each time after twice the wait: never a storm.
"""

from collections.abc import Collection
from typing import NamedTuple

from appliance.core.instruments import Instrument
from appliance.core.values import PARTS_PER_MILLION, OrderKind, Side, parts_of
from appliance.trading.desk import Desk, Plan
from appliance.trading.ledger import OrderView, Position
from appliance.trading.scribe import Scribe

RETRY_NS_MIN = 1_000_000_000
RETRY_NS_MAX = 60_000_000_000
SALE_PATIENCE_NS = 10_000_000_000
# A sale that could not leave will not leave in the same breath either, and every try is a row on the card.
SALE_INTERVAL_NS = 1_000_000_000


class ProtectionSettings(NamedTuple):
    """Say where guards wait, and how far below their trigger they may sell; nothing means at any price."""

    stop_loss_ppm: int
    slippage_ppm_max: int


class _Holder:
    """Keep what is under way for one strategy in one instrument."""

    __slots__ = ("below_ns", "retry_ns", "sale", "sale_due_ns", "sale_until_ns", "wait_ns")

    def __init__(self) -> None:
        self.sale: Plan | None = None
        self.sale_due_ns = 0
        self.sale_until_ns = 0
        self.retry_ns = 0
        self.wait_ns = RETRY_NS_MIN
        self.below_ns: int | None = None


class Protection:
    """Keep one guard at the venue for each holder, and exchange it for a sale when one is wanted."""

    __slots__ = ("_desk", "_holders", "_instruments", "_scribe", "_settings")

    def __init__(
        self, scribe: Scribe, desk: Desk, instruments: dict[str, Instrument], settings: ProtectionSettings
    ) -> None:
        """Guard the positions of one ledger."""
        self._scribe = scribe
        self._desk = desk
        self._instruments = instruments
        self._settings = settings
        self._holders: dict[tuple[str, str], _Holder] = {}

    def review(self, sales: Collection[OrderKind]) -> None:
        """Bring every holder's guard in line with what it holds; to be called whenever something may have changed.

        A sale that is wanted and not of one of these kinds is given up, and the guard comes back.
        """
        held = {
            (name, strategy): lots
            for name, position in self._scribe.ledger.positions.items()
            for strategy, lots in position.lots_by_strategy.items()
            if lots > 0
        }
        for key in sorted(held.keys() | self._holders.keys()):
            sale = self._holders[key].sale if key in self._holders else None
            if sale is not None and sale.order_kind not in sales:
                self._holders[key].sale = None
            self._review_holder(*key, held.get(key, 0))

    def leave(self, plan: Plan) -> None:
        """Want a sale in place of the guard; another one that is wanted already goes first.

        What is less than the venue takes cannot be sold: asking would cost the guard, again and again.
        """
        if plan.size_lots < self._instruments[plan.instrument].size_lots_min:
            return
        holder = self._holders.setdefault((plan.instrument, plan.strategy), _Holder())
        if holder.sale is None:
            if self._scribe.now_ns < holder.sale_due_ns:
                return
            holder.sale = plan
            holder.sale_until_ns = self._scribe.now_ns + SALE_PATIENCE_NS
        self._review_holder(plan.instrument, plan.strategy, plan.size_lots)

    def leaving(self, instrument: str, strategy: str) -> bool:
        """Tell whether a sale is wanted or under way."""
        holder = self._holders.get((instrument, strategy))
        return (holder is not None and holder.sale is not None) or bool(self._orders(instrument, strategy)[1])

    def guarded(self, instrument: str, strategy: str, lots: int) -> bool:
        """Tell whether the venue itself watches over so many lots."""
        guards = self._orders(instrument, strategy)[0]
        return sum(guard.size_lots - guard.filled_lots for guard in guards if guard.stands) >= lots

    def below_since(self, instrument: str, strategy: str, *, below: bool) -> int | None:
        """Note whether the price is where the guard should have sold, and return since when it has been."""
        holder = self._holders.setdefault((instrument, strategy), _Holder())
        if not below:
            holder.below_ns = None
        elif holder.below_ns is None:
            holder.below_ns = self._scribe.now_ns
        return holder.below_ns

    def _review_holder(self, instrument: str, strategy: str, lots: int) -> None:
        holder = self._holders.setdefault((instrument, strategy), _Holder())
        guards, sales = self._orders(instrument, strategy)
        if any(guard.stands for guard in guards):
            holder.wait_ns = RETRY_NS_MIN
        if holder.sale is not None:
            self._exchange(holder, lots, guards, sales)
        elif sales:
            # What is being sold cannot be guarded; what is left of it will be.
            return
        elif lots > 0:
            self._guard(holder, instrument, strategy, lots, guards)
        else:
            self._cancel(guards)
            if not guards:
                del self._holders[instrument, strategy]

    def _exchange(self, holder: _Holder, lots: int, guards: list[OrderView], sales: list[OrderView]) -> None:
        sale = holder.sale
        if sale is None or sales or lots <= 0 or self._scribe.now_ns > holder.sale_until_ns:
            holder.sale = None
            return
        self._cancel(guards)
        if not self._orders(sale.instrument, sale.strategy)[0]:
            holder.sale = None
            holder.sale_due_ns = self._scribe.now_ns + SALE_INTERVAL_NS
            self._desk.plan(sale._replace(size_lots=min(sale.size_lots, lots)))

    def _guard(self, holder: _Holder, instrument: str, strategy: str, lots: int, guards: list[OrderView]) -> None:
        position = self._scribe.ledger.positions[instrument]
        grid = self._instruments[instrument]
        if lots < grid.size_lots_min:
            # Less than the venue takes now. A guard that it took before stays; else there is only the watch over prices
            # in this process.
            fitting = [guard for guard in guards if guard.stands and guard.exposed_lots <= lots][:1]
            self._cancel([guard for guard in guards if guard not in fitting])
            return
        trigger_ticks = self._trigger_ticks(position, grid)
        price_ticks = self._price_ticks(trigger_ticks)
        if not guards:
            self._plan(holder, instrument, strategy, lots, price_ticks, trigger_ticks)
            return
        first, *others = guards
        self._cancel(others)
        wanted = (first.filled_lots + lots, price_ticks, trigger_ticks)
        if first.stands and wanted != (first.size_lots, first.price_ticks, first.trigger_ticks):
            self._change(holder, first, wanted)

    def _plan(
        self, holder: _Holder, instrument: str, strategy: str, lots: int, price_ticks: int, trigger_ticks: int
    ) -> None:
        if self._scribe.now_ns < holder.retry_ns:
            return
        self._wait_longer(holder)
        kind = OrderKind.STOP_LIMIT if price_ticks else OrderKind.STOP
        reason = "guards the position"
        self._desk.plan(Plan(instrument, strategy, Side.SELL, kind, price_ticks, lots, True, reason, trigger_ticks))  # noqa: FBT003

    def _change(self, holder: _Holder, guard: OrderView, wanted: tuple[int, int, int]) -> None:
        if self._scribe.now_ns >= holder.retry_ns:
            self._wait_longer(holder)
            self._desk.amend(guard, *wanted, reason="the position changed")

    def _wait_longer(self, holder: _Holder) -> None:
        holder.retry_ns = self._scribe.now_ns + holder.wait_ns
        holder.wait_ns = min(2 * holder.wait_ns, RETRY_NS_MAX)

    def _trigger_ticks(self, position: Position, grid: Instrument) -> int:
        """Return the price at which the position has lost its share, rounded up: rather sold sooner."""
        floor_quanta = position.cost_quanta * (PARTS_PER_MILLION - self._settings.stop_loss_ppm)
        return max(1, -(-floor_quanta // (PARTS_PER_MILLION * position.lots * grid.tick_lot_quanta)))

    def _price_ticks(self, trigger_ticks: int) -> int:
        if not self._settings.slippage_ppm_max:
            return 0
        return max(1, trigger_ticks - parts_of(trigger_ticks, self._settings.slippage_ppm_max))

    def _cancel(self, guards: list[OrderView]) -> None:
        for guard in guards:
            if guard.working:
                self._desk.cancel(guard)

    def _orders(self, instrument: str, strategy: str) -> tuple[list[OrderView], list[OrderView]]:
        """Return the unsettled guards and sales of one holder, oldest first."""
        sells = [
            order
            for order in self._scribe.ledger.unsettled()
            if order.instrument == instrument and order.strategy == strategy and order.side is Side.SELL
        ]
        guards = [order for order in sells if order.protects]
        return guards, [order for order in sells if not order.protects]
