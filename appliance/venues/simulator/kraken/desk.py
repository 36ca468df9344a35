"""Where requests about orders arrive: modes of the venue, rate counters, deadlines, names; then the floor.

Every method returns what the venue would answer, a text being an error in its words. The caller has let time pass
before and drains the floor afterwards.
"""

import enum
from typing import Final

from appliance.venues.simulator.floor import Floor, identifier
from appliance.venues.simulator.kraken.admission import admitted, changed, deadline_refusal
from appliance.venues.simulator.kraken.names import Catalogue
from appliance.venues.simulator.kraken.rates import PRO, RateCounter, RateTier, amend_cost, cancel_cost
from appliance.venues.simulator.terms import LIMITED, PaperOrder
from appliance.wire.kraken.serving.orders import Amendment, Named, NewOrder

UNKNOWN_ORDER: Final = "EOrder:Unknown order"


class System(enum.StrEnum):
    """Name the venue's modes."""

    ONLINE = "online"
    CANCEL_ONLY = "cancel_only"
    POST_ONLY = "post_only"
    MAINTENANCE = "maintenance"


class Desk:
    """Carry out requests about orders."""

    def __init__(self, floor: Floor, catalogue: Catalogue, tier: RateTier = PRO) -> None:
        """Serve a floor with the rate limits of a tier."""
        self.floor = floor
        self.catalogue = catalogue
        self.tier = tier
        self.system = System.ONLINE
        self.storm_until_ns = 0
        self.refused = 0
        self._amendments = 0
        self._rates = {
            symbol: RateCounter(tier.trading_max, tier.trading_decay_milli_per_s) for symbol in catalogue.listed
        }

    def add(self, asked: NewOrder, deadline: str = "") -> PaperOrder | str:
        """Place an order, or say why not."""
        placed = self._add(asked, deadline)
        self.refused += isinstance(placed, str)
        return placed

    def amend(self, asked: Amendment, deadline: str = "") -> tuple[str, PaperOrder] | str:
        """Change an open order in place and return the amendment's id, or say why not."""
        floor = self.floor
        late = deadline_refusal(deadline, floor.venue_ns) or self._closed()
        if late:
            return late
        found = self.find(Named(order_ids=_one(asked.order_id), client_ids=_one(asked.client_id)))
        if not found:
            return UNKNOWN_ORDER
        order = found[0]
        terms = changed(asked, order, self.catalogue.listed[order.instrument])
        if isinstance(terms, str):
            return terms
        if not self._rates[order.instrument].admits(floor.now_ns, amend_cost(floor.venue_ns - order.opened_ns)):
            return "EOrder:Rate limit exceeded"
        refusal = floor.amend(order, terms)
        self._amendments += 1
        return refusal or (identifier("A", floor.venue_ns // 1_000_000, self._amendments), order)

    def edit(
        self, asked: Amendment, deadline: str = "", *, validate: bool = False
    ) -> tuple[PaperOrder, PaperOrder] | str:
        """Let a new order take another's place and return both, or say why not."""
        floor = self.floor
        late = deadline_refusal(deadline, floor.venue_ns) or self._closed()
        found = self.find(Named(order_ids=_one(asked.order_id), client_ids=_one(asked.client_id)))
        if late or not found:
            return late or UNKNOWN_ORDER
        old = found[0]
        terms = changed(asked, old, self.catalogue.listed[old.instrument])
        if isinstance(terms, str):
            return terms
        if validate:
            return old, old
        if not self._rates[old.instrument].admits(floor.now_ns, 1 + cancel_cost(floor.venue_ns - old.opened_ns)):
            return "EOrder:Rate limit exceeded"
        floor.cancel(old, "Order replaced")
        new = floor.place(terms)
        return new if isinstance(new, str) else (new, old)

    def cancel(self, named: Named, deadline: str = "") -> list[PaperOrder] | str:
        """Cancel what is named and open, or say why nothing was."""
        if self.system is System.MAINTENANCE:
            return "EService:Unavailable"
        late = deadline_refusal(deadline, self.floor.venue_ns)
        if late:
            return late
        found = self.find(named)
        for order in found:
            self._rates[order.instrument].charge(self.floor.now_ns, cancel_cost(self.floor.venue_ns - order.opened_ns))
            self.floor.cancel(order)
        return found or UNKNOWN_ORDER

    def cancel_all(self) -> int | str:
        """Cancel everything and return how much that was."""
        return "EService:Unavailable" if self.system is System.MAINTENANCE else self.floor.cancel_all()

    def set_dead_man(self, timeout_s: int) -> str:
        """Set the timer, or say why not."""
        if self.system is System.MAINTENANCE:
            return "EService:Unavailable"
        self.floor.set_dead_man(timeout_s)
        return ""

    def find(self, named: Named) -> list[PaperOrder]:
        """Return the open orders of these names, each once."""
        found = [order for name in named.order_ids if (order := self.floor.open.get(name)) is not None]
        clients, references = set(named.client_ids), set(named.references)
        for order in self.floor.open.values():
            terms = order.terms
            if (terms.client_id in clients and terms.client_id) or (terms.reference in references and terms.reference):
                found.append(order)
        # A client id may also stand where the venue's is expected.
        found += [order for order in self.floor.open.values() if order.terms.client_id in named.order_ids]
        return list(dict.fromkeys(found))

    def _add(self, asked: NewOrder, deadline: str) -> PaperOrder | str:
        floor = self.floor
        late = deadline_refusal(deadline, floor.venue_ns) or self._closed()
        if late:
            return late
        if self.system is System.POST_ONLY and not (asked.post_only and asked.order_type in LIMITED):
            return "EService:Market in post_only mode"
        listed = self.catalogue.find(asked.symbol)
        last = floor.last_ticks(listed.symbol) if listed else 0
        terms = admitted(asked, self.catalogue, last, floor.venue_ns)
        if isinstance(terms, str):
            return terms
        if not self._rates[terms.symbol].admits(floor.now_ns, 1):
            return "EOrder:Rate limit exceeded"
        return floor.place(terms, validate=asked.validate)

    def _closed(self) -> str:
        if self.system is System.MAINTENANCE:
            return "EService:Unavailable"
        if self.floor.now_ns < self.storm_until_ns:
            return "EService:Busy"
        return "EService:Market in cancel_only mode" if self.system is System.CANCEL_ONLY else ""


def _one(name: str) -> tuple[str, ...]:
    return (name,) if name else ()
