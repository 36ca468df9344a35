"""What a seal says about models: the SHA-256 of the manifest and of each file it names, taken from the files.

The manifest is TOML with one `[[model]]` table a model, of which `file` (a name beside the manifest) and `sha256`
matter here. The manifest's own hash is part of the answer, so whatever else it says is sealed with it.
"""

import hashlib
import re
import tomllib
from pathlib import Path

from appliance.core.bounded_file import FileRead, read_bounded
from appliance.core.errors import SealError

MANIFEST_BYTES_MAX = 1_048_576
MODEL_BYTES_MAX = 268_435_456
MODELS_COUNT_MAX = 128
_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def model_hashes(manifest: Path) -> dict[str, str]:
    """Return the SHA-256 of the manifest and of every model file it names."""
    data = _read(manifest, MANIFEST_BYTES_MAX)
    hashes = {manifest.name: hashlib.sha256(data).hexdigest()}
    for file, promised in _promised(data, manifest):
        found = hashlib.sha256(_read(manifest.parent / file, MODEL_BYTES_MAX)).hexdigest()
        if found != promised:
            raise SealError(f"model {manifest.parent / file} is not the file that {manifest} describes; restore it")
        if file in hashes:
            raise SealError(f"{manifest} names {file} twice; name every file once")
        hashes[file] = found
    return hashes


def _promised(data: bytes, manifest: Path) -> list[tuple[str, str]]:
    try:
        models = tomllib.loads(data.decode()).get("model", [])
    except (ValueError, RecursionError):
        raise SealError(f"{manifest} is not valid TOML; restore it") from None
    tables = isinstance(models, list) and all(isinstance(one, dict) for one in models)
    if not tables or len(models) > MODELS_COUNT_MAX:
        raise SealError(f"{manifest} must hold at most {MODELS_COUNT_MAX} [[model]] tables")
    pairs = [(str(one.get("file")), str(one.get("sha256"))) for one in models]
    for file, _ in pairs:
        if _FILE.fullmatch(file) is None:
            raise SealError(f"{manifest}: {file[:80]!r} is not the name of a file beside it")
    return pairs


def _read(path: Path, bytes_max: int) -> bytes:
    outcome = read_bounded(path, bytes_max)
    if isinstance(outcome, FileRead):
        return outcome.data
    raise SealError(f"{path} {outcome.reason}; the models must be complete to be sealed")
