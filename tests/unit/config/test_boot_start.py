"""What the Raspberry Pi's firmware starts: config.txt read as the firmware reads it."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "firmware_config"


def _settings(section: str) -> dict[str, str]:
    """Return what holds for a boot of one kind: lines before any filter, of that filter, and of [all]."""
    found: dict[str, str] = {}
    held = "all"
    for line in (FOLDER / "config.txt").read_text().splitlines():
        if line.startswith("["):
            held = line.strip("[]")
        elif line and not line.startswith("#") and held in {"all", section}:
            name, _, value = line.partition(" " if line.startswith("initramfs ") else "=")
            if name != "gpio":
                found[name] = value
    return found


def test_the_two_slots_differ_in_their_folder_alone() -> None:
    """Shows that a trial boot takes everything from the other slot; fails when it would mix two systems."""
    usual, trial = _settings("all"), _settings("tryboot")
    assert (usual.pop("os_prefix"), trial.pop("os_prefix")) == ("a/", "b/")
    assert usual == trial
    assert usual["kernel"] == "vmlinuz"
    assert usual["initramfs"] == "initrd.img followkernel"


def test_the_image_puts_there_what_the_firmware_looks_for() -> None:
    """Shows that the names in config.txt are those the image is made with; fails when one of them is renamed alone."""
    recipe = (ROOT / "image/card.sh").read_text()
    for name in ("a/vmlinuz", "a/initrd.img"):
        assert f'"$fat/{name}"' in recipe


def test_every_filter_is_ended() -> None:
    """Shows that no setting hides behind a filter meant for another; fails when the last filter is not [all]."""
    filters = re.findall(r"(?m)^\[(.*)\]$", (FOLDER / "config.txt").read_text())
    assert filters == ["tryboot", "all"]


def test_the_core_kept_free_is_the_guardians() -> None:
    """Shows that the kernel keeps free the very core that the guardian runs on; fails when one of the two moves."""
    words = dict(word.partition("=")[::2] for word in (FOLDER / "cmdline.txt").read_text().split())
    unit = (ROOT / "systemd/system/bot4-guardian.service").read_text()
    own = re.search(r"(?m)^CPUAffinity=(\d+)$", unit)
    assert own is not None
    assert words["isolcpus"] == own[1]
    assert words["irqaffinity"] == "0-2"
    assert "ro" in words
    assert "rw" not in words
