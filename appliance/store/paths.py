"""Where a state folder keeps the journal and its backups."""

import argparse
from pathlib import Path

JOURNAL_NAME = "journal.db"
BACKUPS_NAME = "backups"
STATE_DEFAULT = Path("/var/lib/bot4-edge")


def journal_in(state: Path) -> Path:
    """Return the path of the journal in a state folder."""
    return state / JOURNAL_NAME


def backups_in(state: Path) -> Path:
    """Return the folder of the backups in a state folder."""
    return state / BACKUPS_NAME


def add_journal_options(parser: argparse.ArgumentParser) -> None:
    """Let a person name a journal by its state folder or by itself."""
    place = parser.add_mutually_exclusive_group()
    place.add_argument(
        "--state", type=Path, default=STATE_DEFAULT, metavar="DIR", help="state folder (default: %(default)s)"
    )
    place.add_argument("--journal", type=Path, metavar="FILE", help="a journal or a backup of one")


def journal_of(arguments: argparse.Namespace) -> Path:
    """Return the journal a person named."""
    named: Path | None = arguments.journal
    return journal_in(arguments.state) if named is None else named
