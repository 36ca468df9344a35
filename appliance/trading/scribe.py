"""The one pen: whatever happens is folded into the ledger and handed to the journal in the same breath."""

from appliance.core.commands import AnyCommand, WriteRow
from appliance.core.records import Row
from appliance.trading import records
from appliance.trading.ledger import Ledger


class Scribe:
    """Collect what one step wants done, and write down what it learned."""

    __slots__ = ("_commands", "ledger", "now_ns", "trace", "wall_offset_ns")

    def __init__(self, ledger: Ledger) -> None:
        """Write into a ledger that has replayed its journal."""
        self.ledger = ledger
        self.now_ns = 0
        self.wall_offset_ns = 0
        self.trace = 0
        self._commands: list[AnyCommand] = []

    @property
    def wall_ns(self) -> int:
        """Return the wall time of this step as far as it is known."""
        return self.now_ns + self.wall_offset_ns

    def write(self, record: records.AnyRecord, trace: int | None = None) -> int:
        """Fold a record in, send it to the journal and return its sequence."""
        sequence = self.ledger.sequence + 1
        wall_ns = self.wall_ns
        trace = self.trace if trace is None else trace
        self.ledger.apply(sequence, wall_ns, trace, record)
        row = Row(sequence, wall_ns, trace, records.kind_of(record), records.encode(record))
        self._commands.append(WriteRow(row))
        return sequence

    def ask(self, command: AnyCommand) -> None:
        """Add a command to this step's output."""
        self._commands.append(command)

    def take(self) -> list[AnyCommand]:
        """Return this step's commands in the order they were asked for."""
        commands, self._commands = self._commands, []
        return commands
