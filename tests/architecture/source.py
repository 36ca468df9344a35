"""The project's own source, parsed once: what the tests of its architecture read."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "appliance"


@dataclass(frozen=True)
class Source:
    """Hold one parsed file and its path from the folder it was found under."""

    path: str
    text: str
    tree: ast.Module


def parse(path: str, text: str) -> Source:
    """Return a source made from text, as a file of that path would be."""
    return Source(path, text, ast.parse(text, path))


@cache
def sources(folder: Path) -> tuple[Source, ...]:
    """Return every Python file under a folder, in order of path."""
    return tuple(parse(str(path.relative_to(folder)), path.read_text()) for path in sorted(folder.rglob("*.py")))


def origins(source: Source) -> dict[str, str]:
    """Return what each name bound by an import stands for, in full."""
    found: dict[str, str] = {}
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            found |= {
                a.asname or a.name.partition(".")[0]: a.name if a.asname else a.name.partition(".")[0]
                for a in node.names
            }
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {a.asname or a.name: f"{node.module}.{a.name}" for a in node.names}
    return found


def imports(source: Source) -> Iterator[tuple[int, str]]:
    """Yield the line and full name of everything imported."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def references(source: Source) -> Iterator[tuple[int, str]]:
    """Yield the line and full name of everything that is used, called or not: `from time import time as t; f(t)`."""
    known = origins(source)
    for node in ast.walk(source.tree):
        name = dotted(node)
        if name is None or not isinstance(node, ast.expr):
            continue
        head, _, rest = name.partition(".")
        if head in known:
            yield node.lineno, f"{known[head]}.{rest}".rstrip(".")
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            yield node.lineno, f"builtins.{head}"


def dotted(node: ast.AST) -> str | None:
    """Return `a.b.c` for a chain of attributes on a name, else nothing."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        value = dotted(node.value)
        return value and f"{value}.{node.attr}"
    return None
