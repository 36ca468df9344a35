"""What only the paper venue's operator sees: its own books, which no client can alter. Read, never written."""

import msgspec

from appliance.core.values import VenueState as OrderState
from appliance.venues.simulator.kraken.state import VenueState

BOOKS_PATH = "/operator/books"


class Books(msgspec.Struct, frozen=True, kw_only=True):
    """Carry the paper venue's books."""

    synthetic: bool
    seed: int
    cash_start_quanta: int
    cash_quanta: int
    fees_quanta: int
    holdings: dict[str, int]
    open_orders: tuple[dict[str, str | int], ...]
    orders_accepted: int
    trades: int
    audit_ok: bool
    disagreements: tuple[str, ...]


def books(state: VenueState, seed: int) -> Books:
    """Return the books as they are now."""
    floor, account = state.floor, state.floor.account
    disagreements = floor.audit()
    return Books(
        synthetic=True,
        seed=seed,
        cash_start_quanta=account.cash_start_quanta,
        cash_quanta=account.cash_quanta,
        fees_quanta=account.fees_quanta,
        holdings=dict(account.lots),
        open_orders=tuple(
            {
                "client_id": order.terms.client_id or order.venue_id,
                "instrument": order.instrument,
                "side": order.side.value,
                "kind": order.terms.order_type.value,
                "price_ticks": order.terms.price_ticks,
                "size_lots": order.size_lots,
                "filled_lots": order.told_lots,
            }
            for order in floor.open.values()
            if order.state is OrderState.OPEN
        ),
        orders_accepted=floor.orders_count,
        trades=account.trades_count,
        audit_ok=not disagreements,
        disagreements=disagreements,
    )
