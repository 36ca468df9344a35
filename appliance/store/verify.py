"""Is the journal what was written? Each question is a check of its own, so that other records can add theirs.

Everything here only reads. It follows the chain itself instead of trusting what the trader found when it started.
"""

import contextlib
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import TypeVar

import msgspec

from appliance.core.errors import InvariantBroken, StoreFailure
from appliance.store import chain, database, projections, schema
from appliance.store.chain import Head
from appliance.store.journal import stored_chain
from appliance.store.lock import InstanceLock
from appliance.store.projections import Fold

ROWS_PER_PROGRESS = 65_536

Progress = Callable[[int], None]
Item = TypeVar("Item")


class Evidence(msgspec.Struct, frozen=True):
    """Hold what a check may look at."""

    connection: sqlite3.Connection
    journal: Path
    progress: Progress


class Check(msgspec.Struct, frozen=True):
    """Name one question; `run` returns what is wrong, or nothing."""

    name: str
    run: Callable[[Evidence], str | None]


class Finding(msgspec.Struct, frozen=True):
    """Answer one question."""

    check: str
    wrong: str | None


class Report(msgspec.Struct, frozen=True):
    """Hold all answers, and the last row's sequence and hash as they are stored."""

    journal: str
    head: str
    findings: tuple[Finding, ...]

    @property
    def good(self) -> bool:
        """Tell whether nothing was found wrong."""
        return all(finding.wrong is None for finding in self.findings)


def no_progress(_rows: int) -> None:
    """Tell nobody how far a check has come."""


def verify(
    journal: Path,
    *,
    expected_head: Head | None = None,
    fold_factory: Callable[[], Fold] | None = None,
    progress: Progress = no_progress,
    further_checks: Iterable[Check] = (),
) -> Report:
    """Ask every question about a journal or a backup that no process has open."""
    if not journal.is_file():
        raise StoreFailure(f"There is no journal at {journal}; name another with --journal or --state.")
    asked = list(CHECKS)
    if expected_head is not None:
        asked.append(Check("head", partial(_head, expected_head)))
    if fold_factory is not None:
        asked.append(Check("projections", partial(_projections, fold_factory)))
    lock = InstanceLock.take_to_read(journal)
    try:
        return _report(journal, progress, (*asked, *further_checks))
    finally:
        lock.release()


def _report(journal: Path, progress: Progress, checks: tuple[Check, ...]) -> Report:
    try:
        connection = database.read_only(journal)
    except sqlite3.Error as error:
        raise StoreFailure(f"The journal {journal} cannot be opened ({error}); check who may read it.") from error
    with contextlib.closing(connection):
        evidence = Evidence(connection, journal, progress)
        findings = _findings(checks, evidence)
        return Report(str(journal), str(_last_row(connection)), findings)


def _findings(checks: tuple[Check, ...], evidence: Evidence) -> tuple[Finding, ...]:
    """Ask in order; what stands on something wrong is not asked, since its answer would mean nothing."""
    findings: list[Finding] = []
    wrong = ""
    for check in checks:
        finding = Finding(check.name, f"not checked, because {wrong} is wrong") if wrong else _finding(check, evidence)
        findings.append(finding)
        wrong = wrong or (check.name if finding.wrong is not None else "")
    return tuple(findings)


def _finding(check: Check, evidence: Evidence) -> Finding:
    try:
        return Finding(check.name, check.run(evidence))
    except (sqlite3.Error, StoreFailure, ValueError, TypeError) as error:
        return Finding(check.name, f"could not be read to the end: {error}")


def _last_row(connection: sqlite3.Connection) -> Head:
    query = "SELECT sequence, hash FROM rows ORDER BY sequence DESC LIMIT 1"
    with contextlib.suppress(sqlite3.Error):  # the integrity check has named the damage
        last = connection.execute(query).fetchone()
        if last is not None and isinstance(last[1], bytes):
            return Head(*last)
    return Head(0, bytes(chain.HASH_BYTES))


def _integrity(evidence: Evidence) -> str | None:
    return database.integrity_fault(evidence.connection, thorough=True)


def _schema(evidence: Evidence) -> str | None:
    return schema.fault(evidence.connection)


def _chain(evidence: Evidence) -> str | None:
    device = schema.device_of(evidence.connection)
    counted = _counting(stored_chain(evidence.connection), evidence.progress)
    _, damage = chain.inspect(counted, chain.genesis(device))
    return None if damage is None else str(damage)


def _head(expected: Head, evidence: Evidence) -> str | None:
    query = "SELECT hash FROM rows WHERE sequence = ?"
    found = evidence.connection.execute(query, (expected.sequence,)).fetchone()
    if found is None:
        return f"row {expected.sequence} was published and is not in the journal: its end was cut off"
    if found[0] != expected.hash:
        return f"row {expected.sequence} has another hash than the one published: its history was rewritten"
    return None


def _projections(fold_factory: Callable[[], Fold], evidence: Evidence) -> str | None:
    try:
        return projections.compare(evidence.connection, fold_factory)
    except (InvariantBroken, LookupError) as broken:  # here it is the rows that are on trial, not this process
        return f"the rows do not fold into a state: {broken!r}"


def _counting(items: Iterable[Item], progress: Progress) -> Iterator[Item]:
    for count, item in enumerate(items, start=1):
        if count % ROWS_PER_PROGRESS == 0:
            progress(count)
        yield item


CHECKS: tuple[Check, ...] = (Check("integrity", _integrity), Check("schema", _schema), Check("chain", _chain))
