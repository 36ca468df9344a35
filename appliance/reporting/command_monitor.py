"""`appliance monitor`: see one or many appliances live, from MQTT alone."""

import argparse
import os
import re
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import msgspec

from appliance.core.bounded_file import FileRead, read_bounded
from appliance.core.errors import ConfigError
from appliance.reporting.monitor.fleet import Appliance, Fleet, KnownHead
from appliance.reporting.monitor.listening import Ear
from appliance.reporting.monitor.screen import lines
from appliance.reporting.mqtt.login import add_login, broker_in

_TURN_S = 0.1
_DRAW_S = 0.5
_HEADS_BYTES_MAX = 16 << 20
_EXIT_BAD = 1
_EXIT_UNHEARD = 2
_DURATION = re.compile(r"(\d{1,6})(s|m|h)?")
_SECONDS = {None: 1, "s": 1, "m": 60, "h": 3600}


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("broker", metavar="URL", help="the broker: mqtt://192.168.1.5 or mqtts://broker.example")
    parser.add_argument(
        "--base", default="bot4-edge", metavar="TOPIC", help="the appliances' mqtt.base_topic (%(default)s)"
    )
    parser.add_argument("--for", dest="duration", metavar="TIME", help="end after so long: 10s, 5m, 1h")
    parser.add_argument(
        "--quiet-after", type=float, default=30.0, metavar="S", help="silence that is an alarm (%(default)s)"
    )
    parser.add_argument("--json", action="store_true", help="print one line of JSON for each appliance at the end")
    parser.add_argument("--heads", type=Path, metavar="FILE", help="remember the chains' heads from run to run")
    add_login(parser)


def run(arguments: argparse.Namespace) -> int:
    """Watch until told to end, and say whether anything is wrong."""
    for_s = None if arguments.duration is None else _seconds(arguments.duration)
    if arguments.json and for_s is None:
        raise ConfigError("--json prints at the end: say with --for how long to listen, as in --for 10s")
    fleet = Fleet(arguments.base)
    remembered = _read_heads(arguments.heads)
    ear = Ear(broker_in(arguments), arguments.base)
    ear.start()
    try:
        _watch(ear, fleet, remembered, arguments, for_s)
    except KeyboardInterrupt:
        sys.stderr.write("\n")
    finally:
        ear.stop()
    if arguments.heads is not None:
        _write_heads(arguments.heads, fleet, remembered)
    if arguments.json:
        for one in fleet.appliances.values():
            print(msgspec.json.encode(_document(one, arguments.quiet_after)).decode())
    if not ear.subscribed:
        print(f"appliance: {arguments.broker} was not reached: {ear.problem}", file=sys.stderr)
        return _EXIT_UNHEARD
    now_ns = time.monotonic_ns()
    alarmed = any(one.alarms(now_ns, arguments.quiet_after) for one in fleet.appliances.values())
    return _EXIT_BAD if alarmed or not fleet.appliances else 0


def _watch(
    ear: Ear,
    fleet: Fleet,
    remembered: dict[str, dict[str, KnownHead]],
    arguments: argparse.Namespace,
    for_s: float | None,
) -> None:
    begun_s = time.monotonic()
    drawn_s = 0.0
    while for_s is None or time.monotonic() - begun_s < for_s:
        for topic, payload, retained in ear.heard():
            known = len(fleet.appliances)
            fleet.take(topic, payload, retained=retained, now_ns=time.monotonic_ns())
            if len(fleet.appliances) > known:
                _remember(next(reversed(fleet.appliances.values())), remembered)
        if not arguments.json and time.monotonic() - drawn_s > _DRAW_S:
            drawn_s = time.monotonic()
            _draw(fleet, ear, arguments.quiet_after)
        time.sleep(_TURN_S)


def _draw(fleet: Fleet, ear: Ear, quiet_after_s: float) -> None:
    terminal = sys.stdout.isatty()
    size = shutil.get_terminal_size((120, 40))
    colour = terminal and "NO_COLOR" not in os.environ
    shown = lines(fleet, time.monotonic_ns(), quiet_after_s, size.columns, colour=colour)
    if ear.problem:
        shown.append(f"broker: {ear.problem}")
    if ear.dropped:
        shown.append(f"{ear.dropped} messages came too fast and were dropped")
    start = "\x1b[H\x1b[2J" if terminal else ""
    limit = size.lines - 1 if terminal else len(shown)
    print(start + "\n".join(shown[:limit]), flush=True)


def _document(one: Appliance, quiet_after_s: float) -> dict[str, Any]:
    now_ns = time.monotonic_ns()
    state = one.state
    return {
        "device": one.device,
        "online": one.online,
        "heard_s_ago": None if one.heard_ns is None else round(one.silent_s(now_ns), 3),
        "alarms": one.alarms(now_ns, quiet_after_s),
        "state": None if state is None else msgspec.to_builtins(state),
        "heads": {chain: f"{head.sequence}:{head.digest}" for chain, head in one.heads.items()},
        "events": one.events_count,
        "duplicates": one.duplicates_count,
        "last_event": one.entries[-1].title if one.entries else None,
    }


def _remember(one: Appliance, remembered: dict[str, dict[str, KnownHead]]) -> None:
    """Give a new appliance the heads of former runs before its own are looked at again."""
    former, now = remembered.get(one.device, {}), one.heads
    one.heads = dict(former)
    for chain, head in now.items():
        one.compare(chain, f"{head.sequence}:{head.digest}")


def _read_heads(path: Path | None) -> dict[str, dict[str, KnownHead]]:
    if path is None or not path.exists():
        return {}
    outcome = read_bounded(path, _HEADS_BYTES_MAX)
    if not isinstance(outcome, FileRead):
        raise ConfigError(f"--heads {path} {outcome.reason}")
    try:
        return msgspec.json.decode(outcome.data, type=dict[str, dict[str, KnownHead]])
    except msgspec.DecodeError as problem:
        raise ConfigError(f"--heads {path} is not a file of heads ({problem}); name a new file") from problem


def _write_heads(path: Path, fleet: Fleet, remembered: dict[str, dict[str, KnownHead]]) -> None:
    known = remembered | {one.device: one.heads for one in fleet.appliances.values()}
    draft = path.with_name(path.name + ".new")
    draft.write_bytes(msgspec.json.encode(known))
    draft.replace(path)


def _seconds(text: str) -> float:
    match = _DURATION.fullmatch(text)
    if match is None or int(match[1]) == 0:
        raise ConfigError(f"--for {text} is not a time: write 10s, 5m or 1h")
    return float(int(match[1]) * _SECONDS[match[2]])
