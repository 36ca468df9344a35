"""`appliance run`: everything together on this machine, on a synthetic market, with simulated pins."""

import argparse
import asyncio
import contextlib
import re
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from appliance.core.config import DEMO_PATH, Config, load, read
from appliance.core.errors import ApplianceError, ConfigError, WireError
from appliance.core.seal import read_public_key
from appliance.core.settings.kinds import quoted
from appliance.engine.run_summary import Summary, summarize
from appliance.engine.together import Together, with_settings
from appliance.hardware.demo_folder import fresh_demo_folder
from appliance.store.paths import journal_in
from appliance.venues.simulator.kraken.operator import Books
from appliance.venues.simulator.ledger import ask_books

_DURATION = re.compile(r"(\d{1,6})(s|m|h)?")
_SECONDS = {None: 1, "s": 1, "m": 60, "h": 3600}
_EXIT_BAD = 1


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of `appliance run`."""
    parser.add_argument("--for", dest="duration", metavar="TIME", help="end after so long of trading: 30s, 5m, 1h")
    parser.add_argument("--json", action="store_true", help="print one JSON summary on standard output at the end")
    parser.add_argument("--config", type=Path, metavar="FILE", help="another configuration than the demonstration's")
    parser.add_argument("--seed", type=int, metavar="N", help="another synthetic market")
    parser.add_argument("--broker", metavar="URL", help="publish to this MQTT broker: mqtt://127.0.0.1:1883")
    parser.add_argument(
        "--stop-key", type=Path, metavar="FILE", help="take a remote stop signed with this key's private half"
    )
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep journal, recordings and backups in this folder")


def run(arguments: argparse.Namespace) -> int:
    """Run until stopped or until the time is over, and tell what came of it."""
    for_s = None if arguments.duration is None else _seconds(arguments.duration)
    with _folder(arguments.keep) as folder:
        path = _configuration(arguments, folder)
        config = load(path)
        _require_simulated(config)
        summary = asyncio.run(_run(config, path, for_s, _tell))
    if arguments.json:
        print(msgspec.json.encode(summary).decode())
    else:
        _print(summary)
    good = summary.agreed and summary.journal_good and not summary.failed
    return 0 if good else _EXIT_BAD


async def _run(config: Config, path: Path, for_s: float | None, say: Callable[[str], None]) -> Summary:
    together = Together(config, path, say)
    books: list[Books] = []

    def ask_venue() -> None:
        with contextlib.suppress(WireError):
            books.append(ask_books(config.venue.rest_url))

    say("SYNTHETIC market, paper money, simulated pins; Ctrl-C ends it")
    await together.run(for_s, ask_venue)
    if not books or not journal_in(config.paths.state).exists():
        raise ApplianceError(f"the run ended before it traded: {together.failed or 'it was stopped while starting'}")
    return summarize(journal_in(config.paths.state), books[0], together.telemetry, together.restarts, together.failed)


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _print(summary: Summary) -> None:
    _tell("")
    for name, value in msgspec.to_builtins(summary).items():
        _tell(f"{name.replace('_', ' '):<24} {value}")
    agreed = "equal to" if summary.agreed else "DIFFERENT from"
    _tell(f"Position and cash are {agreed} the venue's own books.")


def _seconds(text: str) -> float:
    match = _DURATION.fullmatch(text)
    if match is None or int(match[1]) == 0:
        raise ConfigError(f"--for {text} is not a time: write 30s, 5m or 1h")
    return float(int(match[1]) * _SECONDS[match[2]])


@contextlib.contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    """Use a folder that is gone afterwards, unless it is to be kept: the built-in venue forgets, so each run is new."""
    if keep is None:
        with fresh_demo_folder() as folder:
            yield folder
        return
    if keep.exists() and any(keep.iterdir()):
        raise ConfigError(f"--keep {keep} is not empty; the built-in venue starts anew each time, so name a new folder")
    keep.mkdir(parents=True, exist_ok=True)
    yield keep.resolve()


def _configuration(arguments: argparse.Namespace, folder: Path) -> Path:
    """Write the configuration this run uses into its folder: the asked for one, with the run's own places."""
    if arguments.config is not None:
        others = (arguments.keep, arguments.seed, arguments.broker, arguments.stop_key)
        if any(one is not None for one in others):
            raise ConfigError(
                "--keep, --seed, --broker and --stop-key go with the demonstration; with --config, set them in the file"
            )
        return Path(arguments.config)
    values = own_places(folder, _free_port())
    if arguments.seed is not None:
        values["seed"] = str(arguments.seed)
    if arguments.broker is not None:
        values["broker"] = quoted(arguments.broker)
    if arguments.stop_key is not None:
        values["remote_stop_key"] = quoted(read_public_key(arguments.stop_key, "stop").hex())
    path = folder / "appliance.toml"
    path.write_text(with_settings(read(DEMO_PATH).decode(), values))
    return path


def own_places(folder: Path, panel_port: int) -> dict[str, str]:
    """Return the settings by which one run keeps out of every other's way."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    venue = f'"ws://127.0.0.1:{port}/v2"'
    return {
        "state": f'"{folder}/state"',
        "runtime": f'"{folder}/run"',
        "panel_port": str(panel_port),
        "market_url": venue,
        "orders_url": venue,
        "rest_url": f'"http://127.0.0.1:{port}"',
    }


def _free_port() -> int:
    """Return the usual panel port, or 0 (any) where somebody else listens on it."""
    usual = load(DEMO_PATH).reporter.panel_port
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", usual))
        except OSError:
            return 0
    return usual


def _require_simulated(config: Config) -> None:
    if config.pins.factory != "simulated" or config.trading.mode != "paper":
        raise ConfigError("`appliance run` is for simulated pins and paper money; on the appliance, systemd runs it")
    if journal_in(config.paths.state).exists():
        raise ConfigError(f"{config.paths.state} holds a journal already, but the built-in venue starts anew: clear it")
