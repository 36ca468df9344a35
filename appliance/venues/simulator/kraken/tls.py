"""The paper venue's own encryption: a certificate and its key from one folder, made by the venue where there is none.

A made certificate vouches for itself: who is to believe it names it as `venue.ca_file`, and nobody else does.
"""

import datetime as dt
import ipaddress
import os
import ssl
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from appliance.core.errors import ConfigError

CERTIFICATE: Final = "venue.crt"
KEY: Final = "venue-tls.key"
_HOST: Final = "127.0.0.1"
_DAY: Final = dt.timedelta(days=1)
_VALID_DAYS: Final = 365


def served_from(folder: Path, now: dt.datetime) -> ssl.SSLContext:
    """Return what serves with the certificate in a folder, made first if there is neither it nor its key."""
    certificate, key = folder / CERTIFICATE, folder / KEY
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        if not certificate.exists() and not key.exists():
            _make(certificate, key, now)
        context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as problem:
        raise ConfigError(
            f"{certificate} and {KEY} cannot be served with ({problem}); give both, or neither to have them made"
        ) from problem
    return context


def _make(certificate: Path, key: Path, now: dt.datetime) -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    certificate.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(key, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        plain = serialization.NoEncryption()
        file.write(private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
    certificate.write_bytes(_signed_by_itself(private, now).public_bytes(serialization.Encoding.PEM))


def _signed_by_itself(private: ec.EllipticCurvePrivateKey, now: dt.datetime) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bot4 paper venue")])
    public = private.public_key()
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _DAY)
        .not_valid_after(now + _VALID_DAYS * _DAY)
        # What a strict verifier asks for (RFC 5280, 4.2.1): an end's certificate, and whose key it is.
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public), critical=False)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(_HOST))]), critical=False)
        .sign(private, hashes.SHA256())
    )
