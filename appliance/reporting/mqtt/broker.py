"""Where the broker is and how to be let in: the settings, read and checked before anything is sent."""

import ipaddress
import ssl
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
from paho.mqtt.client import Client

from appliance.core.errors import ConfigError
from appliance.core.secret import Secret, handed, read_secret
from appliance.core.settings.machine import Mqtt

CREDENTIAL = "broker.key"
_PORT_PLAIN = 1883
_PORT_ENCRYPTED = 8883
_PORT_MAX = 65_535


class Broker(msgspec.Struct, frozen=True):
    """Carry a broker's address and what we log in with."""

    host: str
    port: int
    encrypted: bool
    username: str | None = None
    password: Secret | None = None
    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None

    @property
    def shown(self) -> str:
        """Return the address as people write it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"mqtt{'s' if self.encrypted else ''}://{host}:{self.port}"


def broker_of(settings: Mqtt) -> Broker | None:
    """Return the configured broker, or nothing where MQTT is off."""
    if settings.broker is None:
        return None
    host, port, encrypted = address_of(settings.broker)
    username, password = _login(settings)
    return Broker(
        host, port, encrypted, username, password,
        settings.ca_file, settings.certificate_file, settings.key_file,
    )  # fmt: skip


def _login(settings: Mqtt) -> tuple[str | None, Secret | None]:
    """Return name and password: the configured ones, else the owner's "USER:PASSWORD" that was handed over."""
    if settings.password_file is not None:
        return settings.username, read_secret(settings.password_file)
    path = handed(CREDENTIAL)
    if path is None:
        return settings.username, None
    name, separator, password = read_secret(path).reveal().partition(":")
    if not (name and separator and password):
        raise ConfigError('the broker\'s login must be "USER:PASSWORD"; give it again as `broker` in setup.toml')
    return name, Secret(password)


def address_of(url: str) -> tuple[str, int, bool]:
    """Return host, port and whether it is encrypted, of an address such as mqtts://broker.example:8883."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as problem:
        raise ConfigError(f"{url} is not the address of a broker: {problem}") from problem
    plain = (parts.path, parts.query, parts.fragment) == ("", "", "") and parts.username is None
    if parts.scheme not in {"mqtt", "mqtts"} or not parts.hostname or not plain:
        raise ConfigError(f"{url} is not the address of a broker: write mqtt://host:1883 or mqtts://host:8883")
    encrypted = parts.scheme == "mqtts"
    if port is None:
        port = _PORT_ENCRYPTED if encrypted else _PORT_PLAIN
    if not 0 < port <= _PORT_MAX:
        raise ConfigError(f"{url} names port {port}; ports go from 1 to {_PORT_MAX}")
    return parts.hostname, port, encrypted


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine, by its address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class _ClosingSocket(ssl.SSLSocket):
    """Close when the handshake fails; paho would leave that to the garbage collector."""

    def do_handshake(self, block: bool = False) -> None:  # noqa: FBT002 - as it is in the parent
        try:
            super().do_handshake(block)
        except OSError:
            self.close()
            raise


def bound_address(broker: Broker) -> str:
    """Return where to call from: left to itself, paho binds to every network first, also to reach this very machine."""
    return broker.host if is_loopback(broker.host) else ""


def use(client: Client, broker: Broker) -> None:
    """Give a client what it needs to be let in."""
    context = tls_context(broker)
    if context is not None:
        client.tls_set_context(context)
    if broker.username is not None:
        password = None if broker.password is None else broker.password.reveal()
        client.username_pw_set(broker.username, password)


def tls_context(broker: Broker) -> ssl.SSLContext | None:
    """Return how to encrypt: a named authority is the only one trusted, and the host's name is always checked."""
    if not broker.encrypted:
        return None
    try:
        context = ssl.create_default_context(cafile=broker.ca_file)
        context.sslsocket_class = _ClosingSocket
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if broker.certificate_file is not None:
            context.load_cert_chain(broker.certificate_file, broker.key_file)
    except (OSError, ssl.SSLError) as problem:
        named = ", ".join(str(p) for p in (broker.ca_file, broker.certificate_file, broker.key_file) if p is not None)
        raise ConfigError(f"the broker's certificates cannot be used ({problem}); check {named}") from problem
    return context
