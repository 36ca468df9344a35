"""`appliance config`: check, explain and show the configuration."""

import argparse
from pathlib import Path

from appliance.core.config import CONFIG_PATH, parse, read
from appliance.core.errors import ConfigError, SealError
from appliance.core.model_hashes import model_hashes
from appliance.core.sealed import Sealing, judge, parse_sealed
from appliance.core.settings.explain import explanation, in_force, template
from appliance.core.settings.reader import nearest
from appliance.core.settings.table import SECTIONS, SETTINGS, Setting

_SEAL_OPTIONS = ("seal", "public_key", "device", "state")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of `appliance config`."""
    verbs = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    check = verbs.add_parser(
        "check",
        help="say whether a file can be used, or every problem with its line",
        description="Check a configuration: every problem is listed with its line. With --seal, --public-key, --device "
        "and --state its seal is verified as well, before a byte of it is parsed; nothing is remembered.",
    )
    _add_file(check)
    check.add_argument("--seal", type=Path, metavar="FILE", help="the seal to verify")
    check.add_argument("--public-key", type=Path, metavar="FILE", help="the owner's seal-public.key")
    check.add_argument("--device", metavar="ID", help="the device the seal must be for")
    check.add_argument("--state", type=Path, metavar="DIR", help="where the last accepted version is kept")
    check.add_argument("--models", type=Path, metavar="MANIFEST", help="the models the seal must be for, if it has any")
    explain = verbs.add_parser(
        "explain",
        help="say what a setting is for, what it accepts and its default",
        description="Explain one setting (section.key), one section, or all of them.",
    )
    explain.add_argument("key", nargs="?", metavar="KEY", help="a setting, a section, or a key alone")
    explain.add_argument("--toml", action="store_true", help="print a complete file to start from instead")
    show = verbs.add_parser(
        "show",
        help="show every setting with the value in force",
        description="Show every setting with the value in force, marking those that differ from the default.",
    )
    _add_file(show)


def _add_file(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", nargs="?", type=Path, default=CONFIG_PATH, help=f"the file (default {CONFIG_PATH})")


def run(arguments: argparse.Namespace) -> int:
    """Carry out one action of `appliance config`."""
    if arguments.action == "check":
        return _check(arguments)
    print(_explained(arguments) if arguments.action == "explain" else _shown(arguments.file), end="")
    return 0


def _explained(arguments: argparse.Namespace) -> str:
    if arguments.toml:
        return template()
    return "\n\n".join(explanation(setting) for setting in _asked_for(arguments.key)) + "\n"


def _asked_for(word: str | None) -> list[Setting]:
    chosen = [one for one in SETTINGS.values() if word in (None, one.name, one.section, one.key)]
    if word is not None and not chosen:
        names = [*SETTINGS, *SECTIONS, *(one.key for one in SETTINGS.values())]
        hint = nearest(word, names) or "list them all with: appliance config explain"
        raise ConfigError(f"{word[:60]!r} is not a setting; {hint}")
    return chosen


def _shown(file: Path) -> str:
    config = parse(read(file), str(file))
    return f"{in_force(config)}\n# SHA-256 of the file: {config.fingerprint}\n"


def _check(arguments: argparse.Namespace) -> int:
    data, sealing = read(arguments.file), _sealing(arguments)
    try:
        print(_verdict(str(arguments.file), data, sealing))
    except (ConfigError, SealError) as problem:
        print(problem)
        print(f"{arguments.file}: refused")
        return 1
    return 0


def _sealing(arguments: argparse.Namespace) -> Sealing | None:
    """Return what the options say about a seal, or nothing if they say nothing."""
    absent = [name for name in _SEAL_OPTIONS if getattr(arguments, name) is None]
    if len(absent) == len(_SEAL_OPTIONS) and arguments.models is None:
        return None
    if absent:
        options = ", ".join("--" + name.replace("_", "-") for name in absent)
        raise ConfigError(f"to verify a seal, give {options} as well")
    hashes = model_hashes(arguments.models) if arguments.models else {}
    return Sealing(arguments.seal, arguments.public_key, arguments.device, hashes, arguments.state)


def _verdict(name: str, data: bytes, sealing: Sealing | None) -> str:
    if sealing is None:
        config = parse(data, name)
        lacking = "" if config.trading.mode == "paper" else "; live trading needs its seal, which was not looked at"
        return f"{name}: good, version {config.device.version_count}, {config.trading.mode}{lacking}"
    verdict = judge(data, sealing)
    if verdict.accepted is None:
        raise SealError(f"{name}: seal {sealing.seal}: {verdict.reason}")
    config = parse_sealed(data, name, verdict.accepted)
    return f"{name}: good and sealed for {sealing.device}, version {config.device.version_count}, {config.trading.mode}"
