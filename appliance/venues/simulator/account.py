"""The venue's books: cash, holdings, what open orders hold back, and every execution.

Theory of operation. Cash and holdings are kept as running balances, and `disagreements` computes them again from the
executions themselves. Executions beyond the limit are folded into opening balances before they are dropped, so the
check stays exact for ever in bounded memory.

Fees are rounded up over an order's life, not a fill at a time: the fees of all fills of an order add up to the rounded
fee of their sum. So splitting an order never costs more, and the cash held back for an order always covers it.
"""

from collections import deque
from collections.abc import Iterable, Mapping

from appliance.core.events import Holding, OrderTraded
from appliance.core.instruments import Instrument
from appliance.core.require import require
from appliance.core.values import PARTS_PER_MILLION, Side, fee_quanta
from appliance.venues.simulator.orders import VenueOrder

TRADES_KEPT_MAX = 50_000


class Account:
    """Settle executions to the quantum and prove it."""

    def __init__(
        self, instruments: Mapping[str, Instrument], cash_quanta: int, trades_kept_max: int = TRADES_KEPT_MAX
    ) -> None:
        """Open the account with an amount of cash and nothing else."""
        require(cash_quanta >= 0, "an account cannot start in debt")
        self._instruments = instruments
        self._trades_kept_max = trades_kept_max
        self._trades: deque[OrderTraded] = deque()
        self._opening_quanta = cash_quanta
        self._opening_lots = dict.fromkeys(instruments, 0)
        self._forgotten_until_ns: int | None = None
        self.cash_start_quanta = cash_quanta
        self.cash_quanta = cash_quanta
        self.fees_quanta = 0
        self.trades_count = 0
        self.lots = dict.fromkeys(instruments, 0)
        self.held_quanta = 0
        self.held_lots = dict.fromkeys(instruments, 0)

    def free_quanta(self) -> int:
        """Return the cash that no open order holds."""
        return self.cash_quanta - self.held_quanta

    def free_lots(self, symbol: str) -> int:
        """Return the holding that no open order holds."""
        return self.lots[symbol] - self.held_lots[symbol]

    def cost_quanta(self, symbol: str, notional_quanta: int) -> int:
        """Return the most that buying for that much can cost with fees."""
        return notional_quanta + fee_quanta(notional_quanta, self._fee_ppm_max(symbol))

    def hold(self, order: VenueOrder, live_lots: int) -> None:
        """Hold back what so many lots of an order need; zero releases it all."""
        quanta = lots = 0
        if order.side is Side.BUY:
            notional = self._instruments[order.instrument].notional_quanta(order.price_ticks, live_lots)
            quanta = notional + self._fees_to_come_quanta(order, notional)
        else:
            lots = live_lots
        self.held_quanta += quanta - order.held_quanta
        self.held_lots[order.instrument] += lots - order.held_lots
        order.held_quanta, order.held_lots = quanta, lots

    def settle(
        self, order: VenueOrder, price_ticks: int, size_lots: int, *, maker: bool, trade_id: str, venue_ns: int
    ) -> OrderTraded:
        """Book one execution of an order and return it."""
        require(0 < size_lots <= order.live_lots, "an execution must fit into its order")
        instrument = self._instruments[order.instrument]
        notional = instrument.notional_quanta(price_ticks, size_lots)
        order.fee_millionths += notional * self.fees_ppm(instrument, venue_ns)[0 if maker else 1]
        fee = -(-order.fee_millionths // PARTS_PER_MILLION) - order.fees_quanta
        order.fees_quanta += fee
        order.live_lots -= size_lots
        order.filled_lots += size_lots
        trade = OrderTraded(
            order.client_id,
            trade_id,
            order.instrument,
            order.side,
            price_ticks,
            size_lots,
            fee,
            maker,
            venue_ns,
        )
        order.trades.append(trade)
        self._book(trade)
        if order.held_quanta or order.held_lots:
            self.hold(order, order.live_lots)
        return trade

    def fees_ppm(self, instrument: Instrument, venue_ns: int) -> tuple[int, int]:  # noqa: ARG002 - a schedule asks when
        """Return the maker's and the taker's fee at a moment; a schedule may ask less than is listed, never more."""
        return instrument.maker_fee_ppm, instrument.taker_fee_ppm

    def deposit(self, quanta: int) -> None:
        """Take cash in that no execution brought, or give it out again."""
        require(self.cash_quanta + quanta >= self.held_quanta, "only free cash can leave the account")
        self._opening_quanta += quanta
        self.cash_quanta += quanta

    def holdings(self) -> tuple[Holding, ...]:
        """Return every position that is not zero."""
        return tuple(Holding(symbol, lots) for symbol, lots in self.lots.items() if lots)

    def trades_from(self, venue_ns: int, count_max: int) -> tuple[tuple[OrderTraded, ...], bool]:
        """Return the oldest executions from a moment on, and whether these are all there were."""
        found: deque[OrderTraded] = deque(maxlen=count_max)
        complete = self._forgotten_until_ns is None or self._forgotten_until_ns < venue_ns
        for trade in reversed(self._trades):
            if trade.venue_ns < venue_ns:
                break
            complete = complete and len(found) < count_max
            found.appendleft(trade)
        return tuple(found), complete

    def disagreements(self, open_orders: Iterable[VenueOrder]) -> tuple[str, ...]:
        """Return every way in which the books contradict their own executions; nothing when they are right."""
        cash, lots = self._recomputed()
        held_quanta, held_lots = 0, dict.fromkeys(self.lots, 0)
        for order in open_orders:
            held_quanta += order.held_quanta
            held_lots[order.instrument] += order.held_lots
        checks = {
            f"cash is {self.cash_quanta} quanta, executions say {cash}": cash == self.cash_quanta,
            f"holdings are {self.lots}, executions say {lots}": lots == self.lots,
            f"held cash is {self.held_quanta} quanta, orders say {held_quanta}": held_quanta == self.held_quanta,
            f"held lots are {self.held_lots}, orders say {held_lots}": held_lots == self.held_lots,
            f"orders hold {self.held_quanta} of {self.cash_quanta} quanta": 0 <= held_quanta <= self.cash_quanta,
            f"orders hold {held_lots} of {self.lots} lots": all(
                0 <= held_lots[symbol] <= held for symbol, held in self.lots.items()
            ),
        }
        return tuple(sentence for sentence, holds in checks.items() if not holds)

    def _fee_ppm_max(self, symbol: str) -> int:
        instrument = self._instruments[symbol]
        return max(instrument.maker_fee_ppm, instrument.taker_fee_ppm)

    def _fees_to_come_quanta(self, order: VenueOrder, notional_quanta: int) -> int:
        millionths = order.fee_millionths + notional_quanta * self._fee_ppm_max(order.instrument)
        return -(-millionths // PARTS_PER_MILLION) - order.fees_quanta

    def _cash_change_quanta(self, trade: OrderTraded) -> int:
        notional = self._instruments[trade.instrument].notional_quanta(trade.price_ticks, trade.size_lots)
        return -trade.side.sign * notional - trade.fee_quanta

    def _book(self, trade: OrderTraded) -> None:
        self.cash_quanta += self._cash_change_quanta(trade)
        self.lots[trade.instrument] += trade.side.sign * trade.size_lots
        self.fees_quanta += trade.fee_quanta
        self.trades_count += 1
        self._trades.append(trade)
        if len(self._trades) > self._trades_kept_max:
            self._forget(self._trades.popleft())

    def _forget(self, trade: OrderTraded) -> None:
        self._opening_quanta += self._cash_change_quanta(trade)
        self._opening_lots[trade.instrument] += trade.side.sign * trade.size_lots
        self._forgotten_until_ns = trade.venue_ns

    def _recomputed(self) -> tuple[int, dict[str, int]]:
        cash, lots = self._opening_quanta, dict(self._opening_lots)
        for trade in self._trades:
            cash += self._cash_change_quanta(trade)
            lots[trade.instrument] += trade.side.sign * trade.size_lots
        return cash, lots
