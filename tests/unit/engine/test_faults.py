"""What only a person can judge: a key that must not be used, and the fault after the fault."""

from appliance.core import commands, events
from appliance.safety.modes import Mode
from appliance.strategies.contract import Stance
from tests.unit.engine.builders import SECOND_NS, Rig


def test_a_rejected_key_halts_until_a_person_comes() -> None:
    """Shows that a key that may withdraw, or was revoked, leads to FAULT with its reason and that entries are canceled;
    fails when trading goes on with it.
    """
    rig = Rig().running().bar(Stance.ENTER)
    rig.tell(events.KeyRejected("it may take money out"))
    assert (rig.mode, rig.trader.conduct.mode_reason) == (Mode.FAULT, "the venue's key: it may take money out")
    assert commands.SendCancel(rig.orders()[-1].client_id) in rig.asked


def test_a_fault_after_a_person_answered_for_the_last_one_counts() -> None:
    """Shows that a run whose inherited fault a person has answered for can still find one of its own; fails when it is
    deaf to every later fault, as it once was.
    """
    rig = Rig().running()
    rig.tell(events.JournalFailed("first"))
    later = rig.restarted().permit(start=1).connect().pass_time(2 * SECOND_NS)
    assert later.mode is Mode.NORMAL
    later.tell(events.JournalFailed("second"))
    assert (later.mode, later.trader.conduct.mode_reason) == (Mode.FAULT, "the journal failed: second")
