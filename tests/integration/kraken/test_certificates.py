"""Who may be the venue: no certificate of another authority, none that has ended, none that names another host."""

import asyncio
import random
import ssl
from pathlib import Path

import pytest

from appliance.core.clock import SystemClock
from appliance.core.errors import ConfigError, WireError
from appliance.venues.kraken.blocking import exchange
from appliance.venues.kraken.connection import Means
from appliance.venues.kraken.endpoint import Endpoint, _verifying, endpoint
from appliance.venues.kraken.feed import KrakenFeed
from appliance.venues.kraken.http import get
from appliance.venues.kraken.nonce import NonceCounter
from appliance.venues.kraken.rest import RestClient
from appliance.venues.simulator.kraken.keys import TRADE, drawn_key
from appliance.venues.simulator.kraken.paper import paper_floor
from appliance.venues.simulator.kraken.server import KrakenServer
from tests.integration.kraken.scripted import KEY, QUICK, Desk
from tests.integration.reporting.certificates import Authority

pytestmark = pytest.mark.timeout(60)
TIME = "/0/public/Time"


def serving(certificate: tuple[Path, Path]) -> ssl.SSLContext:
    """Return what serves with a certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    return context


async def ways(server: KrakenServer, ca_file: Path | None, folder: Path, host: str = "127.0.0.1") -> list[str]:
    """Go each way that the appliance has to a venue, and return what went wrong on it, if anything."""
    web = endpoint(f"https://{host}:{server.port}", plain_loopback=False, ca_file=ca_file)
    websocket = endpoint(f"wss://{host}:{server.port}/v2", plain_loopback=False, ca_file=ca_file)
    return [await _asked(web, folder), await _called(web), await _followed(websocket)]


async def _asked(web: Endpoint, folder: Path) -> str:
    try:
        await RestClient(web, KEY, NonceCounter(folder / "nonce", SystemClock()), 5.0).public("Time")
    except (WireError, ConfigError) as problem:
        return str(problem)
    return ""


async def _called(web: Endpoint) -> str:
    try:
        await asyncio.to_thread(exchange, web, get(web, TIME), 5.0)
    except (WireError, ConfigError) as problem:
        return str(problem)
    return ""


async def _followed(websocket: Endpoint) -> str:
    desk, said = Desk(), list[str]()
    shell = KrakenFeed(websocket, desk.post, Means(SystemClock(), random.Random(1), said.append), 10, QUICK)
    task = asyncio.create_task(shell.run())
    await desk.until(lambda: said or shell.connected)
    task.cancel()
    return said[0] if said else ""


def went(certificate: tuple[Path, Path], ca_file: Path | None, folder: Path, host: str = "127.0.0.1") -> list[str]:
    """Serve with a certificate and return what went wrong on each way to it."""

    async def run() -> list[str]:
        clock = SystemClock()
        server = KrakenServer(paper_floor(clock), clock, [drawn_key("k", TRADE)], tls=serving(certificate))
        await server.start()
        try:
            return await ways(server, ca_file, folder, host)
        finally:
            await server.close()

    return asyncio.run(run())


def test_the_named_authoritys_certificate_is_taken_and_no_other(tmp_path: Path) -> None:
    """Shows all three ways open for a certificate of the one authority, and shut for one that another signed, one that
    has ended, one for another host, and where no authority is named; fails when any way stays open to a stranger.
    """
    ours, strange = Authority(tmp_path, "ours"), Authority(tmp_path, "strange")
    good, ended = ours.sign("good"), ours.sign("ended", expired=True)
    assert went(good, ours.file, tmp_path) == ["", "", ""]
    for certificate, trusted, host, says in (
        (strange.sign("other"), ours.file, "127.0.0.1", "certificate verify failed"),
        (ended, ours.file, "127.0.0.1", "certificate has expired"),
        (good, ours.file, "localhost", "Hostname mismatch"),
        (good, None, "127.0.0.1", "certificate verify failed"),
    ):
        said = went(certificate, trusted, tmp_path, host)
        assert [says in one for one in said] == [True] * 3, (says, said)


def test_what_the_environment_says_of_certificates_counts_for_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Shows that SSL_CERT_FILE adds no authority and SSLKEYLOGFILE gets no key; fails when whoever sets the environment
    could stand in the middle or read along.
    """
    # Built anew: what an earlier connection has built would prove nothing here.
    _verifying.cache_clear()
    ours = Authority(tmp_path, "ours")
    keys = tmp_path / "read-along"
    monkeypatch.setenv("SSL_CERT_FILE", str(ours.file))
    monkeypatch.setenv("SSLKEYLOGFILE", str(keys))
    assert all(went(ours.sign("good"), None, tmp_path))
    assert went(ours.sign("again"), ours.file, tmp_path) == ["", "", ""]
    assert not keys.exists()
