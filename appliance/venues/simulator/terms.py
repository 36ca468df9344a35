"""What a client of the paper venue may ask of an order beyond price and size, and the order that keeps it."""

import enum
from typing import Final, NamedTuple

import msgspec

from appliance.core.commands import SendOrder
from appliance.core.events import OrderTraded
from appliance.core.values import OrderKind, SelfTrade, Side
from appliance.venues.simulator.orders import VenueOrder


class OrderType(enum.StrEnum):
    """Name the order types by the venue's words."""

    MARKET = "market"
    LIMIT = "limit"
    STOP_LOSS = "stop-loss"
    STOP_LOSS_LIMIT = "stop-loss-limit"
    TAKE_PROFIT = "take-profit"
    TAKE_PROFIT_LIMIT = "take-profit-limit"


class InForce(enum.StrEnum):
    """Name how long an order lives."""

    GTC = "gtc"
    GTD = "gtd"
    IOC = "ioc"
    FOK = "fok"


TRIGGERED: Final = frozenset(
    {OrderType.STOP_LOSS, OrderType.STOP_LOSS_LIMIT, OrderType.TAKE_PROFIT, OrderType.TAKE_PROFIT_LIMIT}
)
LIMITED: Final = frozenset({OrderType.LIMIT, OrderType.STOP_LOSS_LIMIT, OrderType.TAKE_PROFIT_LIMIT})
_STOPS: Final = frozenset({OrderType.STOP_LOSS, OrderType.STOP_LOSS_LIMIT})


class Close(NamedTuple):
    """Describe the order that takes the other side of whatever another one fills."""

    order_type: OrderType
    price_ticks: int
    trigger_ticks: int


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """Say everything that was asked for; ticks are 0 where a type has no such price."""

    symbol: str
    side: Side
    order_type: OrderType
    size_lots: int
    price_ticks: int = 0
    trigger_ticks: int = 0
    in_force: InForce = InForce.GTC
    expire_ns: int = 0
    post_only: bool = False
    self_trade: SelfTrade = SelfTrade.CANCEL_NEWEST
    client_id: str = ""
    reference: int = 0
    close: Close | None = None
    parent_id: str = ""


class PaperOrder(VenueOrder):
    """Keep an order with its terms and what the account was told of it."""

    __slots__ = ("amended", "closed_ns", "opened_ns", "reason", "terms", "told_lots", "told_quanta", "triggered")

    def __init__(self, order_id: str, terms: Terms, opened_ns: int) -> None:
        """Keep what was asked for; nothing has happened yet."""
        super().__init__(_as_command(order_id, terms), order_id)
        self.terms = terms
        self.opened_ns = opened_ns
        self.closed_ns = 0
        self.triggered = terms.order_type not in TRIGGERED
        self.immediate = terms.in_force in {InForce.IOC, InForce.FOK}
        self.amended = False
        self.reason = ""
        self.told_lots = 0
        self.told_quanta = 0

    def set_off_by(self, last_ticks: int) -> bool:
        """Tell whether a last price sets this order off."""
        rises = (self.terms.order_type in _STOPS) == (self.side is Side.BUY)
        return last_ticks >= self.terms.trigger_ticks if rises else last_ticks <= self.terms.trigger_ticks

    def change(self, terms: Terms) -> None:
        """Take new terms; what was filled stays."""
        self.terms = terms
        self.amended = True
        self.size_lots = terms.size_lots
        self.live_lots = terms.size_lots - self.filled_lots
        self.price_ticks = terms.price_ticks or (0 if self.triggered else terms.trigger_ticks)


class StepKind(enum.Enum):
    """Name what can happen to an order."""

    PENDING = "pending_new"
    NEW = "new"
    TRADE = "trade"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"
    AMENDED = "amended"
    TRIGGERED = "status"


class Step(NamedTuple):
    """Record one thing that happened to an order, with its totals at that moment."""

    kind: StepKind
    order: PaperOrder
    venue_ns: int
    filled_lots: int
    cost_quanta: int
    reason: str = ""
    trade: OrderTraded | None = None


def _as_command(order_id: str, terms: Terms) -> SendOrder:
    # A stop that becomes a market order holds what it would cost at its trigger.
    price = terms.price_ticks or terms.trigger_ticks
    kind = OrderKind.LIMIT if terms.order_type in LIMITED else OrderKind.MARKET
    return SendOrder(order_id, terms.symbol, terms.side, kind, price, terms.size_lots, False, 0, 0)  # noqa: FBT003
