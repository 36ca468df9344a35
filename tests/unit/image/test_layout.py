"""The card's partitions: what is written to it, and what the box makes of it at its first boot."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
DEFINITIONS = ROOT / "image/files/usr/lib/repart.d"
CARD_BYTES = 4_000_000_000
SECTORS_OF_4_MIB = 8192
SECTORS_OF_1_GIB = 2_097_152


def _tool(name: str, package: str) -> str:
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
    if found is None:
        pytest.skip(f"{name} is not installed: apt-get install {package}")
    return found


def _partitions(card: Path) -> list[dict[str, Any]]:
    words = [_tool("sfdisk", "fdisk"), "--json", str(card)]
    told = subprocess.run(words, capture_output=True, text=True, check=True, timeout=30)
    found: list[dict[str, Any]] = json.loads(told.stdout)["partitiontable"]["partitions"]
    return found


@pytest.fixture
def card(tmp_path: Path) -> Path:
    """Return a card of 4 GB as the image leaves it."""
    path = tmp_path / "card"
    with path.open("wb") as file:
        file.truncate(CARD_BYTES)
    layout = (ROOT / "image/layout.sfdisk").read_text()
    words = [_tool("sfdisk", "fdisk"), "--quiet", str(path)]
    subprocess.run(words, input=layout, text=True, check=True, timeout=30)
    hybrid = [_tool("python3", "python3"), str(ROOT / "image/hybrid_table.py"), str(path)]
    subprocess.run(hybrid, check=True, timeout=30)
    return path


def _first_boot(card: Path) -> None:
    words = [
        _tool("systemd-repart", "systemd"),
        f"--definitions={DEFINITIONS}",
        "--dry-run=no",
        "--no-pager",
        str(card),
    ]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr


def test_the_image_holds_what_the_boot_asks_for(card: Path) -> None:
    """Show that the layout is accepted and holds the root the kernel is told of; fails on a bad table."""
    names = [partition["name"] for partition in _partitions(card)]
    assert names == ["boot", "system_a"]
    asked_for = re.search(r"root=PARTLABEL=(\S+)", (ROOT / "firmware_config/cmdline.txt").read_text())
    assert asked_for is not None
    assert asked_for[1] in names


def test_the_first_boot_makes_the_other_slot_and_gives_the_data_the_rest(card: Path) -> None:
    """Show what systemd makes of a 4 GB card; fails when a slot has another size, or room is left, or lost."""
    before = _partitions(card)
    _first_boot(card)
    partitions = _partitions(card)
    assert [partition["name"] for partition in partitions] == ["boot", "system_a", "system_b", "data"]
    assert partitions[:2] == [{**one, "node": one["node"]} for one in before], "what was written stays where it is"
    assert partitions[1]["size"] == partitions[2]["size"] == SECTORS_OF_1_GIB, "an update must fit the other slot"
    assert all(partition["start"] % SECTORS_OF_4_MIB == 0 for partition in partitions), "cards erase in 4 MiB"
    assert CARD_BYTES - 512 * (partitions[3]["start"] + partitions[3]["size"]) < 2 * 1024 * 1024
    with card.open("rb") as file:
        file.seek(512 * partitions[3]["start"] + 1024 + 56)
        assert file.read(2) == b"\x53\xef", "the data partition has its file system"


def test_a_second_boot_changes_nothing(card: Path) -> None:
    """Show that later boots leave the card alone; fails when data would be formatted again."""
    _first_boot(card)
    before = _partitions(card)
    _first_boot(card)
    assert _partitions(card) == before


def test_old_boot_programs_find_the_first_partition(card: Path) -> None:
    """Show that the old table names the first partition, also after the first boot; fails when a Pi 3 finds nothing."""
    boot = _partitions(card)[0]
    for _ in range(2):
        with card.open("rb") as file:
            table = file.read(512)
        assert table[510:] == b"\x55\xaa"
        assert table[446 + 4] == 0x0C
        assert int.from_bytes(table[446 + 8 : 446 + 12], "little") == boot["start"]
        assert int.from_bytes(table[446 + 12 : 446 + 16], "little") == boot["size"]
        assert table[462 + 4] == 0xEE
        _first_boot(card)
