"""Faults of the venue as a house: it closes for a while, changes its terms, or has somebody else at our account."""

import msgspec

from appliance.venues.simulator.instruments import BUILT_IN
from appliance.world.inspector import FAULT_EXCUSED_BY_DEPOSIT, FAULT_EXCUSED_BY_KEY
from appliance.world.stage import Stage
from appliance.world.venue import ONLINE

_FIRST_TERMS = {instrument.symbol: instrument for instrument in BUILT_IN}
_LARGER_BY = (2, 30, 3_000)


def maintain(stage: Stage) -> None:
    """Let the venue take no new orders."""
    stage.count("venue in maintenance")
    stage.venue.say("maintenance")


def end_maintenance(stage: Stage) -> None:
    """Let it take orders again."""
    if stage.venue.status != ONLINE:
        stage.venue.say(ONLINE)


def change_terms(stage: Stage) -> None:
    """Let the venue ask for larger orders in one instrument: a little, more than some entries, or more than any."""
    listed = next(iter(stage.venue.exchange.instruments.values()))
    stage.count("terms changed")
    smallest_lots = _FIRST_TERMS[listed.symbol].size_lots_min * stage.dice.choice(_LARGER_BY)
    stage.venue.list_anew(msgspec.structs.replace(listed, size_lots_min=smallest_lots))


def restore_terms(stage: Stage) -> None:
    """Let it list every instrument as it did at first."""
    for name in stage.venue.exchange.instruments:
        stage.venue.list_anew(_FIRST_TERMS[name])


def deposit(stage: Stage) -> None:
    """Let somebody else put cash into the account once it is ours."""
    trader = stage.shell.trader
    if trader is not None and trader.ledger.funded and not stage.venue.foreign_quanta:
        stage.inspector.excuses.add(FAULT_EXCUSED_BY_DEPOSIT)
        stage.count("cash of a stranger")
        stage.venue.deposit(1 + stage.dice.getrandbits(20))


def withdraw_deposit(stage: Stage) -> None:
    """Let them take it out again."""
    stage.venue.deposit(-stage.venue.foreign_quanta)


def revoke_key(stage: Stage) -> None:
    """Let the venue take the key no longer."""
    stage.inspector.excuses.add(FAULT_EXCUSED_BY_KEY)
    stage.count("key revoked")
    stage.shell.key_problem = "it was revoked"
    stage.orders.cut("key revoked")


def renew_key(stage: Stage) -> None:
    """Let a person give the appliance another one."""
    if stage.shell.key_problem:
        stage.shell.key_problem = ""
        stage.orders.cut("another key")
