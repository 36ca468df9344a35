"""A ledger survives as a document, whole."""

import msgspec
import pytest

from appliance.core.errors import WireError
from appliance.trading.ledger import CLOSED_ORDERS_KEPT_MAX, Ledger, OrderView, Position
from appliance.trading.snapshot import LedgerDocument, OrderDocument, PositionDocument, freeze, thaw
from tests.recorded.ledgers import everything_in, ledger_of_orders


@pytest.mark.parametrize(
    ("holder", "document", "left_out"),
    [
        (Ledger, LedgerDocument, {"appliers"}),  # the table of methods: no state
        (OrderView, OrderDocument, set()),
        (Position, PositionDocument, set()),
    ],
)
def test_every_slot_is_in_the_document(
    holder: type[Ledger | OrderView | Position], document: type[msgspec.Struct], left_out: set[str]
) -> None:
    """Shows that a snapshot leaves nothing out; fails when a slot is added to the ledger and not to the document."""
    slots = {name.lstrip("_") for name in holder.__slots__}
    assert slots - left_out == set(document.__struct_fields__)


def test_a_full_ledger_comes_back_whole() -> None:
    """Shows that positions, settled and working orders and the list of closed ones all come back in their order;
    fails when one of them is lost, reordered, or an order is no longer one object in both tables.
    """
    ledger = ledger_of_orders(CLOSED_ORDERS_KEPT_MAX + 40)
    thawed = thaw(freeze(ledger))
    assert everything_in(thawed) == everything_in(ledger)
    assert thawed.working
    assert all(order is thawed.orders[name] for name, order in thawed.working.items())
    assert freeze(thawed) == freeze(ledger)


def test_closed_orders_are_forgotten_in_the_same_order() -> None:
    """Shows that a thawed ledger forgets its oldest closed orders when the original does; fails when the queue of
    closed orders is not carried over.
    """
    original = ledger_of_orders(CLOSED_ORDERS_KEPT_MAX)
    thawed = thaw(freeze(original))
    for ledger in (original, thawed):
        ledger_of_orders(30, ledger)
    assert everything_in(thawed) == everything_in(original)


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"\xff", b"[" * 100_000, freeze(Ledger())[:-1]])
def test_what_is_no_snapshot_is_refused(data: bytes) -> None:
    """Shows that anything but a whole document is refused in a sentence; fails when it passes or raises otherwise."""
    with pytest.raises(WireError):
        thaw(data)


def test_a_working_order_must_be_held() -> None:
    """Shows that a document that contradicts itself is refused; fails when it raises a bare KeyError."""
    document = msgspec.json.decode(freeze(Ledger()))
    document["working"] = ["nobody"]
    with pytest.raises(WireError, match="nobody"):
        thaw(msgspec.json.encode(document))
