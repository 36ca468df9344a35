"""Backups while the appliance runs: looked at once a minute, made in a thread, never in the way."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from appliance.core.clock import Clock
from appliance.core.errors import StoreFailure
from appliance.store.backups import Copy, make_due
from appliance.store.retention import Retention

FIRST_S = 20.0
INTERVAL_S = 60.0


class Backups:
    """Make the backups that fall due."""

    __slots__ = ("_clock", "_copy", "_folder", "_journal", "_retention", "_say", "failed_count", "made_count")

    def __init__(
        self, copy: Copy, journal: Path, folder: Path, retention: Retention, clock: Clock, say: Callable[[str], None]
    ) -> None:
        """Copy one journal into one folder."""
        self._copy = copy
        self._journal = journal
        self._folder = folder
        self._retention = retention
        self._clock = clock
        self._say = say
        self.made_count = 0
        self.failed_count = 0

    async def run(self) -> None:
        """Look once a minute until canceled; a failed backup is told and tried again, trading goes on."""
        await asyncio.sleep(FIRST_S)
        while True:
            try:
                made = await asyncio.to_thread(
                    make_due, self._copy, self._journal, self._folder, self._clock.wall_ns(), self._retention
                )
            except StoreFailure as failure:
                self.failed_count += 1
                self._say(f"backup: {failure}")
            else:
                self.made_count += len(made.made)
            await asyncio.sleep(INTERVAL_S)
