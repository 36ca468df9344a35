"""What `setup.toml` may say: the network, the time, the keys. An unknown word or a wrong value refuses the file.

It is a file of its own because `appliance.toml` may be sealed: a seal covers every byte, and this file loses its keys
as soon as they are read.
"""

import re
import tomllib
from typing import Annotated, Any, Final

import msgspec

from appliance.core.errors import ConfigError

FILE_BYTES_MAX: Final = 16_384
_UNKNOWN: Final = re.compile(r"unknown field `([^`]*)`")
_MISSING: Final = re.compile(r"missing required field `([^`]*)`")
_PATH: Final = re.compile(r"`\$\.([A-Za-z_.]+)")

HostName = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$")]
Server = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9.:-]{0,99}$")]
# A quotation mark or a line's end would end the value in the file that this is written into.
Network = Annotated[str, msgspec.Meta(pattern=r'^[^"\\\x00-\x1f\x7f]{1,32}$')]
Password = Annotated[str, msgspec.Meta(pattern=r"^([\x20-\x7e]{8,63})?$")]
Key = Annotated[str, msgspec.Meta(pattern=r"^[\x21-\x7e]{0,2048}$")]
PublicKey = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^(ssh-ed25519|sk-ssh-ed25519@openssh\.com|ssh-rsa) [A-Za-z0-9+/=]{40,1500}( [\x20-\x7e]{0,80})?$"
    ),
]


class Section(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Refuse what is not known."""


class Wifi(Section, frozen=True):
    """Name the wireless network."""

    country: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{2}$")]
    network: Network
    password: Password = ""


class Time(Section, frozen=True):
    """Say who is asked for the time."""

    servers: Annotated[tuple[Server, ...], msgspec.Meta(min_length=1, max_length=8)] = (
        "0.debian.pool.ntp.org",
        "1.debian.pool.ntp.org",
        "2.debian.pool.ntp.org",
        "3.debian.pool.ntp.org",
    )


class Ssh(Section, frozen=True):
    """Let one key in."""

    public_key: PublicKey


class Secrets(Section, frozen=True):
    """Hold keys on their way into the box."""

    venue_key: Key = ""
    last_resort_key: Key = ""
    broker: Key = ""
    panel_token: Key = ""


class Setup(Section, frozen=True):
    """Hold the whole file."""

    host_name: HostName = "bot4-edge"
    wifi: Wifi | None = None
    time: Time = Time()
    ssh: Ssh | None = None
    secrets: Secrets = Secrets()


# The names under which the services find them; the password becomes the key that the network derives from it.
CREDENTIALS: Final = {
    "venue_key": "venue.key",
    "last_resort_key": "last-resort.key",
    "broker": "broker.key",
    "panel_token": "panel.token",
    "password": "wifi.psk",
}
# The paper account's, made by the box itself; they are not the owner's, whose key no paper venue needs to know.
PAPER_CREDENTIALS: Final = ("paper-venue.key", "paper-last-resort.key")
_EXPECTED: Final = {
    "host_name": "1 to 32 of a-z, 0-9 and -, not starting or ending with -",
    "country": 'two capitals, such as "DE"',
    "network": "the name of the network, 1 to 32 characters without quotation marks",
    "password": "8 to 63 plain characters",
    "servers": "1 to 8 names or addresses of time servers",
    "public_key": 'one line that starts with "ssh-ed25519" or "ssh-rsa", as in your id_ed25519.pub',
    "venue_key": "one line without spaces",
    "last_resort_key": "one line without spaces",
    "broker": '"USER:PASSWORD" without spaces',
    "panel_token": "one line without spaces",
}


def read_setup(data: bytes, name: str) -> Setup:
    """Return the settings in a file's bytes, or one error that names every section in which something is wrong."""
    try:
        text = data.decode("utf-8-sig")
        document = tomllib.loads(text)
    except UnicodeDecodeError:
        raise ConfigError(f"{name}: is not UTF-8 text; save it as UTF-8") from None
    except (tomllib.TOMLDecodeError, RecursionError) as problem:
        raise ConfigError(f"{name}: is not valid TOML: {_without_values(str(problem))}") from None
    found = (_problem(key, value, text) for key, value in document.items())
    problems = [one for one in found if one]
    if problems:
        raise ConfigError("\n".join(f"{name}:{problem}" for problem in problems))
    return msgspec.convert(document, Setup)


def _problem(key: str, value: Any, text: str) -> str:  # noqa: ANN401 - whatever TOML holds
    """Return line and sentence of what is wrong with one part of the file, or nothing."""
    try:
        msgspec.convert({key: value}, Setup)
    except msgspec.ValidationError as found:
        return _sentence(str(found), key, text)
    return ""


def _sentence(found: str, key: str, text: str) -> str:
    unknown, missing = _UNKNOWN.search(found), _MISSING.search(found)
    if unknown is not None:
        word = unknown[1]
        return f"{_line_of(word, text)}: {word[:60]}: unknown setting; the sample file lists every one"
    if missing is not None:
        return f"{_line_of(key, text)}: [{key}] lacks {missing[1]}; expected {_EXPECTED[missing[1]]}"
    path = _PATH.search(found)
    word = path[1].split(".")[-1] if path else key
    # The value is not shown: it may be a key, written into the wrong place.
    return f"{_line_of(word, text)}: {word}: cannot be used; expected {_EXPECTED.get(word, 'a section of its own')}"


def _line_of(word: str, text: str) -> int:
    for number, line in enumerate(text.splitlines(), start=1):
        if re.match(rf"\s*\[?\s*\"?{re.escape(word)}\b", line):
            return number
    return 1


def _without_values(reason: str) -> str:
    return reason.split(":", 1)[0][:120]
