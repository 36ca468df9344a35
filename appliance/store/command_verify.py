"""`appliance verify` says whether the journal and the guardian's audit log are what was written."""

import argparse
import sys
from collections.abc import Callable

import msgspec

from appliance.core.clock import NANOSECONDS_PER_SECOND, Clock, SystemClock
from appliance.core.errors import ConfigError
from appliance.safety import audit_chain
from appliance.store import audit_files, chain
from appliance.store.chain import Head
from appliance.store.paths import add_journal_options, journal_of
from appliance.store.verify import Report, verify
from appliance.store.verify_audit import check_audit
from appliance.trading.projected import ProjectedLedger

QUIET_NS = 2 * NANOSECONDS_PER_SECOND


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of the verb."""
    add_journal_options(parser)
    parser.add_argument("--head", metavar="SEQUENCE:HASH", help="a head published earlier that must still be there")
    parser.add_argument(
        "--audit-head", metavar="SEQUENCE:DIGEST", help="an entry of the audit log published earlier, likewise"
    )
    parser.add_argument("--json", action="store_true", help="print the report as one JSON document")


def run(arguments: argparse.Namespace) -> int:
    """Check a journal and say what was found."""
    published = _audit_head(arguments.audit_head)
    journal = journal_of(arguments)
    report = verify(
        journal,
        expected_head=_head(arguments.head),
        fold_factory=ProjectedLedger,
        progress=_progress_on_stderr(SystemClock()),
    )
    # A backup or a journal elsewhere has no guardian beside it, unless one is asked for.
    audited = check_audit(journal.parent, published) if arguments.journal is None or published is not None else None
    audit_head = ""
    if audited is not None:
        finding, reached = audited
        report = msgspec.structs.replace(report, findings=(*report.findings, finding))
        audit_head = "" if reached is None else f"{reached.sequence}:{reached.digest}"
    if arguments.json:
        told = {"good": report.good, "audit_head": audit_head, **msgspec.to_builtins(report)}
        print(msgspec.json.encode(told).decode())
    else:
        _print(report, audit_head)
    return 0 if report.good else 1


def _audit_head(text: str | None) -> audit_chain.Head | None:
    if text is None:
        return None
    head = audit_files.parse_head(text)
    if head is None:
        raise ConfigError("The audit head must be written as SEQUENCE:DIGEST, as `verify` prints it.")
    return head


def _head(text: str | None) -> Head | None:
    if text is None:
        return None
    head = chain.parse_head(text)
    if head is None:
        raise ConfigError(
            "The head must be written as SEQUENCE:HASH with 64 hexadecimal digits, as `verify` prints it."
        )
    return head


def _progress_on_stderr(clock: Clock) -> Callable[[int], None]:
    started_ns = clock.monotonic_ns()

    def tell(rows: int) -> None:
        if clock.monotonic_ns() - started_ns >= QUIET_NS:
            print(f"verify: {rows:,} rows", file=sys.stderr)

    return tell


def _print(report: Report, audit_head: str) -> None:
    print(f"journal  {report.journal}")
    print(f"head     {report.head}")
    if audit_head:
        print(f"audit    {audit_head}")
    for finding in report.findings:
        print(f"{'good' if finding.wrong is None else 'WRONG':<8} {finding.check}{_detail(finding.wrong)}")
    what = "The journal and the audit log are" if audit_head and report.good else "The journal is"
    print(f"{what} what was written." if report.good else "What is stored is NOT what was written; see above.")


def _detail(wrong: str | None) -> str:
    return "" if wrong is None else f": {wrong}"
