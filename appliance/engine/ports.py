"""What the live shell needs from outside, as it needs it; bootstrap hands in the real things."""

from collections.abc import Callable, Sequence
from typing import Protocol

from appliance.core.commands import AnyCommand, AskHistory, AskModels, SubscribeMarket, VenueCommand
from appliance.core.events import AnyEvent
from appliance.core.records import Row
from appliance.safety.health.verdict import Verdict
from appliance.safety.heartbeat import Heartbeat
from appliance.safety.lease import LeaseInformation
from appliance.store.chain import Head
from appliance.store.journal import JournalStatus
from appliance.wire.report import Telemetry

Post = Callable[[AnyEvent], None]


class TimeService(Protocol):
    """Vouch for the wall clock."""

    def synchronized(self) -> bool:
        """Tell whether somebody keeps it."""
        ...


class Orders(Protocol):
    """Carry commands to the venue."""

    connected: bool
    attempts: int

    def send(self, command: VenueCommand) -> bool:
        """Send now, or return False having sent nothing."""
        ...

    async def run(self) -> None:
        """Stay connected until canceled."""
        ...


class Feed(Protocol):
    """Bring market data."""

    connected: bool
    attempts: int

    def subscribe(self, command: SubscribeMarket) -> None:
        """Have the venue begin anew with some books; without a connection there is nothing to begin."""
        ...

    async def run(self) -> None:
        """Stay connected until canceled."""
        ...


class Journal(Protocol):
    """Keep rows."""

    def append(self, row: Row) -> None:
        """Take a row without waiting."""
        ...

    def head(self) -> Head:
        """Return the last durable row's sequence and hash."""
        ...

    def appended(self) -> int:
        """Return the last row handed over."""
        ...

    def flush(self, timeout_s: float) -> bool:
        """Wait until every row appended before is stored, and tell whether it is; for a thread that may wait."""
        ...

    def status(self) -> JournalStatus:
        """Return how the journal is doing."""
        ...


class Lease(Protocol):
    """Read the guardian's permission."""

    def permits(self, now_ns: int) -> bool:
        """Tell whether exposure may be added at this moment."""
        ...

    def information(self) -> LeaseInformation | None:
        """Return what else the guardian says."""
        ...

    def refresh(self) -> bool:
        """Look for the page again."""
        ...

    def beat_ns(self) -> int:
        """Return when the guardian last showed life."""
        ...


class Pulse(Protocol):
    """Tell the guardian that the trader lives."""

    def beat(self, report: Heartbeat) -> None:
        """Write one report."""
        ...


class Publisher(Protocol):
    """Serve the reporter."""

    def publish_row(self, row: Row) -> None:
        """Hand on one durable row."""
        ...

    def publish_telemetry(self, telemetry: Telemetry) -> None:
        """Replace what is told about this moment."""
        ...

    async def written_out(self) -> int:
        """Wait until every reporter has been sent all there is, and return how many there are."""
        ...


class Recording(Protocol):
    """Keep what the trader was fed."""

    def record(self, now_ns: int, event: AnyEvent, commands: Sequence[AnyCommand] | None) -> None:
        """Take one step's input and what came of it, without waiting; None for a step that crashed."""
        ...


class Background(Protocol):
    """Do something beside trading."""

    async def run(self) -> None:
        """Work until canceled."""
        ...


class Models(Background, Protocol):
    """Answer what the step asks of the models; the problem says why some or all of them are not there."""

    problem: str

    def ask(self, command: AskModels) -> None:
        """Take an ask without waiting."""
        ...


class History(Background, Protocol):
    """Answer what the step asks about the past of the market."""

    def ask(self, command: AskHistory) -> None:
        """Take an ask without waiting."""
        ...


class Health(Background, Protocol):
    """Look after the machine."""

    verdicts: tuple[Verdict, ...]

    def look(self) -> None:
        """Look once, here and now."""
        ...


class Watchdog(Protocol):
    """Speak to systemd."""

    def ready(self) -> None:
        """Say that starting is done."""
        ...

    def alive(self) -> None:
        """Feed the watchdog."""
        ...

    def stopping(self) -> None:
        """Say that the end has begun."""
        ...

    def status(self, text: str) -> None:
        """Say in one line what is going on."""
        ...
