"""Whether the lamp says what is true, judged by what a person may conclude from it and not by how it is decided."""

from collections.abc import Iterable

from appliance.core.values import Side
from appliance.engine.trader import Trader
from appliance.safety.lamps import Lamp
from appliance.safety.modes import Mode
from appliance.venues.simulator.exchange import Exchange
from appliance.world.invariants import Underway
from appliance.world.keeper import Keeper
from appliance.world.venue import STRANGER

_TRADES = frozenset({Lamp.NORMAL, Lamp.REDUCED})
_MODES = {Lamp.NORMAL: Mode.NORMAL, Lamp.REDUCED: Mode.REDUCED}
_STOPPED = frozenset({Lamp.EMERGENCY, Lamp.HALTED, Lamp.READY, Lamp.FAULT, Lamp.DARK})


def lamp_is_true(keeper: Keeper, trader: Trader, exchange: Exchange, underway: Iterable[Underway]) -> str:
    """Check 9: a stop that stands is never shown as trading, trading is what it shows, and halted means no entry."""
    shown = keeper.lamp()
    if keeper.stop_stands and shown not in _STOPPED:
        return f"the lamp shows {shown.name} while a stop stands"
    if shown in _TRADES and trader.mode is not _MODES[shown]:
        return f"the lamp shows {shown.name}, the trader is {trader.mode.name}"
    if shown is Lamp.HALTED and (entry := _entry(exchange, underway)):
        return f"the lamp shows HALTED and {entry} may still trade"
    if keeper.permitted() and not keeper.silent and trader.mode in _MODES.values() and shown not in _TRADES:
        return f"the lamp shows {shown.name} although the trader is permitted and {trader.mode.name}"
    return ""


def _entry(exchange: Exchange, underway: Iterable[Underway]) -> str:
    """Name an order of ours that adds exposure and stands at the venue or is on its way there in time."""
    for order in exchange.open_orders():
        if order.side is Side.BUY and not order.client_id.startswith(STRANGER):
            return f"order {order.client_id}"
    for sent in underway:
        if sent.command.side is Side.BUY and sent.may_count():
            return f"order {sent.command.client_id} on its way"
    return ""
