"""Nothing is left for later, and no error is swallowed."""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.architecture.source import PACKAGE, ROOT, Source, parse, sources

# Written in pieces, so that this file does not find itself.
LATER = re.compile(
    r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "X" * 3, "HA" + "CK"]) + r")\b|not (yet )?implemented", re.IGNORECASE
)
PRODUCT = [*sources(PACKAGE), *sources(ROOT / "tools")]
EVERYTHING = [*PRODUCT, *sources(ROOT / "tests")]


def left_for_later(source: Source) -> Iterator[str]:
    """Yield a sentence for every mark of unfinished work."""
    for number, line in enumerate(source.text.splitlines(), 1):
        if LATER.search(line):
            yield f"{source.path}:{number} {line.strip()}"
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Name) and node.id == "NotImplementedError":
            yield f"{source.path}:{node.lineno} NotImplementedError"


def swallowed(source: Source) -> Iterator[str]:
    """Yield a sentence for every handler that catches anything and does nothing."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ExceptHandler) and catches_anything(node.type) and does_nothing(node.body):
            yield f"{source.path}:{node.lineno} swallows every error"


def catches_anything(caught: ast.expr | None) -> bool:
    """Tell whether a handler names no error, or one of the two that include all others."""
    names = caught.elts if isinstance(caught, ast.Tuple) else [caught]
    return any(n is None or (isinstance(n, ast.Name) and n.id in {"Exception", "BaseException"}) for n in names)


def does_nothing(body: list[ast.stmt]) -> bool:
    """Tell whether a block is only pass, continue or constants."""
    return all(
        isinstance(statement, ast.Pass | ast.Continue)
        or (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant))
        for statement in body
    )


def test_nothing_is_left_for_later() -> None:
    """Shows that the source holds no mark of unfinished work; fails when one is written."""
    assert [sentence for source in EVERYTHING for sentence in left_for_later(source)] == []


def test_no_error_is_swallowed() -> None:
    """Shows that no handler drops every error silently; fails when one does."""
    assert [sentence for source in EVERYTHING for sentence in swallowed(source)] == []


def test_product_code_has_no_assert() -> None:
    """Shows that invariants are stated with `require`, which no interpreter flag removes; fails on an assert."""
    found = [(s.path, n.lineno) for s in sources(PACKAGE) for n in ast.walk(s.tree) if isinstance(n, ast.Assert)]
    assert found == []


@pytest.mark.parametrize("text", ["# TO" + "DO: later\n", "raise NotImplemented" + "Error\n", "x = 1  # fix" + "me\n"])
def test_marks_of_unfinished_work_are_found(text: str) -> None:
    """Shows that each mark is seen; fails when one would pass."""
    assert list(left_for_later(parse("sample.py", text))) != []


@pytest.mark.parametrize(
    ("handler", "found"),
    [
        ("except Exception: pass", True),
        ("except: pass", True),
        ("except BaseException:\n    ...", True),
        ("except (ValueError, Exception): pass", True),
        ("except ValueError: pass", False),
        ("except Exception as error: record(error)", False),
    ],
)
def test_swallowed_errors_are_found(handler: str, found: bool) -> None:
    """Shows which handlers count as swallowing; fails when a silent one would pass or an honest one not."""
    assert bool(list(swallowed(parse("sample.py", f"try:\n    f()\n{handler}\n")))) is found
