"""Where a venue answers, and whether the way there is safe.

Every connection is encrypted and the other side's certificate verified, always. The one exception is an address of
this very machine, and only where the configuration says so: what never leaves the machine needs no certificate.
"""

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from appliance.core.errors import ConfigError

if TYPE_CHECKING:
    import ssl

_PORTS: Final = {"wss": 443, "https": 443, "ws": 80, "http": 80}
_SECURE: Final = frozenset({"wss", "https"})


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Name a host, a port and a path there."""

    secure: bool
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """Return host and port as a request names them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def websocket_url(self) -> str:
        """Return the address as a WebSocket's."""
        return f"{'wss' if self.secure else 'ws'}://{self.authority}{self.path or '/'}"


def endpoint(url: str, *, plain_loopback: bool) -> Endpoint:
    """Return the endpoint of an address, refusing one that would leave this machine unencrypted."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as problem:
        raise ConfigError(f"{url} is not an address: {problem}") from problem
    if parts.scheme not in _PORTS or not host:
        raise ConfigError(f"{url} is not an address such as wss://ws.kraken.com/v2 or https://api.kraken.com")
    secure = parts.scheme in _SECURE
    if not secure and not (plain_loopback and _is_loopback(host)):
        raise ConfigError(
            f"{url} is not encrypted; use wss or https, or for a venue on this machine "
            "an address of 127.0.0.1 with venue.plain_loopback_allowed"
        )
    return Endpoint(secure, host, port or _PORTS[parts.scheme], parts.path.rstrip("/"))


def tls(place: Endpoint) -> "ssl.SSLContext | None":
    """Return what verifies the other side; nothing where the connection never leaves this machine."""
    if not place.secure:
        return None
    import ssl  # noqa: PLC0415 - seconds to load on a small card, and the last resort may not need it

    return ssl.create_default_context()


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        # A name may be looked up anywhere, so even "localhost" is no proof.
        return False
