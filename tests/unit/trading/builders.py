"""Parts that tests of trading share: one market, a desk over a fresh ledger, and the venue's words."""

from decimal import Decimal
from typing import Self

from appliance.core import commands, events
from appliance.core.instruments import Instrument
from appliance.core.records import Row
from appliance.core.values import Ending, OrderKind, Side, VenueState
from appliance.trading import records
from appliance.trading.desk import Desk, DeskSettings, Plan
from appliance.trading.ledger import Ledger, OrderView, replay
from appliance.trading.scribe import Scribe

TAG = "abcde"
MARKET = "BTC/USD"
OTHER_MARKET = "ETH/USD"
MILLISECOND_NS = 1_000_000
SECOND_NS = 1_000_000_000
SETTINGS = DeskSettings(
    deadline_ns=2 * SECOND_NS,
    grace_ns=3 * SECOND_NS,
    query_interval_ns=500 * MILLISECOND_NS,
    entry_lifetime_ns=5 * SECOND_NS,
)


def instrument(symbol: str = MARKET) -> Instrument:
    """Define a market on Kraken's grid for bitcoin."""
    return Instrument.define(
        symbol,
        tick=Decimal("0.1"),
        lot=Decimal("0.00000001"),
        size_lots_min=1,
        maker_fee_ppm=1_600,
        taker_fee_ppm=2_600,
    )


INSTRUMENTS = {name: instrument(name) for name in (MARKET, OTHER_MARKET)}


def a_plan(
    *,
    side: Side = Side.BUY,
    size_lots: int = 100,
    instrument_name: str = MARKET,
    strategy: str = "trend",
    price_ticks: int = 1_000,
    reduce_only: bool = False,
) -> Plan:
    """Plan an order in which only what matters differs."""
    return Plan(
        instrument_name, strategy, side, OrderKind.LIMIT, price_ticks, size_lots, reduce_only=reduce_only, reason="test"
    )


class Bench:
    """A desk, its ledger, and every row and command so far."""

    def __init__(self, ledger: Ledger | None = None) -> None:
        self.ledger = ledger if ledger is not None else Ledger()
        self.scribe = Scribe(self.ledger)
        self.desk = Desk(self.scribe, TAG, INSTRUMENTS, SETTINGS)
        self.rows: list[Row] = []

    def at(self, now_ns: int) -> Self:
        """Move to a moment without telling anybody."""
        self.scribe.now_ns = now_ns
        return self

    def pass_time(self, now_ns: int) -> list[commands.AnyCommand]:
        """Move to a moment, let the desk do what is due, and return what it asked for."""
        self.at(now_ns)
        self.desk.on_time()
        return self.asked()

    def asked(self) -> list[commands.AnyCommand]:
        """Return what was asked for since last time, rows kept aside."""
        taken = self.scribe.take()
        self.rows += [command.row for command in taken if isinstance(command, commands.WriteRow)]
        return [command for command in taken if not isinstance(command, commands.WriteRow)]

    def planned(self, plan: Plan | None = None) -> OrderView:
        """Write an order down and leave it there."""
        return self.ledger.orders[self.desk.plan(plan if plan is not None else a_plan())]

    def sent(self, plan: Plan | None = None) -> OrderView:
        """Write an order down, make it durable and send it."""
        order = self.planned(plan)
        for command in self.desk.durable(self.ledger.sequence):
            self.desk.send(command)
        self.asked()
        return order

    def opened(self, plan: Plan | None = None) -> OrderView:
        """Send an order and let the venue accept it."""
        order = self.sent(plan)
        self.desk.acknowledged(acknowledged(order))
        return order

    def replayed(self) -> Ledger:
        """Fold every row so far into a new ledger."""
        self.asked()
        return replay(self.rows)


def acknowledged(order: OrderView) -> events.OrderAcknowledged:
    """Say that the venue accepted an order."""
    return events.OrderAcknowledged(order.client_id, "V1", 0)


def refused(order: OrderView) -> events.OrderRefused:
    """Say that the venue refused an order."""
    return events.OrderRefused(order.client_id, "no funds")


def timed_out(order: OrderView) -> events.SendTimedOut:
    """Say that no answer came."""
    return events.SendTimedOut(order.client_id)


def traded(
    order: OrderView, trade_id: str, size_lots: int, *, price_ticks: int = 1_000, fee_quanta: int = 7, venue_ns: int = 0
) -> events.OrderTraded:
    """Say that an order was filled, in part or in full."""
    return events.OrderTraded(
        order.client_id,
        trade_id,
        order.instrument,
        order.side,
        price_ticks,
        size_lots,
        fee_quanta,
        maker=False,
        venue_ns=venue_ns,
    )


def ended(order: OrderView, filled_lots: int = 0, how: Ending = Ending.CANCELED) -> events.OrderEnded:
    """Say that an order left the book."""
    return events.OrderEnded(order.client_id, how, filled_lots, 0)


def reported(
    order: OrderView, state: VenueState, filled_lots: int = 0, trades: tuple[events.OrderTraded, ...] = ()
) -> events.OrderReported:
    """Answer a question about an order."""
    return events.OrderReported(order.client_id, state, filled_lots, trades, 0)


def account(
    request: int,
    cash_quanta: int,
    *,
    holdings: tuple[events.Holding, ...] = (),
    open_orders: tuple[events.OpenOrder, ...] = (),
    trades: tuple[events.OrderTraded, ...] = (),
    complete: bool = True,
) -> events.AccountReported:
    """Answer a question about the account."""
    return events.AccountReported(request, cash_quanta, holdings, open_orders, trades, complete, 0)


def fold_of(ledger: Ledger) -> dict[str, object]:
    """Return everything a ledger knows, as plain values that compare."""
    return {
        name: _plain(getattr(ledger, name)) for name in Ledger.__slots__ if name not in {"_appliers", "working"}
    } | {"working": sorted(ledger.working)}


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    slots = getattr(type(value), "__slots__", None)
    if slots is None or isinstance(value, str):
        return value
    return {name: _plain(getattr(value, name)) for name in slots}


def boot(ledger: Ledger) -> records.Boot:
    """Write the next start down."""
    return records.Boot(ledger.boot_count + 1, "bench", "", 0)
