"""The card's partitions."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
CARD_BYTES = 4_000_000_000


def _sfdisk() -> str:
    found = shutil.which("sfdisk") or shutil.which("sfdisk", path="/usr/sbin:/sbin")
    if found is None:
        pytest.skip("sfdisk is not installed: apt-get install fdisk")
    return found


def test_the_layout_is_accepted_and_holds_what_the_boot_asks_for(tmp_path: Path) -> None:
    """Show that a 4 GB card takes the layout and that the root the kernel is told of exists; fails on a bad table."""
    card = tmp_path / "card"
    with card.open("wb") as file:
        file.truncate(CARD_BYTES)
    layout = (ROOT / "image/layout.sfdisk").read_text()
    subprocess.run([_sfdisk(), "--quiet", str(card)], input=layout, text=True, check=True, timeout=30)
    told = subprocess.run([_sfdisk(), "--json", str(card)], capture_output=True, text=True, check=True, timeout=30)
    partitions = json.loads(told.stdout)["partitiontable"]["partitions"]
    names = [partition["name"] for partition in partitions]
    assert names == ["boot", "system_a", "system_b", "data"]
    assert partitions[1]["size"] == partitions[2]["size"], "an update must fit the other slot"
    assert all(partition["start"] % 8192 == 0 for partition in partitions), "cards erase in blocks of 4 MiB"
    asked_for = re.search(r"root=PARTLABEL=(\S+)", (ROOT / "firmware_config/cmdline.txt").read_text())
    assert asked_for is not None
    assert asked_for[1] in names
