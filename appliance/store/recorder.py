"""The flight recorder: takes every step's input on the trader's thread and writes it on a thread of its own.

Theory of operation. `record` puts one tuple into a bounded queue and returns; events and commands are frozen, so they
are encoded later. About once a second the writer drains the queue in small batches: one call encodes a batch, one
compresses it and lets go of the interpreter lock meanwhile, so the trader never waits long for the lock. Then the
compressor is flushed, so that a process killed now loses a second at most.

Nothing is synced: this is evidence, not money. The kernel writes it back within half a minute; syncing it would put
its bytes in the way of the journal's sync, for which orders wait. A power cut costs the tail, and a reader says so.

    state      event    next       what happens
    IDLE       BEGIN    RECORDING  the thread starts
    IDLE       CLOSE    ENDED      nothing was recorded
    RECORDING  TROUBLE  STOPPED    a marker if the disk still takes one; reported; what comes now is counted
    RECORDING  CLOSE    ENDED      the end is written
    STOPPED, ENDED: nothing leads out; a new session is a new process

Recording stops for good rather than leaving a hole, because a recording with a hole cannot be replayed: a full queue, a
disk with no room or an error, the day's budget, or a session that alone fills what all sessions may take.
"""

import enum
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from queue import Empty, SimpleQueue

import zstandard

from appliance.core.clock import Clock
from appliance.core.commands import AnyCommand
from appliance.core.errors import ApplianceError, StoreFailure
from appliance.core.events import AnyEvent
from appliance.core.require import require
from appliance.core.settings.trading import Recorder as RecorderSettings
from appliance.market.recording import Start
from appliance.store.recorder_files import RecorderFiles, RecorderLimits, Taken

Problem = Callable[[str], None]
CLOSE_S_MAX = 5.0
_BYTES_PER_MEGABYTE = 1_000_000


class RecorderState(enum.Enum):
    """Say what the recorder does."""

    IDLE = "idle"
    RECORDING = "recording"
    STOPPED = "stopped"
    ENDED = "ended"


class RecorderEvent(enum.Enum):
    """Say what befell the recorder."""

    BEGIN = "begin"
    TROUBLE = "trouble"
    CLOSE = "close"


NEXT_STATE: dict[tuple[RecorderState, RecorderEvent], RecorderState] = {
    (RecorderState.IDLE, RecorderEvent.BEGIN): RecorderState.RECORDING,
    (RecorderState.IDLE, RecorderEvent.CLOSE): RecorderState.ENDED,
    (RecorderState.RECORDING, RecorderEvent.TROUBLE): RecorderState.STOPPED,
    (RecorderState.RECORDING, RecorderEvent.CLOSE): RecorderState.ENDED,
    (RecorderState.STOPPED, RecorderEvent.TROUBLE): RecorderState.STOPPED,
    (RecorderState.STOPPED, RecorderEvent.CLOSE): RecorderState.STOPPED,
    (RecorderState.ENDED, RecorderEvent.TROUBLE): RecorderState.ENDED,
    (RecorderState.ENDED, RecorderEvent.CLOSE): RecorderState.ENDED,
}


def limits_of(settings: RecorderSettings) -> RecorderLimits:
    """Return the limits a configuration sets."""
    return RecorderLimits(
        file_bytes_max=settings.file_bytes_max,
        total_bytes_max=settings.total_bytes_max,
        bytes_per_day_max=settings.megabytes_per_day_max * _BYTES_PER_MEGABYTE,
    )


class Recorder:
    """Record one session; whatever goes wrong is told to `on_problem` on the writer's thread, never to the trader."""

    def __init__(self, folder: Path, limits: RecorderLimits, on_problem: Problem, clock: Clock) -> None:
        """Record into a folder, made when the first session begins."""
        self._limits = limits
        self._on_problem = on_problem
        self._files = RecorderFiles(folder, limits, clock)
        self._queue: SimpleQueue[Taken] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._wake = threading.Event()
        self._accepting = False
        self._closing = False
        self._overflowed = False
        self._offered_count = 0
        self.state = RecorderState.IDLE

    @property
    def dropped_count(self) -> int:
        """Return how many steps are not in the recording and never will be."""
        return 0 if self.state is RecorderState.RECORDING else self._offered_count - self._files.events_count

    @property
    def events_count(self) -> int:
        """Return how many steps were handed to the compressor."""
        return self._files.events_count

    @property
    def bytes_count(self) -> int:
        """Return how many bytes this session wrote."""
        return self._files.session_bytes

    def begin(self, start: Start) -> None:
        """Begin the session; its snapshot must be from before the trader was built, for building writes records."""
        require(self.state is RecorderState.IDLE, "a recorder records one session")
        self._move(RecorderEvent.BEGIN)
        self._accepting = True
        # A daemon, so that a dying process never waits for it.
        self._thread = threading.Thread(target=self._run, args=(start,), name="recorder", daemon=True)
        try:
            self._thread.start()
        except RuntimeError as error:
            self._thread = None
            self._stop(f"its thread cannot start ({error})")

    def record(self, now_ns: int, event: AnyEvent, commands: Sequence[AnyCommand] | None) -> None:
        """Take one step's input and what came of it, without waiting; None for a step that crashed."""
        self._offered_count += 1
        if not self._accepting:
            return
        waiting = self._queue.qsize()
        if waiting >= self._limits.queue_events_max:
            self._accepting = False
            self._overflowed = True
            self._wake.set()
            return
        self._queue.put((now_ns, event, commands))
        if waiting == self._limits.queue_events_max // 2:
            self._wake.set()

    def close(self, timeout_s: float = CLOSE_S_MAX) -> bool:
        """Write what waits and the end, and tell whether that was done in time; calling twice does no harm."""
        self._accepting = False
        self._closing = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout_s)
        elif self.state is RecorderState.IDLE:
            self._move(RecorderEvent.CLOSE)
        return self.state is RecorderState.ENDED

    def _run(self, start: Start) -> None:
        try:
            self._record_session(start)
        except (ApplianceError, OSError, MemoryError, ValueError, TypeError, zstandard.ZstdError) as error:
            self._stop(str(error))
        except BaseException as error:
            self._stop(f"it broke ({error!r}); this is a fault of the program")
            raise

    def _record_session(self, start: Start) -> None:
        self._files.begin(start)
        while not self._closing and not self._overflowed:
            self._wake.wait(self._limits.flush_interval_s)
            self._wake.clear()
            self._drain()
            self._files.flush()
        self._drain()
        if self._overflowed:
            raise StoreFailure(f"more than {self._limits.queue_events_max} steps waited to be written")
        self._files.end()
        self._move(RecorderEvent.CLOSE)

    def _drain(self) -> None:
        """Write what waits now; what arrives meanwhile is for the next time, so that flushes keep their beat."""
        for _ in range(self._queue.qsize() // self._limits.batch_events_max + 1):
            self._files.write(self._batch())

    def _batch(self) -> list[Taken]:
        batch: list[Taken] = []
        try:
            while len(batch) < self._limits.batch_events_max:
                batch.append(self._queue.get_nowait())
        except Empty:
            pass
        return batch

    def _stop(self, reason: str) -> None:
        self._accepting = False
        self._move(RecorderEvent.TROUBLE)
        self._files.give_up(reason)
        self._queue = SimpleQueue()
        self._on_problem(f"Recording stopped: {reason}. Trading goes on; the next start records again.")

    def _move(self, event: RecorderEvent) -> None:
        self.state = NEXT_STATE[self.state, event]
