"""Turn the bytes of a configuration file into a Config, or into one error that names every problem with its line.

Nothing is ever corrected or replaced by a default because it was wrong: a setting that is absent has its default, a
setting that is present and wrong refuses the whole file.
"""

import difflib
import hashlib
import re
import tomllib
from collections.abc import Iterable, Iterator
from decimal import Decimal, InvalidOperation
from typing import Any

from appliance.core.errors import ConfigError
from appliance.core.settings.contradictions import CONTRADICTIONS
from appliance.core.settings.kinds import shown
from appliance.core.settings.scanner import Entry, Problem, scan
from appliance.core.settings.table import SECTIONS, SETTINGS, Config

FILE_BYTES_MAX = 65_536
PROBLEMS_MAX = 50
_PLACE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")
_PLAIN = {"Cannot overwrite a value": "this setting was written before"}
_REASON_CHARACTERS_MAX = 200


def parse(data: bytes, name: str) -> Config:
    """Return the configuration that these bytes hold."""
    text = _text_of(data, name)
    document = _document_of(text, name)
    scanned = scan(text)
    lines = {f"{entry.section}.{entry.key}": entry.line for entry in scanned.entries}
    wrong = {entry: problem for entry in scanned.entries if (problem := _problem_of(entry, document))}
    values = {
        setting.name: setting.kind.convert(document[setting.section][setting.key])
        for entry in scanned.entries
        if entry not in wrong and (setting := SETTINGS.get(f"{entry.section}.{entry.key}"))
    }
    config = _config_of(values, hashlib.sha256(data).hexdigest())
    problems = [*scanned.problems, *(Problem(entry.line, problem) for entry, problem in wrong.items())]
    if not scanned.problems:
        # A statement in a refused form may have set anything, so what contradicts what is not known then.
        problems += _contradictions(config, set(SETTINGS) - (set(lines) - set(values)), lines)
    if problems:
        raise ConfigError(_listed(problems, name))
    return config


def _text_of(data: bytes, name: str) -> str:
    if len(data) > FILE_BYTES_MAX:
        raise ConfigError(f"{name}: is larger than {FILE_BYTES_MAX} bytes; give the path of an appliance.toml")
    if data.startswith(b"\xef\xbb\xbf"):
        raise ConfigError(f"{name}:1: starts with a byte order mark; save it as plain UTF-8 without one")
    if b"\0" in data:
        line = data[: data.index(b"\0")].count(b"\n") + 1
        raise ConfigError(f"{name}:{line}: holds a zero byte; it is damaged, or not a text file")
    try:
        return data.decode()
    except UnicodeDecodeError as problem:
        line = data[: problem.start].count(b"\n") + 1
        raise ConfigError(f"{name}:{line}: is not UTF-8 text; save it as UTF-8") from None


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        # An exponent beyond what Decimal holds: not a number that any setting accepts.
        return Decimal("NaN")


def _document_of(text: str, name: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text, parse_float=_decimal)
    except RecursionError:
        raise ConfigError(f"{name}: brackets are nested too deeply; no setting needs more than one list") from None
    except tomllib.TOMLDecodeError as problem:
        raise ConfigError(f"{name}:{_line_in(str(problem), text)}: is not valid TOML: {_plain(str(problem))}") from None
    except ValueError:
        # Python limits the digits it converts, and dates have months that do not exist.
        raise ConfigError(f"{name}: holds a number or date that is far out of any range") from None


def _line_in(reason: str, text: str) -> str:
    place = _PLACE.search(reason)
    return place[1] if place and place[1] else str(text.count("\n") + 1)


def _plain(reason: str) -> str:
    bare = _PLACE.sub("", reason)
    return _PLAIN.get(bare, bare)[:_REASON_CHARACTERS_MAX]


def _problem_of(entry: Entry, document: dict[str, Any]) -> str:
    """Return what is wrong with one entry, or nothing."""
    name = f"{entry.section}.{entry.key}"
    if entry.section not in SECTIONS:
        # Its settings are unknown because their section is: said once, at the header.
        return "" if entry.key and entry.section else _unknown_section(entry)
    if not entry.key:
        return ""
    if name not in SETTINGS:
        return _unknown_key(entry)
    setting, found = SETTINGS[name], document[entry.section][entry.key]
    return "" if setting.kind.accepts(found) else f"{name}: found {shown(found)}; expected {setting.expected}"


def _unknown_section(entry: Entry) -> str:
    if entry.key:
        return f"{entry.key}: stands before any [section]; {_homes(entry.key) or 'put it below its section'}"
    near = nearest(entry.section, SECTIONS)
    return f"[{entry.section}]: unknown section; {near or 'known are ' + ', '.join(SECTIONS)}"


def _unknown_key(entry: Entry) -> str:
    keys = [setting.key for setting in SETTINGS.values() if setting.section == entry.section]
    hint = _homes(entry.key) or nearest(entry.key, keys) or f"known in [{entry.section}] are {', '.join(keys)}"
    return f"{entry.section}.{entry.key}: unknown setting; {hint}"


def _homes(key: str) -> str:
    homes = [f"[{setting.section}]" for setting in SETTINGS.values() if setting.key == key]
    return f"{key} belongs in {' or '.join(homes)}" if homes else ""


def nearest(word: str, known: Iterable[str]) -> str:
    """Return a question naming the most similar known word, or nothing."""
    near = difflib.get_close_matches(word[:60], known, n=1)
    return f"did you mean {near[0]}?" if near else ""


def _config_of(values: dict[str, object], fingerprint: str) -> Config:
    sections = {
        section: kind(**{name.split(".")[1]: value for name, value in values.items() if name.split(".")[0] == section})
        for section, kind in SECTIONS.items()
    }
    return Config(**sections, fingerprint=fingerprint)


def _contradictions(config: Config, sound: set[str], lines: dict[str, int]) -> Iterator[Problem]:
    for one in CONTRADICTIONS:
        if sound.issuperset(one.settings) and one.found(config):
            line = max(lines.get(setting, 1) for setting in one.settings)
            pairs = ", ".join(f"{setting} = {_toml(config, setting)}" for setting in one.settings)
            yield Problem(line, f"{one.settings[0]}: {one.sentence} (found {pairs})")


def _toml(config: Config, setting: str) -> str:
    section, key = setting.split(".")
    return SETTINGS[setting].kind.toml(getattr(getattr(config, section), key))


def _listed(problems: list[Problem], name: str) -> str:
    lines = [f"{name}:{problem.line}: {problem.sentence}" for problem in sorted(problems)]
    if len(lines) > PROBLEMS_MAX:
        lines[PROBLEMS_MAX:] = [f"{name}: and {len(lines) - PROBLEMS_MAX} more problems"]
    return "\n".join(lines)
