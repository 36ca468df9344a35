"""How a command of the owner's logs in at a broker."""

import argparse
from pathlib import Path

from appliance.core.errors import ConfigError
from appliance.core.secret import read_secret
from appliance.reporting.mqtt.broker import Broker, address_of


def add_login(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--username", metavar="NAME", help="name to log in with")
    parser.add_argument("--password-file", type=Path, metavar="FILE", help="file that holds the password alone")
    parser.add_argument("--ca", type=Path, metavar="FILE", help="the one authority trusted (PEM)")
    parser.add_argument("--certificate", type=Path, metavar="FILE", help="certificate to log in with (PEM)")
    parser.add_argument("--key", type=Path, metavar="FILE", help="the certificate's key (PEM)")


def broker_in(arguments: argparse.Namespace) -> Broker:
    """Return the broker that was named, and how to be let in."""
    host, port, encrypted = address_of(arguments.broker)
    if (arguments.certificate is None) != (arguments.key is None):
        raise ConfigError("--certificate and --key go together")
    password = None if arguments.password_file is None else read_secret(arguments.password_file)
    return Broker(
        host, port, encrypted, arguments.username, password, arguments.ca, arguments.certificate, arguments.key
    )  # fmt: skip
