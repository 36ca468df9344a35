"""The last resort's own way to the venue: one blocking socket, tried again until a deadline.

Written by hand instead of using the trader's connection: that one needs an event loop and half of the trader, and what
stops the trader must share as little with it as can be.
"""

import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, Self

from appliance.core.clock import NANOSECONDS_PER_MILLISECOND, NANOSECONDS_PER_SECOND, Clock
from appliance.core.commands import AskAccount, VenueCommand
from appliance.core.errors import ApplianceError, WireError
from appliance.core.events import AccountReported
from appliance.core.secret import Secret
from appliance.guardian.last_resort import Clearing, Outcome, entries_in
from appliance.wire.link import encode
from appliance.wire.venue_link import PROTOCOL_VERSION, Channel, Hello, Submit, VenueMessage, client_decoder

ANSWER_S: Final = 1.0
_READ_BYTES: Final = 65_536
_MESSAGES_PER_ANSWER_MAX: Final = 1_000
_ASK_INTERVAL_NS: Final = 20 * NANOSECONDS_PER_MILLISECOND
_RETRY_FIRST_NS: Final = 20 * NANOSECONDS_PER_MILLISECOND
_RETRY_CAP_NS: Final = 500 * NANOSECONDS_PER_MILLISECOND
_CONNECTIONS_MAX: Final = 100


class Door:
    """Hold one connection on the last-resort channel."""

    def __init__(self, path: Path, key: Secret, clock: Clock) -> None:
        """Connect and show the key."""
        self._clock = clock
        self._decoder = client_decoder()
        self._request = 0
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._socket.settimeout(ANSWER_S)
            self._socket.connect(str(path))
            self._socket.sendall(encode(Hello(PROTOCOL_VERSION, Channel.LAST_RESORT, key.reveal())))
        except OSError:
            self._socket.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def send(self, command: VenueCommand) -> None:
        """Send one command."""
        self._socket.sendall(encode(Submit(self._clock.monotonic_ns(), command)))

    def account(self) -> tuple[AccountReported, int]:
        """Ask for the account and return it with the moment of asking."""
        asked_ns = self._clock.monotonic_ns()
        self._request += 1
        self.send(AskAccount(self._request, asked_ns + self._clock.wall_ns()))
        until_ns = asked_ns + int(ANSWER_S * NANOSECONDS_PER_SECOND)
        for _ in range(_MESSAGES_PER_ANSWER_MAX):
            if self._clock.monotonic_ns() > until_ns:
                break
            for message in self._read():
                if isinstance(message, AccountReported) and message.request == self._request:
                    return message, asked_ns
        raise WireError("the venue did not answer in time")

    def _read(self) -> list[VenueMessage]:
        data = self._socket.recv(_READ_BYTES)
        if not data:
            raise WireError("the venue closed the connection: does it know this key?")
        return self._decoder.feed(data)


class LastResort:
    """Connect, clear, verify; and again until it is verified or the time is over."""

    def __init__(self, path: Path, key: Callable[[], Secret], clock: Clock, deadline_ns: int) -> None:
        """Prepare for the venue at a socket path; the key is asked for once a connection."""
        self._path = path
        self._key = key
        self._clock = clock
        self._deadline_ns = deadline_ns
        self._connections_count = 0
        self._reason = ""

    def run(self, policy: str, quiet_ns: int) -> Outcome:
        """Clear the account and say whether that is proven."""
        started_ns = self._clock.monotonic_ns()
        until_ns = started_ns + self._deadline_ns
        clearing = Clearing(policy, started_ns, quiet_ns, f"{self._clock.wall_ns():x}")
        wait_ns = _RETRY_FIRST_NS
        while not clearing.verified and self._clock.monotonic_ns() < until_ns:
            if self._connections_count >= _CONNECTIONS_MAX:
                break
            self._connections_count += 1
            self._try(clearing, until_ns)
            if not clearing.verified:
                _sleep(wait_ns)
                wait_ns = min(2 * wait_ns, _RETRY_CAP_NS)
        return self._outcome(clearing, started_ns)

    def _try(self, clearing: Clearing, until_ns: int) -> None:
        try:
            with Door(self._path, self._key(), self._clock) as door:
                self._clear(door, clearing, until_ns)
        except OSError as problem:
            self._reason = f"no venue answers at {self._path} ({problem.strerror or problem})"
        except ApplianceError as problem:
            self._reason = str(problem)

    def _clear(self, door: Door, clearing: Clearing, until_ns: int) -> None:
        for command in clearing.begin():
            door.send(command)
        while self._clock.monotonic_ns() < until_ns:
            report, asked_ns = door.account()
            commands = clearing.reported(report, asked_ns)
            if clearing.verified:
                return
            for command in commands:
                door.send(command)
            # What was just canceled is asked about at once; a wait for the proof needs no haste.
            if not commands:
                _sleep(_ASK_INTERVAL_NS)
        self._reason = "the venue still shows what should be gone, or the proof needs more time"

    def _outcome(self, clearing: Clearing, started_ns: int) -> Outcome:
        last = clearing.last
        clear_ns = clearing.clear_ns
        return Outcome(
            verified=clearing.verified,
            policy=clearing.policy,
            reason="verified" if clearing.verified else self._reason,
            took_ms=(self._clock.monotonic_ns() - started_ns) // NANOSECONDS_PER_MILLISECOND,
            clear_ms=-1 if clear_ns is None else (clear_ns - started_ns) // NANOSECONDS_PER_MILLISECOND,
            connections_count=self._connections_count,
            canceled_count=clearing.canceled_count,
            sold_count=clearing.sold_count,
            entries_count=-1 if last is None else entries_in(last),
            open_orders_count=-1 if last is None else len(last.open_orders),
            holdings_count=-1 if last is None else sum(holding.size_lots != 0 for holding in last.holdings),
        )


def _sleep(duration_ns: int) -> None:
    time.sleep(duration_ns / NANOSECONDS_PER_SECOND)
