"""What the manifest says of each model, read only after its signature was found good.

format, schema                          the version of this layout; the hash of the feature table
[decision] file, sha256, weight_percent how the models are joined, and the weight that honesty allows them
[[model]]  name, file, sha256           one file, pinned
           input                        "vector" or "sequence"; `columns` names what it reads, in order
           outputs                      1 for a chance, more for chances of regimes
           role                         "member", "regime", or "stand-in" with `stands_in_for`
           schema, data                 the feature table it learned from; the SHA-256 over its training data
           tolerance, tests, tests_sha256   a file of inputs and expected answers, and how near they must come
           nodes, nodes_sha256          for trees: every node, for the explanations
"""

import re
import tomllib
from typing import Any, Final, NamedTuple

from appliance.signals.feature_table import NAMES

FORMAT: Final = 1
MODELS_COUNT_MAX: Final = 32
OUTPUTS_MAX: Final = 16
WEIGHT_MIN, WEIGHT_MAX = 20, 60
ROLES: Final = ("member", "regime", "stand-in")
INPUTS: Final = ("vector", "sequence")
_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_HASH = re.compile(r"[0-9a-f]{64}")


class ModelEntry(NamedTuple):
    """Hold what the manifest says of one model."""

    name: str
    file: str
    sha256: str
    input: str
    columns: tuple[str, ...]
    outputs: int
    role: str
    stands_in_for: str
    schema: str
    data: str
    tolerance: float
    tests: str
    tests_sha256: str
    nodes: str
    nodes_sha256: str


class Manifest(NamedTuple):
    """Hold the whole manifest."""

    schema: str
    decision_file: str
    decision_sha256: str
    weight_percent: int
    models: tuple[ModelEntry, ...]


def parse(data: bytes) -> Manifest | str:
    """Return the manifest, or why it cannot be one."""
    try:
        return _parsed(tomllib.loads(data.decode()))
    except (ValueError, RecursionError):
        return "is not valid TOML"


def _parsed(document: dict[str, Any]) -> Manifest | str:
    if document.get("format") != FORMAT:
        return f"is not of format {FORMAT}"
    decision, models = document.get("decision"), document.get("model")
    if not isinstance(decision, dict) or not isinstance(models, list) or not 1 <= len(models) <= MODELS_COUNT_MAX:
        return f"must hold one [decision] and 1 to {MODELS_COUNT_MAX} [[model]] tables"
    weight = decision.get("weight_percent")
    if type(weight) is not int or not (weight == 0 or WEIGHT_MIN <= weight <= WEIGHT_MAX):
        return f"weight_percent must be 0, or from {WEIGHT_MIN} to {WEIGHT_MAX}"
    if not (_fits(decision.get("file"), _FILE) and _fits(decision.get("sha256"), _HASH)):
        return "the [decision] table must name a file and its sha256"
    if not _fits(document.get("schema"), _HASH):
        return "must name the schema by its hash"
    entries = [_entry(model) for model in models]
    for number, entry in enumerate(entries, start=1):
        if isinstance(entry, str):
            return f"model {number} {entry}"
    read = tuple(entry for entry in entries if isinstance(entry, ModelEntry))
    if len({entry.name for entry in read}) < len(read):
        return "names a model twice"
    return Manifest(document["schema"], decision["file"], decision["sha256"], weight, read)


def _entry(table: Any) -> ModelEntry | str:  # noqa: ANN401 - whatever the file holds
    if not isinstance(table, dict):
        return "is not a table"
    unknown = table.keys() - set(ModelEntry._fields)
    if unknown:
        return f"has the unknown key {min(unknown)!r}"
    wrong = [key for key, form in _TEXTS.items() if not _fits(table.get(key), form)]
    if wrong:
        return f"has no good {wrong[0]}"
    columns = table.get("columns")
    if not isinstance(columns, list) or not columns or not all(column in NAMES for column in columns):
        return "reads a column that is not in the feature table"
    outputs, tolerance = table.get("outputs"), table.get("tolerance")
    if type(outputs) is not int or not 1 <= outputs <= OUTPUTS_MAX:
        return f"must have 1 to {OUTPUTS_MAX} outputs"
    if not isinstance(tolerance, float) or not 0.0 < tolerance <= 1.0:
        return "must have a tolerance above 0 and at most 1"
    texts = {key: table.get(key, "") for key in ("stands_in_for", "nodes", "nodes_sha256")}
    optional = {"stands_in_for": _NAME, "nodes": _FILE, "nodes_sha256": _HASH}
    if not all(texts[key] == "" or _fits(texts[key], form) for key, form in optional.items()):
        return "has a malformed stands_in_for, nodes or nodes_sha256"
    return ModelEntry(
        **{key: table[key] for key in _TEXTS},
        **texts,
        columns=tuple(columns),
        outputs=outputs,
        tolerance=tolerance,
    )


_TEXTS: Final = {
    "name": _NAME,
    "file": _FILE,
    "sha256": _HASH,
    "input": re.compile("|".join(INPUTS)),
    "role": re.compile("|".join(ROLES)),
    "schema": _HASH,
    "data": _HASH,
    "tests": _FILE,
    "tests_sha256": _HASH,
}


def _fits(found: object, form: re.Pattern[str]) -> bool:
    return isinstance(found, str) and form.fullmatch(found) is not None
