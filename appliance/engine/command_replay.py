"""`appliance replay` feeds a recording to a new trader and says whether it asks for the same, byte for byte."""

import argparse
import contextlib
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple

import msgspec

from appliance.core.clock import NANOSECONDS_PER_SECOND, Clock, SystemClock
from appliance.core.errors import ApplianceError, StoreFailure
from appliance.engine.replay import Divergence, Observe, Outcome, Tail, build_from, replay
from appliance.market.recording import CRASHED, Item, Step, session_items
from appliance.store import recordings
from appliance.store.recordings import Session

QUIET_NS = 2 * NANOSECONDS_PER_SECOND
_ENCODER = msgspec.json.Encoder()


class Finding(NamedTuple):
    """Hold what became of one session; without an outcome the problem says why it could not be replayed."""

    session: Session
    outcome: Outcome | None
    problem: str

    @property
    def verdict(self) -> str:
        """Return the session's verdict in a word."""
        if self.outcome is None:
            return "unreadable"
        if self.outcome.divergence is not None:
            return "diverged"
        return "damaged" if self.outcome.tail is Tail.DAMAGED else "equal"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of the verb."""
    parser.add_argument(
        "places", nargs="+", type=Path, metavar="FILE_OR_DIRECTORY", help="recordings; one file stands for its session"
    )
    parser.add_argument("--session", type=int, metavar="N", help="only the session of this number")
    parser.add_argument("--commands", type=Path, metavar="OUT", help="write each step's commands as a line of JSON")
    parser.add_argument("--json", action="store_true", help="print the result as one JSON document")


def run(arguments: argparse.Namespace) -> int:
    """Replay sessions and say what was found."""
    sessions = [one for one in _sessions(arguments.places) if arguments.session in {None, one.number}]
    if not sessions:
        raise StoreFailure(
            "there is no such recording; name a folder with session-*.rec.zst files, or one of the files"
        )
    progress = _Progress(SystemClock())
    with _lines_to(arguments.commands) as write:
        findings = [_examine(session, progress, write) for session in sessions]
    if arguments.json:
        print(msgspec.json.encode({"sessions": [_document(finding) for finding in findings]}).decode())
    else:
        for finding in findings:
            _print(finding)
    verdicts = {finding.verdict for finding in findings}
    if "diverged" in verdicts:
        return 1
    return 0 if verdicts == {"equal"} else 2


class _Progress:
    """Tell on stderr how far a replay is, once it takes long enough for a person to wonder."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._told_ns = clock.monotonic_ns()

    def counted(self, items: Iterable[Item], session: int) -> Iterator[Item]:
        """Pass items on and count the steps."""
        for number, item in enumerate(items):
            yield item
            if number % 1024 == 0 and self._clock.monotonic_ns() - self._told_ns >= QUIET_NS:
                self._told_ns = self._clock.monotonic_ns()
                print(f"replay: session {session}, {number:,} events", file=sys.stderr)


def _sessions(places: Iterable[Path]) -> list[Session]:
    found: dict[tuple[Path, int], Session] = {}
    for place in places:
        try:
            named = _named(place)
        except OSError as error:
            raise StoreFailure(f"{place} cannot be read ({error.strerror}); name a recording or its folder") from error
        found |= {(session.paths[0].parent, session.number): session for session in named}
    return list(found.values())


def _named(place: Path) -> list[Session]:
    if place.is_dir():
        return recordings.sessions_in(place)
    place.stat()
    number = recordings.session_number(place)
    if number is None:  # renamed by a person: taken for a whole session
        return [Session(0, (place,))]
    return [session for session in recordings.sessions_in(place.parent) if session.number == number]


@contextlib.contextmanager
def _lines_to(path: Path | None) -> Iterator[Observe | None]:
    if path is None:
        yield None
        return
    try:
        file: IO[bytes] = path.open("wb")
    except OSError as error:
        raise StoreFailure(f"{path} cannot be written ({error.strerror}); name another file for --commands") from error
    with file:
        yield _line_writer(file, path)


def _line_writer(file: IO[bytes], path: Path) -> Observe:
    def write(commands_bytes: bytes) -> None:
        try:
            file.write(commands_bytes + b"\n")
        except OSError as error:
            raise StoreFailure(f"{path} cannot be written ({error.strerror}); make room for it") from error

    return write


def _examine(session: Session, progress: _Progress, observe: Observe | None) -> Finding:
    items = progress.counted(session_items(recordings.files_of(session)), session.number)
    try:
        return Finding(session, replay(items, build_from, observe), "")
    except ApplianceError as problem:
        return Finding(session, None, str(problem))


def _document(finding: Finding) -> dict[str, Any]:
    session, outcome = finding.session, finding.outcome
    document: dict[str, Any] = {
        "session": session.number,
        "files": [str(path) for path in session.paths],
        "verdict": finding.verdict,
        "problem": finding.problem,
    }
    if outcome is not None:
        document |= {
            "device": outcome.start.device,
            "synthetic": outcome.start.synthetic,
            "events": outcome.events_count,
            "commands": outcome.commands_count,
            "digest": outcome.digest,
            "tail": outcome.tail.name.lower(),
            "detail": outcome.detail,
            "divergence": _difference(outcome.divergence),
        }
    return document


def _difference(divergence: Divergence | None) -> dict[str, Any] | None:
    if divergence is None:
        return None
    return {
        "event": divergence.number,
        "now_ns": divergence.step.now_ns,
        "what": msgspec.to_builtins(divergence.step.event),
        "recorded": divergence.step.digest,
        "replayed": divergence.replayed,
        "commands": msgspec.to_builtins(divergence.commands),
        "problem": divergence.problem,
    }


def _print(finding: Finding) -> None:
    outcome = finding.outcome
    if outcome is None:
        print(f"session {finding.session.number}: UNREADABLE, {finding.problem}")
        return
    start = outcome.start
    market = "synthetic market" if start.synthetic else "real market"
    print(f"session {finding.session.number} of {start.device} ({market}): {finding.verdict.upper()}")
    print(f"  {outcome.events_count:,} events, {outcome.commands_count:,} commands, sha256 {outcome.digest}")
    print(f"  the recording: {outcome.tail}{': ' if outcome.detail else ''}{outcome.detail}")
    if outcome.divergence is not None:
        _print_difference(outcome.divergence)


def _print_difference(divergence: Divergence) -> None:
    print(f"  event {divergence.number} came out differently: {_shown(divergence.step)}")
    print(f"    recorded {_named_digest(divergence.step.digest)}")
    print(f"    replayed {_named_digest(divergence.replayed)} {divergence.problem}".rstrip())
    for command in divergence.commands:
        print(f"      {_ENCODER.encode(command).decode()}")


def _shown(step: Step) -> str:
    return f"{_ENCODER.encode(step.event).decode()} at {step.now_ns} ns"


def _named_digest(digest: str | None) -> str:
    if digest == CRASHED:
        return "a crash"
    return "no commands" if digest is None else digest
