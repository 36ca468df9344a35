"""Fixtures of the guardian's tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.guardian.device_parts import Device


@pytest.fixture
def device(tmp_path: Path) -> Iterator[Device]:
    """Return an appliance that is switched off."""
    device = Device(tmp_path)
    yield device
    if device.process is not None and device.process.poll() is None:
        device.process.kill()
    if device.process is not None:
        device.process.communicate()
