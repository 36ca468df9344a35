"""The signature over the models' manifest: Ed25519 (RFC 8032) over the file's bytes, behind a prefix of its own."""

from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from appliance.core.secret import Secret

DOMAIN: Final = b"bot4-edge models manifest 1\0"


def sign(manifest: bytes, key: Secret) -> bytes:
    """Return the signature file of a manifest."""
    private = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(key.reveal()))
    return private.sign(DOMAIN + manifest).hex().encode() + b"\n"


def signed(manifest: bytes, signature_file: bytes, public_key: bytes) -> bool:
    """Tell whether the signature file fits exactly these bytes and this key."""
    try:
        signature = bytes.fromhex(signature_file.decode("ascii").strip())
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, DOMAIN + manifest)
    except (InvalidSignature, ValueError):
        return False
    return True
