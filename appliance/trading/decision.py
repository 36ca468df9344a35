"""From an opinion to a plan: at what price, and whether the position allows it.

Entries and ordinary exits are limit orders priced through the touch by a small allowance: they fill like a market
order but never at a price nobody looked at. Only a stop takes any price.
"""

from appliance.core.values import OrderKind, Side, parts_of
from appliance.trading.desk import Plan

SLIPPAGE_PPM = 500


def _allowance(price_ticks: int) -> int:
    return max(1, parts_of(price_ticks, SLIPPAGE_PPM))


def entry(instrument: str, strategy: str, ask_ticks: int, size_lots: int, reason: str) -> Plan:
    """Plan to buy through the ask."""
    price_ticks = ask_ticks + _allowance(ask_ticks)
    return Plan(
        instrument, strategy, Side.BUY, OrderKind.LIMIT, price_ticks, size_lots, reduce_only=False, reason=reason
    )


def departure(instrument: str, strategy: str, bid_ticks: int, size_lots: int, reason: str) -> Plan:
    """Plan to sell what a strategy holds, through the bid."""
    price_ticks = max(1, bid_ticks - _allowance(bid_ticks))
    return Plan(
        instrument, strategy, Side.SELL, OrderKind.LIMIT, price_ticks, size_lots, reduce_only=True, reason=reason
    )


def stop(instrument: str, strategy: str, size_lots: int, reason: str) -> Plan:
    """Plan to sell what a strategy holds at any price."""
    return Plan(instrument, strategy, Side.SELL, OrderKind.MARKET, 0, size_lots, reduce_only=True, reason=reason)
