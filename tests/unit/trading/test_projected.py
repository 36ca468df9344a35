"""The documents that reports read are those of the fold, whenever they are asked for."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from appliance.core.values import Side
from appliance.trading import records
from appliance.trading.projected import ProjectedLedger
from tests.unit.trading.builders import MARKET, OTHER_MARKET, Bench, a_plan, boot, ended, refused, traded


def story() -> Bench:
    """Write a short history with every kind of record in it."""
    bench = Bench()
    scribe = bench.scribe
    scribe.write(boot(bench.ledger))
    scribe.write(records.Parameters({"risk.heat": "25", "market.bar_s": "60"}))
    scribe.write(records.Account(10**12))
    scribe.write(records.Mode("BOOT", "RECONCILING", "why", "trader", 0, 0))
    bought, other = bench.opened(), bench.opened(a_plan(instrument_name=OTHER_MARKET, strategy="reversion"))
    bench.desk.traded(traded(bought, "a", 60))
    bench.desk.traded(traded(other, "b", 100))
    bench.desk.ended(ended(bought, 60))
    bench.desk.refused(refused(bench.sent()))
    sold = bench.opened(a_plan(side=Side.SELL, size_lots=60, reduce_only=True))
    bench.desk.traded(traded(sold, "c", 60, price_ticks=1_200))
    scribe.write(records.Equity(1, 2, 3, 4, 5))
    scribe.write(records.Reconciled(agreed=True, differences=(), venue_ns=0))
    bench.asked()
    return bench


@given(st.sets(st.integers(0, 40)))
def test_documents_read_in_pieces_equal_a_rebuild(read_after: set[int]) -> None:
    """Shows that documents collected at any moments add up to those of one fold of everything; fails when a change
    between two readings is lost.
    """
    rows = story().rows
    piecewise, whole = ProjectedLedger(), ProjectedLedger()
    collected: dict[tuple[str, str], bytes] = {}
    for number, row in enumerate(rows):
        piecewise.apply(row)
        whole.apply(row)
        if number in read_after:
            collected |= {(table, key): document for table, key, document in piecewise.changed()}
    collected |= {(table, key): document for table, key, document in piecewise.changed()}
    assert collected == {(table, key): document for table, key, document in whole.changed()}
    assert list(piecewise.changed()) == []


def test_the_documents_say_what_happened() -> None:
    """Shows one document of each table in its final form; fails when a field is taken from elsewhere."""
    projected = ProjectedLedger()
    rows = story().rows
    for row in rows:
        projected.apply(row)
    documents = {(table, key): msgspec.json.decode(document) for table, key, document in projected.changed()}
    assert {table for table, _ in documents} == {"orders", "positions", "modes", "equity", "parameters"}
    assert documents["parameters", "risk.heat"] == {"value": "25", "sequence": 2}
    assert documents["modes", "000000000004"]["new"] == "RECONCILING"
    assert documents["equity", f"{len(rows) - 1:012d}"]["peak_quanta"] == 3
    position = documents["positions", MARKET]
    assert (position["lots"], position["lots_by_strategy"], position["realized_quanta"]) == (0, {}, 200 * 60 * 10)
    states = sorted(document["state"] for (table, _), document in documents.items() if table == "orders")
    assert states == ["canceled", "filled", "filled", "refused"]
