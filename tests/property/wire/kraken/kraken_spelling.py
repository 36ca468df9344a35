"""A venue's side for tests: a plain dictionary book, and messages spelled as the venue spells them."""

import zlib
from collections.abc import Iterable, Sequence

from appliance.wire.kraken.numbers import Grid, written_time

Level = tuple[int, int]


class DictBook:
    """Keep a book as two dictionaries: the oracle."""

    def __init__(self, depth: int) -> None:
        self.depth = depth
        self.sides: tuple[dict[int, int], dict[int, int]] = ({}, {})

    def apply(self, bids: Iterable[Level], asks: Iterable[Level], *, snapshot: bool = False) -> None:
        """Set levels, remove those of size zero, and forget what is deeper than the depth."""
        for side, levels in zip(self.sides, (bids, asks), strict=True):
            if snapshot:
                side.clear()
            for ticks, lots in levels:
                if lots:
                    side[ticks] = lots
                else:
                    side.pop(ticks, None)
        for number, side in enumerate(self.sides):
            kept = dict(self.best(number))
            side.clear()
            side.update(kept)

    def best(self, side: int) -> tuple[Level, ...]:
        """Return a side's levels, best first."""
        return tuple(sorted(self.sides[side].items(), reverse=side == 0)[: self.depth])

    def is_crossed(self) -> bool:
        """Tell whether somebody bids at least what another asks."""
        return bool(self.sides[0] and self.sides[1]) and max(self.sides[0]) >= min(self.sides[1])

    def checksum(self) -> int:
        """Return the venue's checksum over the text of the top ten levels."""
        digits = (f"{ticks}{lots}" for side in (1, 0) for ticks, lots in self.best(side)[:10])
        return zlib.crc32("".join(digits).encode())


def spelled_levels(levels: Sequence[Level], grid: Grid) -> str:
    """Spell levels."""
    return ",".join(f'{{"price":{grid.price(ticks):f},"qty":{grid.size(lots):f}}}' for ticks, lots in levels)


def spelled_book(
    grid: Grid, bids: Sequence[Level], asks: Sequence[Level], checksum: int, venue_ns: int, *, snapshot: bool = False
) -> bytes:
    """Spell a message of the book channel."""
    kind = "snapshot" if snapshot else "update"
    return (
        f'{{"channel":"book","type":"{kind}","data":[{{"symbol":"{grid.symbol}","bids":[{spelled_levels(bids, grid)}],'
        f'"asks":[{spelled_levels(asks, grid)}],"checksum":{checksum},"timestamp":"{written_time(venue_ns)}"}}]}}'
    ).encode()


def spelled_trades(grid: Grid, trades: Sequence[tuple[str, int, int, int, int]], *, snapshot: bool = False) -> bytes:
    """Spell a message of the trade channel from (side, ticks, lots, number, time)."""
    entries = ",".join(
        f'{{"symbol":"{grid.symbol}","side":"{side}","price":{grid.price(ticks):f},"qty":{grid.size(lots):f},'
        f'"ord_type":"{"market" if number % 2 else "limit"}","trade_id":{number},'
        f'"timestamp":"{written_time(venue_ns)}"}}'
        for side, ticks, lots, number, venue_ns in trades
    )
    return f'{{"channel":"trade","type":"{"snapshot" if snapshot else "update"}","data":[{entries}]}}'.encode()
