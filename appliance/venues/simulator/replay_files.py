"""Read recordings for the paper venue to replay: bars in Parquet, or Kraken's own frames one a line.

Bars need `pyarrow`, which is not on the appliance: they are replayed where research is done.
"""

import importlib
import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import zstandard

from appliance.core.clock import NANOSECONDS_PER_MILLISECOND
from appliance.core.errors import ConfigError
from appliance.core.instruments import PRICE_TICKS_MAX, SIZE_LOTS_MAX, Instrument
from appliance.core.values import Side
from appliance.venues.simulator.replay import BarSeen, Level, Moment, moments_of
from appliance.wire.kraken.market import MarketDecoder
from appliance.wire.kraken.messages import BookChanged, TradesPrinted
from appliance.wire.kraken.numbers import Grid
from appliance.wire.kraken.refusals import FRAME_BYTES_MAX

DEPTH_MAX: Final = 1_000
BATCH_ROWS: Final = 4_096
WINDOW_BYTES_MAX: Final = 2**27
_COLUMNS: Final = ("date", "open", "high", "low", "close", "volume")


def recorded(path: Path, instrument: Instrument, grid: Grid) -> Iterator[Moment]:
    """Return what a file recorded of an instrument, by the file's ending."""
    if not path.is_file():
        raise ConfigError(f"there is no recording {path}; name a .parquet file of bars or a .jsonl file of frames")
    if path.suffix == ".parquet":
        return _from_bars(path, instrument)
    return _from_frames(_lines(path), grid)


def _from_bars(path: Path, instrument: Instrument) -> Iterator[Moment]:
    try:
        parquet: Any = importlib.import_module("pyarrow.parquet")
    except ImportError as problem:
        raise ConfigError("bars in Parquet need pyarrow, which the appliance does without; install it") from problem
    try:
        table = parquet.ParquetFile(path)
    except (OSError, ValueError) as problem:
        raise ConfigError(f"{path} is no Parquet file: {problem}") from problem
    missing = sorted(set(_COLUMNS) - set(table.schema_arrow.names))
    if missing:
        raise ConfigError(f"{path} has no column {', '.join(missing)}; bars need {', '.join(_COLUMNS)}")
    return _path_through(_rows(table), float(instrument.tick), float(instrument.lot))


def _rows(table: Any) -> Iterator[tuple[int, tuple[Any, ...]]]:  # noqa: ANN401 - pyarrow publishes no types
    milliseconds = importlib.import_module("pyarrow").timestamp("ms", tz="UTC")
    for batch in table.iter_batches(batch_size=BATCH_ROWS, columns=list(_COLUMNS)):
        columns = [batch.column(batch.schema.get_field_index(name)) for name in _COLUMNS]
        times = columns[0].cast(milliseconds).cast("int64").to_pylist()
        yield from zip(times, zip(*(column.to_pylist() for column in columns[1:]), strict=True), strict=True)


def _path_through(rows: Iterable[tuple[int, tuple[Any, ...]]], tick: float, lot: float) -> Iterator[Moment]:
    before_ms: int | None = None
    for moment_ms, values in rows:
        length_ns = (moment_ms - (before_ms or moment_ms - 60_000)) * NANOSECONDS_PER_MILLISECOND
        before_ms = moment_ms
        # A bar with a hole, a nonsense or a minus sign in it did not happen.
        if not all(isinstance(value, float) and 0 <= value < SIZE_LOTS_MAX for value in values) or length_ns <= 0:
            continue
        opened, high, low, close = (round(value / tick) for value in values[:4])
        if 0 < low <= min(opened, close) and max(opened, close) <= high < PRICE_TICKS_MAX:
            yield from moments_of(BarSeen(opened, high, low, close, round(values[4] / lot), length_ns))


def _lines(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        stream: io.BufferedIOBase = file
        if path.suffix == ".zst":
            reader = zstandard.ZstdDecompressor(max_window_size=WINDOW_BYTES_MAX).stream_reader(file)
            stream = io.BufferedReader(reader)
        while line := stream.readline(FRAME_BYTES_MAX + 1):
            if len(line) > FRAME_BYTES_MAX:
                raise ConfigError(f"{path} has a line of more than {FRAME_BYTES_MAX} bytes; it is no recording")
            yield line


def _from_frames(lines: Iterable[bytes], grid: Grid) -> Iterator[Moment]:
    decoder = MarketDecoder((grid,))
    sides: tuple[dict[int, int], dict[int, int]] = ({}, {})
    last_ns, depth = 0, DEPTH_MAX
    for line in lines:
        # A line may begin with the moment it was received.
        message = decoder.decode(line[max(line.find(b"{"), 0) :].strip())
        if isinstance(message, BookChanged):
            if message.snapshot:
                depth = max(len(message.bids), len(message.asks), 1)
                sides = ({}, {})
            bids, asks = (_applied(side, changes, depth, sign) for side, changes, sign in _pairs(sides, message))
            if bids and asks and bids[0][0] < asks[0][0]:
                now_ns = message.venue_ns or last_ns
                yield Moment(max(now_ns - last_ns, 1) if last_ns else 1, bids[0][0], taker_lots=0, bids=bids, asks=asks)
                last_ns = now_ns
        elif isinstance(message, TradesPrinted) and not message.snapshot:
            for trade in message.trades:
                wait_ns = max(trade.venue_ns - last_ns, 1) if last_ns else 1
                yield Moment(wait_ns, trade.price_ticks, trade.side is Side.BUY, trade.size_lots)
                last_ns = trade.venue_ns


def _pairs(
    sides: tuple[dict[int, int], dict[int, int]], message: BookChanged
) -> tuple[tuple[dict[int, int], tuple[Level, ...], int], ...]:
    return (sides[0], message.bids, -1), (sides[1], message.asks, 1)


def _applied(side: dict[int, int], changes: tuple[Level, ...], depth: int, sign: int) -> list[Level]:
    """Apply changes to one side and return its best levels, forgetting what lies beyond the depth."""
    for price, lots in changes:
        if lots:
            side[price] = lots
        else:
            side.pop(price, None)
    best = sorted(side.items(), key=lambda level: level[0] * sign)[:depth]
    side.clear()
    side.update(best)
    return best
