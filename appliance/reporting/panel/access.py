"""Who may look from outside: on this machine anybody, from a network whoever has the token, over this device's own TLS.

Token and certificate are made at the first start and stay on the device. The certificate is signed by itself: a browser
asks once, and its fingerprint is in the log to compare.
"""

import datetime as dt
import ipaddress
import logging
import os
import secrets
import ssl
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from appliance.core.errors import ConfigError
from appliance.core.secret import Secret, handed, read_secret

TOKEN_BYTES = 16
_VALID_DAYS = 3_650
_log = logging.getLogger(__name__)


def is_private(host: str) -> bool:
    """Tell whether an address can be reached from this machine only."""
    return ipaddress.ip_address(host).is_loopback


def token_in(folder: Path) -> Secret:
    """Return the access token: the owner's, if one was handed over, else the device's own, made at the first call."""
    path = handed("panel.token") or folder / "panel.token"
    if not path.exists():
        _write_private(path, secrets.token_hex(TOKEN_BYTES).encode() + b"\n")
    _log.info("the panel asks for the token in %s", path)
    return read_secret(path)


def context_in(folder: Path, device: str, host: str, now: dt.datetime) -> ssl.SSLContext:
    """Return the device's own TLS, its certificate made at the first call."""
    path = folder / "panel.pem"
    if not path.exists():
        _write_private(path, _certificate(device, host, now))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(path)
        shown = x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ssl.SSLError, ValueError) as problem:
        raise ConfigError(
            f"{path} is not a certificate with its key ({problem}); remove it to get a new one"
        ) from problem
    _log.info("the panel's certificate has the SHA-256 fingerprint %s", shown.fingerprint(hashes.SHA256()).hex(":"))
    return context


def _write_private(path: Path, content: bytes) -> None:
    path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    draft.replace(path)


def _certificate(device: str, host: str, now: dt.datetime) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, device)])
    address = ipaddress.ip_address(host)
    names: list[x509.GeneralName] = [x509.DNSName(device), x509.DNSName(f"{device}.local")]
    addresses = {ipaddress.ip_address("127.0.0.1"), *(() if address.is_unspecified else (address,))}
    names += [x509.IPAddress(one) for one in sorted(addresses, key=str)]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        # A box without a clock yet may believe that it is 1970: the certificate must hold then and later.
        .not_valid_before(min(now, dt.datetime(2025, 1, 1, tzinfo=dt.UTC)))
        .not_valid_after(max(now, dt.datetime(2025, 1, 1, tzinfo=dt.UTC)) + dt.timedelta(days=_VALID_DAYS))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private + certificate.public_bytes(serialization.Encoding.PEM)
