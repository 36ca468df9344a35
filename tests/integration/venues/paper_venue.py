"""A paper venue on loopback for tests: embedded in the test's own event loop, or as the process users start."""

import json
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from appliance.core.clock import SystemClock
from appliance.venues.simulator.kraken.faults import FaultPlan
from appliance.venues.simulator.kraken.keys import TRADE, ApiKey, drawn_key
from appliance.venues.simulator.kraken.paper import Pace, paper_floor
from appliance.venues.simulator.kraken.server import KrakenServer, Latency

FAULTS_SEED = 7
# Five times as many trades as the venue has by itself, so that a test need not wait.
TRADE_INTERVAL_NS = 20_000_000


class PaperVenue:
    """Hold a server and the key of its account."""

    def __init__(self, server: KrakenServer, key: ApiKey) -> None:
        """Keep both."""
        self.server = server
        self.key = key

    @property
    def secret(self) -> str:
        """Return the account's private key."""
        return self.key.private_key.reveal()


@asynccontextmanager
async def paper_venue(
    *, seed: int = 1, faults: str = "", latency_ms: float = 0, permissions: frozenset[str] = TRADE
) -> AsyncIterator[PaperVenue]:
    """Serve an embedded venue; its books must be exact in the end."""
    clock, key = SystemClock(), drawn_key("paper", permissions)
    server = KrakenServer(
        paper_floor(clock, seed=seed, pace=Pace(TRADE_INTERVAL_NS)),
        clock,
        [key],
        latency=Latency(latency_ms, 0.5, seed),
        faults=FaultPlan.parse(faults, FAULTS_SEED),
    )
    await server.start()
    try:
        yield PaperVenue(server, key)
    finally:
        await server.close()
    assert server.state.floor.audit() == ()


@contextmanager
def paper_process(*arguments: str) -> Iterator[dict[str, Any]]:
    """Run `appliance venue --port 0` and yield what it announces."""
    command = [sys.executable, "-m", "appliance", "venue", "--port", "0", "--json", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(10)
