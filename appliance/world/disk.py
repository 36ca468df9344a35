"""A disk that forgets what was not synced.

Each row is chained to the one before as the journal's are, so that damage of what is stored can be done and looked for.
Rows written while a sync is under way wait for the next one (group commit). Only what a sync covered is certain; after
a crash some first part of the rest may have survived as well, because the kernel may have written it on its own.
"""

import random
from collections.abc import Callable
from functools import partial

from appliance.core.events import AnyEvent, JournalFailed, JournalReached
from appliance.core.records import Row
from appliance.store import chain
from appliance.world.links import milliseconds
from appliance.world.schedule import Schedule

SYNC_MS = (1, 12)
_START = chain.genesis("world")


class Disk:
    """Keep rows, make them durable a group at a time, and lose the rest in a crash."""

    def __init__(self, schedule: Schedule, dice: random.Random, tell: Callable[[AnyEvent], None]) -> None:
        """Begin empty; the process is told how far the rows are safe."""
        self._schedule = schedule
        self._dice = dice
        self._tell = tell
        self._generation = 0
        self._syncing = False
        self._sound: tuple[list[Row], list[bytes]] | None = None
        self.rows: list[Row] = []
        self.hashes: list[bytes] = []
        self.durable_count = 0
        self.failed = False
        self.slow_ns = 0

    def write(self, row: Row) -> None:
        """Take a row; a failed disk takes none."""
        if not self.failed:
            before = self.hashes[-1] if self.hashes else _START.hash
            self.hashes.append(chain.link(before, *_stored(row)))
            self.rows.append(row)
            self._sync()

    def holds(self, sequence: int) -> bool:
        """Tell whether a row would survive a power cut now."""
        return sequence <= self.durable_count

    def fail(self) -> None:
        """Let every sync fail from now on, which the process is told."""
        self.failed = True
        self._generation += 1
        self._tell(JournalFailed("no room left on the simulated card"))

    def replace(self) -> None:
        """Put a good disk in with everything that was durable."""
        self.failed = False

    def flush(self) -> int:
        """Make everything durable, as a process that ends in good order does; a failed disk loses it instead."""
        if self.failed:
            return self.crash()
        self._generation += 1
        self._syncing = False
        self.durable_count = len(self.rows)
        return 0

    def crash(self) -> int:
        """Lose a drawn last part of what was not synced and return how many rows that were."""
        self._generation += 1
        self._syncing = False
        if self._sound is not None:
            return 0  # nothing was written since the damage
        written = len(self.rows)
        kept = self.durable_count if self.failed else self._dice.randint(self.durable_count, written)
        del self.rows[kept:], self.hashes[kept:]
        self.durable_count = kept
        return written - kept

    @property
    def true_rows(self) -> list[Row]:
        """Return the rows as they were written, whatever was done to them since."""
        return self.rows if self._sound is None else self._sound[0]

    @property
    def damaged(self) -> bool:
        """Tell whether what is stored is not what was written."""
        return self._sound is not None and (self.rows, self.hashes) != self._sound

    def damage(self, harm: Callable[[list[Row], list[bytes]], None]) -> None:
        """Do something to what is stored while no process has it open."""
        if self._sound is None:
            self._sound = (list(self.rows), list(self.hashes))
            harm(self.rows, self.hashes)

    def restore(self) -> None:
        """Put back what was written, as a person does with a backup."""
        if self._sound is not None:
            self.rows, self.hashes = self._sound
            self._sound = None

    def _sync(self) -> None:
        if not self._syncing:
            self._syncing = True
            delay_ns = self.slow_ns + milliseconds(self._dice, SYNC_MS)
            self._schedule.after(delay_ns, partial(self._synced, self._generation, len(self.rows)))

    def _synced(self, generation: int, count: int) -> None:
        if generation != self._generation:
            return
        self._syncing = False
        self.durable_count = count
        if count < len(self.rows):
            self._sync()
        self._tell(JournalReached(self.rows[count - 1].sequence))


def inspect(disk: Disk) -> str:
    """Follow the chain as the journal does before it is opened, and return what is wrong."""
    stored = [(*_stored(row), kept) for row, kept in zip(disk.rows, disk.hashes, strict=True)]
    damage = chain.inspect(stored, _START).damage
    return "" if damage is None else str(damage)


def _stored(row: Row) -> tuple[int, int, int, bytes, bytes]:
    return row.sequence, row.wall_ns, row.trace, row.kind.encode(), row.payload
