"""Write an order as bytes, from parts that are ready: from one order to the next little changes but digits.

The bytes are those that `requests.encode` makes of an `AddOrder`, and a test holds the two together. Decimals, a record
and a walk through it cost fifteen times as much, and an order's time at the venue is bounded. No amount needs to be
judged here: whole ticks and lots have a finite spelling.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

import msgspec

from appliance.core.clock import NANOSECONDS_PER_SECOND
from appliance.core.commands import SendOrder
from appliance.core.instruments import Instrument
from appliance.core.secret import Secret
from appliance.core.values import PRICED_KINDS, STOP_KINDS
from appliance.wire.kraken.numbers import written_time

_ENCODER: Final = msgspec.json.Encoder()


class Steps:
    """Spell whole steps as the decimal number they are."""

    __slots__ = ("_places", "_scale", "_unit")

    def __init__(self, step: Decimal) -> None:
        """Spell multiples of a step with the step's own number of places."""
        _, _, exponent = step.as_tuple()
        self._places = max(0, -int(exponent))
        self._scale = 10**self._places
        self._unit = int(step.scaleb(self._places))

    def text(self, count: int) -> str:
        """Return so many steps, not less than none, as a number without an exponent."""
        number = count * self._unit
        if not self._places:
            return str(number)
        whole, part = divmod(number, self._scale)
        return f"{whole}.{part:0{self._places}d}"


class OrderWriter:
    """Write the orders of some instruments."""

    __slots__ = ("_second", "_second_text", "_steps")

    def __init__(self, instruments: Iterable[Instrument]) -> None:
        """Prepare the grid and the name of each instrument."""
        self._steps = {each.symbol: (Steps(each.tick), Steps(each.lot), _text(each.symbol)) for each in instruments}
        self._second, self._second_text = -1, ""

    def write(self, order: SendOrder, due_ns: int, request_number: int, token: Secret | None) -> bytes:
        """Return an order for the venue to refuse when it arrives after a moment of the venue's clock."""
        prices, sizes, symbol = self._steps[order.instrument]
        kind = order.kind
        price = time_in_force = triggers = secret = ""
        if kind in PRICED_KINDS:
            price = f',"limit_price":{prices.text(order.price_ticks)}'
            time_in_force = ',"time_in_force":"gtc"'
        if kind in STOP_KINDS:
            triggers = f',"triggers":{{"reference":"last","price":{prices.text(order.trigger_ticks)}}}'
        if token is not None:
            secret = f',"token":{_text(token.reveal())}'
        return (
            f'{{"method":"add_order","params":{{"order_type":"{kind}","side":"{order.side}"'
            f',"order_qty":{sizes.text(order.size_lots)},"symbol":{symbol}{price}{triggers}{time_in_force}'
            f',"deadline":"{self._time(due_ns)}","cl_ord_id":{_text(order.client_id)}'
            f',"stp_type":"{order.self_trade}"{secret}}},"req_id":{request_number}}}'
        ).encode()

    def _time(self, venue_ns: int) -> str:
        """Return `written_time`, the date and the second of it only when they change."""
        second, nanoseconds = divmod(venue_ns, NANOSECONDS_PER_SECOND)
        if second != self._second:
            self._second, self._second_text = second, written_time(venue_ns).partition(".")[0]
        return f"{self._second_text}.{nanoseconds:09d}".removesuffix("000") + "Z"


def _text(text: str) -> str:
    return _ENCODER.encode(text).decode()
