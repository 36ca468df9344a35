"""Fixtures of the tests of the lines of defence."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.defence.box import Box


@pytest.fixture
def make_box(tmp_path: Path) -> Iterator[Callable[..., Box]]:
    """Return what makes an appliance, and end every one made."""
    boxes: list[Box] = []

    def make(**options: Any) -> Box:  # noqa: ANN401 - the options are Box's own
        folder = tmp_path / f"box{len(boxes)}"
        folder.mkdir()
        boxes.append(Box(folder, **options))
        return boxes[-1]

    yield make
    for box in boxes:
        box.end()
