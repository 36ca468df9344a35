"""Answer the private REST calls: who asks is checked, counted and permitted before anything is looked at."""

from collections.abc import Callable, Mapping
from typing import Final

from appliance.core.clock import NANOSECONDS_PER_SECOND
from appliance.core.events import OrderTraded
from appliance.core.values import quanta_to_cash
from appliance.venues.simulator.kraken.keys import TOKEN_LIFE_S, ApiKey, Keyring
from appliance.venues.simulator.kraken.names import asset_code
from appliance.venues.simulator.kraken.rates import RateCounter
from appliance.venues.simulator.kraken.rest_orders import described, order_entry, trade_entry
from appliance.venues.simulator.kraken.state import VenueState
from appliance.venues.simulator.terms import PaperOrder
from appliance.wire.kraken.numbers import written_time
from appliance.wire.kraken.serving import rest
from appliance.wire.kraken.serving.encoding import fixed

Fields = Mapping[str, str]
PAGE: Final = 50
TIMEOUT_S_MAX: Final = 86_400
TRADES_SCANNED_MAX: Final = 50_000
_PERMISSIONS: Final = {
    "GetWebSocketsToken": ("access-ws", 1),
    "GetApiKeyInfo": ("", 1),
    "Balance": ("query-funds", 1),
    "BalanceEx": ("query-funds", 1),
    "TradeVolume": ("query-funds", 1),
    "OpenOrders": ("query-open-trades", 1),
    "ClosedOrders": ("query-closed-trades", 1),
    "QueryOrders": ("query-closed-trades", 1),
    "TradesHistory": ("query-closed-trades", 2),
    "AddOrder": ("modify-trades", 0),
    "AmendOrder": ("modify-trades", 0),
    "EditOrder": ("modify-trades", 0),
    "CancelOrder": ("close-trades", 0),
    "CancelOrderBatch": ("close-trades", 0),
    "CancelAll": ("close-trades", 1),
    "CancelAllOrdersAfter": ("close-trades", 1),
}


class PrivateCalls:
    """Answer who holds a key."""

    def __init__(self, state: VenueState, keyring: Keyring) -> None:
        """Answer from what the venue knows; the keyring knows who may ask."""
        self._state = state
        self._keyring = keyring
        tier = state.desk.tier
        self._counters = {key: RateCounter(tier.rest_max, tier.rest_decay_milli_per_s) for key in keyring.keys}
        self._calls: dict[str, Callable[[Fields, ApiKey], object]] = {
            "GetWebSocketsToken": self._token,
            "GetApiKeyInfo": self._key_info,
            "Balance": self._balance,
            "BalanceEx": self._balance_extended,
            "TradeVolume": self._volume,
            "OpenOrders": self._open,
            "ClosedOrders": self._closed,
            "QueryOrders": self._query,
            "TradesHistory": self._trades,
            "AddOrder": self._add,
            "AmendOrder": self._amend,
            "EditOrder": self._edit,
            "CancelOrder": self._cancel,
            "CancelOrderBatch": self._cancel,
            "CancelAll": self._cancel_all,
            "CancelAllOrdersAfter": self._timer,
        }

    def answer(self, path: str, body: bytes, content_type: str, key: str, sign: str) -> object:
        """Return the result of a call, or the venue's words for why there is none."""
        method = path.rpartition("/")[2]
        call = self._calls.get(method)
        if call is None:
            return "EGeneral:Unknown method"
        holder = self._keyring.keys.get(key)
        if holder is None:
            return "EAPI:Invalid key"
        fields = rest.fields(body, content_type)
        nonce = None if fields is None else rest.nonce_of(fields)
        if fields is None or nonce is None:
            return "EAPI:Invalid nonce"
        if not rest.well_signed(path, body, nonce, sign, holder.private_key):
            return "EAPI:Invalid signature"
        if nonce <= holder.nonce:
            return "EAPI:Invalid nonce"
        holder.nonce = nonce
        permission, cost = _PERMISSIONS[method]
        if permission and permission not in holder.permissions:
            return "EGeneral:Permission denied"
        if not self._counters[key].admits(self._state.floor.now_ns, cost):
            return "EAPI:Rate limit exceeded"
        return call(fields, holder)

    def _token(self, _: Fields, key: ApiKey) -> object:
        return {"token": self._keyring.issue(key, self._state.floor.now_ns), "expires": TOKEN_LIFE_S}

    def _key_info(self, _: Fields, key: ApiKey) -> object:
        return {
            "api_key_name": key.name,
            "api_key": key.key,
            "nonce": str(key.nonce),
            "nonce_window": 0,
            "permissions": sorted(key.permissions),
            "valid_until": "0",
            "ip_allowlist": [],
        }

    def _balance(self, _: Fields, __: ApiKey) -> object:
        return {asset_code(name): f"{amount:f}" for name, amount in self._state.teller.amounts().items()}

    def _balance_extended(self, _: Fields, __: ApiKey) -> object:
        held = self._state.teller.held()
        return {
            asset_code(name): {"balance": f"{amount:f}", "hold_trade": f"{held[name]:f}"}
            for name, amount in self._state.teller.amounts().items()
        }

    def _volume(self, fields: Fields, _: ApiKey) -> object:
        floor = self._state.floor
        account, venue_ns = floor.account, floor.venue_ns
        result: dict[str, object] = {
            "currency": "ZUSD",
            "volume": f"{quanta_to_cash(account.volume_quanta(venue_ns)):.4f}",
        }
        found = [listed for name in fields.get("pair", "").split(",") if (listed := self._state.catalogue.find(name))]
        for column, title in ((1, "fees"), (0, "fees_maker")):
            fees = {each.code: {"fee": fixed(account.fees_ppm(each.instrument, venue_ns)[column], 4)} for each in found}
            if fees:
                result[title] = fees
        return result

    def _open(self, fields: Fields, _: ApiKey) -> object:
        reference, client = fields.get("userref", ""), fields.get("cl_ord_id", "")
        found = [
            order
            for order in self._state.floor.open.values()
            if reference in {"", str(order.terms.reference)} and client in {"", order.terms.client_id}
        ]
        return {"open": {order.venue_id: self._entry(order, fields) for order in found}}

    def _closed(self, fields: Fields, _: ApiKey) -> object:
        floor = self._state.floor
        reference, client = fields.get("userref", ""), fields.get("cl_ord_id", "")
        start, end = _seconds(fields.get("start", "")), _seconds(fields.get("end", ""))
        found = [
            order
            for order in reversed(floor.orders.values())
            if order.venue_id not in floor.open
            and reference in {"", str(order.terms.reference)}
            and client in {"", order.terms.client_id}
            and (start is None or order.closed_ns > start)
            and (end is None or order.closed_ns <= end)
        ]
        page = found[_offset(fields) :][:PAGE]
        return {"closed": {order.venue_id: self._entry(order, fields) for order in page}, "count": len(found)}

    def _query(self, fields: Fields, _: ApiKey) -> object:
        floor = self._state.floor
        names = rest.named(fields, "txid", "userref")
        found = [order for name in names.order_ids if (order := floor.orders.get(name)) is not None]
        wanted, references = set(names.client_ids), set(names.references)
        if wanted or references:
            found += [
                order
                for order in floor.orders.values()
                if (order.terms.client_id and order.terms.client_id in wanted)
                or order.terms.reference in references - {0}
            ]
        if not found and not wanted and not references:
            return "EOrder:Unknown order"
        return {order.venue_id: self._entry(order, fields) for order in found[:PAGE]}

    def _trades(self, fields: Fields, _: ApiKey) -> object:
        floor = self._state.floor
        start, end = _seconds(fields.get("start", "")), _seconds(fields.get("end", ""))
        trades = floor.account.trades_from(0 if start is None else start + 1, TRADES_SCANNED_MAX)[0]
        found = [trade for trade in reversed(trades) if end is None or trade.venue_ns <= end]
        page = found[_offset(fields) :][:PAGE]
        return {"trades": {floor.execution_id(trade): self._trade(trade) for trade in page}, "count": len(found)}

    def _add(self, fields: Fields, _: ApiKey) -> object:
        asked = rest.new_order(fields, self._state.floor.venue_ns)
        if isinstance(asked, str):
            return asked
        placed = self._state.desk.add(asked, fields.get("deadline", ""))
        if isinstance(placed, str):
            return placed
        listed = self._state.catalogue.listed[placed.instrument]
        descr: dict[str, object] = {"descr": {"order": described(placed, listed)["order"]}}
        return descr if asked.validate else descr | {"txid": [placed.venue_id]}

    def _amend(self, fields: Fields, _: ApiKey) -> object:
        done = self._state.desk.amend(rest.amendment(fields), fields.get("deadline", ""))
        return done if isinstance(done, str) else {"amend_id": done[0]}

    def _edit(self, fields: Fields, _: ApiKey) -> object:
        order = self._state.floor.open.get(fields.get("txid", ""))
        if order is None:
            return "EOrder:Unknown order"
        asked = rest.edited(fields, order.terms.order_type.value)
        validate = fields.get("validate", "") == "true"
        done = self._state.desk.edit(asked, fields.get("deadline", ""), validate=validate)
        if isinstance(done, str):
            return done
        new, old = done
        listed = self._state.catalogue.listed[new.instrument]
        return {
            "status": "ok",
            "txid": new.venue_id,
            "originaltxid": old.venue_id,
            "volume": fixed(new.size_lots, listed.grid.size_digits),
            "price": fixed(new.price_ticks, listed.grid.price_digits),
            "orders_cancelled": 1,
            "descr": {"order": described(new, listed)["order"]},
        }

    def _cancel(self, fields: Fields, _: ApiKey) -> object:
        done = self._state.desk.cancel(rest.named(fields, "txid", "orders"), fields.get("deadline", ""))
        return done if isinstance(done, str) else {"count": len(done)}

    def _cancel_all(self, _: Fields, __: ApiKey) -> object:
        done = self._state.desk.cancel_all()
        return done if isinstance(done, str) else {"count": done}

    def _timer(self, fields: Fields, _: ApiKey) -> object:
        text = fields.get("timeout", "")
        if not (text.isascii() and text.isdigit()) or int(text[:6]) > TIMEOUT_S_MAX:
            return "EGeneral:Invalid arguments:timeout"
        return self._state.desk.set_dead_man(int(text[:6])) or timer_told(self._state, int(text[:6]))

    def _entry(self, order: PaperOrder, fields: Fields) -> dict[str, object]:
        listed = self._state.catalogue.listed[order.instrument]
        entry = order_entry(order, listed)
        if fields.get("trades", "").lower() == "true":
            entry["trades"] = [self._state.floor.execution_id(trade) for trade in order.trades]
        return entry

    def _trade(self, trade: OrderTraded) -> dict[str, object]:
        order = self._state.floor.orders.get(trade.client_id)
        return trade_entry(trade, order, self._state.catalogue.listed[trade.instrument])


def timer_told(state: VenueState, timeout_s: int) -> dict[str, object]:
    """Return what the venue answers to a dead-man timer that was set."""
    now_s = state.floor.venue_ns // NANOSECONDS_PER_SECOND
    return {"currentTime": _whole_time(now_s), "triggerTime": _whole_time(now_s + timeout_s) if timeout_s else "0"}


def _whole_time(seconds: int) -> str:
    return written_time(seconds * NANOSECONDS_PER_SECOND).replace(".000000Z", "Z")


def _seconds(text: str) -> int | None:
    whole, _, part = text.partition(".")
    if not (whole.isascii() and whole.isdigit()) or len(whole) > len("9999999999"):
        return None
    digits = part[:9] if part.isascii() and part.isdigit() else ""
    return int(whole) * NANOSECONDS_PER_SECOND + int(digits.ljust(9, "0"))


def _offset(fields: Fields) -> int:
    text = fields.get("ofs", "0")
    return int(text[:9]) if text.isascii() and text.isdigit() else 0
