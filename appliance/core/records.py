"""The journal's unit: one row, already encoded, in the order it happened."""

import msgspec


class Row(msgspec.Struct, frozen=True, gc=False):
    """Carry one fact to the journal; `payload` is the record's canonical JSON, `trace` ties tick to fill."""

    sequence: int
    wall_ns: int
    trace: int
    kind: str
    payload: bytes
