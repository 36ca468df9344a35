"""Parts of the tests of first boot."""

from pathlib import Path

import pytest

from tests.unit.setup.setup_parts import FakeBox


@pytest.fixture
def box(tmp_path: Path) -> FakeBox:
    """Return a box that has never been started."""
    return FakeBox(tmp_path)
