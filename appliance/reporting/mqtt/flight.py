"""One connection's work: what is unconfirmed, what is due, and when to give up."""

import asyncio
import contextlib
from collections.abc import Callable
from importlib import metadata
from typing import NamedTuple, Protocol

from appliance.core.clock import NANOSECONDS_PER_MILLISECOND, NANOSECONDS_PER_SECOND, Clock
from appliance.core.settings.machine import Mqtt
from appliance.reporting.box import Box
from appliance.reporting.model import Model
from appliance.reporting.mqtt.discovery import announcements
from appliance.reporting.mqtt.feeder import Feeder
from appliance.reporting.mqtt.outbox import Outbox
from appliance.reporting.mqtt.payloads import State, encode
from appliance.reporting.mqtt.present import birth_of, chain_of, recent_of, state_of
from appliance.reporting.mqtt.session import Session, SessionLost
from appliance.reporting.mqtt.topics import OFFLINE, ONLINE, Topics

_WAKE_S_MAX = 0.25
_SLOW_INTERVAL_NS = 30 * NANOSECONDS_PER_SECOND
_OFFLINE_S_MAX = 1.0
_REFILL_PARTS = 4
_DEFAULT_CURRENCY = "USD"
VERSION = metadata.version("bot4-edge")


class Parts(NamedTuple):
    """Join what is published."""

    topics: Topics
    outbox: Outbox
    feeder: Feeder
    model: Model
    box: Box
    audit_head: Callable[[], str | None]


class Counters(Protocol):
    """Count what became of messages."""

    sent: int
    confirmed: int
    refused: int
    states_thinned: int


class _Sent(NamedTuple):
    row_id: int | None
    at_ns: int


class Flight:
    """Send over one connection until it is lost."""

    def __init__(self, session: Session, parts: Parts, settings: Mqtt, clock: Clock, counters: Counters) -> None:
        """Send these parts over this session."""
        self._session = session
        self._parts = parts
        self._settings = settings
        self._clock = clock
        self._counters = counters
        self._unconfirmed: dict[int, _Sent] = {}
        self._confirmed_rows: list[int] = []
        self._refusal = ""
        self._last_row_id = 0
        self._retained: dict[str, bytes] = {}
        self._state_mid: int | None = None
        self._state_key: tuple[object, ...] = ()
        self._state_due_ns = 0
        self._slow_due_ns = 0
        self.window = 1

    async def run(self) -> None:
        """Announce, then send until the connection is lost."""
        self._announce()
        while True:
            if self._session.lost().done():
                raise SessionLost(f"the broker is gone: {self._session.lost().result()}")
            await self._settle()
            self._present()
            await self._send_rows()
            await self._wait()

    def take_confirmed(self, mid: int, problem: str | None) -> None:
        """Take the broker's word on one message."""
        sent = self._unconfirmed.pop(mid, None)
        if sent is None:
            return
        if mid == self._state_mid:
            self._state_mid = None
        if problem is not None:
            self._counters.refused += 1
            self._refusal = problem
        elif sent.row_id is not None:
            self._confirmed_rows.append(sent.row_id)
        else:
            self._counters.confirmed += 1
        self._parts.outbox.grown.set()

    async def say_offline(self) -> None:
        """Tell listeners that this end is meant, and wait a moment for the broker to have heard."""
        mid = self._publish(self._parts.topics.availability, OFFLINE, retain=True)
        deadline_ns = self._clock.monotonic_ns() + int(_OFFLINE_S_MAX * NANOSECONDS_PER_SECOND)
        while mid in self._unconfirmed and self._clock.monotonic_ns() < deadline_ns:
            await self._wait()

    def _announce(self) -> None:
        topics, settings = self._parts.topics, self._settings
        self._publish(topics.availability, ONLINE, retain=True)
        if settings.discovery:
            for topic, payload in announcements(
                topics, settings.discovery_prefix, VERSION, self._currency(), settings.state_interval_s
            ):
                self._publish(topic, payload, retain=True)

    def _currency(self) -> str:
        hello = self._parts.model.hello
        quotes = {grid.instrument.rpartition("/")[2] for grid in hello.grids} if hello is not None else set()
        return quotes.pop() if len(quotes) == 1 else _DEFAULT_CURRENCY

    async def _settle(self) -> None:
        rows, self._confirmed_rows = self._confirmed_rows, []
        if rows:
            await self._parts.outbox.confirm(rows)
            self._counters.confirmed += len(rows)
        if self._refusal:
            raise SessionLost(f"the broker does not take our messages ({self._refusal}); check its access list")
        oldest = next(iter(self._unconfirmed.values()), None)
        patience_ns = self._settings.keepalive_s * NANOSECONDS_PER_SECOND
        if oldest is not None and self._clock.monotonic_ns() - oldest.at_ns > patience_ns:
            raise SessionLost("the broker confirms nothing any more")

    def _present(self) -> None:
        now_ns, wall_ms = self._clock.monotonic_ns(), self._clock.wall_ns() // NANOSECONDS_PER_MILLISECOND
        parts = self._parts
        self._publish_changed(
            parts.topics.birth, encode(birth_of(parts.topics.device, parts.model, parts.feeder.journal, VERSION))
        )
        state = state_of(
            parts.topics.device, parts.model, parts.box.look(), now_ns=now_ns, wall_ms=wall_ms,
            waiting=parts.outbox.count, thinned=parts.outbox.thinned_count,
        )  # fmt: skip
        key = (state.mode, state.lamp, state.estop, state.case_open, state.relay, state.stale, state.bad_checks)
        if now_ns >= self._state_due_ns or key != self._state_key:
            self._state_due_ns = now_ns + self._settings.state_interval_s * NANOSECONDS_PER_SECOND
            self._send_state(state, key)
        if now_ns >= self._slow_due_ns:
            self._slow_due_ns = now_ns + _SLOW_INTERVAL_NS
            journal = parts.feeder.journal
            chain = chain_of(parts.topics.device, parts.model, journal, parts.audit_head(), wall_ms)
            self._publish(parts.topics.chain, encode(chain), retain=True)
            self._publish_changed(parts.topics.recent, encode(recent_of(parts.topics.device, parts.model, journal)))

    def _send_state(self, state: State, key: tuple[object, ...]) -> None:
        if self._state_mid is not None:
            self._counters.states_thinned += 1
            return
        self._state_key = key
        self._state_mid = self._publish(self._parts.topics.state, encode(state), retain=True)

    async def _send_rows(self) -> None:
        room = self.window - len(self._unconfirmed)
        # One row at a time would be one question to the disk for each confirmation.
        if room < max(self.window // _REFILL_PARTS, 1):
            return
        for row in await self._parts.outbox.after(self._last_row_id, room):
            self._publish(row.topic, row.payload, row_id=row.id)
            self._last_row_id = row.id
            self._counters.sent += 1

    async def _wait(self) -> None:
        grown = self._parts.outbox.grown
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_WAKE_S_MAX):
                await grown.wait()
        grown.clear()

    def _publish_changed(self, topic: str, payload: bytes) -> None:
        if self._retained.get(topic) != payload:
            self._retained[topic] = payload
            self._publish(topic, payload, retain=True)

    def _publish(self, topic: str, payload: bytes, *, retain: bool = False, row_id: int | None = None) -> int:
        mid = self._session.publish(topic, payload, retain=retain)
        self._unconfirmed[mid] = _Sent(row_id, self._clock.monotonic_ns())
        return mid
