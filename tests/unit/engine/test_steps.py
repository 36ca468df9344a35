"""A start that finds the venue's steps changed counts what is held in the new ones, exactly, or refuses to start."""

from decimal import Decimal

import msgspec
import pytest

from appliance.core import commands, events
from appliance.core.errors import ConfigError
from appliance.core.instruments import Instrument
from appliance.safety.modes import Mode
from appliance.strategies.contract import Stance
from appliance.trading.ledger import replay
from tests.unit.engine.builders import ASK_TICKS, BID_TICKS, INSTRUMENTS, MARKET, SECOND_NS, Rig
from tests.unit.trading.builders import fold_of


def listed(tick: str, lot: str) -> dict[str, Instrument]:
    """Return the instruments with other steps for ours."""
    other = Instrument.define(
        MARKET, tick=Decimal(tick), lot=Decimal(lot), size_lots_min=1, maker_fee_ppm=0, taker_fee_ppm=0
    )
    return INSTRUMENTS | {MARKET: other}


def size(rig: Rig) -> Decimal:
    """Return what is held, as the venue writes it."""
    return rig.trader.instruments[MARKET].lots_to_size(rig.lots)


@pytest.mark.parametrize(("tick", "lot"), [("0.01", "1e-8"), ("0.1", "1e-9"), ("1", "1e-8")])
def test_a_restart_counts_a_guarded_position_in_the_new_steps(tick: str, lot: str) -> None:
    """Shows that size, cost and guard mean the same in other steps, that the books agree with a venue that counts in
    them, that the guard keeps the whole position, and that another restart finds the same; fails when an integer is
    read in steps it was not written in.
    """
    before = Rig().holding().pass_time(SECOND_NS)
    (guard,) = before.guards()
    trigger = before.trader.instruments[MARKET].ticks_to_price(guard.trigger_ticks)
    held, cost_quanta = size(before), before.trader.ledger.positions[MARKET].cost_quanta
    rig = before.restarted(instruments=listed(tick, lot))
    rig.sequence = before.sequence
    ours = rig.trader.instruments[MARKET]
    (kept,) = rig.guards()
    assert (size(rig), ours.lots_to_size(kept.size_lots)) == (held, held)
    assert 0 <= ours.ticks_to_price(kept.trigger_ticks) - trigger < ours.tick
    counted = (events.Holding(MARKET, int(held / ours.lot)),)
    rig.lie = lambda report: msgspec.structs.replace(report, holdings=counted)
    rig.permit().connect()
    rig.quote(int(BID_TICKS * Decimal("0.1") / ours.tick)).pass_time(3 * SECOND_NS)
    assert (rig.mode, rig.trader.ledger.positions[MARKET].cost_quanta) == (Mode.NORMAL, cost_quanta)
    assert (kept.stands, size(rig), rig.take(commands.SendOrder)) == (True, held, [])
    assert fold_of(replay(rig.rows)) == fold_of(rig.trader.ledger)
    again = rig.restarted(instruments=listed(tick, lot)).permit()
    assert "steps" in {row.kind for row in rig.rows[len(before.rows) :]}
    assert "steps" not in {row.kind for row in again.rows[len(rig.rows) :]}


def test_a_position_that_is_no_whole_number_of_new_lots_stops_the_start() -> None:
    """Shows that nothing is rounded away: the start is refused with words that say what to do; fails when a position
    is counted smaller or larger than it is.
    """
    rig = Rig().running().bar(Stance.ENTER)
    rig.fill(rig.orders()[-1], 12_345, ASK_TICKS)
    with pytest.raises(ConfigError, match="size steps of BTC/USD coarser"):
        rig.restarted(instruments=listed("0.1", "1e-7"))
