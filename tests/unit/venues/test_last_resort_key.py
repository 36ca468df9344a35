"""The secret of the last-resort channel, and the log of what arrived."""

import json
from pathlib import Path

import pytest

from appliance.core.commands import SendCancelAll, SendOrder
from appliance.core.errors import ConfigError
from appliance.core.values import OrderKind, Side
from appliance.venues.simulator.arrivals import open_arrivals
from appliance.venues.simulator.last_resort_key import issue_key
from appliance.wire.venue_link import Channel, Submit


def test_a_key_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    """The same key comes back after a restart; it fails if it changed, was short or could be read by others."""
    path = tmp_path / "state" / "last-resort.key"
    key = issue_key(path)
    assert issue_key(path) == key
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(key.reveal()) == 64
    assert issue_key(tmp_path / "other.key") != key


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    """A key that leaked is no key; it fails if the venue went on with it."""
    path = tmp_path / "last-resort.key"
    issue_key(path)
    path.chmod(0o644)
    with pytest.raises(ConfigError, match="can be read by others"):
        issue_key(path)


def test_a_link_in_the_keys_place_is_not_followed(tmp_path: Path) -> None:
    """Nothing is written through somebody's link; it fails if the file behind it came to be."""
    path = tmp_path / "last-resort.key"
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConfigError):
        issue_key(path)
    assert not (tmp_path / "elsewhere").exists()


def test_arrivals_are_logged_in_order_and_bounded(tmp_path: Path) -> None:
    """Every arrival is one line until the limit; it fails if one were left out or the file grew without end."""
    order = SendOrder("a", "BTC/USD", Side.BUY, OrderKind.LIMIT, 1, 1, reduce_only=False, deadline_ms=1, trace=0)
    with open_arrivals(tmp_path / "log", lines_max=2) as arrived:
        arrived(Channel.ORDERS, Submit(1, order), 2)
        arrived(Channel.LAST_RESORT, Submit(3, SendCancelAll()), 4)
        arrived(Channel.ORDERS, Submit(5, order), 6)
    first, second = map(json.loads, (tmp_path / "log").read_text().splitlines())
    assert (first["sent_ns"], first["arrived_ns"], first["client_id"], first["side"]) == (1, 2, "a", "buy")
    assert (second["channel"], second["command"]) == ("last_resort", "SendCancelAll")
