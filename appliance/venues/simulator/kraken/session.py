"""One client's WebSocket session: what it asked for, what it follows, and the answers it gets. Bytes in, bytes out.

Theory of operation. A request is answered at once; what happens because of it reaches every session through `told`,
called after each request and each passage of time. Frames of the public channels are the same for everyone and are
made once a round (`Round`); those of the account carry a sequence of this session's own.
"""

from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from appliance.venues.simulator.kraken.books import DEPTHS
from appliance.venues.simulator.kraken.keys import ApiKey, Keyring
from appliance.venues.simulator.kraken.orders_asked import OrderRequests
from appliance.venues.simulator.kraken.rounds import Round
from appliance.venues.simulator.kraken.state import VenueState
from appliance.venues.simulator.kraken.tape import INTERVALS_MINUTES
from appliance.wire.kraken.account import Balance, Balances, Execution, Executions
from appliance.wire.kraken.serving import answers, market
from appliance.wire.kraken.serving.encoding import encoded
from appliance.wire.kraken.serving.requests import (
    Asked,
    ChannelParams,
    Params,
    PingParams,
    RequestDecoder,
    Unreadable,
)

SUBSCRIPTIONS_MAX: Final = 400
SNAPSHOT_TRADES: Final = 50
SNAPSHOT_BARS: Final = 20
_PERMISSIONS: Final = {"executions": "query-open-trades", "balances": "query-funds"}
_BY_SYMBOL: Final = frozenset({"book", "trade", "ticker", "ohlc"})
_WARNING: Final = ("cancel_reason is deprecated, use reason", "stop_price is deprecated, use triggers.price")


class Session:
    """Serve one client."""

    def __init__(self, state: VenueState, keyring: Keyring, number: int) -> None:
        """Open a session under a number."""
        self.number = number
        self._state = state
        self._keyring = keyring
        self._decoder = RequestDecoder()
        self._orders = OrderRequests(state)
        self._token = ""
        # What is followed: channel and symbol (empty for a whole channel), with the depth or interval.
        self.follows: dict[tuple[str, str], ChannelParams] = {}
        self._sequences = {"executions": 0, "balances": 0}

    def opened(self) -> list[bytes]:
        """Return what a client is told first."""
        return [market.status(self._state.desk.system.value, self.number)]

    def receive(self, frame: bytes, received_ns: int) -> list[bytes]:
        """Carry a request out and return its answers."""
        asked = self._decoder.decode(frame)
        now_ns = self._state.floor.venue_ns
        if isinstance(asked, Unreadable):
            return [answers.failure(asked.error, asked.method, asked.number, received_ns, now_ns)]
        if isinstance(asked.params, PingParams):
            return [answers.pong(asked.number, received_ns, now_ns)]
        if isinstance(asked.params, ChannelParams):
            change = self._subscribe if asked.method == "subscribe" else self._unsubscribe
            return change(asked, asked.params, received_ns)
        key = self._holder(asked.params)
        result = key if isinstance(key, str) else self._orders.carry_out(asked, key)
        if isinstance(result, str):
            return [answers.failure(result, asked.method, asked.number, received_ns, now_ns)]
        return [answers.success(asked.method, asked.number, each, received_ns, now_ns) for each in result]

    def told(self, happened: Round) -> list[bytes]:
        """Return the frames of one round that this session follows."""
        frames: list[bytes] = []
        for (channel, symbol), params in self.follows.items():
            if channel == "executions":
                frames += self._executions(happened.executions)
            elif channel == "balances":
                frames += [self._balances(each) for each in happened.balances]
            else:
                frame = happened.frame(channel, symbol, params.depth if channel == "book" else params.interval)
                if frame is not None:
                    frames.append(frame)
        return frames

    def _holder(self, params: Params) -> ApiKey | str:
        if not params.token:
            return "Token(s) not found"
        key = self._keyring.holder(params.token, self._state.floor.now_ns, self._token)
        if key is None:
            return "ESession:Invalid session"
        self._token = params.token
        return key

    def _subscribe(self, asked: Asked, params: ChannelParams, received_ns: int) -> list[bytes]:
        if params.channel in _BY_SYMBOL:
            symbols: tuple[str, ...] = params.symbol
            refusal = "" if symbols else "Symbol field is required"
        else:
            symbols = ("",)
            refusal = self._whole_channel_refusal(params)
        if params.channel == "book" and params.depth not in DEPTHS:
            refusal = "Subscription depth not supported"
        if params.channel == "ohlc" and params.interval not in INTERVALS_MINUTES:
            refusal = "Subscription interval not supported"
        if len(self.follows) + len(symbols) > SUBSCRIPTIONS_MAX:
            refusal = "Exceeded maximum number of subscriptions"
        if refusal:
            return [self._failure(refusal, asked, received_ns)]
        frames: list[bytes] = []
        for symbol in dict.fromkeys(symbols):
            frames += self._follow(asked, params, symbol, received_ns)
        return frames

    def _follow(self, asked: Asked, params: ChannelParams, symbol: str, received_ns: int) -> list[bytes]:
        if symbol and symbol not in self._state.catalogue.listed:
            return [self._failure(f"Currency pair not supported {symbol}", asked, received_ns, symbol)]
        if (params.channel, symbol) in self.follows:
            return [self._failure("Already subscribed", asked, received_ns, symbol)]
        self.follows[params.channel, symbol] = params
        ack = answers.success(
            asked.method, asked.number, _described(self._state, params, symbol), received_ns, self._state.floor.venue_ns
        )
        return [ack, *self._snapshot(params, symbol)]

    def _unsubscribe(self, asked: Asked, params: ChannelParams, received_ns: int) -> list[bytes]:
        frames: list[bytes] = []
        for symbol in params.symbol or ("",):
            followed = self.follows.pop((params.channel, symbol), None)
            if followed is None:
                frames.append(self._failure("Subscription Not Found", asked, received_ns, symbol))
                continue
            result = _described(self._state, followed, symbol)
            now_ns = self._state.floor.venue_ns
            frames.append(answers.success(asked.method, asked.number, result, received_ns, now_ns))
        return frames

    def _whole_channel_refusal(self, params: ChannelParams) -> str:
        if params.channel == "instrument":
            return ""
        permission = _PERMISSIONS.get(params.channel)
        if permission is None:
            return "Unsupported event"
        key = self._holder(params)
        if isinstance(key, str):
            return key
        return "" if permission in key.permissions else "EGeneral:Permission denied"

    def _snapshot(self, params: ChannelParams, symbol: str) -> list[bytes]:
        if params.channel in self._sequences:
            self._sequences[params.channel] = 0
        if not params.snapshot:
            return []
        state, now_ns = self._state, self._state.floor.venue_ns
        make: dict[str, Callable[[], bytes]] = {
            "instrument": lambda: market.instruments(
                state.catalogue.asset_listings(),
                [each.pair() for each in state.catalogue.listed.values()],
                snapshot=True,
            ),
            "executions": lambda: self._frame(Executions, "snapshot", self._known(params)),
            "balances": lambda: self._frame(Balances, "snapshot", state.teller.balances()),
        }
        if symbol:
            grid, tape = state.catalogue.listed[symbol].grid, state.tapes[symbol]
            make |= {
                "book": lambda: state.books[symbol].snapshot(params.depth, now_ns),
                "trade": lambda: market.trades(grid, list(tape.recent)[-SNAPSHOT_TRADES:], snapshot=True),
                "ticker": lambda: market.ticker(grid, state.figures(symbol), now_ns, snapshot=True),
                "ohlc": lambda: market.bars(
                    grid, params.interval, list(tape.bars[params.interval])[-SNAPSHOT_BARS:], now_ns, snapshot=True
                ),
            }
            if params.channel == "trade" and not tape.recent:
                return []
        return [make[params.channel]()]

    def _known(self, params: ChannelParams) -> list[Execution]:
        teller = self._state.teller
        known = teller.open_orders() if params.snap_orders else []
        return known + (teller.last_trades(SNAPSHOT_TRADES) if params.snap_trades else [])

    def _executions(self, entries: Iterable[Execution]) -> list[bytes]:
        # The venue tells each step in a message of its own.
        return [self._frame(Executions, "update", [each]) for each in entries]

    def _balances(self, entries: list[Balance]) -> bytes:
        return self._frame(Balances, "update", entries)

    def _frame(self, kind: type[Executions | Balances], what: str, data: Iterable[msgspec.Struct]) -> bytes:
        channel = "executions" if kind is Executions else "balances"
        self._sequences[channel] += 1
        return encoded({"channel": channel, "type": what, "data": list(data), "sequence": self._sequences[channel]})

    def _failure(self, error: str, asked: Asked, received_ns: int, symbol: str = "") -> bytes:
        return answers.failure(error, asked.method, asked.number, received_ns, self._state.floor.venue_ns, symbol)


def _described(state: VenueState, params: ChannelParams, symbol: str) -> dict[str, object]:
    """Return what an answer says of a subscription."""
    result: dict[str, object] = {"channel": params.channel}
    if params.channel == "book":
        result["depth"] = params.depth
    if params.channel == "ohlc":
        result["interval"] = params.interval
    if params.channel == "ticker":
        result["event_trigger"] = params.event_trigger
    if params.channel == "executions":
        result |= {"maxratecount": state.desk.tier.trading_max, "warnings": list(_WARNING)}
        result |= {"snap_orders": params.snap_orders, "snap_trades": params.snap_trades}
    result["snapshot"] = params.snapshot
    return result | ({"symbol": symbol} if symbol else {})
