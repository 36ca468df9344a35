"""The messages of the link between the trader and the built-in venue, around the shared events and commands.

A client says hello once and which connection it is. Both sides then send a ping every second, so that a peer that
stopped answering without closing is told from a quiet one. An order travels with the moment it was sent: both ends
read the same CLOCK_MONOTONIC, which is what lets the venue enforce the deadline.

The last-resort channel stands in for a second key of a real venue, with fewer rights than the trader's: its hello
shows a secret, and it may cancel, ask for the account, and sell what is held at the market; nothing else.
"""

import enum

import msgspec

from appliance.core.commands import VenueCommand
from appliance.core.events import Holding, OpenOrder, VenueEvent
from appliance.wire.link import Decoder

PROTOCOL_VERSION = 1
COMMAND_BYTES_MAX = 4096


class Channel(enum.StrEnum):
    """Name what a connection is for."""

    FEED = "feed"
    ORDERS = "orders"
    LEDGER = "ledger"
    LAST_RESORT = "last_resort"


class Frame(msgspec.Struct, frozen=True, gc=False, array_like=True, tag=True):
    """Be the common parent of the link's own messages."""


class Hello(Frame, frozen=True, gc=False):
    """Open a connection: the first message of every client."""

    version: int
    channel: Channel
    key: str = ""


class Ping(Frame, frozen=True, gc=False):
    """Say that this end is alive; the venue's first ping accepts the connection."""

    count: int


class Submit(Frame, frozen=True, gc=False):
    """Carry one command to the venue with the monotonic time at which it was sent."""

    sent_ns: int
    command: VenueCommand


class LedgerReported(Frame, frozen=True, gc=False):
    """Carry the venue's own books, which no trader can alter."""

    seed: int
    cash_start_quanta: int
    cash_quanta: int
    fees_quanta: int
    holdings: tuple[Holding, ...]
    open_orders: tuple[OpenOrder, ...]
    orders_accepted: int
    orders_refused: int
    trades: int
    disagreements: tuple[str, ...]
    last_resort_refused: int = 0


ClientMessage = Hello | Ping | Submit
VenueMessage = Ping | LedgerReported | VenueEvent


def client_decoder() -> Decoder[VenueMessage]:
    """Return the decoder of what a venue sends."""
    return Decoder(VenueMessage)


def venue_decoder() -> Decoder[ClientMessage]:
    """Return the decoder of what a client sends."""
    return Decoder(ClientMessage, COMMAND_BYTES_MAX)
