"""`appliance seal`: make a signing key, or seal a configuration for one device.

Runs on the owner's computer: the private key has no business on the appliance.
"""

import argparse
from pathlib import Path

from appliance.core.config import parse, read
from appliance.core.errors import ApplianceError, SealError
from appliance.core.key_files import write_key_pair
from appliance.core.model_hashes import model_hashes
from appliance.core.seal import private_key_from, sign
from appliance.core.secret import read_secret

PRIVATE_NAME = "seal-private.key"
PUBLIC_NAME = "seal-public.key"
_KEYGEN = "keygen"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of `appliance seal`."""
    parser.epilog = (
        "A seal signs exactly these bytes, for one device and its models. "
        "Keep the private key off the appliance; install the public one on it."
    )
    parser.usage = (
        "appliance seal keygen --out DIR\n"
        "       appliance seal CONFIG --key KEY --device ID [--models MANIFEST] --out CONFIG.seal"
    )
    parser.add_argument("config", metavar="keygen|CONFIG", help="make a key, or the appliance.toml to seal")
    parser.add_argument("--key", type=Path, metavar="KEY", help=f"the {PRIVATE_NAME} to sign with")
    parser.add_argument("--device", metavar="ID", help="the device the seal is for")
    parser.add_argument("--models", type=Path, metavar="MANIFEST", help="the manifest of the models it may run")
    parser.add_argument("--out", type=Path, required=True, metavar="PATH", help="the seal, or the folder for the keys")


def run(arguments: argparse.Namespace) -> int:
    """Make a key pair or a seal."""
    if arguments.config == _KEYGEN:
        return _keygen(arguments)
    if arguments.key is None or arguments.device is None:
        raise SealError("to seal a configuration, give --key and --device")
    return _seal(arguments)


def _keygen(arguments: argparse.Namespace) -> int:
    if arguments.key or arguments.device or arguments.models:
        raise SealError("keygen takes --out only")
    made = write_key_pair(arguments.out, "seal")
    print(f"{made.private}: signs configurations; keep it secret, keep a copy, keep it off the appliance")
    print(f"{made.public}: install it on the appliance")
    return 0


def _seal(arguments: argparse.Namespace) -> int:
    data = read(Path(arguments.config))
    try:
        config = parse(data, arguments.config)
    except ApplianceError as problem:
        print(problem)
        print(f"{arguments.config}: not sealed")
        return 1
    hashes = model_hashes(arguments.models) if arguments.models else {}
    sealed = sign(data, private_key_from(read_secret(arguments.key)), arguments.device, hashes)
    try:
        arguments.out.write_bytes(sealed)
    except OSError as problem:
        raise SealError(f"{arguments.out} cannot be written ({problem.strerror}); choose another place") from None
    version = config.device.version_count
    print(f"{arguments.out}: seals version {version} for {arguments.device}, {len(hashes)} model files")
    return 0
