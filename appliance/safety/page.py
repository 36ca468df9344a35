"""Shared pages: one small file in memory, exactly one writer, readers that distrust it.

Theory of operation. A page is a file of PAGE_BYTES in the runtime folder (a tmpfs), made of aligned 64-bit words in
the machine's byte order. Words 0 to 2 are the same on every page:

    word  name        meaning
    0     header      magic in the upper 48 bits, layout version in the lower 16; 0 while the page is being made
    1     boot_high   upper half of the kernel's boot id, so that a page left by another boot is foreign
    2     boot_low    lower half

A writer that finds its own page takes it over in place, so readers keep their mapping across its restart. It first
stores 0 as header, which makes the page nothing to everybody, then clears the rest, and stores the true header last.
"""

import mmap
import os
import stat
from pathlib import Path
from typing import Final

from appliance.core.errors import HardwareError

PAGE_BYTES: Final = 4096
WORD_BYTES: Final = 8
WORD_MASK: Final = 0xFFFF_FFFF_FFFF_FFFF
HEADER_WORD: Final = 0
BOOT_HIGH_WORD: Final = 1
BOOT_LOW_WORD: Final = 2
BODY_WORD: Final = 3

BootIdentity = tuple[int, int]
Words = memoryview

_BOOT_ID_DIGITS: Final = 32
_BOOT_ID_PATH: Final = Path("/proc/sys/kernel/random/boot_id")


def header(magic: bytes, version_count: int) -> int:
    """Return the header word of a page kind: six magic bytes and a layout version."""
    return int.from_bytes(magic[:6].ljust(6, b"\0"), "big") << 16 | version_count


def boot_identity(path: Path = _BOOT_ID_PATH) -> BootIdentity:
    """Return the two halves of the running kernel's boot id."""
    digits = path.read_text(encoding="ascii").strip().replace("-", "")
    if len(digits) != _BOOT_ID_DIGITS:
        raise HardwareError(f"{path} holds no boot id: shared pages cannot be told from those of another boot")
    return int(digits[:16], 16), int(digits[16:], 16)


def claim(path: Path, header_word: int, boot: BootIdentity) -> Words:
    """Take over or make the page at a path and return its cleared, writable words."""
    try:
        words = _map_writable(path)
    except OSError as error:
        raise HardwareError(
            f"cannot make the shared page {path}: {error.strerror}; check the runtime folder and its owner"
        ) from error
    words[HEADER_WORD] = 0
    for word in range(BOOT_HIGH_WORD, len(words)):
        words[word] = 0
    words[BOOT_HIGH_WORD], words[BOOT_LOW_WORD] = boot
    words[HEADER_WORD] = header_word
    return words


def map_readable(path: Path) -> Words | None:
    """Map a page read-only, or return nothing if the file is absent or has another size."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        if not _is_page(os.fstat(descriptor)):
            return None
        return memoryview(mmap.mmap(descriptor, PAGE_BYTES, access=mmap.ACCESS_READ)).cast("Q")
    except (OSError, ValueError):
        return None
    finally:
        os.close(descriptor)


def is_valid(words: Words, header_word: int, boot: BootIdentity) -> bool:
    """Tell whether a mapped page is of the wanted kind and of this boot."""
    return words[HEADER_WORD] == header_word and (words[BOOT_HIGH_WORD], words[BOOT_LOW_WORD]) == boot


def _map_writable(path: Path) -> Words:
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    descriptor = _open_own(path)
    try:
        return memoryview(mmap.mmap(descriptor, PAGE_BYTES, access=mmap.ACCESS_WRITE)).cast("Q")
    finally:
        os.close(descriptor)


def _open_own(path: Path) -> int:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        return _make(path)
    found = os.fstat(descriptor)
    if _is_page(found) and found.st_uid == os.geteuid():
        return descriptor
    # A file that is no page of ours is replaced, never resized: shrinking would kill those who have it mapped.
    os.close(descriptor)
    return _make(path)


def _make(path: Path) -> int:
    making = path.with_name(path.name + ".making")
    making.unlink(missing_ok=True)
    descriptor = os.open(making, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
    os.fchmod(descriptor, 0o644)
    os.posix_fallocate(descriptor, 0, PAGE_BYTES)
    making.rename(path)
    return descriptor


def _is_page(found: os.stat_result) -> bool:
    return stat.S_ISREG(found.st_mode) and found.st_size == PAGE_BYTES
