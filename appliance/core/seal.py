"""The seal: a signature that ties one configuration to one appliance, its models and its place in time.

A seal is a small JSON document: which device, which version, the length and SHA-256 of the exact configuration bytes,
the SHA-256 of every model file, and an Ed25519 signature (RFC 8032) over the canonical form of all of that, behind a
prefix that no other signature of ours begins with. The file must be byte for byte the canonical form, so a seal has
one spelling and any changed bit refuses it. The key that signs stays with the owner; the appliance has the public one.

The order matters: verified, then parsed, then remembered. A parser never sees bytes that nobody vouched for, and a
version that was once accepted is never followed by an older one, nor by other bytes under the same number.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from appliance.core.bounded_file import FileRead, read_bounded
from appliance.core.config import parse
from appliance.core.errors import SealError
from appliance.core.secret import Secret

FORMAT = 1
SEAL_BYTES_MAX = 65_536
MODELS_COUNT_MAX = 256
_DOMAIN = b"bot4-edge configuration seal 1\0"
_HASH = re.compile(r"[0-9a-f]{64}")
_SIGNATURE = re.compile(r"[0-9a-f]{128}")
_DEVICE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")
_KEY_LINE = "bot4-edge-{purpose}-{kind}-key-1 {hexadecimal}\n"
_COMMANDS = MappingProxyType({"seal": "seal", "stop": "remote-stop"})
_KEY_FILE_BYTES_MAX = 256


@dataclass(frozen=True, slots=True)
class Accepted:
    """Remember the last configuration that was accepted: its version and the SHA-256 of its bytes."""

    version_count: int
    fingerprint: str


class Verdict(NamedTuple):
    """Tell whether a seal covers a configuration, why not if it does not, and what it accepts if it does."""

    reason: str
    accepted: Accepted | None

    @property
    def good(self) -> bool:
        """Tell whether the configuration may be used."""
        return self.accepted is not None


class KeyPair(NamedTuple):
    """Hold a signing key and the public key that belongs to it."""

    private: Secret
    public: bytes


@dataclass(frozen=True, slots=True)
class Statement:
    """Hold what a seal says, without the signature."""

    device: str
    version_count: int
    fingerprint: str
    config_bytes: int
    models: Mapping[str, str]

    def fields(self) -> dict[str, object]:
        """Return the document's fields."""
        return {
            "config_bytes": self.config_bytes,
            "config_sha256": self.fingerprint,
            "config_version_count": self.version_count,
            "device": self.device,
            "format": FORMAT,
            "models": dict(self.models),
        }


def generate() -> KeyPair:
    """Make a new signing key."""
    private = Ed25519PrivateKey.generate()
    return KeyPair(Secret(private.private_bytes_raw().hex()), private.public_key().public_bytes_raw())


def key_line(kind: str, hexadecimal: str, purpose: str = "seal") -> str:
    """Return the one line of a key file; a key of one purpose is none of another."""
    return _KEY_LINE.format(purpose=purpose, kind=kind, hexadecimal=hexadecimal)


def private_key_from(line: Secret, purpose: str = "seal") -> Secret:
    """Return the signing key in the line of a private key file."""
    words = line.reveal().split(" ")
    if len(words) != len(("label", "key")) or key_line("private", words[1], purpose).strip() != line.reveal():
        raise SealError(
            f"the key file does not hold a private {purpose} key; make one with: appliance {_COMMANDS[purpose]} keygen"
        )
    if _HASH.fullmatch(words[1]) is None:
        raise SealError(f"the private {purpose} key is damaged; restore it from its copy, or make another")
    return Secret(words[1])


def read_public_key(path: Path, purpose: str = "seal") -> bytes:
    """Return the public key in a file."""
    outcome = read_bounded(path, _KEY_FILE_BYTES_MAX)
    if not isinstance(outcome, FileRead):
        raise SealError(f"public key {path} {outcome.reason}; copy {purpose}-public.key from where the key was made")
    found = re.fullmatch(
        re.escape(key_line("public", "KEY", purpose)).replace("KEY", "([0-9a-f]{64})").encode(), outcome.data
    )
    if found is None:
        raise SealError(f"public key {path} is damaged or something else; copy {purpose}-public.key again")
    return bytes.fromhex(found[1].decode())


def read_seal(path: Path) -> bytes:
    """Return the bytes of a seal file, not yet believed."""
    outcome = read_bounded(path, SEAL_BYTES_MAX)
    if not isinstance(outcome, FileRead):
        raise SealError(f"seal {path} {outcome.reason}; make it with: appliance seal")
    return outcome.data


def sign(config_bytes: bytes, key: Secret, device: str, models: Mapping[str, str]) -> bytes:
    """Return the seal of a valid configuration for one device."""
    if _DEVICE.fullmatch(device) is None:
        raise SealError(f"device {device[:80]!r} must be 1 to 64 letters, digits or . _ : - and start with no sign")
    config = parse(config_bytes, "configuration")
    statement = Statement(device, config.device.version_count, config.fingerprint, len(config_bytes), models)
    if not _models_well_formed(dict(models)):
        raise SealError(f"at most {MODELS_COUNT_MAX} models can be sealed, each by its SHA-256")
    private = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(key.reveal()))
    return _encoded(statement, private.sign(_DOMAIN + _canonical(statement.fields())).hex())


def verify(
    config_bytes: bytes,
    seal_bytes: bytes,
    public_key: bytes,
    device: str,
    model_hashes: Mapping[str, str],
    last_version: Accepted | None,
) -> Verdict:
    """Tell whether the seal covers exactly this configuration on this device, and is not older than the last."""
    decoded = _decoded(seal_bytes)
    if isinstance(decoded, str):
        return Verdict(decoded, None)
    statement, signature = decoded
    if not _signed(statement, signature, public_key):
        return Verdict("the signature does not fit: another key made it, or the seal was changed", None)
    reason = _mismatch(statement, config_bytes, device, model_hashes) or _rollback(statement, last_version)
    return Verdict(reason, None if reason else Accepted(statement.version_count, statement.fingerprint))


def _signed(statement: Statement, signature: bytes, public_key: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, _DOMAIN + _canonical(statement.fields()))
    except (InvalidSignature, ValueError):
        return False
    return True


def _mismatch(statement: Statement, config_bytes: bytes, device: str, model_hashes: Mapping[str, str]) -> str:
    if statement.device != device:
        return f"the seal is for device {statement.device}, this is {device}"
    if statement.config_bytes != len(config_bytes):
        return f"the configuration has {len(config_bytes)} bytes, the sealed one had {statement.config_bytes}"
    if not hmac.compare_digest(statement.fingerprint, hashlib.sha256(config_bytes).hexdigest()):
        return "the configuration was changed after it was sealed"
    names = sorted(statement.models.keys() | model_hashes.keys())
    different = [name for name in names if statement.models.get(name) != model_hashes.get(name)]
    return f"models differ from the sealed ones: {', '.join(different[:5])}" if different else ""


def _rollback(statement: Statement, last: Accepted | None) -> str:
    if last is None or statement.version_count > last.version_count:
        return ""
    if statement.version_count < last.version_count:
        return f"version {statement.version_count} is older than {last.version_count}, which this device has used"
    if statement.fingerprint != last.fingerprint:
        return f"version {last.version_count} was used with other contents; count version_count up and seal again"
    return ""


def _canonical(document: Mapping[str, object]) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode()


def _encoded(statement: Statement, signature: str) -> bytes:
    return _canonical({**statement.fields(), "signature": signature}) + b"\n"


def _decoded(seal_bytes: bytes) -> tuple[Statement, bytes] | str:
    """Return what a seal says and its signature, or why it cannot be read."""
    if len(seal_bytes) > SEAL_BYTES_MAX:
        return "the seal is too large"
    try:
        document = json.loads(seal_bytes)
    except (ValueError, RecursionError):
        return "the seal is not a JSON document"
    if not _well_formed(document):
        return f"the seal does not have the fields of format {FORMAT}"
    statement = Statement(
        document["device"],
        document["config_version_count"],
        document["config_sha256"],
        document["config_bytes"],
        document["models"],
    )
    if _encoded(statement, document["signature"]) != seal_bytes:
        return "the seal is not in its canonical form"
    return statement, bytes.fromhex(document["signature"])


def _well_formed(document: object) -> bool:
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        return False
    return (
        all(type(document.get(field)) is int for field in ("format", "config_version_count", "config_bytes"))
        and _is(document.get("device"), _DEVICE)
        and _is(document.get("config_sha256"), _HASH)
        and _is(document.get("signature"), _SIGNATURE)
        and _models_well_formed(document.get("models"))
    )


def _models_well_formed(models: object) -> bool:
    return (
        isinstance(models, dict)
        and len(models) <= MODELS_COUNT_MAX
        and all(isinstance(name, str) and _is(fingerprint, _HASH) for name, fingerprint in models.items())
    )


def _is(found: object, form: re.Pattern[str]) -> bool:
    return isinstance(found, str) and form.fullmatch(found) is not None
