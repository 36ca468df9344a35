"""Everything the trader can be told. It knows nothing that did not arrive as one of these.

Events are frozen, tagged and encoded as arrays, so a recording of them is compact and replays exactly. A field is
only ever added at the end.
"""

from typing import Self

import msgspec

from appliance.core.commands import SendAmend
from appliance.core.values import Ending, OrderKind, Side, VenueState


class Event(msgspec.Struct, frozen=True, gc=False, array_like=True, tag=True):
    """Be the common parent of all events."""


class TradePrinted(Event, frozen=True, gc=False):
    """A trade happened at the venue; `trade_number` rises by one for every trade of the instrument."""

    instrument: str
    price_ticks: int
    size_lots: int
    taker_side: Side
    trade_number: int
    venue_ns: int


class QuoteChanged(Event, frozen=True, gc=False):
    """The best bid or ask changed; `sequence` rises with every change of the instrument's book."""

    instrument: str
    bid_ticks: int
    bid_lots: int
    ask_ticks: int
    ask_lots: int
    sequence: int
    venue_ns: int


class MarketFrame(Event, frozen=True, gc=False):
    """One raw frame of the market data connection, a character for each of its bytes (Latin-1), read in the step."""

    text: str


class FeedChanged(Event, frozen=True, gc=False):
    """The market data connection came up or went down."""

    connected: bool
    reason: str


class OrderLinkChanged(Event, frozen=True, gc=False):
    """The order connection came up or went down."""

    connected: bool
    reason: str


class KeyRejected(Event, frozen=True, gc=False):
    """The venue's key must not be used: it was revoked, or it may do more than trade."""

    reason: str


class OrderAcknowledged(Event, frozen=True, gc=False):
    """The venue accepted an order."""

    client_id: str
    venue_id: str
    venue_ns: int


class OrderRefused(Event, frozen=True, gc=False):
    """The venue refused an order: it does not exist and never will."""

    client_id: str
    reason: str


class OrderTraded(Event, frozen=True, gc=False):
    """One execution of one of our orders; `trade_id` is unique at the venue."""

    client_id: str
    trade_id: str
    instrument: str
    side: Side
    price_ticks: int
    size_lots: int
    fee_quanta: int
    maker: bool
    venue_ns: int


class OrderEnded(Event, frozen=True, gc=False):
    """An accepted order left the book; `filled_lots` is the venue's total over its life."""

    client_id: str
    how: Ending
    filled_lots: int
    venue_ns: int


class OrderReported(Event, frozen=True, gc=False):
    """The venue's answer to a question about one order, with every execution it knows of."""

    client_id: str
    state: VenueState
    filled_lots: int
    trades: tuple[OrderTraded, ...]
    venue_ns: int


class OrderAmended(Event, frozen=True, gc=False):
    """The venue changed an order to these amounts when asked at that moment."""

    client_id: str
    size_lots: int
    price_ticks: int
    trigger_ticks: int
    venue_ns: int
    asked_ns: int


class AmendRefused(Event, frozen=True, gc=False):
    """The venue did not change an order when asked at that moment, and left it as it was."""

    client_id: str
    reason: str
    asked_ns: int

    @classmethod
    def of(cls, change: SendAmend, reason: str) -> Self:
        """Return the refusal of one change, which names it so that it is never taken for a later one's."""
        return cls(change.client_id, reason, change.asked_ns)


class CancelRefused(Event, frozen=True, gc=False):
    """The venue had nothing to cancel under that id."""

    client_id: str
    reason: str


class SendFailed(Event, frozen=True, gc=False):
    """An order was not sent; certain, because it was stopped before the first byte left (see the gate)."""

    client_id: str
    reason: str


class SendTimedOut(Event, frozen=True, gc=False):
    """No answer came in time, or the link broke after sending: the order may or may not exist."""

    client_id: str


class OpenOrder(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One order on the venue's book as the venue reports it."""

    client_id: str
    instrument: str
    side: Side
    kind: OrderKind
    price_ticks: int
    size_lots: int
    filled_lots: int
    trigger_ticks: int = 0


class Holding(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """The venue's view of one position."""

    instrument: str
    size_lots: int


class AccountReported(Event, frozen=True, gc=False):
    """The venue's whole view of the account at one instant, and our executions from `trades_from` on."""

    request: int
    cash_quanta: int
    holdings: tuple[Holding, ...]
    open_orders: tuple[OpenOrder, ...]
    trades: tuple[OrderTraded, ...]
    trades_complete: bool
    venue_ns: int


class DeadManFired(Event, frozen=True, gc=False):
    """The venue's own timer ran out and canceled everything."""

    venue_ns: int


class JournalReached(Event, frozen=True, gc=False):
    """Every row up to this sequence is on the disk for good."""

    sequence: int


class JournalFailed(Event, frozen=True, gc=False):
    """The journal will never acknowledge anything again."""

    reason: str


class TimePassed(Event, frozen=True, gc=False):
    """Time went on; carries the wall clock and whether anybody vouches for it."""

    wall_ns: int
    wall_synchronized: bool


class PermissionChanged(Event, frozen=True, gc=False):
    """The guardian's lease became valid or stopped being so; the counters tell a stop from a silence."""

    permitted: bool
    latch_sequence: int
    start_sequence: int
    latched: bool = False


class ShutdownRequested(Event, frozen=True, gc=False):
    """Somebody asked the process to end in good order."""

    reason: str


class HealthIssue(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One thing that is wrong with the machine, and what follows: none, alarm, no-open or halt."""

    check: str
    consequence: str
    detail: str


class HealthChanged(Event, frozen=True, gc=False):
    """The set of what is wrong with the machine changed; these are all of it."""

    issues: tuple[HealthIssue, ...]


class LayerStopped(Event, frozen=True, gc=False):
    """A layer that lives in the shell was told to stop; the outcome is done, failed or timed out."""

    number: int
    layer: str
    outcome: str
    reason: str


class ModelsAnswered(Event, frozen=True, gc=False):
    """What the models say of one step; the state is good, late, vetoed or absent, and only good ones say anything.

    Chance, edge, cost and barrier width are parts per million, as are the contributions to the log-odds in the reasons.
    `weight_percent` is what the models have earned in decisions, and the set is named by its manifest's hash.
    """

    instrument: str
    start_s: int
    state: str
    models: str
    weight_percent: int
    chance_ppm: int
    edge_ppm: int
    width_ppm: int
    cost_ppm: int
    volatility_of_usual_percent: int
    regime: str
    members: tuple[tuple[str, int], ...]
    reasons: tuple[tuple[str, int], ...]
    detail: str
    took_us: int


class HistoryTold(Event, frozen=True, gc=False):
    """The bars of an instrument that the venue remembers, or why it told none.

    Each is start in seconds since 1970, open, high, low and close in ticks, and volume in lots; only closed ones that
    had trades are here, and `until_s` is where the one begins that may still change.
    """

    instrument: str
    bar_s: int
    bars: tuple[tuple[int, int, int, int, int, int], ...]
    until_s: int
    problem: str = ""


# What a venue may say. Whether we are permitted, what is durable and what time it is, it cannot tell us.
VenueEvent = (
    TradePrinted
    | QuoteChanged
    | OrderAcknowledged
    | OrderRefused
    | OrderTraded
    | OrderEnded
    | OrderReported
    | OrderAmended
    | AmendRefused
    | CancelRefused
    | AccountReported
    | DeadManFired
)
# What becomes of one of our orders.
OrderEvent = (
    OrderTraded
    | OrderAcknowledged
    | OrderRefused
    | OrderEnded
    | OrderReported
    | OrderAmended
    | AmendRefused
    | CancelRefused
    | SendFailed
    | SendTimedOut
)
AnyEvent = (
    VenueEvent
    | MarketFrame
    | FeedChanged
    | OrderLinkChanged
    | KeyRejected
    | SendFailed
    | SendTimedOut
    | JournalReached
    | JournalFailed
    | TimePassed
    | PermissionChanged
    | ShutdownRequested
    | HealthChanged
    | LayerStopped
    | ModelsAnswered
    | HistoryTold
)
