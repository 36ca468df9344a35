"""Bars that are not to be believed forbid entries, and nothing else."""

from appliance.core import events
from appliance.core.values import Side
from appliance.strategies.contract import Stance
from tests.unit.engine.builders import EPOCH_NS, MARKET, Rig

BARS_COUNT = 40


def watched_rig() -> Rig:
    """Return a trader whose watch over the bars is warm."""
    rig = Rig().running()
    for _ in range(BARS_COUNT):
        rig.bar()
    return rig


def spoil(rig: Rig) -> None:
    """Print a trade three per cent off, inside the band of the tape, as the whole of a bar."""
    rig.sequence += 1
    price_ticks = rig.trader.tapes[MARKET].bid_ticks * 103 // 100
    rig.tell(events.TradePrinted(MARKET, price_ticks, 1, Side.BUY, rig.sequence, rig.now_ns + EPOCH_NS))


def test_a_bad_bar_forbids_entries_until_good_ones_followed() -> None:
    """Shows no entry on a bad bar or the next, and one again later; fails when the score is not asked."""
    rig = watched_rig()
    spoil(rig)
    rig.bar(Stance.ENTER)
    rig.bar(Stance.ENTER)
    assert rig.orders() == []
    assert rig.trader.denials["data quality"] >= 1
    quality = rig.trader.quality[MARKET]
    assert not quality.usable
    assert quality.told().startswith("score 0.7")
    assert "a price" in quality.told()
    for _ in range(8):
        rig.bar()
    rig.bar(Stance.ENTER)
    assert len(rig.orders()) == 1
    assert quality.told().startswith("score 0.")


def test_a_bad_bar_does_not_hold_a_position() -> None:
    """Shows a position left in spite of bad bars; fails when a way out is forbidden too."""
    rig = watched_rig()
    rig.bar(Stance.ENTER)
    rig.fill(rig.orders()[-1])
    for _ in range(12):
        rig.bar()
    spoil(rig)
    rig.bar(Stance.LEAVE)
    rig.bar(Stance.LEAVE)
    assert [order.side for order in rig.orders()] == [Side.BUY, Side.SELL]
