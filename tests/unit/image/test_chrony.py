"""What the image tells the time service."""

from pathlib import Path

CHRONY = Path(__file__).resolve().parents[3] / "image/files/etc/chrony/chrony.conf"


def test_the_kernel_is_told_that_its_clock_is_right() -> None:
    """Shows that chrony clears the kernel's mark of an unset clock; fails when the box could never open anything."""
    assert "rtcsync" in CHRONY.read_text().splitlines()
