"""The container that the tests of the units share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.units.container import Container, lacking


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Container]:
    """Return a running box."""
    if reason := lacking():
        pytest.skip(reason)
    folder: Path = tmp_path_factory.mktemp("box")
    container = Container(folder)
    container.card("setup.toml", '[secrets]\nvenue_key = "KEY:YS1rZXktdGhhdC10cmFkZXM="\n')
    try:
        container.start()
        yield container
    finally:
        container.stop()
