"""From another machine only with the token, only encrypted, and no secret ever shows."""

import base64
import http.client
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.reporting.fed_reporter import START_S_MAX, Fed, fed_reporter

pytestmark = pytest.mark.serial
CANARY = "canary-51fe7a0c9d33"
PATHS = ("/", "/panel.css", "/panel.js", "/chart.js", "/lamp.css", "/icon.svg", "/state.json", "/metrics", "/healthz")


@pytest.fixture
def fed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fed]:
    """Return a scripted trader in a thread of its own and the folder where a reporter finds it."""
    yield from fed_reporter(tmp_path_factory.mktemp("a"))


class Asking:
    """Ask an encrypted panel, trusting its own certificate alone."""

    def __init__(self, fed: Fed, certificate: Path) -> None:
        """Ask the reporter that announced itself there."""
        address = fed.folder / "run" / "panel.json"
        self.port = int(address.read_text().rstrip('"}/').rpartition(":")[2])
        self._context = ssl.create_default_context(cafile=str(certificate))

    def get(self, path: str, authorization: str | None = None, method: str = "GET") -> tuple[int, bytes, str]:
        """Return status, body and what kind of authorization is asked for."""
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, context=self._context, timeout=10)
        try:
            fields = {"Host": "127.0.0.1"} | ({"Authorization": authorization} if authorization is not None else {})
            connection.request(method, path, headers=fields)
            answer = connection.getresponse()
            return answer.status, answer.read(), answer.headers.get("WWW-Authenticate", "")
        finally:
            connection.close()


def basic(password: str) -> str:
    """Return what a browser sends for a password."""
    return "Basic " + base64.b64encode(f"anybody:{password}".encode()).decode()


def test_beyond_this_machine_only_the_token_opens(fed: Fed) -> None:
    """A panel on every network is encrypted with the device's own certificate, answers nobody without the token, takes
    it as a password and as a bearer's, keeps both over a restart, and neither the token nor the broker's password is in
    any page, line or file but their own; wrong if any page were open, or a secret leaked.
    """
    secret = fed.folder / "password"
    secret.write_text(CANARY)
    secret.chmod(0o600)
    text = fed.config.read_text().replace("[reporter]", '[reporter]\npanel_host = "0.0.0.0"')
    fed.config.write_text(
        text.replace(
            "[paths]", f'[mqtt]\nbroker = "mqtt://127.0.0.1:1"\nusername = "x"\npassword_file = "{secret}"\n[paths]'
        )
    )
    fed.publish_notes(3)
    fed.publish_telemetry()
    own = fed.folder / "state" / "reporter"
    told, token, tokens = "", "", set[str]()
    for _ in range(2):
        process = start(fed)
        try:
            asking = Asking(fed, own / "panel.pem")
            token = (own / "panel.token").read_text().strip()
            tokens.add(token)
            for path in PATHS:
                assert asking.get(path)[0] == 401
            assert "Basic" in asking.get("/")[2]
            for wrong in (
                basic(token[:-1]),
                basic(""),
                f"Bearer {token}x",
                "Bearer",
                token,
                "Basic !!!",
                basic(token) + "A",
            ):
                assert asking.get("/state.json", wrong)[0] == 401, wrong
            pages = [asking.get(path, given) for path in PATHS for given in (basic(token), f"Bearer {token}")]
            assert {status for status, _, _ in pages} <= {200, 503}
            assert asking.get("/", basic(token), method="POST")[0] == 405
        finally:
            process.terminate()
            told += process.communicate(timeout=START_S_MAX)[1]
        shown = b"".join(body for _, body, _ in pages).decode() + told
        assert token not in shown
        assert CANARY not in shown
    assert len(tokens) == 1
    assert len(token) == 32
    for name in ("panel.token", "panel.pem"):
        assert (own / name).stat().st_mode & 0o077 == 0
    kept = [path for path in fed.folder.rglob("*") if path.is_file() and path not in {secret, own / "panel.token"}]
    assert not [path for path in kept if CANARY.encode() in path.read_bytes() or token.encode() in path.read_bytes()]


def start(fed: Fed) -> "subprocess.Popen[str]":
    """Start a reporter and wait until it has announced itself."""
    address = fed.folder / "run" / "panel.json"
    address.unlink(missing_ok=True)
    process = subprocess.Popen(
        [sys.executable, "-m", "appliance", "reporter", "--config", str(fed.config)], stderr=subprocess.PIPE, text=True
    )
    deadline_s = time.monotonic() + START_S_MAX
    while not address.exists():
        assert process.poll() is None
        assert time.monotonic() < deadline_s
        time.sleep(0.05)
    return process
