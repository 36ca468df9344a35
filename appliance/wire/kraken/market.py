"""Decode the market channels: book, trade, ticker, ohlc, instrument, status, heartbeat."""

from collections.abc import Callable, Iterable, Sequence

import msgspec
from msgspec import UNSET

from appliance.wire.kraken.messages import (
    BookChanged,
    Candle,
    Candles,
    Heartbeat,
    Instruments,
    Level,
    MarketMessage,
    Ticker,
    TradePrint,
    TradesPrinted,
    VenueStatus,
)
from appliance.wire.kraken.numbers import Grid, moment_ns, unsound
from appliance.wire.kraken.refusals import Reason, Refused, judged, parsed, refused
from appliance.wire.kraken.schema import (
    LEVELS_MAX,
    BookFrame,
    CandleFrame,
    Envelope,
    HeartbeatFrame,
    InstrumentFrame,
    StatusFrame,
    TickerFrame,
    TradeFrame,
    WireLevel,
)


class MarketDecoder:
    """Decode market frames of known instruments; channels of an account and answers are not for it."""

    def __init__(self, grids: Iterable[Grid]) -> None:
        self._grids = {grid.symbol: grid for grid in grids}
        self._envelope = msgspec.json.Decoder(Envelope)
        self._book = msgspec.json.Decoder(BookFrame)
        self._trade = msgspec.json.Decoder(TradeFrame)
        self._ticker = msgspec.json.Decoder(TickerFrame)
        self._candle = msgspec.json.Decoder(CandleFrame)
        self._instrument = msgspec.json.Decoder(InstrumentFrame)
        self._status = msgspec.json.Decoder(StatusFrame)
        self._heartbeat = msgspec.json.Decoder(HeartbeatFrame)

        self._channels: dict[str, Callable[[bytes], MarketMessage | Refused]] = {
            "book": self._book_of,
            "trade": self._trades_of,
            "ticker": self._ticker_of,
            "ohlc": self._candles_of,
            "instrument": self._instruments_of,
            "status": self._status_of,
            "heartbeat": self._heartbeat_of,
        }

    def decode(self, frame: bytes) -> MarketMessage | Refused:
        """Return the message of a frame, or why it is none."""
        unfit = judged(frame)
        if unfit is not None:
            return unfit
        envelope = parsed(self._envelope, frame)
        if isinstance(envelope, Refused):
            return envelope
        read = self._channels.get(str(envelope.channel))
        return refused(Reason.UNKNOWN_CHANNEL, str(envelope.channel)) if read is None else read(frame)

    def _book_of(self, text: bytes) -> BookChanged | Refused:
        frame = parsed(self._book, text)
        if isinstance(frame, Refused):
            return frame
        data, snapshot = frame.data[0], frame.type == "snapshot"
        grid = self._grids.get(data.symbol)
        if grid is None:
            return refused(Reason.UNKNOWN_SYMBOL, data.symbol)
        if max(len(data.bids), len(data.asks)) > LEVELS_MAX:
            return refused(Reason.TOO_MANY, f"{max(len(data.bids), len(data.asks))} levels")
        if data.timestamp is UNSET and not snapshot:
            return refused(Reason.BAD_TIME, "an update without a time")
        bids = _levels(data.bids, grid, snapshot)
        asks = _levels(data.asks, grid, snapshot)
        venue_ns = 0 if data.timestamp is UNSET else moment_ns(data.timestamp)
        if isinstance(bids, Refused) or isinstance(asks, Refused) or isinstance(venue_ns, Refused):
            return _first((bids, asks, venue_ns))
        return BookChanged(data.symbol, snapshot, bids, asks, data.checksum, venue_ns)

    def _trades_of(self, text: bytes) -> TradesPrinted | Refused:
        frame = parsed(self._trade, text)
        if isinstance(frame, Refused):
            return frame
        trades = []
        for data in frame.data:
            grid = self._grids.get(data.symbol)
            if grid is None:
                return refused(Reason.UNKNOWN_SYMBOL, data.symbol)
            ticks, lots, venue_ns = grid.ticks(bytes(data.price)), grid.lots(bytes(data.qty)), moment_ns(data.timestamp)
            if isinstance(ticks, Refused) or isinstance(lots, Refused) or isinstance(venue_ns, Refused):
                return _first((ticks, lots, venue_ns))
            trades.append(TradePrint(data.symbol, data.side, ticks, lots, data.trade_id, venue_ns))
        return TradesPrinted(frame.type == "snapshot", tuple(trades))

    def _ticker_of(self, text: bytes) -> Ticker | Refused:
        frame = parsed(self._ticker, text)
        if isinstance(frame, Refused):
            return frame
        data = frame.data[0]
        grid = self._grids.get(data.symbol)
        if grid is None:
            return refused(Reason.UNKNOWN_SYMBOL, data.symbol)
        ticks = _all([grid.ticks(bytes(price)) for price in (data.bid, data.ask, data.last, data.low, data.high)])
        lots = _all([grid.lots(bytes(size)) for size in (data.bid_qty, data.ask_qty)])
        if isinstance(ticks, Refused) or isinstance(lots, Refused):
            return _first((ticks, lots))
        bid, ask, last, low, high = ticks
        ticker = Ticker(
            symbol=data.symbol,
            bid_ticks=bid,
            bid_lots=lots[0],
            ask_ticks=ask,
            ask_lots=lots[1],
            last_ticks=last,
            low_ticks=low,
            high_ticks=high,
            volume=data.volume,
            vwap=data.vwap,
            change=data.change,
            change_percent=data.change_pct,
        )
        return unsound(ticker) or ticker

    def _candles_of(self, text: bytes) -> Candles | Refused:
        frame = parsed(self._candle, text)
        if isinstance(frame, Refused):
            return frame
        candles = []
        for data in frame.data:
            grid = self._grids.get(data.symbol)
            if grid is None:
                return refused(Reason.UNKNOWN_SYMBOL, data.symbol)
            ticks = _all([grid.ticks(bytes(price)) for price in (data.open, data.high, data.low, data.close)])
            begin_ns = moment_ns(data.interval_begin)
            if isinstance(ticks, Refused) or isinstance(begin_ns, Refused):
                return _first((ticks, begin_ns))
            opened, high, low, close = ticks
            candles.append(
                Candle(
                    symbol=data.symbol,
                    open_ticks=opened,
                    high_ticks=high,
                    low_ticks=low,
                    close_ticks=close,
                    trades_count=data.trades,
                    volume=data.volume,
                    vwap=data.vwap,
                    begin_ns=begin_ns,
                    interval_minutes=data.interval,
                )
            )
        message = Candles(frame.type == "snapshot", tuple(candles))
        return unsound(message) or message

    def _instruments_of(self, text: bytes) -> Instruments | Refused:
        frame = parsed(self._instrument, text)
        if isinstance(frame, Refused):
            return frame
        message = Instruments(frame.type == "snapshot", frame.data.assets, frame.data.pairs)
        return unsound(message) or message

    def _status_of(self, text: bytes) -> VenueStatus | Refused:
        frame = parsed(self._status, text)
        if isinstance(frame, Refused):
            return frame
        status = frame.data[0]
        return VenueStatus(status.system, status.version, status.connection_id)

    def _heartbeat_of(self, text: bytes) -> Heartbeat | Refused:
        frame = parsed(self._heartbeat, text)
        return frame if isinstance(frame, Refused) else Heartbeat()


def _levels(entries: Sequence[WireLevel], grid: Grid, snapshot: bool) -> tuple[Level, ...] | Refused:
    levels = []
    for entry in entries:
        ticks, lots = grid.ticks(bytes(entry.price)), grid.lots(bytes(entry.qty), 1 if snapshot else 0)
        if isinstance(ticks, Refused) or isinstance(lots, Refused):
            return _first((ticks, lots))
        levels.append((ticks, lots))
    return tuple(levels)


def _all(values: Sequence[int | Refused]) -> list[int] | Refused:
    good = [value for value in values if not isinstance(value, Refused)]
    return good if len(good) == len(values) else _first(values)


def _first(values: Iterable[object]) -> Refused:
    return next(value for value in values if isinstance(value, Refused))
