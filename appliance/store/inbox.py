"""The bounded queue between the thread that trades and the thread that writes.

`SimpleQueue.put` is one C call that never waits and takes no lock a reader could hold across a system call. The two
byte counters each have one writer: the appending thread adds to one, the taking thread to the other, so neither needs
a lock.
"""

from collections.abc import Callable
from queue import Empty, SimpleQueue

from appliance.core.records import Row
from appliance.store.limits import JournalLimits

Task = Callable[[], None]

_ROW_OVERHEAD_BYTES = 128


class Inbox:
    """Hold rows, and tasks between them, until the writer takes them."""

    __slots__ = ("_bytes_put", "_bytes_taken", "_limits", "_queue")

    def __init__(self, limits: JournalLimits) -> None:
        self._limits = limits
        self._queue: SimpleQueue[Row | Task] = SimpleQueue()
        self._bytes_put = 0
        self._bytes_taken = 0

    def put(self, row: Row) -> bool:
        """Take a row in, or tell that there is no room."""
        size_bytes = len(row.payload) + _ROW_OVERHEAD_BYTES
        if self.waiting() >= self._limits.rows_waiting_max:
            return False
        if self.waiting_bytes() + size_bytes > self._limits.bytes_waiting_max:
            return False
        self._bytes_put += size_bytes
        self._queue.put(row)
        return True

    def put_task(self, task: Task) -> None:
        """Have the writer do something after the rows that wait now."""
        self._queue.put(task)

    def take(self) -> tuple[list[Row], Task | None]:
        """Wait for something, then return the rows that wait and the task behind them."""
        return self._gather(self._queue.get())

    def take_waiting(self) -> tuple[list[Row], Task | None]:
        """Return the rows that wait now and the task behind them, without waiting."""
        try:
            return self._gather(self._queue.get_nowait())
        except Empty:
            return [], None

    def waiting(self) -> int:
        """Return how many rows and tasks wait."""
        return self._queue.qsize()

    def waiting_bytes(self) -> int:
        """Return how many bytes wait."""
        return self._bytes_put - self._bytes_taken

    def _gather(self, first: Row | Task) -> tuple[list[Row], Task | None]:
        rows: list[Row] = []
        item = first
        while isinstance(item, Row):
            rows.append(item)
            self._bytes_taken += len(item.payload) + _ROW_OVERHEAD_BYTES
            if len(rows) >= self._limits.rows_per_commit_max:
                return rows, None
            try:
                item = self._queue.get_nowait()
            except Empty:
                return rows, None
        return rows, item
