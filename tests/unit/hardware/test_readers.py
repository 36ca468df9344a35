"""Reading the machine's files: real ones in a folder of their own, in every state they can be in."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.hardware import memory, power, storage, thermal
from appliance.hardware.sysfs import FILES_MAX, TEXT_BYTES_MAX, text_of
from appliance.safety.health.disk_wear import Wear
from appliance.safety.health.verdict import Absent, Unreadable


def write(path: Path, text: str) -> Path:
    """Write a file and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def zone(root: Path, number: int, kind: str, millicelsius: str) -> None:
    """Make a thermal zone as the kernel does."""
    folder = root / f"class/thermal/thermal_zone{number}"
    write(folder / "type", kind + "\n")
    write(folder / "temp", millicelsius + "\n")


FIRMWARE = "devices/platform/soc/soc:firmware/get_throttled"
SENSOR = "class/hwmon/hwmon1"


def test_the_processors_zone_is_found_among_others(tmp_path: Path) -> None:
    """Shows that only a zone of the processor counts; fails when a battery's or a radio's temperature is taken."""
    zone(tmp_path, 0, "iwlwifi", "99000")
    assert isinstance(thermal.temperature_millicelsius(tmp_path), Absent)
    zone(tmp_path, 1, "cpu-thermal", "48312")
    assert thermal.temperature_millicelsius(tmp_path) == 48_312


def test_the_firmwares_word_is_read_in_either_form(tmp_path: Path) -> None:
    """Shows the attribute's plain form and vcgencmd's; fails when one is read as decimal."""
    for text in ("50005", "0x50005", "throttled=0x50005"):
        write(tmp_path / FIRMWARE, text + "\n")
        assert power.throttled_bits(tmp_path) == 0x50005
        assert power.voltage_bits(tmp_path) == 0x50005


def test_the_sensor_serves_where_the_firmware_says_nothing(tmp_path: Path) -> None:
    """Shows that the under-voltage sensor is found by its name, and is bit 0; fails when another sensor is taken."""
    write(tmp_path / "class/hwmon/hwmon0/name", "cpu_thermal\n")
    write(tmp_path / "class/hwmon/hwmon0/in0_lcrit_alarm", "1\n")
    assert isinstance(power.voltage_bits(tmp_path), Absent)
    write(tmp_path / SENSOR / "name", "rpi_volt\n")
    for text, bits in (("0", 0), ("1", 1)):
        write(tmp_path / SENSOR / "in0_lcrit_alarm", text + "\n")
        assert power.voltage_bits(tmp_path) == bits
    assert isinstance(power.throttled_bits(tmp_path), Absent)


def test_the_kernels_available_memory_is_read(tmp_path: Path) -> None:
    """Shows that MemAvailable is read, in bytes, and not MemFree; fails when the page cache counts as lost."""
    write(tmp_path / "meminfo", "MemTotal:  4000000 kB\nMemFree:  100 kB\nMemAvailable:  2048 kB\n")
    assert memory.available_bytes(tmp_path) == 2_048 * 1_024
    assert isinstance(memory.available_bytes(), int)


@pytest.mark.parametrize(
    ("read", "path", "text"),
    [
        (thermal.temperature_millicelsius, "class/thermal/thermal_zone0/temp", "hot"),
        (power.throttled_bits, FIRMWARE, "maybe"),
        (power.voltage_bits, FIRMWARE, ""),
        (power.voltage_bits, SENSOR + "/in0_lcrit_alarm", "2"),
        (memory.available_bytes, "meminfo", "MemFree: 1 kB"),
        (memory.available_bytes, "meminfo", "MemAvailable: lots kB"),
        (memory.available_bytes, "meminfo", "MemAvailable:"),
    ],
)
def test_noise_is_unreadable(tmp_path: Path, read: Callable[[Path], object], path: str, text: str) -> None:
    """Shows that a file which is there and says nothing sensible is neither good nor absent; fails when it is either,
    or the reader raises.
    """
    zone(tmp_path, 0, "cpu-thermal", "1")
    write(tmp_path / SENSOR / "name", "rpi_volt\n")
    write(tmp_path / path, text)
    assert isinstance(read(tmp_path), Unreadable)


@pytest.mark.parametrize("read", [thermal.temperature_millicelsius, power.throttled_bits, memory.available_bytes])
def test_an_empty_machine_has_nothing(tmp_path: Path, read: Callable[[Path], object]) -> None:
    """Shows that without any of the files the word is absent; fails when a missing sensor reads as zero."""
    assert isinstance(read(tmp_path), Absent)
    assert isinstance(power.voltage_bits(tmp_path), Absent)


def test_a_file_that_fails_or_never_ends_is_bounded(tmp_path: Path) -> None:
    """Shows that a folder in a file's place is unreadable, bytes that are no text too, and that a long file is read in
    part; fails when a reader raises or takes what it is given.
    """
    assert isinstance(text_of(tmp_path), Unreadable)
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    assert isinstance(text_of(tmp_path / "bytes"), Unreadable)
    long = write(tmp_path / "long", "7" * 10 * TEXT_BYTES_MAX)
    assert text_of(long) == "7" * TEXT_BYTES_MAX


def test_the_zones_looked_at_are_bounded(tmp_path: Path) -> None:
    """Shows that no number of zones makes a look long; fails when the search has no end."""
    for number in range(FILES_MAX):
        zone(tmp_path, number, "other", "1")
    zone(tmp_path, 999, "cpu-thermal", "1")
    assert isinstance(thermal.temperature_millicelsius(tmp_path), Absent)


def test_room_and_mount_of_a_real_folder(tmp_path: Path) -> None:
    """Shows a real file system: some room, and mounted for writing; fails when the numbers are of another kind."""
    found = os.statvfs(tmp_path)
    free = storage.free_bytes(tmp_path)
    assert isinstance(free, int)
    assert 0 < free <= found.f_blocks * found.f_frsize
    assert storage.writable(tmp_path) is True
    for read in (storage.free_bytes, storage.writable):
        assert isinstance(read(tmp_path / "gone"), Unreadable)


def test_a_read_only_mount_is_seen() -> None:
    """Shows a file system of this machine that is mounted read-only, if it has one; fails when the flag is not read."""
    mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    sealed = [Path(mount[1]) for mount in mounts if "ro" in mount[3].split(",") and Path(mount[1]).exists()]
    if not sealed:
        pytest.skip("this machine has no read-only mount")
    assert storage.writable(sealed[0]) is False


STAT = "  10 0 80 5 20 0 {} 9 0 14 14 0 0 0 0 0 0\n"


def test_writing_is_measured_from_the_first_look(tmp_path: Path) -> None:
    """Shows sectors turned into bytes since the first look, the used life where the chip tells it, and that a counter
    which began anew is not a negative amount; fails when the days before count.
    """
    device = tmp_path / "block/mmcblk0/mmcblk0p2"
    write(device / "stat", STAT.format(1_000))
    meter = storage.WearMeter(device)
    assert meter.read(5) == Wear(0, 0, None)
    write(device / "stat", STAT.format(1_300))
    assert meter.read(25) == Wear(300 * 512, 20, None)
    write(device.parent / "device/life_time", "0x02 0x04\n")
    write(device / "stat", STAT.format(10))
    assert meter.read(30) == Wear(0, 0, 4)


def test_a_device_that_is_none_or_broken(tmp_path: Path) -> None:
    """Shows that a folder on no block device is absent and a counter of noise unreadable; fails when either is good."""
    assert isinstance(storage.WearMeter(None).read(0), Absent)
    write(tmp_path / "stat", "1 2 3\n")
    assert isinstance(storage.WearMeter(tmp_path).read(0), Unreadable)
    assert storage.device_under(tmp_path, tmp_path) is None


def test_the_device_under_a_folder_is_found_by_its_number(tmp_path: Path) -> None:
    """Shows that the kernel's link by device number is followed; fails when another disk is measured."""
    number = tmp_path.stat().st_dev
    disk = tmp_path / "sys/devices/disk7"
    disk.mkdir(parents=True)
    link = tmp_path / f"sys/dev/block/{os.major(number)}:{os.minor(number)}"
    link.parent.mkdir(parents=True)
    link.symlink_to(disk)
    assert storage.device_under(tmp_path, tmp_path / "sys") == disk
