"""A disk that keeps only what was synced; what was not may be there wholly, in part, torn, or not at all.

Names are kept in the order in which they changed, as a journaling file system does, up to any point past the last
sync of their folder. Data of a file is free in its order between two syncs: any subset of the writes, each of them
sector by sector.
"""

import random
from pathlib import Path

from tests.integration.crash.trace import (
    Create,
    Grow,
    Operation,
    Rename,
    Sync,
    Truncate,
    Unlink,
    Write,
)

SECTOR_BYTES = 512
Change = Write | Truncate | Grow


class Node:
    """Hold one file: what is durable of it and what is only meant to be."""

    def __init__(self) -> None:
        """Begin empty."""
        self.durable = bytearray()
        self.length = 0
        self.pending: list[Change] = []

    def change(self, change: Change) -> None:
        """Take a change in, which a crash may lose; a write at the end is given its place now."""
        match change:
            case Write(path, offset, data):
                begin = self.length if offset is None else offset
                self.pending.append(Write(path, begin, data))
                self.length = max(self.length, begin + len(data))
            case Truncate(_, length):
                self.pending.append(change)
                self.length = length
            case Grow(_, length):
                self.pending.append(change)
                self.length = max(self.length, length)

    def sync(self) -> None:
        """Keep everything for good."""
        for change in self.pending:
            _apply(self.durable, change, None)
        self.pending.clear()

    def survivor(self, generator: random.Random) -> bytes:
        """Return what a crash leaves."""
        left = bytearray(self.durable)
        chance = generator.choice((0.0, 0.2, 0.5, 0.8, 1.0))
        for change in self.pending:
            if isinstance(change, Write):
                _apply(left, change, (generator, chance))
            elif generator.random() < chance:
                _apply(left, change, None)
        return bytes(left)


class Disk:
    """Follow a program's operations and make crash images of any moment."""

    def __init__(self, folder: str) -> None:
        """Begin with an empty folder."""
        self._folder = folder
        self._names: dict[str, Node] = {}
        self._durable_names: dict[str, Node] = {}
        self._renamed: list[Create | Rename | Unlink] = []
        self._created: dict[int, Node] = {}

    def take(self, operation: Operation) -> None:
        """Follow one operation."""
        match operation:
            case Write(path) | Truncate(path) | Grow(path):
                self._names[path].change(operation)
            case Sync(path) if path in self._names:
                self._names[path].sync()
            case Sync():
                self._durable_names = dict(self._names)
                self._renamed.clear()
            case Create() | Rename() | Unlink():
                self._rename(self._names, operation, Node())
                self._renamed.append(operation)
            case _:
                pass

    def leave(self, target: Path, generator: random.Random) -> None:
        """Write what a crash at this moment leaves into an empty folder."""
        names = dict(self._durable_names)
        for operation in self._renamed[: generator.randint(0, len(self._renamed))]:
            self._rename(names, operation, self._node_of(operation))
        for path, node in names.items():
            place = target / Path(path).relative_to(self._folder)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(node.survivor(generator))

    def _rename(self, names: dict[str, Node], operation: Create | Rename | Unlink, made: Node) -> None:
        match operation:
            case Create(path):
                names.setdefault(path, made)
                self._created.setdefault(id(operation), names[path])
            case Rename(old, new):
                names[new] = names.pop(old)
            case Unlink(path):
                names.pop(path, None)

    def _node_of(self, operation: Create | Rename | Unlink) -> Node:
        return self._created.get(id(operation)) or Node()


def _apply(content: bytearray, change: Change, lottery: tuple[random.Random, float] | None) -> None:
    match change:
        case Truncate(_, length):
            del content[length:]
            content.extend(bytes(length - len(content)))
        case Grow(_, length):
            content.extend(bytes(max(0, length - len(content))))
        case Write(_, offset, data):
            begin = offset or 0
            for sector in range(begin // SECTOR_BYTES, (begin + len(data) - 1) // SECTOR_BYTES + 1):
                if lottery is not None and lottery[0].random() >= lottery[1]:
                    continue
                first = max(begin, sector * SECTOR_BYTES)
                last = min(begin + len(data), (sector + 1) * SECTOR_BYTES)
                content.extend(bytes(max(0, first - len(content))))
                content[first:last] = data[first - begin : last - begin]
