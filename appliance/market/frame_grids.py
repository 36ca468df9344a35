"""Find out how many digits the instruments of a recording have.

A recording that holds the instrument channel says so. One that does not still holds a proof: a snapshot's checksum is
computed over digits, so the one choice under which it agrees is the right one, but for a chance of one in four billion
a choice.
"""

import re
import zlib
from collections.abc import Iterable, Iterator
from typing import Final

from appliance.wire.kraken.market import MarketDecoder
from appliance.wire.kraken.messages import BookChanged, Instruments, Level
from appliance.wire.kraken.numbers import Grid
from appliance.wire.kraken.refusals import judged

DIGITS_TRIED_MAX: Final = 12
_SYMBOL = re.compile(rb'"symbol"\s*:\s*"([A-Za-z0-9._/-]{1,32})"')
_SNAPSHOT = re.compile(rb'"channel"\s*:\s*"book".{0,64}"snapshot"')


def grids_in(frames: Iterable[bytes]) -> tuple[Grid, ...]:
    """Return the grid of every instrument that the frames tell or prove."""
    told: dict[str, Grid] = {}
    proven: dict[str, Grid] = {}
    decoder = MarketDecoder(())
    for frame in frames:
        if b'"instrument"' in frame[:64]:
            message = decoder.decode(frame)
            told.update({p.symbol: p.grid() for p in message.pairs} if isinstance(message, Instruments) else {})
        elif _SNAPSHOT.search(frame[:128]) and judged(frame) is None:
            symbol = _SYMBOL.search(frame)
            if symbol is not None and (name := symbol[1].decode()) not in told and name not in proven:
                proven.update({grid.symbol: grid for grid in _proven(name, frame)})
    return tuple({**proven, **told}.values())


def _proven(symbol: str, frame: bytes) -> Iterator[Grid]:
    for price_digits in range(DIGITS_TRIED_MAX + 1):
        for size_digits in range(DIGITS_TRIED_MAX + 1):
            grid = Grid(symbol, price_digits, size_digits)
            message = MarketDecoder((grid,)).decode(frame)
            if isinstance(message, BookChanged) and checksum(message.bids, message.asks) == message.checksum:
                yield grid
                return


def checksum(bids: Iterable[Level], asks: Iterable[Level]) -> int:
    """Return the venue's checksum of levels given best first."""
    digits = (f"{ticks}{lots}" for side in (asks, bids) for ticks, lots in tuple(side)[:10])
    return zlib.crc32("".join(digits).encode())
