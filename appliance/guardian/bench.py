"""Hands for simulated pins: a local socket that takes one line and answers one line.

    press estop | release estop | reset | start | tamper

`reset` holds the reset button as long as the gesture asks and then lets go, `start` taps it, `tamper` opens the case
and shuts it again. The socket is open to the guardian's own user only, and nothing here can be made for pins that are
real.
"""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from gpiozero.pins.mock import MockFactory

from appliance.core.errors import HardwareError
from appliance.guardian.local_socket import listen_at
from appliance.hardware.pins import Contact, PinAssignment, Pins
from appliance.hardware.pins_simulated import SimulatedHands

LINE_BYTES_MAX: Final = 64
_CONNECTIONS_COUNT_MAX: Final = 4
_LINE_TIMEOUT_S: Final = 2
_HOLD_MARGIN_MS: Final = 200
_TAP_MS: Final = 150
_MILLISECONDS_PER_SECOND: Final = 1000


def bench_path(runtime: Path) -> Path:
    """Return where the socket is."""
    return runtime / "guardian" / "bench"


@contextlib.contextmanager
def open_bench(pins: Pins, assignment: PinAssignment, runtime: Path, reset_hold_ms: int) -> Iterator[None]:
    """Put the simulated contacts where they were left and listen for hands."""
    if not isinstance(pins.factory, MockFactory):
        raise HardwareError('the bench works on simulated pins only: pins.factory must be "simulated"')
    hands = SimulatedHands(pins.factory, assignment, bench_path(runtime).with_name("bench-contacts"))
    listener = listen_at(bench_path(runtime), _CONNECTIONS_COUNT_MAX)
    threading.Thread(target=_Bench(hands, reset_hold_ms).serve, args=(listener,), name="bench", daemon=True).start()
    try:
        yield
    finally:
        # Closing alone would leave the thread in accept().
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        bench_path(runtime).unlink(missing_ok=True)


class _Bench:
    """Serve a few connections at a time, so that the stop button works while reset is being held."""

    def __init__(self, hands: SimulatedHands, reset_hold_ms: int) -> None:
        self._hands = hands
        self._hold_ms = reset_hold_ms + _HOLD_MARGIN_MS
        self._places = threading.BoundedSemaphore(_CONNECTIONS_COUNT_MAX)
        self._reset_hand = threading.Lock()
        self._actions: dict[str, Callable[[], str]] = {
            "press estop": lambda: self._turn(Contact.ESTOP, asserted=False),
            "release estop": lambda: self._turn(Contact.ESTOP, asserted=True),
            "reset": lambda: self._press_reset(self._hold_ms),
            "start": lambda: self._press_reset(_TAP_MS),
            "tamper": self._tamper,
        }

    def serve(self, listener: socket.socket) -> None:
        """Accept connections until the listener is closed."""
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            if self._places.acquire(blocking=False):
                threading.Thread(target=self._attend, args=(connection,), name="bench-hand", daemon=True).start()
            else:
                connection.close()

    def _attend(self, connection: socket.socket) -> None:
        try:
            with connection:
                connection.settimeout(_LINE_TIMEOUT_S)
                answer = self._answer(connection.recv(LINE_BYTES_MAX))
                connection.sendall(answer.encode("ascii") + b"\n")
        except OSError:
            # The hand went away; what it pressed stays pressed, as with a real button.
            return
        finally:
            self._places.release()

    def _answer(self, line: bytes) -> str:
        action = self._actions.get(line.decode("ascii", "replace").strip())
        return action() if action is not None else "refused: " + ", ".join(self._actions)

    def _turn(self, contact: Contact, *, asserted: bool) -> str:
        self._hands.turn(contact, asserted=asserted)
        return f"ok {time.monotonic_ns()}"

    def _press_reset(self, held_ms: int) -> str:
        if not self._reset_hand.acquire(blocking=False):
            return "refused: the reset button is being pressed already"
        with contextlib.ExitStack() as stack:
            stack.callback(self._reset_hand.release)
            self._hands.turn(Contact.RESET, asserted=True)
            stack.callback(self._hands.turn, Contact.RESET, asserted=False)
            time.sleep(held_ms / _MILLISECONDS_PER_SECOND)
        return "ok"

    def _tamper(self) -> str:
        if not self._hands.fitted(Contact.CASE):
            return "refused: no case switch is fitted (pins.tamper_fitted)"
        self._hands.turn(Contact.CASE, asserted=True)
        time.sleep(_TAP_MS / _MILLISECONDS_PER_SECOND)
        return self._turn(Contact.CASE, asserted=False)
