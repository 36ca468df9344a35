"""The parked last resort: everything loaded, waiting for one word from whoever may connect.

On the appliance systemd holds the listening socket, sd_listen_fds(3). A call that comes while no process is there
waits in it for the next one, so there is no moment at which a stop finds nobody. Elsewhere the process listens by
itself, and the guardian calls again until it does.

There is one guardian, so the newest call is the one that counts. A word acts only if its sender is still there to hear
that it does: what a guardian said before it died is not carried out after a person has started the appliance again.
"""

import os
import select
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from appliance.guardian.files import make_folder, only_one
from appliance.guardian.last_resort import POLICIES
from appliance.guardian.last_resort_call import ARMED, STARTED, call_path
from appliance.guardian.local_socket import listen_at

_CALLS_COUNT_MAX: Final = 4
_WORD_BYTES_MAX: Final = 64
_LINE_TIMEOUT_S: Final = 1.0
_ALIVE_S: Final = 5.0
_FIRST_HANDED: Final = 3  # SD_LISTEN_FDS_START


@contextmanager
def listening(runtime: Path, environment: Mapping[str, str]) -> Iterator[socket.socket]:
    """Take the socket that systemd holds for this very process, or listen."""
    if environment.get("LISTEN_PID") == str(os.getpid()) and environment.get("LISTEN_FDS") == "1":
        with socket.socket(fileno=_FIRST_HANDED) as handed:
            yield handed
        return
    path = call_path(runtime)
    make_folder(path.parent)
    with only_one(path.with_name("lock"), "last resort"), listen_at(path, _CALLS_COUNT_MAX) as own:
        yield own


class Parked:
    """Take calls and do what they say."""

    def __init__(self, listener: socket.socket, act: Callable[[str], str], alive: Callable[[], None]) -> None:
        """Take what acts on a policy and says what came of it, and what feeds the service's watchdog."""
        self._listener = listener
        self._act = act
        self._alive = alive
        self._caller: socket.socket | None = None

    def step(self) -> None:
        """Wait a while for a call or a word, and answer it."""
        waited = [self._listener] if self._caller is None else [self._listener, self._caller]
        ready, _, _ = select.select(waited, [], [], _ALIVE_S)
        self._alive()
        if self._listener in ready:
            self.hang_up()
            self._caller, _ = self._listener.accept()
            self._caller.settimeout(_LINE_TIMEOUT_S)
            if not _say(self._caller, ARMED):
                self.hang_up()
        elif self._caller in ready:
            self._answer(self._caller)
            self.hang_up()

    def hang_up(self) -> None:
        """End the call, if there is one."""
        if self._caller is not None:
            self._caller.close()
            self._caller = None

    def _answer(self, caller: socket.socket) -> None:
        word = _heard(caller)
        if word in POLICIES and _say(caller, STARTED):
            _say(caller, self._act(word).encode() + b"\n")


def _heard(caller: socket.socket) -> str:
    try:
        return caller.recv(_WORD_BYTES_MAX).decode("ascii", "replace").strip()
    except OSError:
        return ""


def _say(caller: socket.socket, line: bytes) -> bool:
    """Tell whether the caller is still there to be told."""
    try:
        caller.sendall(line)
    except OSError:
        return False
    return True
