"""What the bench takes out of the image, puts onto its card, and gives the first program of the boot besides."""

import gzip
import re
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
SECTOR_BYTES = 512
BOOT_START_SECTOR = 8192
MODULES = "usr/lib/modules/"
HANDING_OVER = "for place in dev proc sys run;"
# What the bench writes into the card's appliance.toml. Three switches are wired here and not on a box as delivered. The
# rest is what counts as silence: an emulated processor, shared with others, stands still for longer than a board. What
# the bench gives systemd's own limits stands in hook.sh.
SETTINGS = {
    "tamper_fitted": "true",
    "relay_fitted": "true",
    "yellow_fitted": "true",
    "lease_expiry_ms": "2000",
    "acknowledge_ms_max": "10000",
    "heartbeat_ms_max": "20000",
    "disk_ms_max": "8000",
}


def fat_at(card: Path) -> str:
    """Return how mtools names the card's first partition."""
    return f"{card}@@{BOOT_START_SECTOR * SECTOR_BYTES}"


def extracted(card: Path, name: str, folder: Path) -> Path:
    """Return a copy of a file on the first partition."""
    found = folder / Path(name).name
    found.unlink(missing_ok=True)
    subprocess.run(["mcopy", "-i", fat_at(card), f"::{name}", str(found)], check=True)
    return found


def put(card: Path, name: str, text: str) -> None:
    """Write a file onto the first partition, as the owner does with a card reader."""
    words = ["mcopy", "-o", "-i", fat_at(card), "-", f"::{name}"]
    subprocess.run(words, input=text.encode(), check=True)


def read(card: Path, name: str) -> str:
    """Return a text on the first partition, or nothing."""
    done = subprocess.run(["mtype", "-i", fat_at(card), f"::{name}"], capture_output=True, check=False)
    return done.stdout.decode(errors="replace")


def fit(card: Path) -> None:
    """Write the bench's settings onto a card, as the owner would; a name that the card does not have is a mistake."""
    text = read(card, "appliance.toml")
    for name, value in SETTINGS.items():
        text, count = re.subn(rf"(?m)^{name} = .*$", f"{name} = {value}", text)
        if count != 1:
            raise LookupError(f"appliance.toml on the card has {name} {count} times")
    put(card, "appliance.toml", text)


def kernel_version(image: Path, folder: Path) -> str:
    """Return which kernel an image has: the one its first disk has modules for."""
    packed = extracted(image, "a/initrd.img", folder).read_bytes()
    words = ["cpio", "--quiet", "--list"]
    listed = subprocess.run(words, input=gzip.decompress(packed), capture_output=True, check=True).stdout.decode()
    return next(line for line in listed.splitlines() if line.startswith(MODULES)).split("/")[3]


def initrd_with_bench(initrd: Path, folder: Path, gpio_module: Path | None) -> Path:
    """Return the image's own first disk, followed by what the bench adds; the kernel unpacks one after the other."""
    extra = folder / "extra"
    (extra / "bench").mkdir(parents=True, exist_ok=True)
    init = (ROOT / "image/initrd/init").read_text()
    if HANDING_OVER not in init:
        raise LookupError("the image's first program hands over in another way than the bench knows")
    (extra / "init").write_text(init.replace(HANDING_OVER, ". /bench/hook.sh\n" + HANDING_OVER, 1))
    (extra / "init").chmod(0o755)
    for name in ("hook.sh", "agent.py"):
        (extra / "bench" / name).write_bytes((HERE / name).read_bytes())
    if gpio_module is not None:
        (extra / "bench/gpio-sim.ko").write_bytes(gpio_module.read_bytes())
    names = "\n".join(str(path.relative_to(extra)) for path in sorted(extra.rglob("*"))) + "\n"
    words = ["cpio", "--quiet", "--create", "--format=newc", "--owner=0:0"]
    archive = subprocess.run(words, input=names.encode(), cwd=extra, capture_output=True, check=True).stdout
    both = folder / "initrd-with-bench.img"
    both.write_bytes(initrd.read_bytes() + gzip.compress(archive, mtime=0))
    return both
