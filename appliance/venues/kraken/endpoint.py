"""Where a venue answers, and whether the way there is safe.

Every connection is encrypted and the other side's certificate verified, always. The one exception is an address of
this very machine, only where the configuration says so, and never with real money: what never leaves the machine needs
no certificate.

What the environment says of certificates counts for nothing: neither SSL_CERT_FILE, which would add an authority, nor
SSLKEYLOGFILE, which would write every connection's key to a file, is looked at.
"""

import ipaddress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from appliance.core.config import Config
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
    # The one authority that is trusted for it; without, those that the system trusts.
    ca_file: Path | None = None

    @property
    def authority(self) -> str:
        """Return host and port as a request names them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def websocket_url(self) -> str:
        """Return the address as a WebSocket's."""
        return f"{'wss' if self.secure else 'ws'}://{self.authority}{self.path or '/'}"


def venue_endpoint(config: Config, url: str) -> Endpoint:
    """Return the endpoint of one of a configuration's addresses."""
    plain = config.venue.plain_loopback_allowed and config.trading.mode == "paper"
    return endpoint(url, plain_loopback=plain, ca_file=config.venue.ca_file)


def endpoint(url: str, *, plain_loopback: bool, ca_file: Path | None = None) -> Endpoint:
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
    return Endpoint(secure, host, port or _PORTS[parts.scheme], parts.path.rstrip("/"), ca_file)


def tls(place: Endpoint) -> "ssl.SSLContext | None":
    """Return what verifies the other side; nothing where the connection never leaves this machine."""
    if not place.secure:
        return None
    return _verifying(place.ca_file)


# Reading some hundred authorities takes too long to do it for every request beside a market.
@lru_cache(maxsize=4)
def _verifying(ca_file: Path | None) -> "ssl.SSLContext":
    import ssl  # noqa: PLC0415 - seconds to load on a small card, and the last resort may not need it

    # Of itself it asks for a certificate and compares the host's name with it.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    try:
        if ca_file is not None:
            context.load_verify_locations(ca_file)
        else:
            system = ssl.get_default_verify_paths()
            context.load_verify_locations(_there(system.openssl_cafile), _there(system.openssl_capath))
    except (OSError, TypeError) as problem:
        named = f"venue.ca_file {ca_file}" if ca_file is not None else "the system's list of authorities"
        raise ConfigError(f"{named} cannot be used ({problem}); without it no venue can be verified") from problem
    return context


def _there(path: str) -> str | None:
    return path if Path(path).exists() else None


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        # A name may be looked up anywhere, so even "localhost" is no proof.
        return False
