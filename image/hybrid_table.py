"""Name the first partition in the old table too: the boot ROMs of the Pi 3 and Zero 2 W know no other."""

import struct
import sys
from pathlib import Path

SECTOR_BYTES = 512
TABLE_AT = 446
ENTRY = struct.Struct("<B3sB3sII")
# Addresses of heads and cylinders are not used any more; this one says so.
NOWHERE = b"\xfe\xff\xff"
FAT32 = 0x0C
PROTECTIVE = 0xEE
GPT_ENTRY_AT = 2 * SECTOR_BYTES
GPT_FIRST_LAST = struct.Struct("<QQ")


def hybrid(table: bytes, first_gpt_entry: bytes) -> bytes:
    """Return the first sector with the first partition named in it, before the entry that protects the new table."""
    first, last = GPT_FIRST_LAST.unpack_from(first_gpt_entry, 32)
    boot = ENTRY.pack(0x80, NOWHERE, FAT32, NOWHERE, first, last - first + 1)
    rest = ENTRY.pack(0x00, NOWHERE, PROTECTIVE, NOWHERE, 1, first - 1)
    return table[:TABLE_AT] + boot + rest + bytes(2 * ENTRY.size) + table[TABLE_AT + 4 * ENTRY.size :]


def main(path: Path) -> None:
    """Change the first sector of an image in place."""
    with path.open("r+b") as image:
        table = image.read(SECTOR_BYTES)
        image.seek(GPT_ENTRY_AT)
        changed = hybrid(table, image.read(128))
        image.seek(0)
        image.write(changed)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
