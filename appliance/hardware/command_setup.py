"""The verb `setup`: the settings on the card's first partition."""

import argparse
import json
import socket
from importlib.metadata import version
from pathlib import Path

from appliance.core.bounded_file import FileRead, read_bounded
from appliance.core.clock import SystemClock
from appliance.core.config import loads, parse
from appliance.core.errors import ApplianceError, ConfigError, StoreFailure
from appliance.core.settings.reader import FILE_BYTES_MAX
from appliance.core.settings.table import Config
from appliance.hardware.setup import lamp
from appliance.hardware.setup.apply import CONFIG_NAME, Applied, Places, apply, check
from appliance.hardware.setup.card import Card
from appliance.hardware.setup.programs import addresses, make_host_key, remounting
from appliance.hardware.setup.status import NAME, Status, told
from appliance.hardware.setup.vault import SystemdVault

CARD = Path("/boot/firmware")
RUNTIME = Path("/run/bot4-setup")
STATE = Path("/var/lib/bot4-setup")
_MACHINE_ID = Path("/etc/machine-id")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "action",
        choices=("check", "apply", "status", "lamp"),
        help="check a card's settings, changing nothing; on the box: bring them into force, write STATUS.txt, "
        "or show by the lamp that they are wrong",
    )
    parser.add_argument(
        "--card", type=Path, default=CARD, metavar="DIR", help="the card's first partition (default: %(default)s)"
    )
    parser.add_argument("--json", action="store_true", help="print what was found as one JSON line")


def run(arguments: argparse.Namespace) -> int:
    """Carry out one action."""
    if arguments.action == "lamp":
        lamp.blink(_config_or_default(arguments.card), SystemClock())
        return 0
    card = Card(arguments.card, remounting(arguments.card))
    if arguments.action == "check":
        return _say(check(card), as_json=arguments.json)
    if arguments.action == "status":
        return _write_status(card, [], _reach(_config_or_default(arguments.card)))
    vault = SystemdVault(STATE / "credentials")
    if not arguments.card.is_dir() or not any(arguments.card.iterdir()):
        raise ConfigError(f"{arguments.card} holds no settings: the card's first partition cannot be read")
    found: Applied = apply(card, vault, Places(RUNTIME, STATE), socket.sethostname)
    if found.setup is not None and found.setup.ssh is not None:
        make_host_key(STATE / "ssh_host_ed25519_key")
    if found.problems:
        _write_status(card, list(found.problems), ())
    return _say(list(found.problems), as_json=arguments.json)


def _say(problems: list[str], *, as_json: bool) -> int:
    if as_json:
        print(json.dumps({"problems": problems}))
    elif problems:
        print("\n".join(problems))
    else:
        print("the settings can be used")
    return 1 if problems else 0


def _write_status(card: Card, problems: list[str], reach: tuple[str, ...]) -> int:
    found = read_bounded(_MACHINE_ID, 64)
    device = found.data.decode().strip() if isinstance(found, FileRead) else "unknown"
    kept = SystemdVault(STATE / "credentials").names()
    try:
        card.replace(NAME, told(Status(version("bot4-edge"), device, problems, kept, reach)))
    except StoreFailure as problem:
        # What could not be written there is in the journal; the box goes on.
        print(f"setup: {problem}")
    return 1 if problems else 0


def _config_or_default(folder: Path) -> Config:
    found = read_bounded(folder / CONFIG_NAME, FILE_BYTES_MAX)
    try:
        return parse(found.data, CONFIG_NAME) if isinstance(found, FileRead) else loads("")
    except ApplianceError:
        return loads("")


def _reach(config: Config) -> tuple[str, ...]:
    return (
        f"name on the network: {socket.gethostname()}.local",
        f"address: {', '.join(addresses()) or 'none'}",
        f"panel: port {config.reporter.panel_port} of {config.reporter.panel_host}",
    )
