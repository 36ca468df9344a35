"""What the image keeps shut until the owner's settings open it."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.core.config import loads
from appliance.hardware.setup.rendering import FIREWALL_FILE, rendered
from appliance.hardware.setup.settings import Setup, Ssh

FILES = Path(__file__).resolve().parents[3] / "image/files"
OUTSIDE, INSIDE = "10.231.0.1", "10.231.0.2"
SSH, PANEL = 22, 8470
LISTEN = f"""
import socket, time
held = [socket.create_server(("{INSIDE}", port)) for port in ({SSH}, {PANEL})]
print("listening", flush=True)
time.sleep(60)
"""
CONNECT = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 1.0)"


def _run(*words: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(words, capture_output=True, text=True, check=check, timeout=30)


class Box:
    """Stand for the box in a network of its own, with somebody beside it."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.rules = folder / "nftables.conf"
        self.opened = folder / "opened.nft"
        text = (FILES / "etc/nftables.conf").read_text()
        self.rules.write_text(text.replace("/run/bot4-setup/nftables.d/*.nft", str(self.opened)))

    def load(self, opened: str) -> None:
        """Bring the firewall into force, with what the settings open."""
        self.opened.write_text(opened)
        _run("ip", "netns", "exec", self.name, "nft", "-f", str(self.rules))

    def lets_in(self, port: int) -> bool:
        """Tell whether somebody on the home network gets through to a port on which something listens."""
        return _run(sys.executable, "-c", CONNECT, INSIDE, str(port), check=False).returncode == 0


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    """Return a box on a wire to this machine."""
    if os.geteuid() != 0 or shutil.which("nft") is None or shutil.which("ip") is None:
        pytest.skip("a network of its own takes root, nft and ip: apt-get install nftables iproute2")
    name = f"b4{os.getpid()}"
    _run("ip", "netns", "add", name)
    listener = None
    try:
        _run("ip", "link", "add", name, "type", "veth", "peer", "name", "inner", "netns", name)
        _run("ip", "address", "add", f"{OUTSIDE}/30", "dev", name)
        _run("ip", "link", "set", name, "up")
        for words in (("address", "add", f"{INSIDE}/30", "dev", "inner"), ("link", "set", "inner", "up")):
            _run("ip", "-n", name, *words)
        command = ["ip", "netns", "exec", name, sys.executable, "-c", LISTEN]
        listener = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert listener.stdout is not None
        assert listener.stdout.readline() == "listening\n"
        yield Box(name, tmp_path)
    finally:
        if listener is not None:
            listener.kill()
            listener.communicate()
        _run("ip", "netns", "delete", name, check=False)
        _run("ip", "link", "delete", name, check=False)


def test_nothing_comes_in_that_the_settings_do_not_open(box: Box) -> None:
    """Shows that a port on which something listens cannot be reached by default; fails when the policy is not drop."""
    box.load("")
    assert not box.lets_in(SSH)
    assert not box.lets_in(PANEL)


def test_what_the_settings_open_can_be_reached_and_nothing_else(box: Box) -> None:
    """Shows that the rules made from an SSH key open its port alone; fails when they open nothing, or the panel too."""
    key = Ssh(public_key="ssh-ed25519 " + "A" * 68)
    box.load(rendered(Setup(ssh=key), loads(""), "")[FIREWALL_FILE])
    assert box.lets_in(SSH)
    assert not box.lets_in(PANEL)


def test_ssh_waits_for_a_key_and_never_takes_a_password() -> None:
    """Shows that the server starts only with the owner's key, and knows no other way in; fails when it starts without
    one, or takes passwords.
    """
    unit = (FILES / "usr/lib/systemd/system/ssh.service.d/bot4-edge.conf").read_text()
    assert re.search(r"(?m)^ConditionPathExists=/run/bot4-setup/ssh/authorized_keys$", unit)
    server = (FILES / "etc/ssh/sshd_config.d/bot4-edge.conf").read_text().splitlines()
    assert {"PasswordAuthentication no", "KbdInteractiveAuthentication no"} <= set(server)
    assert "AuthorizedKeysFile /run/bot4-setup/ssh/authorized_keys" in server
