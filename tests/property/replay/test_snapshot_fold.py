"""A ledger that was frozen and thawed goes on exactly as the one it was taken from."""

from hypothesis import given
from hypothesis import strategies as st

from appliance.core.values import Side
from appliance.trading import records
from appliance.trading.ledger import Ledger
from appliance.trading.snapshot import freeze, thaw
from tests.recorded.ledgers import apply, everything_in, fill, intent, moved

Act = tuple[str, int, int]
ACTS = st.lists(
    st.tuples(
        st.sampled_from(["intent", "fill", "end", "mode", "equity", "parameters", "refused"]),
        st.integers(0, 99),
        st.integers(1, 60),
    ),
    max_size=60,
)


def act(ledger: Ledger, what: Act) -> None:
    """Fold in one record that is possible now."""
    kind, choice, lots = what
    orders = list(ledger.orders.values())
    order = orders[choice % len(orders)] if orders else None
    match kind:
        case "fill" if order is not None:
            fill(ledger, order.client_id, lots)
        case "end" if order is not None:
            moved(ledger, order.client_id, ("canceled", "refused", "unknown", "never")[choice % 4], lots)
        case "mode":
            apply(ledger, records.Mode("BOOT", f"MODE-{choice}", "because", "trader", choice, lots))
        case "equity":
            apply(ledger, records.Equity(choice, choice, choice * lots, lots, choice))
        case "parameters":
            apply(ledger, records.Parameters({f"setting-{choice}": str(lots)}))
        case "refused":
            apply(ledger, records.Refused("order"))
        case _:
            side = (Side.BUY, Side.SELL)[lots % 2]
            intent(ledger, ("BTC/USD", "ETH/USD")[choice % 2], ("trend", "reversion")[choice % 3 % 2], side)


@given(before=ACTS, after=ACTS)
def test_the_fold_goes_on_identically(before: list[Act], after: list[Act]) -> None:
    """Shows that no record tells a thawed ledger from the original; fails when a slot, an order of a table or the
    identity of an order is lost.
    """
    original = Ledger()
    for each in before:
        act(original, each)
    thawed = thaw(freeze(original))
    for each in after:
        act(original, each)
        act(thawed, each)
    assert everything_in(thawed) == everything_in(original)
