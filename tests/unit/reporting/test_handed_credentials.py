"""What the owner wrote on the card reaches the reporter: the broker's login and the panel's token."""

from pathlib import Path

import pytest

from appliance.core.errors import ConfigError
from appliance.core.settings.machine import Mqtt
from appliance.reporting.mqtt.broker import broker_of
from appliance.reporting.panel.access import token_in

BROKER = Mqtt(broker="mqtt://127.0.0.1:1883")


@pytest.fixture
def credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder that systemd hands to the service."""
    folder = tmp_path / "credentials"
    folder.mkdir()
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(folder))
    return folder


def _hand(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.write_text(text)
    path.chmod(0o400)


def test_the_brokers_login_comes_from_the_card(credentials: Path) -> None:
    """Shows that USER:PASSWORD on the card logs in at the broker; fails when the credential is read by nobody."""
    _hand(credentials, "broker.key", "box:with:colon")
    found = broker_of(BROKER)
    assert found is not None
    assert found.username == "box"
    assert found.password is not None
    assert found.password.reveal() == "with:colon"


def test_a_login_without_password_is_refused_without_being_shown(credentials: Path) -> None:
    """Shows that half a login names what to do and not itself; fails when it is used, or printed."""
    _hand(credentials, "broker.key", "onlyaname")
    with pytest.raises(ConfigError, match="USER:PASSWORD") as problem:
        broker_of(BROKER)
    assert "onlyaname" not in str(problem.value)


def test_without_a_login_the_broker_is_met_without_one(credentials: Path) -> None:
    """Shows that a box without the credential logs in as nobody; fails when one is made up."""
    assert list(credentials.iterdir()) == []
    found = broker_of(BROKER)
    assert found is not None
    assert (found.username, found.password) == (None, None)


def test_the_panels_token_is_the_owners_where_one_was_given(credentials: Path, tmp_path: Path) -> None:
    """Shows that the owner's token counts and no other is made beside it; fails when the card's token is ignored."""
    _hand(credentials, "panel.token", "chosen-by-the-owner")
    assert token_in(tmp_path / "reporter").reveal() == "chosen-by-the-owner"
    assert not (tmp_path / "reporter").exists()
