"""Sign a private REST request (the venue's guide "Spot REST Authentication").

API-Sign is HMAC-SHA512, under the decoded private key, of the path and SHA256(nonce + body). The nonce must rise with
every request of a key, across restarts too; whoever calls this keeps the one durable counter.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from typing import Final, NamedTuple
from urllib.parse import urlencode

from appliance.core.errors import WireError
from appliance.core.secret import Secret

NONCE_MAX: Final = 2**64 - 1


class SignedRequest(NamedTuple):
    """Carry what goes onto the wire: the path, the body and the two headers."""

    path: str
    body: bytes
    headers: tuple[tuple[str, str], ...]


def signed(path: str, fields: Mapping[str, str], nonce: int, key: str, private_key: Secret) -> SignedRequest:
    """Return a private request, signed."""
    if not 0 < nonce <= NONCE_MAX:
        raise WireError(f"nonce {nonce} must fit an unsigned 64-bit number above zero")
    if "nonce" in fields:
        raise WireError("the nonce is added by signing; leave it out of the fields")
    body = urlencode({"nonce": str(nonce), **fields}).encode()
    headers = (
        ("API-Key", key),
        ("API-Sign", signature(path, body, nonce, private_key)),
        ("Content-Type", "application/x-www-form-urlencoded"),
    )
    return SignedRequest(path, body, headers)


def signature(path: str, body: bytes, nonce: int, private_key: Secret) -> str:
    """Return the API-Sign header of a body whose nonce is the given one."""
    try:
        key = base64.b64decode(private_key.reveal(), validate=True)
    except (binascii.Error, ValueError):
        # The cause would carry the key's text into a traceback.
        raise WireError("The private API key must be base64, as the venue shows it once when it is made.") from None
    digest = hashlib.sha256(str(nonce).encode() + body).digest()
    return base64.b64encode(hmac.new(key, path.encode() + digest, hashlib.sha512).digest()).decode()
