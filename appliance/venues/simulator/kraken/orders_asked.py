"""Carry out the order requests of a WebSocket session and spell their results."""

from typing import Final

from appliance.venues.simulator.kraken.keys import ApiKey
from appliance.venues.simulator.kraken.rest_private import timer_told
from appliance.venues.simulator.kraken.state import VenueState
from appliance.venues.simulator.terms import PaperOrder
from appliance.wire.kraken.serving.orders import Named
from appliance.wire.kraken.serving.requests import (
    AmendParams,
    Asked,
    BatchAddParams,
    CancelParams,
    EditParams,
    OrderParams,
    TimerParams,
)

BATCH_CANCEL_MAX: Final = 50
Results = list[object] | str
_CANCELS: Final = frozenset({"cancel_order", "batch_cancel", "cancel_all", "cancel_all_orders_after"})


class OrderRequests:
    """Carry out requests about orders."""

    def __init__(self, state: VenueState) -> None:
        """Serve a venue's desk."""
        self._state = state
        self._desk = state.desk

    def carry_out(self, asked: Asked, key: ApiKey) -> Results:
        """Return one result for every answer that is due, or the venue's words for a refusal."""
        if ("close-trades" if asked.method in _CANCELS else "modify-trades") not in key.permissions:
            return "EGeneral:Permission denied"
        match asked.params:
            case OrderParams() as params:
                placed = self._desk.add(params.asked(), params.deadline)
                return placed if isinstance(placed, str) else [_placed(placed, validated=params.validate)]
            case BatchAddParams() as params:
                return self._batch(params)
            case AmendParams() as params:
                return self._amend(params)
            case EditParams() as params:
                return self._edit(params)
            case CancelParams() as params:
                return self._cancel(asked.method, params.asked())
            case TimerParams() as params:
                return self._desk.set_dead_man(params.timeout) or [timer_told(self._state, params.timeout)]
            case _:
                count = self._desk.cancel_all()
                return count if isinstance(count, str) else [{"count": count}]

    def _edit(self, params: EditParams) -> Results:
        edited = self._desk.edit(params.asked(), params.deadline, validate=params.validate)
        if isinstance(edited, str):
            return edited
        return [{"order_id": edited[0].venue_id, "original_order_id": edited[1].venue_id}]

    def _batch(self, params: BatchAddParams) -> Results:
        results: list[object] = []
        for each in params.orders:
            placed = self._desk.add(each.asked(params.symbol), params.deadline)
            results.append({"error": placed} if isinstance(placed, str) else _placed(placed, validated=params.validate))
        return [results]

    def _amend(self, params: AmendParams) -> Results:
        done = self._desk.amend(params.asked(), params.deadline)
        if isinstance(done, str):
            return done
        amend_id, order = done
        named: dict[str, object] = {"amend_id": amend_id, "order_id": order.venue_id}
        return [named | ({"cl_ord_id": order.terms.client_id} if order.terms.client_id else {})]

    def _cancel(self, method: str, named: Named) -> Results:
        if not 1 <= named.count() <= BATCH_CANCEL_MAX:
            return "EGeneral:Invalid arguments"
        done = self._desk.cancel(named)
        if isinstance(done, str):
            return done
        if method == "batch_cancel":
            return [{"orders_cancelled": len(done)}]
        return [_canceled(order, named) for order in done]


def _canceled(order: PaperOrder, named: Named) -> dict[str, object]:
    by_client = order.terms.client_id in named.client_ids
    result: dict[str, object] = {"order_id": order.venue_id}
    return result | ({"cl_ord_id": order.terms.client_id} if by_client else {})


def _placed(order: PaperOrder, *, validated: bool) -> dict[str, object]:
    result: dict[str, object] = {} if validated else {"order_id": order.venue_id}
    if order.terms.client_id:
        result["cl_ord_id"] = order.terms.client_id
    return result | ({"order_userref": order.terms.reference} if order.terms.reference else {})
