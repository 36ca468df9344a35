"""`appliance explain` tells why something was bought: the decision, its weights and reasons, and what came of it."""

import argparse
import contextlib
import json
import sqlite3
from typing import Any

from appliance.core.errors import StoreFailure
from appliance.core.records import Row
from appliance.core.values import PARTS_PER_MILLION
from appliance.store import database
from appliance.store.lock import InstanceLock
from appliance.store.paths import add_journal_options, journal_of
from appliance.store.projections import read_rows
from appliance.trading.records import Decision, Fill, Intent, Order, decode, plain

_FOLLOWS_ROWS_MAX = 16


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of the verb."""
    parser.add_argument(
        "decision", metavar="DECISION_ID", help="the number of the decision's row, or the client id of its order"
    )
    add_journal_options(parser)
    parser.add_argument("--json", action="store_true", help="print it as one JSON document")


def run(arguments: argparse.Namespace) -> int:
    """Find a decision in a journal that no process has open, and print it."""
    journal = journal_of(arguments)
    if not journal.is_file():
        raise StoreFailure(f"There is no journal at {journal}; name another with --journal or --state.")
    lock = InstanceLock.take_to_read(journal)
    try:
        with contextlib.closing(database.read_only(journal)) as connection:
            found = _find(list(_told(connection)), arguments.decision)
    except sqlite3.Error as error:
        raise StoreFailure(f"The journal {journal} cannot be read ({error}); run: appliance verify") from error
    finally:
        lock.release()
    if found is None:
        raise StoreFailure(
            f"There is no decision {arguments.decision[:80]!r} in {journal}; rows of kind decision have one."
        )
    if arguments.json:
        print(json.dumps(found))
    else:
        _print(found)
    return 0


def _told(connection: sqlite3.Connection) -> Any:  # noqa: ANN401 - an iterator of rows
    wanted = {"decision", "intent", "order", "fill"}
    return (row for row in read_rows(connection) if row.kind in wanted)


def _find(rows: list[Row], wanted: str) -> dict[str, Any] | None:
    """Return the decision, the order it led to and what became of that; an order's own id finds it too."""
    decided: Row | None = None
    orders: dict[str, dict[str, Any]] = {}
    for row in rows:
        record = decode(row)
        if isinstance(record, Decision):
            decided = row
        elif isinstance(record, Intent):
            if decided is not None and decided.trace == row.trace and not record.reduce_only:
                follows = row.sequence - decided.sequence <= _FOLLOWS_ROWS_MAX
                if follows:
                    orders[record.client_id] = _document(decided, record)
            decided = None
        elif isinstance(record, Order) and record.client_id in orders:
            orders[record.client_id]["states"].append(record.state)
        elif isinstance(record, Fill) and record.client_id in orders:
            orders[record.client_id]["fills"].append(plain(record))
    matching = [one for one in orders.values() if wanted in {str(one["decision_id"]), one["order"]["client_id"]}]
    return matching[0] if matching else None


def _document(decided: Row, intent: Intent) -> dict[str, Any]:
    return {
        "decision_id": decided.sequence,
        "wall_ns": decided.wall_ns,
        "decision": plain(decode(decided)),
        "order": plain(intent),
        "states": [],
        "fills": [],
    }


def _print(found: dict[str, Any]) -> None:
    decision, order = found["decision"], found["order"]
    print(f"decision {found['decision_id']}: {decision['strategy']} buys {decision['instrument']}")
    print(f"  because  {decision['detail']}")
    print(f"  score    {_share(decision['score_ppm'])}, certainty {_share(decision['certainty_ppm'])}")
    weights = ", ".join(f"{name} {_share(ppm)}" for name, ppm in decision["weights"].items())
    print(f"  weights  {weights}")
    if decision["models"]:
        print(f"  models   {decision['models']}, regime {decision['regime']}")
    for name, contribution in decision["reasons"]:
        print(f"  reason   {contribution / PARTS_PER_MILLION:+.4f}  {name}")
    print(f"  order    {order['client_id']}: {order['size_lots']} lots at {order['price_ticks']} ticks")
    print(f"  became   {' → '.join(found['states']) or 'nothing yet'}, {len(found['fills'])} fills")


def _share(ppm: int) -> str:
    return f"{ppm / PARTS_PER_MILLION:.2f}"
