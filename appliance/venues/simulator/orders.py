"""An order as the built-in venue keeps it. The only mutable records of the exchange; nothing outside sees them."""

import enum

from appliance.core.commands import SendOrder
from appliance.core.events import OpenOrder, OrderReported, OrderTraded
from appliance.core.values import PRICED_KINDS, REFUSED_AS_DUPLICATE, STOP_KINDS, OrderKind, Side, VenueState

CLIENT_ID_LENGTH_MAX = 64
# So that the report of one order fits one frame of the link.
TRADES_PER_ORDER_MAX = 2048


class Refusal(enum.StrEnum):
    """Name why the venue refuses an order or a cancel."""

    DUPLICATE = REFUSED_AS_DUPLICATE
    BAD_ID = "client id must be short printable ASCII"
    DEADLINE = "deadline passed"
    FUTURE = "sent in the future"
    INSTRUMENT = "unknown instrument"
    MINIMUM = "below minimum size"
    RANGE = "price or size out of range"
    CROWDED = "too many open orders"
    REDUCE = "nothing to reduce"
    FUNDS = "insufficient funds"
    UNKNOWN = "unknown order"
    NOT_OPEN = "order is not open"


class VenueOrder:
    """Keep one order from its arrival to its end."""

    __slots__ = (
        "ahead_lots",
        "client_id",
        "fee_millionths",
        "fees_quanta",
        "filled_lots",
        "held_lots",
        "held_quanta",
        "immediate",
        "instrument",
        "kind",
        "live_lots",
        "price_ticks",
        "self_trade",
        "side",
        "size_lots",
        "state",
        "trades",
        "trigger_ticks",
        "venue_id",
    )

    def __init__(self, command: SendOrder, venue_id: str) -> None:
        """Keep what was asked for; nothing is filled or held yet."""
        self.client_id = command.client_id
        self.venue_id = venue_id
        self.instrument = command.instrument
        self.side: Side = command.side
        self.kind: OrderKind = command.kind
        self.price_ticks = command.price_ticks
        self.trigger_ticks = command.trigger_ticks
        self.self_trade = command.self_trade
        self.size_lots = command.size_lots
        self.live_lots = command.size_lots
        self.filled_lots = 0
        self.ahead_lots = 0
        self.held_quanta = 0
        self.held_lots = 0
        self.fee_millionths = 0
        self.fees_quanta = 0
        # It takes what it can at once and never rests.
        self.immediate = False
        self.state = VenueState.OPEN
        self.trades: list[OrderTraded] = []

    @property
    def priced(self) -> bool:
        """Tell whether the order accepts no price worse than its own."""
        return self.kind in PRICED_KINDS

    @property
    def has_trigger(self) -> bool:
        """Tell whether the order sleeps until a trade reaches its trigger."""
        return self.kind in STOP_KINDS

    def reached_by(self, last_ticks: int) -> bool:
        """Tell whether a trade at that price sets a sleeping order off."""
        return (last_ticks - self.trigger_ticks) * self.side.sign >= 0

    def report(self, venue_ns: int) -> OrderReported:
        """Return the answer to a question about this order."""
        return OrderReported(self.client_id, self.state, self.filled_lots, tuple(self.trades), venue_ns)

    def open_order(self) -> OpenOrder:
        """Return this order as an account report lists it."""
        return OpenOrder(
            self.client_id,
            self.instrument,
            self.side,
            self.kind,
            self.price_ticks,
            self.size_lots,
            self.filled_lots,
            self.trigger_ticks,
        )
