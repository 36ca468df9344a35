"""Bring the settings on the card into force, or say why not.

In this order, so that a power cut at any point loses no key and leaves none lying about: read and check everything;
keep the keys; wipe them from the card; write what the services read, the appliance's own settings last. Where anything
is wrong the last step is left out: without settings neither guardian nor trader starts.
"""

import base64
import hashlib
import os
import secrets
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

from appliance.core.bounded_file import FileRead
from appliance.core.config import parse
from appliance.core.errors import ApplianceError, ConfigError
from appliance.core.secret import Secret
from appliance.core.settings import reader
from appliance.core.settings.table import Config
from appliance.hardware.setup.card import Card
from appliance.hardware.setup.rendering import rendered
from appliance.hardware.setup.settings import CREDENTIALS, FILE_BYTES_MAX, PAPER_CREDENTIALS, Secrets, Setup, read_setup
from appliance.hardware.setup.vault import Vault
from appliance.hardware.setup.wiping import wiped

SETUP_NAME: Final = "setup.toml"
CONFIG_NAME: Final = "appliance.toml"
SEAL_NAME: Final = "appliance.toml.seal"
OWNER_NAME: Final = "seal.pub"
_SEAL_BYTES_MAX: Final = 65_536
_PSK_ROUNDS: Final = 4096
_PSK_BYTES: Final = 32
_PAPER_KEY_BYTES: Final = 48
T = TypeVar("T")


class Places(NamedTuple):
    """Say where things go: in memory for the services, and on the data partition what must last."""

    runtime: Path
    state: Path


class Applied(NamedTuple):
    """Hold what came of it."""

    problems: tuple[str, ...]
    setup: Setup | None
    config: Config | None


def apply(card: Card, vault: Vault, places: Places, name_host: Callable[[str], None]) -> Applied:
    """Bring the settings into force as far as they are right."""
    problems: list[str] = []
    config = _collect(problems, lambda: _config(card))
    setup = _collect(problems, lambda: _setup(card))
    files: dict[str, str] = {}
    if setup is not None:
        _collect(problems, lambda: _keep_keys(card, vault, setup))
        files = _collect(problems, lambda: _services(setup, config, vault)) or {}
        name_host(setup.host_name)
    seal = _collect(problems, lambda: _seal(card, places.state)) or {}
    if config is not None and config.trading.mode == "live":
        problems += _lacking_live(seal, vault)
    for path, text in files.items():
        _put(places.runtime / path, text.encode())
    if config is not None and not problems:
        for name, data in {**seal, CONFIG_NAME: _bytes(card, CONFIG_NAME, reader.FILE_BYTES_MAX)}.items():
            _put(places.runtime / "appliance" / name, data)
    return Applied(tuple(problems), setup, config)


def check(card: Card) -> list[str]:
    """Return what is wrong with a card's settings, changing nothing."""
    problems: list[str] = []
    _collect(problems, lambda: _config(card))
    _collect(problems, lambda: _setup(card))
    return problems


def _collect(problems: list[str], step: Callable[[], T]) -> T | None:
    try:
        return step()
    except ApplianceError as problem:
        problems.append(str(problem))
        return None


def _bytes(card: Card, name: str, bytes_max: int) -> bytes:
    found = card.read(name, bytes_max)
    if not isinstance(found, FileRead):
        raise ConfigError(f"{name}: {found.reason}; put the file back onto the card's first partition")
    return found.data


def _config(card: Card) -> Config:
    return parse(_bytes(card, CONFIG_NAME, reader.FILE_BYTES_MAX), CONFIG_NAME)


def _setup(card: Card) -> Setup:
    found = card.read(SETUP_NAME, FILE_BYTES_MAX)
    if isinstance(found, FileRead):
        return read_setup(found.data, SETUP_NAME)
    if found.absent:
        return Setup()
    raise ConfigError(f"{SETUP_NAME}: {found.reason}; put a plain text file in its place, or none")


def _keys(setup: Setup) -> dict[str, Secret]:
    """Return every key in the settings by the name under which it is kept."""
    keys = {
        CREDENTIALS[field]: Secret(text)
        for field in Secrets.__struct_fields__
        if (text := getattr(setup.secrets, field))
    }
    if setup.wifi is not None and setup.wifi.password:
        keys[CREDENTIALS["password"]] = _network_key(setup.wifi.network, setup.wifi.password)
    return keys


def _network_key(network: str, password: str) -> Secret:
    """Return what IEEE 802.11i derives from name and password: the password itself is not needed again."""
    derived = hashlib.pbkdf2_hmac("sha1", password.encode(), network.encode(), _PSK_ROUNDS, _PSK_BYTES)
    return Secret(derived.hex())


def _keep_keys(card: Card, vault: Vault, setup: Setup) -> None:
    _move_keys(card, vault, setup)
    _paper_keys(vault)


def _move_keys(card: Card, vault: Vault, setup: Setup) -> None:
    keys = _keys(setup)
    if not keys:
        return
    after = wiped(_bytes(card, SETUP_NAME, FILE_BYTES_MAX))
    if _keys(read_setup(after, SETUP_NAME)):
        raise ConfigError(
            f'{SETUP_NAME}: write each key on a line of its own, as name = "value", so that it can be wiped'
        )
    for name, secret in keys.items():
        vault.put(name, secret)
    card.overwrite(SETUP_NAME, after)


def _paper_keys(vault: Vault) -> None:
    """Make the keys of the paper venue, once: it knows what it finds, as a venue knows its own."""
    for name in PAPER_CREDENTIALS:
        if name not in vault.names():
            public, private = (base64.b64encode(secrets.token_bytes(_PAPER_KEY_BYTES)).decode() for _ in range(2))
            vault.put(name, Secret(f"{public}:{private}"))


def _services(setup: Setup, config: Config | None, vault: Vault) -> dict[str, str]:
    kept = vault.get(CREDENTIALS["password"]) if setup.wifi is not None else None
    return rendered(setup, config, kept.reveal() if kept is not None else "")


def _seal(card: Card, state: Path) -> dict[str, bytes]:
    """Return the seal and its owner's key, which is kept once seen: taking it away must not free the box."""
    found = {
        name: outcome.data
        for name in (SEAL_NAME, OWNER_NAME)
        if isinstance(outcome := card.read(name, _SEAL_BYTES_MAX), FileRead)
    }
    known = state / OWNER_NAME
    if known.exists():
        owner = known.read_bytes()
        if found.get(OWNER_NAME, owner) != owner:
            raise ConfigError(f"{OWNER_NAME}: is not the key this box knows; to change its owner, write the image anew")
        found[OWNER_NAME] = owner
    elif OWNER_NAME in found:
        _put(known, found[OWNER_NAME])
    return found


def _lacking_live(seal: Collection[str], vault: Vault) -> list[str]:
    """Return what live trading needs and is not there, for the lamp and a person to see before anything starts."""
    found = [
        f"{CONFIG_NAME}: live trading needs {name} beside it; make it on your computer: appliance seal --help"
        for name in (SEAL_NAME, OWNER_NAME)
        if name not in seal
    ]
    kept = vault.names()
    return found + [
        f"{SETUP_NAME}: live trading needs {field} below [secrets]; make one at the venue that cannot withdraw"
        for field in ("venue_key", "last_resort_key")
        if CREDENTIALS[field] not in kept
    ]


def _put(path: Path, data: bytes) -> None:
    """Write a file whole and durably, readable by our own services only where it holds a key."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    mode = 0o644 if path.suffix in {".toml", ".seal", ".pub"} else 0o600
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
