"""Write the answers to WebSocket requests: one shape for success, one for an error, and the pong."""

from collections.abc import Mapping

from appliance.wire.kraken.numbers import written_time
from appliance.wire.kraken.serving.encoding import encoded


def success(method: str, number: int | None, result: object, received_ns: int, answered_ns: int) -> bytes:
    """Return the answer to a request that was carried out."""
    outside = {"orders_cancelled"}
    body: dict[str, object] = {"method": method}
    if number is not None:
        body["req_id"] = number
    if isinstance(result, Mapping) and outside & set(result):
        # batch_cancel alone puts its count beside the success instead of into a result.
        body |= result
    elif result is not None:
        body["result"] = result
    return _timed(body | {"success": True}, received_ns, answered_ns)


def failure(error: str, method: str, number: int | None, received_ns: int, answered_ns: int, symbol: str = "") -> bytes:
    """Return the answer to a request that was refused."""
    body: dict[str, object] = {"error": error}
    if method:
        body["method"] = method
    if number is not None:
        body["req_id"] = number
    body["success"] = False
    if symbol:
        body["symbol"] = symbol
    return _timed(body, received_ns, answered_ns)


def pong(number: int | None, received_ns: int, answered_ns: int) -> bytes:
    """Return the answer to a ping."""
    body: dict[str, object] = {"method": "pong"}
    if number is not None:
        body["req_id"] = number
    return _timed(body, received_ns, answered_ns)


def _timed(body: dict[str, object], received_ns: int, answered_ns: int) -> bytes:
    return encoded(body | {"time_in": written_time(received_ns), "time_out": written_time(answered_ns)})
