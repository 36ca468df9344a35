"""Telling systemd, over a real local datagram socket."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from appliance.core.errors import HardwareError
from appliance.hardware.watchdog import Notifier


@pytest.mark.parametrize("kind", ["path", "abstract"])
def test_each_message_is_one_datagram(tmp_path: Path, kind: str) -> None:
    """Systemd's two kinds of address both work; it fails if a message were lost or joined to another."""
    address = str(tmp_path / "notify") if kind == "path" else f"@appliance-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(address.replace("@", "\0"))
        notifier = Notifier({"NOTIFY_SOCKET": address})
        notifier.ready()
        notifier.alive()
        notifier.status("lamp: green\nSTOPPING=1")
        notifier.stopping()
        received = [systemd.recv(100) for _ in range(4)]
        notifier.close()
    assert received == [b"READY=1", b"WATCHDOG=1", b"STATUS=lamp: green STOPPING=1", b"STOPPING=1"]


def test_a_vanished_listener_is_counted_and_stops_nobody(tmp_path: Path) -> None:
    """A dead systemd must not stop the caller; it fails if sending raised or the loss went uncounted."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        notifier = Notifier({"NOTIFY_SOCKET": str(tmp_path / "notify")})
    notifier.alive()
    assert notifier.failed_count == 1
    notifier.close()


def test_without_systemd_nothing_is_sent_and_no_socket_loaded() -> None:
    """Outside systemd the module stays unloaded; it fails if importing it brought a socket."""
    code = (
        "import sys; from appliance.hardware.watchdog import Notifier; n = Notifier({}); n.ready(); n.alive(); "
        "print(n.connected, 'socket' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["False", "False"]


@pytest.mark.parametrize("address", ["relative", "/nowhere/at/all"])
def test_a_useless_address_is_an_error(address: str) -> None:
    """A service that systemd expects to hear from must not run unheard; it fails if it started anyway."""
    with pytest.raises(HardwareError):
        Notifier({"NOTIFY_SOCKET": address})
