"""`appliance reporter`: run the outside view alone."""

import argparse
from pathlib import Path

from appliance.core.config import CONFIG_PATH, load
from appliance.reporting.main import run as run_reporter


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--config", type=Path, default=CONFIG_PATH, metavar="FILE", help="the appliance's configuration (%(default)s)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Run the reporter until it is told to end."""
    return run_reporter(load(arguments.config))
