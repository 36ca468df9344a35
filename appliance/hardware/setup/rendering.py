"""What the system's own services read, made from the settings at every start and kept in memory only."""

from ipaddress import ip_address
from typing import Final

from appliance.core.settings.table import Config
from appliance.hardware.setup.settings import Setup

TIME_FILE: Final = "chrony/servers.conf"
FIREWALL_FILE: Final = "nftables.d/opened.nft"
KEY_FILE: Final = "ssh/authorized_keys"
WIFI_FILE: Final = "wpa_supplicant-wlan0.conf"


def rendered(setup: Setup, config: Config | None, wifi_key: str) -> dict[str, str]:
    """Return the text of each file by its path below the folder of the settings."""
    files = {TIME_FILE: _time(setup), FIREWALL_FILE: _firewall(setup, config)}
    if setup.ssh is not None:
        files[KEY_FILE] = setup.ssh.public_key + "\n"
    if setup.wifi is not None:
        files[WIFI_FILE] = _wifi(setup.wifi.country, setup.wifi.network, wifi_key)
    return files


def _time(setup: Setup) -> str:
    return "".join(f"server {server} iburst\n" for server in setup.time.servers)


def _firewall(setup: Setup, config: Config | None) -> str:
    rules = []
    if setup.ssh is not None:
        rules.append("add rule inet bot4 settings tcp dport 22 ct state new limit rate 6/minute burst 6 packets accept")
    if config is not None and config.reporter.panel_port and not ip_address(config.reporter.panel_host).is_loopback:
        rules.append(f"add rule inet bot4 settings tcp dport {config.reporter.panel_port} accept")
    return "".join(f"{rule}\n" for rule in rules)


def _wifi(country: str, network: str, key: str) -> str:
    how = f"psk={key}" if key else "key_mgmt=NONE"
    return f'country={country}\nnetwork={{\n    ssid="{network}"\n    {how}\n}}\n'
