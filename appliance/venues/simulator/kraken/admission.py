"""Turn what a client asks for into terms on an instrument's grid, or into the venue's words for why not."""

from typing import Final

import msgspec

from appliance.core.clock import NANOSECONDS_PER_SECOND
from appliance.core.values import SelfTrade, Side
from appliance.venues.simulator.kraken.names import COST_MIN, Catalogue, Listed
from appliance.venues.simulator.terms import LIMITED, TRIGGERED, Close, InForce, OrderType, PaperOrder, Terms
from appliance.wire.kraken.numbers import Grid, moment_ns
from appliance.wire.kraken.refusals import Reason, Refused
from appliance.wire.kraken.serving.orders import Amendment, CloseAsked, NewOrder, good_client_id

DEADLINE_NS_MAX: Final = 60 * NANOSECONDS_PER_SECOND
ELAPSED: Final = "EService:Deadline elapsed"
_WRONG: Final = "EGeneral:Invalid arguments"
_TICK: Final = "EOrder:Tick size check failed"
_REFERENCE_MAX: Final = 2**31


def deadline_refusal(deadline: str, venue_ns: int) -> str:
    """Return why a request may not be carried out any more; no deadline is none."""
    if not deadline:
        return ""
    due_ns = moment_ns(deadline)
    if isinstance(due_ns, Refused) or due_ns - venue_ns > DEADLINE_NS_MAX:
        return f"{_WRONG}:deadline"
    return ELAPSED if due_ns <= venue_ns else ""


def admitted(asked: NewOrder, catalogue: Catalogue, last_ticks: int, venue_ns: int) -> Terms | str:
    """Return the terms that are asked for, or why they cannot be."""
    listed = catalogue.find(asked.symbol)
    if listed is None:
        return "EQuery:Unknown asset pair"
    wrong = _wrong_form(asked)
    if wrong:
        return wrong
    order_type = OrderType(asked.order_type)
    prices = _prices(listed.grid, order_type, asked.limit_price, asked.trigger_price)
    lots = listed.grid.lots(asked.quantity)
    expire_ns = _expiry(asked, venue_ns)
    close = _close(listed.grid, asked.close)
    for part in (prices, expire_ns, close):
        if isinstance(part, str):
            return part
    if isinstance(lots, Refused):
        return "EOrder:Order minimum not met" if lots.reason is Reason.OUT_OF_RANGE else f"{_WRONG}:volume"
    price, trigger = prices if isinstance(prices, tuple) else (0, 0)
    too_small = _too_small(listed, lots, price or trigger or last_ticks)
    if too_small:
        return too_small
    return Terms(
        symbol=listed.symbol,
        side=Side(asked.side),
        order_type=order_type,
        size_lots=lots,
        price_ticks=price,
        trigger_ticks=trigger,
        in_force=InForce(asked.in_force),
        expire_ns=expire_ns if isinstance(expire_ns, int) else 0,
        post_only=asked.post_only,
        self_trade=SelfTrade(asked.self_trade),
        client_id=asked.client_id,
        reference=asked.reference,
        close=close if isinstance(close, Close) else None,
    )


def changed(asked: Amendment, order: PaperOrder, listed: Listed) -> Terms | str:
    """Return an order's terms with what is asked for changed, or why they cannot be."""
    terms = order.terms
    size, price, trigger = terms.size_lots, terms.price_ticks, terms.trigger_ticks
    if asked.quantity:
        lots = listed.grid.lots(asked.quantity)
        if isinstance(lots, Refused) or lots < listed.instrument.size_lots_min:
            return "EOrder:Order minimum not met"
        size = lots
    if asked.limit_price:
        found = listed.grid.ticks(asked.limit_price)
        if isinstance(found, Refused) or terms.order_type not in LIMITED:
            return _TICK if isinstance(found, Refused) else f"{_WRONG}:limit_price"
        price = found
    if asked.trigger_price:
        found = listed.grid.ticks(asked.trigger_price)
        if isinstance(found, Refused) or order.triggered:
            return _TICK if isinstance(found, Refused) else f"{_WRONG}:trigger_price"
        trigger = found
    post_only = terms.post_only if asked.post_only is None else asked.post_only
    if post_only and terms.order_type not in LIMITED:
        return f"{_WRONG}:post_only"
    return msgspec.structs.replace(terms, size_lots=size, price_ticks=price, trigger_ticks=trigger, post_only=post_only)


def _wrong_form(asked: NewOrder) -> str:
    checks = (
        (asked.side in set(Side), f"{_WRONG}:type"),
        (asked.order_type in set(OrderType), f"{_WRONG}:ordertype"),
        (asked.in_force in set(InForce), f"{_WRONG}:timeinforce"),
        (asked.self_trade in set(SelfTrade), f"{_WRONG}:stp_type"),
        # Nothing lends here, so there is never a leveraged position to reduce.
        (not asked.reduce_only, "EOrder:Reduce only:No position exists"),
        (not asked.client_id or good_client_id(asked.client_id), f"{_WRONG}:cl_ord_id"),
        (not (asked.client_id and asked.reference), f"{_WRONG}:cl_ord_id"),
        (abs(asked.reference) < _REFERENCE_MAX, f"{_WRONG}:userref"),
        (not asked.post_only or asked.order_type in LIMITED, f"{_WRONG}:post_only"),
        (not asked.post_only or asked.in_force in {InForce.GTC, InForce.GTD}, f"{_WRONG}:post_only"),
        ((asked.in_force == InForce.GTD) == bool(asked.expires), f"{_WRONG}:expiretm"),
    )
    return next((words for holds, words in checks if not holds), "")


def _prices(grid: Grid, order_type: OrderType, limit: bytes, trigger: bytes) -> tuple[int, int] | str:
    if bool(limit) != (order_type in LIMITED) or bool(trigger) != (order_type in TRIGGERED):
        return f"{_WRONG}:price"
    found = []
    for text in (limit, trigger):
        ticks = grid.ticks(text) if text else 0
        if isinstance(ticks, Refused):
            return _TICK if ticks.reason is Reason.OFF_GRID else "EOrder:Invalid price"
        found.append(ticks)
    return found[0], found[1]


def _close(grid: Grid, asked: CloseAsked | None) -> Close | str | None:
    if asked is None:
        return None
    if asked.order_type not in set(OrderType) - {OrderType.MARKET}:
        return f"{_WRONG}:close"
    prices = _prices(grid, OrderType(asked.order_type), asked.limit_price, asked.trigger_price)
    return prices if isinstance(prices, str) else Close(OrderType(asked.order_type), *prices)


def _expiry(asked: NewOrder, venue_ns: int) -> int | str:
    if not asked.expires:
        return 0
    moment = moment_ns(asked.expires)
    return f"{_WRONG}:expiretm" if isinstance(moment, Refused) or moment <= venue_ns else moment


def _too_small(listed: Listed, lots: int, price_ticks: int) -> str:
    instrument = listed.instrument
    if lots < instrument.size_lots_min:
        return "EOrder:Order minimum not met"
    cost = listed.grid.price(price_ticks) * listed.grid.size(lots)
    return "EOrder:Cost minimum not met" if cost < COST_MIN else ""
