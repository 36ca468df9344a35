"""Ask a running built-in venue for its own books; blocking, for tests and for the summary at the end of a run."""

import socket
from pathlib import Path

from appliance.core.errors import WireError
from appliance.wire.link import encode
from appliance.wire.venue_link import PROTOCOL_VERSION, Channel, Hello, LedgerReported, client_decoder

_READ_BYTES = 65_536
_TIMEOUT_S = 3.0


def ask_ledger(path: Path, timeout_s: float = _TIMEOUT_S) -> dict[str, object]:
    """Return the venue's books as plain JSON-ready values."""
    return _plain(_ask(path, timeout_s))


def _ask(path: Path, timeout_s: float) -> LedgerReported:
    decoder = client_decoder()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(timeout_s)
        try:
            connection.connect(str(path))
            connection.sendall(encode(Hello(PROTOCOL_VERSION, Channel.LEDGER)))
            while data := connection.recv(_READ_BYTES):
                for message in decoder.feed(data):
                    if isinstance(message, LedgerReported):
                        return message
        except OSError as problem:
            raise WireError(f"no venue answers on {path}: {problem}; is it running?") from problem
    raise WireError(f"the venue on {path} closed the connection without its ledger")


def _plain(ledger: LedgerReported) -> dict[str, object]:
    return {
        "synthetic": True,
        "seed": ledger.seed,
        "cash_start_quanta": ledger.cash_start_quanta,
        "cash_quanta": ledger.cash_quanta,
        "fees_quanta": ledger.fees_quanta,
        "holdings": {holding.instrument: holding.size_lots for holding in ledger.holdings},
        "open_orders": [
            {name: getattr(order, name) for name in order.__struct_fields__} for order in ledger.open_orders
        ],
        "orders_accepted": ledger.orders_accepted,
        "orders_refused": ledger.orders_refused,
        "trades": ledger.trades,
        "last_resort_refused": ledger.last_resort_refused,
        "audit_ok": not ledger.disagreements,
        "disagreements": list(ledger.disagreements),
    }
