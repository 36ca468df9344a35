"""Everything the trader can ask for. It touches nothing itself; the shell that drives it carries these out in order."""

import msgspec

from appliance.core.records import Row
from appliance.core.values import OrderKind, SelfTrade, Side


class Command(msgspec.Struct, frozen=True, gc=False, array_like=True, tag=True):
    """Be the common parent of all commands."""


class WriteRow(Command, frozen=True, gc=False):
    """Append one row to the journal; `JournalReached` tells when it is safe."""

    row: Row


class SendOrder(Command, frozen=True, gc=False):
    """Send a new order, which the venue must refuse when it arrives more than `deadline_ms` after it was sent."""

    client_id: str
    instrument: str
    side: Side
    kind: OrderKind
    price_ticks: int
    size_lots: int
    reduce_only: bool
    deadline_ms: int
    trace: int
    trigger_ticks: int = 0
    self_trade: SelfTrade = SelfTrade.CANCEL_NEWEST


class SendAmend(Command, frozen=True, gc=False):
    """Change an order in place to these absolute amounts, so that saying it twice changes nothing more.

    `asked_ns` tells one saying of it from another, so that the refusal of one is never taken for that of a later one.
    """

    client_id: str
    instrument: str
    size_lots: int
    price_ticks: int
    trigger_ticks: int
    deadline_ms: int
    asked_ns: int = 0


class SendCancel(Command, frozen=True, gc=False):
    """Cancel one order."""

    client_id: str


class SendCancelAll(Command, frozen=True, gc=False):
    """Cancel every order of the account."""


class AskOrder(Command, frozen=True, gc=False):
    """Ask the venue what it knows of one order."""

    client_id: str


class AskAccount(Command, frozen=True, gc=False):
    """Ask the venue for the whole account, with our executions from a venue time on."""

    request: int
    trades_from_ns: int


class SetDeadMan(Command, frozen=True, gc=False):
    """Let the venue cancel everything unless told again within so many seconds; zero disarms."""

    timeout_s: int


class SubscribeMarket(Command, frozen=True, gc=False):
    """Have the venue begin anew with the books of these instruments, and with their trades as well or not."""

    instruments: tuple[str, ...]
    trades: bool


class EndProcess(Command, frozen=True, gc=False):
    """End the trader's process in good order with an exit code."""

    code: int
    reason: str


class StopLayer(Command, frozen=True, gc=False):
    """Stop a layer that lives in the shell, as part of the stop with this number; `LayerStopped` tells how it went."""

    number: int
    layer: str
    deadline_ms: int


class StartLayer(Command, frozen=True, gc=False):
    """Start a layer again that was stopped."""

    layer: str


class AskModels(Command, frozen=True, gc=False):
    """Ask the models about one step: singles, the little end first; `ModelsAnswered` tells what they say."""

    instrument: str
    start_s: int
    hours: bytes


class AskHistory(Command, frozen=True, gc=False):
    """Ask the venue for at least so many of an instrument's last bars of a length; `HistoryTold` is the answer."""

    instrument: str
    bar_s: int
    bars_count: int


AnyCommand = (
    WriteRow
    | SendOrder
    | SendAmend
    | SendCancel
    | SendCancelAll
    | AskOrder
    | AskAccount
    | SetDeadMan
    | SubscribeMarket
    | EndProcess
    | StopLayer
    | StartLayer
    | AskModels
    | AskHistory
)
VenueCommand = SendOrder | SendAmend | SendCancel | SendCancelAll | AskOrder | AskAccount | SetDeadMan
