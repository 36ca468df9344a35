"""A copy of the audit log's last lines in the runtime folder, for whoever may look but must not touch the log.

Nothing depends on it: it lies in memory, is replaced as a whole, and a copy that cannot be written is left out.
"""

import contextlib
import os
from collections import deque
from pathlib import Path

from appliance.guardian.files import write_whole

LINES_SHOWN_MAX = 30


class ShownAudit:
    """Show the last lines."""

    def __init__(self, runtime: Path) -> None:
        """Show them below this runtime folder."""
        self._path = runtime / "guardian" / "audit.tail"
        self._lines: deque[bytes] = deque(maxlen=LINES_SHOWN_MAX)

    def add(self, line: bytes) -> None:
        """Show one more line."""
        self._lines.append(line)
        making = self._path.with_name(self._path.name + ".making")
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
            descriptor = os.open(making, flags, 0o644)
            try:
                os.fchmod(descriptor, 0o644)
                write_whole(descriptor, b"".join(self._lines))
            finally:
                os.close(descriptor)
            making.rename(self._path)
