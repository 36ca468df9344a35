"""No secret leaves its own file: whatever the tests produced is searched for what lies in their key files.

Every process that a test starts makes or gets real secrets: the venue's keys, the panel's token, the broker's password.
They lie in files that are named for it. When a session ends, everything else below the tests' folders is searched for
them, in clear, in base 64 and in hex: logs, backups, recordings, the journal's and the outbox's databases value by
value, the audit log, status files, what is compressed, and what the tests printed. A folder is searched for the secrets
of that same folder, because every test has its own; the made-up ones that begin with `canary-` are searched everywhere.
`tests/session_folder.py` brings here what tests leave outside of their folders.
"""

import base64
import lzma
import os
import re
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import zstandard

SECRET_FILES = ("key", "secret", "password", "passwords", "*.key", "*.token", "*.pem", "credential.secret")
MADE_UP = re.compile(rb"canary-[0-9a-f]{6,}")
PRIVATE_KEY = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----(.*?)-----END", re.DOTALL)
SECRET_BYTES_MAX = 16 << 10
SECRET_LETTERS_MIN = 16
FILE_BYTES_MAX = 256 << 20
UNPACKED_BYTES_MAX = 256 << 20
DEPTH_MAX = 3
_DATABASE = b"SQLite format 3\0"
_MAGICS = (b"\x28\xb5\x2f\xfd", b"\x1f\x8b\x08", b"\xfd7zXZ\0")


def is_secret_file(path: Path) -> bool:
    """Tell whether a file is the place of a secret, by its name."""
    return any(path.match(pattern) for pattern in SECRET_FILES)


def needles_in(folder: Path) -> set[bytes]:
    """Return what must not be found outside of the folder's secret files."""
    found: set[bytes] = set()
    for path in _files(folder):
        if is_secret_file(path) and path.stat().st_size <= SECRET_BYTES_MAX:
            for line in _secret_lines(path.read_bytes()):
                # Of a venue's key the first half is its name.
                word = line.strip().rpartition(b":")[2]
                if len(word) >= SECRET_LETTERS_MIN:
                    found |= _forms(word)
    return found


def leaks_in(folder: Path) -> list[str]:
    """Return a sentence for every file below a test's folder that holds a secret of it."""
    needles = needles_in(folder)
    return [f"{path} holds a secret" for path in _files(folder) if _is_plain(path) and holds(_written(path), needles)]


def holds(data: bytes, needles: set[bytes], depth: int = 0) -> bool:
    """Tell whether data holds a secret, also inside of what is packed in it."""
    if MADE_UP.search(data) or any(needle in data for needle in needles):
        return True
    if depth >= DEPTH_MAX:
        return False
    inner = _values(data) if data.startswith(_DATABASE) else _unpacked(data)
    return any(holds(one, needles, depth + 1) for one in inner)


def _secret_lines(data: bytes) -> list[bytes]:
    """Return the lines that are secret: of a file with certificates only those of its private key."""
    if b"-----BEGIN" not in data:
        return data.splitlines()
    return [line for block in PRIVATE_KEY.findall(data) for line in block.splitlines()]


def _forms(word: bytes) -> set[bytes]:
    """Return a secret in every dress: as it is, base 64 at any place within other bytes, hex, and what it encodes."""
    dresses = {word, word.hex().encode(), word.hex().upper().encode()}
    for shift in range(3):
        # The first and the last letters depend on the neighbours.
        encoded = base64.b64encode(b"\0" * shift + word)
        dresses.add(encoded[4 if shift else 0 : len(encoded) // 4 * 4 - 4])
    try:
        meant = base64.b64decode(word, validate=True)
    except ValueError:
        return dresses
    return dresses | {meant, meant.hex().encode()} if len(meant) >= SECRET_LETTERS_MIN else dresses


def _is_plain(path: Path) -> bool:
    return path.is_file() and not path.is_symlink() and not is_secret_file(path)


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink())


def _written(path: Path) -> bytes:
    """Return what was written to a file; a hole of gigabytes is nothing to read."""
    if path.stat().st_blocks * 512 > FILE_BYTES_MAX:
        raise OSError(f"{path} is too large to be searched for secrets: let its test remove it")
    parts: list[bytes] = []
    with path.open("rb") as file:
        end = 0
        while True:
            try:
                start = os.lseek(file.fileno(), end, os.SEEK_DATA)
            except OSError:  # ENXIO: nothing but a hole follows
                return b"".join(parts)
            end = os.lseek(file.fileno(), start, os.SEEK_HOLE)
            file.seek(start)
            parts.append(file.read(end - start))


def _values(data: bytes) -> Iterator[bytes]:
    """Yield every value of a database as it lay on the disk, so that none hides across pages."""
    connection = sqlite3.connect(":memory:")
    try:
        connection.deserialize(data)
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            for row in connection.execute(f'SELECT * FROM "{table}"'):  # noqa: S608 - a name from the database itself
                for value in row:
                    if isinstance(value, bytes):
                        yield value
                    elif isinstance(value, str):
                        yield value.encode(errors="surrogatepass")
    except sqlite3.DatabaseError:
        return  # a test had damaged it on purpose; its bytes were searched
    finally:
        connection.close()


def _unpacked(data: bytes) -> Iterator[bytes]:
    for magic in _MAGICS:
        start = data.find(magic)
        while start >= 0:
            yield _unpack(memoryview(data)[start:], magic)
            start = data.find(magic, start + len(magic))


def _unpack(data: memoryview, magic: bytes) -> bytes:
    """Return what a packed piece holds as far as it can be read: of one that was cut, what comes before the cut."""
    try:
        if magic == _MAGICS[0]:
            return zstandard.ZstdDecompressor().stream_reader(data).read(UNPACKED_BYTES_MAX)
        if magic == _MAGICS[1]:
            return zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(data, UNPACKED_BYTES_MAX)
        return lzma.LZMADecompressor().decompress(data, UNPACKED_BYTES_MAX)
    except (zstandard.ZstdError, zlib.error, lzma.LZMAError, EOFError):
        return b""


def folders_of_tests(base: Path) -> Iterator[Path]:
    """Yield every test's own folder below a session's, those of parallel workers too."""
    for entry in sorted(base.iterdir()) if base.is_dir() else ():
        if entry.is_symlink() or not entry.is_dir():
            continue
        if entry.name.startswith("popen-"):
            yield from folders_of_tests(entry)
        else:
            yield entry


def search(base: Path | None, printed: Sequence[str], others: Iterable[Path] = ()) -> list[str]:
    """Return every leak of a session: in its folders, and of any folder's secret in other files and in what was
    printed.
    """
    leaks: list[str] = []
    needles: set[bytes] = set()
    for folder in folders_of_tests(base) if base is not None else ():
        leaks += leaks_in(folder)
        needles |= needles_in(folder)
    leaks += [f"{path} holds a secret" for path in others if _is_plain(path) and holds(_written(path), needles)]
    if holds("\n".join(printed).encode(errors="surrogatepass"), needles):
        leaks.append("what a test printed or logged holds a secret")
    return leaks
