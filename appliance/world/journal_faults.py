"""Damage to the journal where it lies, and the person who restores it."""

import random
from functools import partial

import msgspec

from appliance.core.records import Row
from appliance.world.faults import Kind
from appliance.world.stage import Stage

ROWS_MIN = 4
NAME = "journal damaged"


def _harm(dice: random.Random, rows: list[Row], hashes: list[bytes]) -> None:
    """Do one of the things that chance or a hand can do to stored rows, but never to the last one alone."""
    place = dice.randrange(len(rows) - 1)
    match dice.randrange(5):
        case 0:
            payload = bytearray(rows[place].payload)
            payload[dice.randrange(len(payload))] ^= 1 << dice.randrange(8)
            rows[place] = msgspec.structs.replace(rows[place], payload=bytes(payload))
        case 1:
            hashes[place] = bytes([hashes[place][0] ^ (1 << dice.randrange(8)), *hashes[place][1:]])
        case 2:
            rows[place] = msgspec.structs.replace(rows[place], wall_ns=rows[place].wall_ns ^ (1 << dice.randrange(60)))
        case 3:
            del rows[place], hashes[place]
        case _:
            rows[place], rows[place + 1] = rows[place + 1], rows[place]
            hashes[place], hashes[place + 1] = hashes[place + 1], hashes[place]


def _damage(stage: Stage) -> None:
    disk = stage.disk
    if stage.shell.trader is not None and not disk.failed and len(disk.rows) >= ROWS_MIN and not disk.damaged:
        stage.shell.kill()
        if len(disk.rows) >= ROWS_MIN:
            disk.damage(partial(_harm, stage.further_dice))
            stage.count(NAME)


def _restore(stage: Stage) -> None:
    stage.disk.restore()


JOURNAL_KINDS = (Kind(NAME, (3_000, 15_000), _damage, _restore),)
