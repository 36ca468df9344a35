"""A file is one idea and a function fits a screen."""

import ast
from collections.abc import Iterator

import pytest

from tests.architecture.source import ROOT, Source, parse, sources

FILE_LINES_MAX = 399
FUNCTION_LINES_MAX = 60
FOLDERS = [name for name in ("appliance", "tests", "tools", "hil_tests", "models", "image") if (ROOT / name).is_dir()]


def too_long(source: Source) -> Iterator[str]:
    """Yield a sentence for the file and each function that is over its limit."""
    lines = len(source.text.splitlines())
    if lines > FILE_LINES_MAX:
        yield f"{source.path} has {lines} lines"
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > FUNCTION_LINES_MAX:
                yield f"{source.path}:{node.lineno} {node.name} has {length} lines"


@pytest.mark.parametrize("folder", FOLDERS)
def test_files_and_functions_are_short(folder: str) -> None:
    """Shows that every file and function is within its limit; fails when one grows past it."""
    assert [sentence for source in sources(ROOT / folder) for sentence in too_long(source)] == []


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("x = 1\n" * FILE_LINES_MAX, 0),
        ("x = 1\n" * (FILE_LINES_MAX + 1), 1),
        ("def f():\n" + "    x = 1\n" * (FUNCTION_LINES_MAX - 1), 0),
        ("def f():\n" + "    x = 1\n" * FUNCTION_LINES_MAX, 1),
        ("class C:\n    async def f(self):\n" + "        x = 1\n" * FUNCTION_LINES_MAX, 1),
    ],
)
def test_the_limits_bite(text: str, count: int) -> None:
    """Shows both sides of both limits; fails when a file or function just over one would pass."""
    assert len(list(too_long(parse("sample.py", text)))) == count
