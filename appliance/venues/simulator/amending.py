"""Changing an order in place: its size, its price or its trigger.

An order that only shrinks keeps its place in the queue; any other change lets it arrive anew. What the account cannot
carry is refused, and the order stays exactly as it was.
"""

from appliance.core.commands import SendAmend
from appliance.core.errors import ConversionError
from appliance.core.instruments import PRICE_TICKS_MAX, SIZE_LOTS_MAX
from appliance.core.values import Side
from appliance.venues.simulator.account import Account
from appliance.venues.simulator.listing import Listing
from appliance.venues.simulator.orders import Refusal, VenueOrder


def amend(listing: Listing, account: Account, order: VenueOrder, command: SendAmend) -> Refusal | None:
    """Change an open order, leaving it off the book when it has to arrive anew, or say why not."""
    refusal = _wrong(listing, order, command)
    if refusal is not None:
        return refusal
    live_lots = command.size_lots - order.filled_lots
    if not _carried(listing, account, order, command, live_lots):
        return Refusal.FUNDS
    if order in listing.sleeping:
        _change(order, command, live_lots)
        order.trigger_ticks = command.trigger_ticks
        listing.hold_asleep(order)
        return None
    stays = command.price_ticks == order.price_ticks and live_lots <= order.live_lots
    if not stays:
        listing.lift(order)
    _change(order, command, live_lots)
    if stays:
        account.hold(order, live_lots)
    return None


def _change(order: VenueOrder, command: SendAmend, live_lots: int) -> None:
    order.size_lots, order.live_lots, order.price_ticks = command.size_lots, live_lots, command.price_ticks


def _wrong(listing: Listing, order: VenueOrder, command: SendAmend) -> Refusal | None:
    if not max(listing.instrument.size_lots_min - 1, order.filled_lots) < command.size_lots <= SIZE_LOTS_MAX:
        return Refusal.MINIMUM
    if order.priced and not 0 < command.price_ticks <= PRICE_TICKS_MAX:
        return Refusal.RANGE
    sleeping = order in listing.sleeping
    return Refusal.RANGE if sleeping and not 0 < command.trigger_ticks <= PRICE_TICKS_MAX else None


def _carried(listing: Listing, account: Account, order: VenueOrder, command: SendAmend, live_lots: int) -> bool:
    if order.side is Side.SELL:
        return live_lots <= account.free_lots(order.instrument) + order.held_lots
    try:
        notional = listing.instrument.notional_quanta(command.price_ticks, live_lots)
    except ConversionError:
        return False
    return account.cost_quanta(order.instrument, notional) <= account.free_quanta() + order.held_quanta
