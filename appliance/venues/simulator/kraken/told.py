"""What the account is told of its orders and money, as the executions and balances channels spell it."""

from collections.abc import Iterable
from decimal import Decimal

from msgspec import UNSET, UnsetType

from appliance.core.events import OrderTraded
from appliance.core.values import Side, quanta_to_cash
from appliance.venues.simulator.floor import Floor, identifier
from appliance.venues.simulator.kraken.names import Catalogue, Listed
from appliance.venues.simulator.terms import LIMITED, PaperOrder, Step, StepKind
from appliance.wire.kraken.account import Balance, Contingent, Execution, Fee, Trigger, Wallet
from appliance.wire.kraken.numbers import written_time

_CLASS = "currency"
_ENDS = {StepKind.CANCELED, StepKind.EXPIRED}


class Teller:
    """Turn what happened on the floor into messages for the account."""

    def __init__(self, floor: Floor, catalogue: Catalogue) -> None:
        """Tell of a floor's account."""
        self._floor = floor
        self._catalogue = catalogue
        self._ledger_entries = 0

    def execution(self, step: Step) -> Execution:
        """Return the report of one step of an order."""
        listed = self._catalogue.listed[step.order.instrument]
        if step.trade is not None:
            return self.trade(step.order, step.trade, step.filled_lots, step.cost_quanta)
        if step.kind is StepKind.PENDING:
            return self.whole(step.order, StepKind.PENDING.value, "pending_new", step)
        return self._change(step, listed)

    def open_orders(self) -> list[Execution]:
        """Return the report of every open order, for who has just subscribed."""
        return [self.whole(order, "new", status_of(order), None) for order in self._floor.open.values()]

    def last_trades(self, count_max: int) -> list[Execution]:
        """Return the report of the last executions, the newest first."""
        trades = self._floor.account.trades_from(0, count_max)[0]
        orders = self._floor.orders
        return [
            self.trade(orders[each.client_id], each, None, None)
            for each in reversed(trades)
            if each.client_id in orders
        ]

    def trade(
        self, order: PaperOrder, trade: OrderTraded, filled_lots: int | None, cost_quanta: int | None
    ) -> Execution:
        """Return the report of one execution; totals are left out where they are not known any more."""
        listed = self._catalogue.listed[order.instrument]
        grid = listed.grid
        fee = quanta_to_cash(trade.fee_quanta)
        done = filled_lots == order.size_lots if filled_lots is not None else order.told_lots == order.size_lots
        total = UNSET if filled_lots is None else grid.size(filled_lots)
        cost = quanta_to_cash(listed.instrument.notional_quanta(trade.price_ticks, trade.size_lots))
        return Execution(
            order_id=order.venue_id,
            exec_type="trade",
            timestamp=written_time(trade.venue_ns),
            order_status="filled" if done else "partially_filled",
            cl_ord_id=order.terms.client_id or UNSET,
            order_userref=order.terms.reference,
            exec_id=self._floor.execution_id(trade),
            trade_id=int(trade.trade_id.split("-")[1]),
            symbol=listed.symbol,
            side=order.side.value,
            order_type=order.terms.order_type.value,
            order_qty=grid.size(order.size_lots),
            last_qty=grid.size(trade.size_lots),
            last_price=grid.price(trade.price_ticks),
            liquidity_ind="m" if trade.maker else "t",
            cost=cost,
            cum_qty=total,
            cum_cost=UNSET if cost_quanta is None else quanta_to_cash(cost_quanta),
            avg_price=UNSET if not filled_lots else self._average(listed, filled_lots, cost_quanta or 0),
            fees=(Fee(listed.instrument.quote, fee),),
            fee_usd_equiv=fee,
        )

    def whole(self, order: PaperOrder, exec_type: str, status: str, step: Step | None) -> Execution:
        """Return the report of an order with everything that is known of it."""
        listed = self._catalogue.listed[order.instrument]
        terms, grid = order.terms, listed.grid
        lots = order.told_lots if step is None else step.filled_lots
        quanta = order.told_quanta if step is None else step.cost_quanta
        close = terms.close
        return Execution(
            order_id=order.venue_id,
            exec_type=exec_type,
            timestamp=written_time(order.opened_ns if step is None else step.venue_ns),
            order_status=status,
            cl_ord_id=terms.client_id or UNSET,
            order_userref=terms.reference,
            symbol=listed.symbol,
            side=order.side.value,
            order_type=terms.order_type.value,
            order_qty=grid.size(order.size_lots),
            limit_price=grid.price(terms.price_ticks) if terms.order_type in LIMITED else UNSET,
            limit_price_type="static" if terms.order_type in LIMITED else UNSET,
            stop_price=grid.price(terms.trigger_ticks),
            triggers=self._trigger(order, listed),
            contingent=UNSET
            if close is None
            else Contingent(
                close.order_type.value,
                trigger_price=grid.price(close.trigger_ticks) if close.trigger_ticks else UNSET,
                limit_price=grid.price(close.price_ticks) if close.price_ticks else UNSET,
            ),
            time_in_force=terms.in_force.value.upper(),
            expire_time=written_time(terms.expire_ns) if terms.expire_ns else UNSET,
            post_only=terms.post_only or UNSET,
            order_ref_id=terms.parent_id or UNSET,
            cum_qty=grid.size(lots),
            cum_cost=quanta_to_cash(quanta),
            avg_price=self._average(listed, lots, quanta) if lots else Decimal(0),
            fee_usd_equiv=quanta_to_cash(order.fees_quanta if step is None else 0),
            fee_ccy_pref="fciq",
        )

    def balances(self) -> list[Balance]:
        """Return every balance, for who has just subscribed."""
        return [
            Balance(asset, amount, asset_class=_CLASS, wallets=(Wallet("spot", "main", amount),))
            for asset, amount in self.amounts().items()
        ]

    def amounts(self) -> dict[str, Decimal]:
        """Return every balance by asset."""
        account = self._floor.account
        amounts: dict[str, Decimal] = {}
        for symbol, listed in self._catalogue.listed.items():
            amounts.setdefault(listed.instrument.quote, quanta_to_cash(account.cash_quanta))
            amounts[listed.instrument.base] = listed.grid.size(account.lots[symbol])
        return amounts

    def held(self) -> dict[str, Decimal]:
        """Return what open orders hold back by asset."""
        account = self._floor.account
        amounts: dict[str, Decimal] = {}
        for symbol, listed in self._catalogue.listed.items():
            amounts.setdefault(listed.instrument.quote, quanta_to_cash(account.held_quanta))
            amounts[listed.instrument.base] = listed.grid.size(account.held_lots[symbol])
        return amounts

    def balance_changes(self, steps: Iterable[Step]) -> list[list[Balance]]:
        """Return the ledger entries of executions, two each, with the balances after them."""
        trades = [step.trade for step in steps if step.trade is not None]
        account = self._floor.account
        cash, lots = account.cash_quanta, dict(account.lots)
        entries: list[list[Balance]] = []
        for trade in reversed(trades):
            listed = self._catalogue.listed[trade.instrument]
            change_lots = trade.side.sign * trade.size_lots
            notional = listed.instrument.notional_quanta(trade.price_ticks, trade.size_lots)
            change = -trade.side.sign * notional
            grid = listed.grid
            base = self._entry(
                trade, listed.instrument.base, grid.size(change_lots), Decimal(0), grid.size(lots[trade.instrument])
            )
            quote = self._entry(
                trade,
                listed.instrument.quote,
                quanta_to_cash(change),
                quanta_to_cash(trade.fee_quanta),
                quanta_to_cash(cash),
            )
            entries.append([base, quote] if trade.side is Side.BUY else [quote, base])
            cash -= change - trade.fee_quanta
            lots[trade.instrument] -= change_lots
        return entries[::-1]

    def _entry(self, trade: OrderTraded, asset: str, amount: Decimal, fee: Decimal, balance: Decimal) -> Balance:
        self._ledger_entries += 1
        return Balance(
            asset,
            balance,
            asset_class=_CLASS,
            ledger_id=identifier("L", trade.venue_ns // 1_000_000, self._ledger_entries),
            ref_id=self._floor.execution_id(trade),
            timestamp=written_time(trade.venue_ns),
            type="trade",
            category="trade",
            wallet_type="spot",
            wallet_id="main",
            amount=amount,
            fee=fee,
        )

    def _change(self, step: Step, listed: Listed) -> Execution:
        order, kind, grid = step.order, step.kind, listed.grid
        moved = kind is StepKind.AMENDED
        totals = kind in _ENDS or kind is StepKind.FILLED
        reason = step.reason or UNSET
        limited = moved and order.terms.order_type in LIMITED
        lots = step.filled_lots
        return Execution(
            order_id=order.venue_id,
            exec_type=kind.value,
            timestamp=written_time(step.venue_ns),
            order_status=_STATUSES.get(kind, "new"),
            cl_ord_id=order.terms.client_id or UNSET,
            order_userref=order.terms.reference,
            order_qty=grid.size(order.size_lots) if moved else UNSET,
            limit_price=grid.price(order.terms.price_ticks) if limited else UNSET,
            limit_price_type="static" if limited else UNSET,
            amended=True if moved else UNSET,
            triggers=self._trigger(order, listed) if kind is StepKind.TRIGGERED or moved else UNSET,
            cum_qty=grid.size(lots) if totals or moved else UNSET,
            cum_cost=quanta_to_cash(step.cost_quanta) if totals else UNSET,
            avg_price=(self._average(listed, lots, step.cost_quanta) if lots else Decimal(0)) if totals else UNSET,
            fee_usd_equiv=quanta_to_cash(order.fees_quanta) if totals else UNSET,
            reason=reason,
            cancel_reason=reason if kind in _ENDS else UNSET,
        )

    def _trigger(self, order: PaperOrder, listed: Listed) -> Trigger | UnsetType:
        if not order.terms.trigger_ticks:
            return UNSET
        return Trigger(
            price=listed.grid.price(order.terms.trigger_ticks),
            price_type="static",
            reference="last",
            status="triggered" if order.triggered else "untriggered",
            last_price=listed.grid.price(self._floor.last_ticks(order.instrument)) if order.triggered else UNSET,
        )

    @staticmethod
    def _average(listed: Listed, lots: int, quanta: int) -> Decimal:
        ticks = quanta // (lots * listed.instrument.tick_lot_quanta)
        return listed.grid.price(ticks)


_STATUSES = {
    StepKind.FILLED: "filled",
    StepKind.CANCELED: "canceled",
    StepKind.EXPIRED: "expired",
}


def status_of(order: PaperOrder) -> str:
    """Return the status word of an open order."""
    return "partially_filled" if order.told_lots else "new"
