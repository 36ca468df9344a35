"""An order as the built-in venue keeps it. The only mutable records of the exchange; nothing outside sees them."""

import enum

from appliance.core.commands import SendOrder
from appliance.core.events import OpenOrder, OrderReported, OrderTraded
from appliance.core.values import REFUSED_AS_DUPLICATE, OrderKind, Side, VenueState

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
        "side",
        "size_lots",
        "state",
        "trades",
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

    def report(self, venue_ns: int) -> OrderReported:
        """Return the answer to a question about this order."""
        return OrderReported(self.client_id, self.state, self.filled_lots, tuple(self.trades), venue_ns)

    def open_order(self) -> OpenOrder:
        """Return this order as an account report lists it."""
        return OpenOrder(
            self.client_id, self.instrument, self.side, self.kind, self.price_ticks, self.size_lots, self.filled_lots
        )
