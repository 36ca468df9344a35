"""The paper account's keys as files, and the log of what arrived."""

import json
from pathlib import Path

import pytest

from appliance.core.config import loads
from appliance.core.errors import ConfigError
from appliance.venues.simulator.arrivals import asked_in, open_arrivals
from appliance.venues.simulator.kraken.issued import issued, keys_of
from appliance.venues.simulator.kraken.keys import TRADE


def test_a_key_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    """The same key comes back after a restart; it fails if it changed or could be read by others."""
    path = tmp_path / "state" / "venue.key"
    key = issued(path, "trader", TRADE)
    again = issued(path, "trader", TRADE)
    assert (again.key, again.private_key) == (key.key, key.private_key)
    assert path.stat().st_mode & 0o777 == 0o600
    assert issued(tmp_path / "other.key", "other", TRADE).key != key.key


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    """A key that leaked is no key; it fails if the venue went on with it."""
    path = tmp_path / "venue.key"
    issued(path, "trader", TRADE)
    path.chmod(0o644)
    with pytest.raises(ConfigError, match="can be read by others"):
        issued(path, "trader", TRADE)


def test_a_link_in_the_keys_place_is_not_followed(tmp_path: Path) -> None:
    """Nothing is written through somebody's link; it fails if the file behind it came to be."""
    path = tmp_path / "venue.key"
    path.symlink_to(tmp_path / "elsewhere")
    issued(path, "trader", TRADE)
    assert not (tmp_path / "elsewhere").exists()
    assert not path.is_symlink()


@pytest.mark.parametrize(("policy", "may_sell"), [("cancel", False), ("cancel_all", False), ("flatten", True)])
def test_the_last_resort_may_sell_only_where_it_is_to(tmp_path: Path, policy: str, may_sell: bool) -> None:
    """No key may withdraw, and the last resort's places orders only to flatten; it fails if it always could."""
    places = f'[paths]\nstate = "{tmp_path}/state"\nruntime = "{tmp_path}/run"\n'
    trader, last = keys_of(loads(f'[safety]\nstop_policy = "{policy}"\n{places}'))
    assert ("modify-trades" in last.permissions) is may_sell
    assert {"close-trades", "query-open-trades", "query-funds"} <= last.permissions
    assert "withdraw-funds" not in trader.permissions | last.permissions


def test_arrivals_are_logged_in_order_and_bounded(tmp_path: Path) -> None:
    """Every arrival but a ping is one line until the limit; it fails if one were left out or the file grew on."""
    with open_arrivals(tmp_path / "log", lines_max=2) as arrived:
        arrived("token", "ping", {}, 1)
        arrived("token", "add_order", {"cl_ord_id": "a", "side": "buy", "token": "hidden"}, 2)
        arrived("last resort", "CancelAll", {}, 4)
        arrived("token", "cancel_all", {}, 6)
    first, second = map(json.loads, (tmp_path / "log").read_text().splitlines())
    assert first == {"arrived_ns": 2, "key": "token", "method": "add_order", "cl_ord_id": "a", "side": "buy"}
    assert (second["key"], second["method"]) == ("last resort", "CancelAll")


@pytest.mark.parametrize("frame", [b"", b"[]", b"1", b'{"params":3}', b"[" * 99_999, b"\xff"])
def test_any_frame_is_an_arrival(frame: bytes) -> None:
    """Whatever arrives is logged as something; it fails if the log could end the venue."""
    assert asked_in(frame)[2] == {}
