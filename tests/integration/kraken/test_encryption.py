"""An encrypted venue whose certificate nobody vouches for is never spoken to."""

import asyncio
import datetime as dt
import ipaddress
import random
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from appliance.core.errors import WireError
from appliance.venues.kraken.blocking import exchange
from appliance.venues.kraken.connection import Means
from appliance.venues.kraken.endpoint import Endpoint, endpoint
from appliance.venues.kraken.feed import KrakenFeed
from appliance.venues.kraken.http import get
from appliance.venues.kraken.nonce import NonceCounter
from appliance.venues.kraken.rest import RestClient
from tests.integration.kraken.scripted import CLOCK, KEY, QUICK, Desk

pytestmark = pytest.mark.timeout(30)


def self_signed(folder: Path) -> ssl.SSLContext:
    """Return what serves with a certificate for this address that only itself vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.fromtimestamp(CLOCK.wall_ns() // 10**9, dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "venue.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


def test_no_connection_trusts_a_certificate_that_vouches_for_itself(tmp_path: Path) -> None:
    """Shows the feed, the signed requests and the last resort's way refusing it, and nothing having been said to it;
    fails when one of the three would speak to whoever stands in the middle.
    """
    heard: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read(100))
        writer.close()

    async def run() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=self_signed(tmp_path))
        async with server:
            port = server.sockets[0].getsockname()[1]
            web = endpoint(f"https://127.0.0.1:{port}", plain_loopback=True)
            await refused_by_all(web, endpoint(f"wss://127.0.0.1:{port}/v2", plain_loopback=True))

    async def refused_by_all(web: Endpoint, websocket: Endpoint) -> None:
        desk, said = Desk(), list[str]()
        shell = KrakenFeed(websocket, desk.post, Means(CLOCK, random.Random(1), said.append), 10, QUICK)
        task = asyncio.create_task(shell.run())
        await desk.until(lambda: said)
        task.cancel()
        assert "certificate verify failed" in said[0]
        assert desk.events == []
        client = RestClient(web, KEY, NonceCounter(tmp_path / "nonce", CLOCK), 2.0)
        with pytest.raises(WireError, match="certificate verify failed"):
            await client.private("Balance")
        with pytest.raises(WireError, match="no venue answers"):
            await asyncio.to_thread(exchange, web, get(web, "/0/public/Time"), 2.0)

    asyncio.run(run())
    assert [data for data in heard if data] == []
