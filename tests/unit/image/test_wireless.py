"""Wi-Fi on the image: what the settings write is what is read, and a box without it starts as quickly."""

from pathlib import Path

from appliance.hardware.command_setup import RUNTIME
from appliance.hardware.setup.rendering import WIFI_FILE

IMAGE = Path(__file__).resolve().parents[3] / "image"
UNITS = IMAGE / "files-arm64/usr/lib/systemd/system"
SERVICE = "wpa_supplicant@wlan0.service"


def test_the_wireless_settings_are_read_from_where_they_are_written() -> None:
    """Shows that Debian's service finds what the settings wrote; fails when the owner's network is read by nobody."""
    # wpa_supplicant@.service in Debian: -c/etc/wpa_supplicant/wpa_supplicant-%I.conf
    read = IMAGE / "files/etc/wpa_supplicant/wpa_supplicant-wlan0.conf"
    assert read.readlink() == RUNTIME / WIFI_FILE


def test_a_box_without_a_radio_does_not_wait_for_one() -> None:
    """Shows that the radio starts its service, and no start waits for a radio; fails when the network, and with it the
    trader, is held up by a device that may never come.
    """
    wanted = UNITS / "sys-subsystem-net-devices-wlan0.device.wants" / SERVICE
    assert wanted.readlink() == Path("../wpa_supplicant@.service")
    assert "enable wpa_supplicant@" not in (IMAGE / "assemble.sh").read_text()
