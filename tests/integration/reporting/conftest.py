"""What every test of reporting shares."""

import pytest

from appliance.reporting.mqtt import publisher


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let publishers of this process come back within a moment, so that no test waits as long as an owner would."""
    monkeypatch.setattr(publisher, "BACKOFF_S_MIN", 0.05)
    monkeypatch.setattr(publisher, "BACKOFF_S_MAX", 0.2)
