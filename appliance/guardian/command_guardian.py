"""The verb `guardian`."""

import argparse
from pathlib import Path

from appliance.core.config import CONFIG_PATH, load
from appliance.guardian.main import run as guard


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--config",
        type=Path,
        default=CONFIG_PATH,
        metavar="FILE",
        help="the configuration to guard by (default: %(default)s)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Guard until told to end."""
    return guard(load(arguments.config))
