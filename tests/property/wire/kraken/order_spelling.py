"""An order as the venue's documentation spells it, field by field: what the quick writer must agree with."""

from msgspec import UNSET

from appliance.core.commands import SendOrder
from appliance.core.instruments import Instrument
from appliance.core.values import PRICED_KINDS, STOP_KINDS
from appliance.wire.kraken.numbers import written_time
from appliance.wire.kraken.requests import AddOrder, TriggerAt


def spelled_order(command: SendOrder, instrument: Instrument, due_ns: int) -> AddOrder:
    """Return an order to be refused when it arrives after a moment of the venue's clock."""
    priced, stop = command.kind in PRICED_KINDS, command.kind in STOP_KINDS
    return AddOrder(
        order_type=command.kind.value,
        side=command.side,
        order_qty=instrument.lots_to_size(command.size_lots),
        symbol=command.instrument,
        limit_price=instrument.ticks_to_price(command.price_ticks) if priced else UNSET,
        triggers=TriggerAt(reference="last", price=instrument.ticks_to_price(command.trigger_ticks)) if stop else UNSET,
        time_in_force="gtc" if priced else UNSET,
        deadline=written_time(due_ns),
        cl_ord_id=command.client_id,
        stp_type=command.self_trade.value,
    )
