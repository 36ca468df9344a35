"""What a start makes of the card, on a folder that stands for it."""

import re
import tomllib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.core.errors import ConfigError, StoreFailure
from appliance.core.secret import Secret
from appliance.hardware.setup.settings import read_setup
from appliance.hardware.setup.wiping import wiped
from tests.live_settings import LIVE
from tests.unit.setup.setup_parts import ROOT, FakeBox, OpenVault

SECRETS = """[wifi]
country = "DE"
network = "Our home"
password = "correct horse battery"  # from the router

[secrets]
venue_key = "KEY:s3cr3tvalue=="
last_resort_key = 'only-cancels'
"""


def test_the_card_as_it_is_delivered_needs_nothing(box: FakeBox) -> None:
    """Shows that the files of the image start a box on a cable; fails when a sample does not pass its own check."""
    box.write("setup.toml", (ROOT / "firmware_config/setup.toml").read_text())
    assert box.start().problems == ()
    assert box.vault.names() == ["paper-last-resort.key", "paper-venue.key"], "the paper venue's own"
    assert box.may_run
    assert box.runtime("chrony/servers.conf").startswith("server 0.debian.pool.ntp.org iburst")
    assert box.runtime("nftables.d/opened.nft") == ""
    assert box.remounts == []


def test_every_line_of_the_sample_can_be_used() -> None:
    """Shows that each setting the sample explains is known; fails for one that was renamed in one place only."""
    sample = (ROOT / "firmware_config/setup.toml").read_text()
    told = re.sub(r"(?m)^# (?=\[|[a-z_]+ = )", "", sample).replace("AAAA...", "A" * 68)
    found = read_setup(told.encode(), "sample")
    assert found.wifi is not None
    assert found.ssh is not None
    assert found.time.servers[0] == "0.debian.pool.ntp.org"


def test_keys_are_moved_inside_and_wiped_from_the_card(box: FakeBox) -> None:
    """Shows that no key stays on the card and all else does; fails when one is left, lost, or the file moves."""
    box.write("setup.toml", SECRETS)
    assert box.start().problems == ()
    after = (box.card_folder / "setup.toml").read_text()
    assert len(after) == len(SECRETS)
    for secret in ("correct horse battery", "s3cr3tvalue", "only-cancels"):
        assert secret not in after
    assert tomllib.loads(after)["wifi"] == {"country": "DE", "network": "Our home", "password": ""}
    assert box.vault.names() == ["last-resort.key", "paper-last-resort.key", "paper-venue.key", "venue.key", "wifi.psk"]
    assert box.vault.kept["venue.key"].reveal() == "KEY:s3cr3tvalue=="
    assert box.remounts == ["rw", "ro"]


def test_the_wireless_key_is_what_the_standard_derives(box: FakeBox) -> None:
    """Shows the key of IEEE 802.11i's own example, and that a later start still has it; fails on another derivation."""
    box.write("setup.toml", '[wifi]\ncountry = "US"\nnetwork = "IEEE"\npassword = "password"\n')
    box.start()
    expected = "f42c6fc52df0ebef9ebb4b90b38a5f902e83fe1b135a70e23aed762e9710a12e"
    assert f"psk={expected}" in box.runtime("wpa_supplicant-wlan0.conf")
    assert box.start().problems == ()
    assert f"psk={expected}" in box.runtime("wpa_supplicant-wlan0.conf")


class _FullVault(OpenVault):
    def put(self, name: str, secret: Secret) -> None:
        raise StoreFailure(f"no room for {name} of {len(secret.reveal())} characters")


def test_a_key_that_cannot_be_kept_is_not_wiped(box: FakeBox) -> None:
    """Shows that a full disk loses no key; fails when the card is wiped before the key is safe."""
    box.vault = _FullVault()
    box.write("setup.toml", SECRETS)
    assert box.start().problems == ("no room for venue.key of 17 characters",)
    assert (box.card_folder / "setup.toml").read_text() == SECRETS
    assert not box.may_run


@pytest.mark.parametrize(
    "text",
    [
        '[secrets]\nvenue_key = """\nmultiline"""\n',
        'secrets = {venue_key = "inside"}\n',
        '[secrets]\n"venue_key" = "quoted"\n',
        'secrets.venue_key = "dotted"\n',
    ],
)
def test_a_key_that_cannot_be_wiped_is_refused(text: str, box: FakeBox) -> None:
    """Shows that a key in an unusual form never counts as wiped; fails when one would stay on the card unnoticed."""
    box.write("setup.toml", text)
    assert len(box.start().problems) == 1
    assert not box.may_run
    assert box.vault.names() == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("host_name = 'Bot 4'", "setup.toml:1: host_name: cannot be used"),
        ("[wifi]\ncountry = 'DE'\nnetwork = 'x'\npasword = 'abcdefgh'", "setup.toml:4: pasword: unknown setting"),
        ("[wifi]\nnetwork = 'x'", "setup.toml:1: [wifi] lacks country"),
        ("[wifi]\ncountry = 'DE'\nnetwork = 'a\\u0022b'", "setup.toml:3: network: cannot be used"),
        ("[wifi]\ncountry = 'DE'\nnetwork = 'x'\npassword = 'short'", "setup.toml:4: password: cannot be used"),
        ("[time]\nservers = []", "setup.toml:2: servers: cannot be used"),
        ("[time]\nservers = ['a b']", "setup.toml:2: servers: cannot be used"),
        ("[ssh]\npublic_key = 'rsa'", "setup.toml:2: public_key: cannot be used"),
        ("[radio]\non = true", "setup.toml:1: radio: unknown setting"),
        ("[wifi\n", "setup.toml: is not valid TOML"),
        ("\ud800", "setup.toml: is not UTF-8"),
    ],
)
def test_a_mistake_is_told_in_plain_words_and_stops_the_start(text: str, told: str, box: FakeBox) -> None:
    """Shows that each mistake is named with its line and nothing starts; fails when one is skipped over."""
    (box.card_folder / "setup.toml").write_bytes(text.encode("utf-8", "surrogatepass"))
    problems = box.start().problems
    assert len(problems) == 1
    assert problems[0].startswith(told)
    assert not box.may_run


def test_wrong_settings_of_the_appliance_stop_it_and_leave_the_network(box: FakeBox) -> None:
    """Shows that a box with a mistake in appliance.toml is still found on the network; fails when it hides."""
    box.write("appliance.toml", "[risk]\nposition_percent_max = 9000\n")
    box.write("setup.toml", 'host_name = "attic"\n[ssh]\npublic_key = "ssh-ed25519 ' + "A" * 68 + '"\n')
    assert "position_percent_max" in box.start().problems[0]
    assert not box.may_run
    assert box.host_names == ["attic"]
    assert box.runtime("ssh/authorized_keys").startswith("ssh-ed25519")
    assert "dport 22" in box.runtime("nftables.d/opened.nft")


def test_the_firewall_opens_the_panel_only_where_it_listens_to_others(box: FakeBox) -> None:
    """Shows that the panel's port is opened with its address; fails when it is open by default or never."""
    box.start()
    assert "8470" not in box.runtime("nftables.d/opened.nft")
    box.write("appliance.toml", '[reporter]\npanel_host = "0.0.0.0"\n')
    box.start()
    assert "tcp dport 8470 accept" in box.runtime("nftables.d/opened.nft")


def test_an_owners_key_cannot_be_taken_away(box: FakeBox) -> None:
    """Shows that a box that knew an owner keeps asking for the seal; fails when removing a file frees it."""
    box.write("seal.pub", "owner one")
    box.start()
    (box.card_folder / "seal.pub").unlink()
    assert box.start().problems == ()
    assert box.runtime("appliance/seal.pub") == "owner one"
    box.write("seal.pub", "owner two")
    assert "is not the key this box knows" in box.start().problems[0]


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=300))
def test_no_bytes_on_the_card_bring_a_start_down(data: bytes, box: FakeBox) -> None:
    """Shows that any file ends in settings or in a sentence; fails when one ends in a traceback."""
    (box.card_folder / "setup.toml").write_bytes(data)
    try:
        read_setup(data, "setup.toml")
        expected = 0
    except ConfigError:
        expected = 1
    assert len(box.start().problems) == expected


@settings(max_examples=200, deadline=None)
@given(key=st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=60))
def test_wiping_keeps_length_and_everything_else(key: str) -> None:
    """Shows that any key vanishes and what stands around it stays; fails when a byte moves or part of a key stays."""
    quoted = key.replace("\\", "\\\\").replace('"', '\\"')
    text = f'host_name = "a"\n[secrets]\nbroker = "{quoted}" # note\n'.encode()
    after = wiped(text)
    assert len(after) == len(text)
    assert after.startswith(b'host_name = "a"\n[secrets]\nbroker = ""')
    assert read_setup(after, "x").secrets.broker == ""
    assert read_setup(text, "x").secrets.broker == key


def test_a_live_box_without_seal_or_keys_does_not_start(box: FakeBox) -> None:
    """Shows each missing part named, the services left without settings, and a start once all are there; fails when a
    box goes on to trade real money with less.
    """
    box.write("appliance.toml", LIVE)
    problems = box.start().problems
    assert not box.may_run
    for part in ("appliance.toml.seal", "seal.pub", "venue_key", "last_resort_key"):
        assert [one for one in problems if f"live trading needs {part}" in one], part
    box.write("setup.toml", SECRETS)
    box.write("appliance.toml.seal", "{}")
    assert [one.partition(" needs ")[2].split()[0] for one in box.start().problems] == ["seal.pub"]
    box.write("seal.pub", "bot4-edge-seal-public-key-1 00")
    assert box.start().problems == ()
    assert box.may_run
