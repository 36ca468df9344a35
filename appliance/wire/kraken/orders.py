"""What the venue says of our orders, as the events the trader knows.

An execution after an order's first need not name its client id, instrument or side, so what was learned of an order is
kept until it ends. A message that cannot be placed is refused: its connection must be given up, and the account be
compared anew, because an order of ours may have moved in it.
"""

from collections.abc import Iterable
from decimal import ROUND_CEILING, Decimal
from typing import Final, NamedTuple

from msgspec import UNSET, UnsetType

from appliance.core.events import OrderAcknowledged, OrderEnded, OrderTraded
from appliance.core.instruments import PRICE_TICKS_MAX, SIZE_LOTS_MAX, Instrument
from appliance.core.values import QUANTA_PER_QUOTE_UNIT, Ending, Side
from appliance.wire.kraken.account import Execution, Executions
from appliance.wire.kraken.numbers import steps
from appliance.wire.kraken.refusals import Reason, Refused, refused

ORDERS_KEPT_MAX: Final = 10_000
OrderEvent = OrderAcknowledged | OrderTraded | OrderEnded
_ENDINGS: Final = {"canceled": Ending.CANCELED, "expired": Ending.EXPIRED}
_BEGINNINGS: Final = frozenset({"pending_new", "new"})
_SILENT: Final = frozenset({"filled", "iceberg_refill", "amended", "restated", "status"})
_MAKER: Final = "m"


class Known(NamedTuple):
    """Hold what was learned of one order."""

    client_id: str
    instrument: Instrument | None
    side: Side | None


class OrderTranslator:
    """Follow one connection's reports of orders."""

    def __init__(self, instruments: Iterable[Instrument]) -> None:
        """Know the instruments that may be named."""
        self._instruments = {each.symbol: each for each in instruments}
        self._known: dict[str, Known] = {}
        self._sequence: int | None = None

    def begin(self) -> None:
        """Begin a connection; what is known of orders stays true."""
        self._sequence = None

    def client_id(self, order_id: str) -> str | None:
        """Return our id of an order that the venue knows by its own."""
        known = self._known.get(order_id)
        return None if known is None else known.client_id

    def learn(self, order_id: str, client_id: str, symbol: str | None = None, side: Side | None = None) -> None:
        """Remember whose order that is."""
        before = self._known.pop(order_id, None)
        instrument = self._instruments.get(symbol) if symbol is not None else None
        if before is not None:
            instrument = instrument or before.instrument
            side = side or before.side
        self._known[order_id] = Known(client_id, instrument, side)
        while len(self._known) > ORDERS_KEPT_MAX:
            del self._known[next(iter(self._known))]

    def executions(self, message: Executions) -> tuple[OrderEvent, ...] | Refused:
        """Return what a message of the channel means; a snapshot only teaches, for the account is compared anyway."""
        expected = None if self._sequence is None else self._sequence + 1
        if expected is not None and message.sequence != expected:
            return refused(Reason.OUT_OF_RANGE, f"execution message {message.sequence} instead of {expected}")
        self._sequence = message.sequence
        events: list[OrderEvent] = []
        for execution in message.data:
            self._learn_from(execution)
            if message.type == "snapshot":
                continue
            found = self._event(execution)
            if isinstance(found, Refused):
                return found
            if found is not None:
                events.append(found)
        return tuple(events)

    def _learn_from(self, execution: Execution) -> None:
        before = self._known.get(execution.order_id)
        named = _text(execution.cl_ord_id)
        # An order that nobody gave an id of ours is a stranger's, and goes by the venue's id.
        client_id = named or (before.client_id if before is not None else execution.order_id)
        side = Side(execution.side) if execution.side in {Side.BUY, Side.SELL} else None
        self.learn(execution.order_id, client_id, _text(execution.symbol) or None, side)

    def _event(self, execution: Execution) -> OrderEvent | Refused | None:
        known = self._known[execution.order_id]
        moment = execution.moment_ns()
        if isinstance(moment, Refused):
            return moment
        kind = execution.exec_type
        if kind in _BEGINNINGS:
            return OrderAcknowledged(known.client_id, execution.order_id, moment)
        if kind == "trade":
            return self._trade(execution, known, moment)
        if kind in _ENDINGS:
            filled = self._lots(known, execution.cum_qty, 0)
            return (
                filled if isinstance(filled, Refused) else OrderEnded(known.client_id, _ENDINGS[kind], filled, moment)
            )
        return None if kind in _SILENT else refused(Reason.WRONG_SHAPE, f"execution of type {kind}")

    def _trade(self, execution: Execution, known: Known, moment: int) -> OrderTraded | Refused:
        instrument, side = known.instrument, known.side
        if instrument is None or side is None or isinstance(execution.exec_id, UnsetType):
            return refused(Reason.WRONG_SHAPE, f"a trade of order {execution.order_id} that does not say of what")
        ticks = amount_steps(execution.last_price, instrument, price=True)
        lots = self._lots(known, execution.last_qty, 1)
        fee = _fee(execution, instrument)
        if isinstance(ticks, Refused) or isinstance(lots, Refused) or isinstance(fee, Refused):
            return next(part for part in (ticks, lots, fee) if isinstance(part, Refused))
        return OrderTraded(
            known.client_id,
            execution.exec_id,
            instrument.symbol,
            side,
            ticks,
            lots,
            fee,
            execution.liquidity_ind == _MAKER,
            moment,
        )

    def _lots(self, known: Known, amount: object, smallest: int) -> int | Refused:
        if amount is UNSET and smallest == 0:
            return 0
        if known.instrument is None:
            return 0 if smallest == 0 else refused(Reason.UNKNOWN_SYMBOL, known.client_id)
        return amount_steps(amount, known.instrument, price=False, smallest=smallest)


def amount_steps(amount: object, instrument: Instrument, *, price: bool, smallest: int = 1) -> int | Refused:
    """Return an exact amount in ticks or lots of an instrument."""
    step = instrument.tick if price else instrument.lot
    digits = -step.normalize().adjusted()
    text = f"{amount:f}" if isinstance(amount, Decimal) else "nothing"
    return steps(text.encode(), digits, smallest, PRICE_TICKS_MAX if price else SIZE_LOTS_MAX)


def fee_quanta(amount: Decimal) -> int:
    """Return a fee in quanta, rounded up where the venue is finer than our books."""
    return int((amount * QUANTA_PER_QUOTE_UNIT).to_integral_value(ROUND_CEILING))


def _fee(execution: Execution, instrument: Instrument) -> int | Refused:
    fees = () if isinstance(execution.fees, UnsetType) else execution.fees
    strange = next((fee.asset for fee in fees if fee.asset != instrument.quote and fee.qty), None)
    if strange is not None:
        return refused(Reason.WRONG_SHAPE, f"a fee in {strange}, which our books cannot hold")
    return sum(fee_quanta(fee.qty) for fee in fees)


def _text(value: str | UnsetType) -> str:
    return "" if isinstance(value, UnsetType) else value
