"""What a program did to the files below one folder, call by call, as strace saw it.

Only calls that change what a disk must keep are read: writes, truncations, names, syncs. A call counts from the moment
it returned. What the program acknowledges, it prints as `ack N`; those lines are part of the order.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

CALLS = (
    "openat,creat,lseek,pwrite64,write,pwritev,writev,truncate,ftruncate,fallocate,fsync,fdatasync,"
    "rename,renameat,renameat2,unlink,unlinkat,link,linkat,mkdir,close"
)
RUN_S_MAX = 120
STRING_BYTES_MAX = 1 << 24
ACKNOWLEDGED = re.compile(rb"ack (\d+)\n")
_LINE = re.compile(r"(?P<pid>\d+) +(?P<rest>.*)")
_CALL = re.compile(r"(?P<name>\w+)\((?P<arguments>.*)\) += (?P<result>-?\d+)(?:<(?P<opened>[^>]*)>)?.*", re.DOTALL)
_RESUMED = re.compile(r"<\.\.\. (?P<name>\w+) resumed>,? ?(?P<rest>.*)", re.DOTALL)
_STRING = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
_DESCRIPTOR = re.compile(r"(\d+)<([^>]*)>")
_UNFINISHED = " <unfinished ...>"


class Write(NamedTuple):
    """Bytes were written; no offset means at the end."""

    path: str
    offset: int | None
    data: bytes


class Truncate(NamedTuple):
    """A file was given a length."""

    path: str
    length: int


class Grow(NamedTuple):
    """A file was made to have at least a length."""

    path: str
    length: int


class Create(NamedTuple):
    """A name came to be."""

    path: str


class Rename(NamedTuple):
    """A name was replaced."""

    old: str
    new: str


class Unlink(NamedTuple):
    """A name went."""

    path: str


class Sync(NamedTuple):
    """A file or a folder was made durable."""

    path: str


class Acknowledge(NamedTuple):
    """The program promised that everything up to a number is kept."""

    number: int


Operation = Write | Truncate | Grow | Create | Rename | Unlink | Sync | Acknowledge


def traced(folder: Path, module: str, *words: str) -> list[Operation]:
    """Run a module of ours under strace and return what it did below a folder."""
    log = folder.with_name(folder.name + ".strace")
    command = ["strace", "-f", "-y", "-xx", "-s", str(STRING_BYTES_MAX), "-e", f"trace={CALLS}", "-o", str(log)]
    command += [sys.executable, "-m", module, str(folder), *words]
    done = subprocess.run(command, capture_output=True, timeout=RUN_S_MAX, check=False)
    if done.returncode:
        raise RuntimeError(f"{module} ended with {done.returncode}: {done.stderr.decode(errors='replace')[-2000:]}")
    return list(_operations(log.read_text(), str(folder)))


def _operations(text: str, folder: str) -> Iterator[Operation]:
    """Keep what happened below the folder; descriptors are followed to know where a plain write lands."""
    reader = _Reader(folder)
    for name, arguments, result, opened in _calls(text):
        if result >= 0:
            yield from reader.read(name, arguments, result, opened)


def _calls(text: str) -> Iterator[tuple[str, str, int, str]]:
    begun: dict[str, str] = {}
    for line in text.splitlines():
        matched = _LINE.fullmatch(line)
        if matched is None:
            continue
        pid, rest = matched["pid"], matched["rest"]
        if rest.endswith(_UNFINISHED):
            begun[pid] = rest.removesuffix(_UNFINISHED)
            continue
        resumed = _RESUMED.fullmatch(rest)
        if resumed is not None:
            rest = begun.pop(pid) + resumed["rest"]
        call = _CALL.fullmatch(rest)
        if call is not None:
            yield call["name"], call["arguments"], int(call["result"]), _text(call["opened"] or "")


class _Reader:
    """Turn calls into operations."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._known: set[str] = set()
        self._position: dict[int, int | None] = {}

    def read(self, name: str, arguments: str, result: int, opened: str) -> Iterator[Operation]:
        """Return what one call did, if it concerns the folder."""
        match name:
            case "openat" | "creat":
                yield from self._opened(arguments, result, opened)
            case "close":
                self._position.pop(int(arguments.split("<", maxsplit=1)[0]), None)
            case "lseek":
                self._position[int(arguments.split("<", maxsplit=1)[0])] = result
            case "write" | "pwrite64":
                yield from self._written(name, arguments, result)
            case "writev" | "pwritev" | "link" | "linkat" | "mkdir":
                if self._folder in _text("".join(_STRING.findall(arguments))):
                    raise RuntimeError(f"the disk's model does not know {name}")
            case _:
                yield from self._named(name, arguments)

    def _opened(self, arguments: str, descriptor: int, path: str) -> Iterator[Operation]:
        if not self._inside(path):
            return
        self._position[descriptor] = None if "O_APPEND" in arguments else 0
        if "O_CREAT" in arguments and path not in self._known:
            self._known.add(path)
            yield Create(path)
        if "O_TRUNC" in arguments:
            yield Truncate(path, 0)

    def _written(self, name: str, arguments: str, result: int) -> Iterator[Operation]:
        descriptor, path = _descriptor(arguments)
        string = _STRING.search(arguments)
        data = b"" if string is None else _bytes(string[1])[:result]
        if descriptor == 1 and (said := ACKNOWLEDGED.fullmatch(data)):
            yield Acknowledge(int(said[1]))
        if not self._inside(path):
            return
        if name == "pwrite64":
            yield Write(path, int(arguments.rpartition(",")[2]), data)
            return
        position = self._position[descriptor]
        yield Write(path, position, data)
        if position is not None:
            self._position[descriptor] = position + result

    def _named(self, name: str, arguments: str) -> Iterator[Operation]:
        if name in {"fsync", "fdatasync", "ftruncate", "fallocate"}:
            _, path = _descriptor(arguments)
            if not self._inside(path):
                return
            length = int(arguments.rpartition(",")[2]) if name in {"ftruncate", "fallocate"} else 0
            if name == "fallocate":
                yield Grow(path, length)
            else:
                yield Truncate(path, length) if name == "ftruncate" else Sync(path)
            return
        names = [_text(found) for found in _STRING.findall(arguments)]
        if not names or not self._inside(names[0]):
            return
        if name == "truncate":
            yield Truncate(names[0], int(arguments.rpartition(",")[2]))
        elif name.startswith("rename"):
            self._known.discard(names[0])
            self._known.add(names[1])
            yield Rename(names[0], names[1])
        elif name.startswith("unlink"):
            self._known.discard(names[0])
            yield Unlink(names[0])

    def _inside(self, path: str) -> bool:
        return path == self._folder or path.startswith(self._folder + "/")


def _descriptor(arguments: str) -> tuple[int, str]:
    matched = _DESCRIPTOR.match(arguments)
    return (-1, "") if matched is None else (int(matched[1]), _text(matched[2]))


def _bytes(escaped: str) -> bytes:
    return bytes.fromhex(escaped.replace("\\x", ""))


def _text(escaped: str) -> str:
    return _bytes(escaped).decode() if escaped.startswith("\\x") else escaped
