"""Load a configuration the way a trading appliance must: verified, then parsed, then remembered.

Where a public key is installed, a seal is required whatever the mode: taking the seal away must not turn a live box
into a paper one. Without a key there is nothing to verify with, and then only paper trading is possible.
"""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from appliance.core.bounded_file import FileRead, FileRefused, read_bounded
from appliance.core.config import Config, parse, read
from appliance.core.errors import SealError
from appliance.core.seal import Accepted, Verdict, read_public_key, read_seal, verify

_ACCEPTED_NAME = "accepted_version.json"
_ACCEPTED_BYTES_MAX = 1_024


@dataclass(frozen=True, slots=True)
class Sealing:
    """Say where the seal and the public key are, and what they must be for."""

    seal: Path
    public_key: Path
    device: str
    model_hashes: Mapping[str, str]
    state: Path


def load_for_trading(path: Path, sealing: Sealing | None) -> Config:
    """Return a configuration that may trade, and remember its version if it was sealed."""
    data = read(path)
    if sealing is None:
        config = parse(data, str(path))
        if config.trading.mode != "paper":
            raise SealError(f"{path} asks for live trading without a seal; seal it, or set trading.mode to paper")
        return config
    verdict = judge(data, sealing)
    if verdict.accepted is None:
        raise SealError(f"{path} is refused: {verdict.reason}")
    config = parse_sealed(data, str(path), verdict.accepted)
    remember(sealing.state, verdict.accepted)
    return config


def judge(config_bytes: bytes, sealing: Sealing) -> Verdict:
    """Tell whether the installed seal covers these bytes, without remembering anything."""
    return verify(
        config_bytes,
        read_seal(sealing.seal),
        read_public_key(sealing.public_key),
        sealing.device,
        sealing.model_hashes,
        last_accepted(sealing.state),
    )


def parse_sealed(config_bytes: bytes, name: str, accepted: Accepted) -> Config:
    """Parse verified bytes, and refuse them if the seal counted another version than they do."""
    config = parse(config_bytes, name)
    if config.device.version_count != accepted.version_count:
        raise SealError(
            f"{name} says version {config.device.version_count}, its seal {accepted.version_count}; seal it again"
        )
    return config


def last_accepted(state: Path) -> Accepted | None:
    """Return the version this device last accepted, or nothing if it never accepted one."""
    path = state / _ACCEPTED_NAME
    outcome = read_bounded(path, _ACCEPTED_BYTES_MAX)
    if isinstance(outcome, FileRefused) and outcome.absent:
        return None
    accepted = _accepted_in(outcome.data) if isinstance(outcome, FileRead) else None
    if accepted is None:
        # Unreadable is not "never": forgetting the version is what a roll-back needs.
        raise SealError(f"{path} is damaged, so an older configuration could not be told; restore it from a backup")
    return accepted


def _accepted_in(data: bytes) -> Accepted | None:
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict):
        return None
    version, fingerprint = document.get("version_count"), document.get("config_sha256")
    if type(version) is not int or not isinstance(fingerprint, str) or not re.fullmatch("[0-9a-f]{64}", fingerprint):
        return None
    accepted = Accepted(version, fingerprint)
    return accepted if _line(accepted) == data else None


def _line(accepted: Accepted) -> bytes:
    document = {"config_sha256": accepted.fingerprint, "version_count": accepted.version_count}
    return json.dumps(document, sort_keys=True).encode() + b"\n"


def remember(state: Path, accepted: Accepted) -> None:
    """Keep the accepted version so that it survives a power cut at any moment."""
    path = state / _ACCEPTED_NAME
    if last_accepted(state) == accepted:
        return
    draft = path.with_suffix(".new")
    try:
        _write_synced(draft, _line(accepted))
        # The old file or the new one, never half of either (rename(2)); the folder's sync makes the name last.
        draft.replace(path)
        _sync_folder(state)
    except OSError as problem:
        raise SealError(f"{path} cannot be written ({problem.strerror}); the accepted version must be kept") from None


def _write_synced(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
