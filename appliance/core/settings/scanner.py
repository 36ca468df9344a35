"""Find on which line each section and key of a valid TOML text stands.

The standard library's parser checks TOML but forgets where it saw things, and a message without a line sends people
searching. So a second, much simpler reader goes over a text that the parser already accepted: it cuts the text into
strings, comments, brackets and line ends, and a statement is what lies between two line ends outside all brackets.

Only one way of writing is allowed: `[section]`, then `key = value` with bare keys. Dotted keys, quoted keys, inline
tables and arrays of tables are refused, so that a setting has exactly one place where it can stand.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

_PIECE = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}'  # a long string may end in two quotes of its own
    r"|'''.*?'{3,5}"
    r'|"(?:\\.|[^"\\])*"'
    r"|'[^']*'"
    r"|\#[^\n]*"
    r"|\n"
    r"|[^\"'\#\n\[\]{}=]+"
    r"|.",
    re.DOTALL,
)
_BARE = re.compile(r"[A-Za-z0-9_-]+")


class Problem(NamedTuple):
    """Say what is wrong on which line."""

    line: int
    sentence: str


class Entry(NamedTuple):
    """Locate one `key = value` or, with an empty key, one `[section]`."""

    section: str
    key: str
    line: int


class Scan(NamedTuple):
    """List the entries in their order, and every statement written in a way that is refused."""

    entries: tuple[Entry, ...]
    problems: tuple[Problem, ...]


class _Statement(NamedTuple):
    line: int
    head: str
    tail: tuple[str, ...]


def _statements(text: str) -> Iterator[_Statement]:
    """Yield each statement: its first line, its text before the first `=`, and the pieces after it."""
    line, depth = 1, 0
    started, pieces = 1, list[str]()
    for piece in _PIECE.findall(text):
        if piece == "\n" and depth == 0:
            yield _statement(started, pieces)
            pieces, started = [], line + 1
        elif not piece.startswith("#"):
            pieces.append(piece)
            depth += (piece in ("[", "{")) - (piece in ("]", "}"))
        line += piece.count("\n")
    yield _statement(started, pieces)


def _statement(line: int, pieces: list[str]) -> _Statement:
    cut = pieces.index("=") if "=" in pieces else len(pieces)
    return _Statement(line, "".join(pieces[:cut]).strip(), tuple(pieces[cut:]))


def _refusal(statement: _Statement) -> str:
    """Return why a statement's form is refused, or nothing."""
    if statement.head.startswith("[["):
        return "arrays of tables are not used here; write one [section] and its settings"
    name = statement.head[1:-1].strip() if statement.head.startswith("[") else statement.head
    if _BARE.fullmatch(name) is None:
        return f"{name[:60]!r} must be a bare name: write [section] on its own line, then key = value below it"
    if "{" in statement.tail:
        return f"{name[:60]!r} is an inline table; write [section] on its own line, then key = value below it"
    return ""


def scan(text: str) -> Scan:
    """Return where the sections and keys of a valid TOML text stand."""
    entries, problems = list[Entry](), list[Problem]()
    # What stands under a refused header belongs nowhere: naming the header is enough.
    section, lost = "", False
    for statement in _statements(text):
        if not statement.head:
            continue
        header = statement.head.startswith("[")
        refusal = _refusal(statement)
        if refusal:
            problems.append(Problem(statement.line, refusal))
            lost = lost or header
        elif header:
            section, lost = statement.head[1:-1].strip(), False
            entries.append(Entry(section, "", statement.line))
        elif not lost:
            entries.append(Entry(section, statement.head, statement.line))
    return Scan(tuple(entries), tuple(problems))
