"""The whole appliance on a venue that misbehaves: links that die or fall silent, answers that are lost, maintenance."""

import signal
import time
from collections.abc import Callable

import pytest

from appliance.core.records import Row
from appliance.safety.modes import Mode
from appliance.store.paths import journal_in
from appliance.store.verify import verify
from appliance.trading import records
from appliance.trading.projected import ProjectedLedger
from tests.integration.defence.box import Box, tell

pytestmark = [pytest.mark.serial, pytest.mark.timeout(180)]
MakeBox = Callable[..., Box]
SCRIPT = "half_open@9,disconnect_all@14,token_expiry@17,maintenance@20+3"
CHANCES = "lost_ack=150,late_ack=150,ghost=150,fill_first=300,disconnect=100"
LASTS_S = 30.0


class Told(ProjectedLedger):
    """Fold a journal as the verification does, and keep every mode with its reason."""

    def __init__(self) -> None:
        super().__init__()
        self.modes: list[str] = []

    def apply(self, row: Row) -> None:
        """Fold one row in."""
        super().apply(row)
        record = records.decode(row)
        if isinstance(record, records.Mode):
            self.modes.append(f"{record.new}: {record.reason}")


def settled(box: Box) -> Told:
    """End the trader in good order and return what its journal alone tells."""
    box.kill("trader", signal.SIGTERM)
    assert box.processes["trader"].wait(timeout=20) == 0
    told: list[Told] = []

    def make() -> Told:
        told.append(Told())
        return told[-1]

    assert verify(journal_in(box.state), fold_factory=make).good
    return told[-1]


def test_every_fault_heals_and_the_books_agree(make_box: MakeBox) -> None:
    """Half-open and cut links, a token that ran out, maintenance and answers lost or late, in one trading run: after
    all of it the trader trades and its books are the venue's. It fails on a fill lost or doubled, or a stuck pause.
    """
    box = make_box(faults=f"{SCRIPT},{CHANCES}", minimum_hold_s=0)
    box.start_trading()
    time.sleep(LASTS_S)
    box.until(lambda: box.mode() is Mode.NORMAL)
    told, books = settled(box), box.books()
    ledger = told.ledger
    # At the start, and after each of the three moments that end its connection.
    assert len(box.arrived("GetWebSocketsToken")) >= 4, told.modes
    ours = {name: position.lots for name, position in ledger.positions.items() if position.lots}
    assert ours == {name: lots for name, lots in books["holdings"].items() if lots}
    assert ledger.cash_quanta == books["cash_quanta"]
    assert books["audit_ok"]
    assert ledger.fills_count > 0, "a run without fills proves nothing"
    tell(f"{ledger.intents_count} orders, {ledger.fills_count} fills, {len(told.modes)} changes of mode")


def test_a_venue_that_is_gone_for_a_while_is_traded_on_again(make_box: MakeBox) -> None:
    """The venue's process stops answering and comes back: paused at once, books compared, normal again. It fails when
    the trader dies of it, trades on old prices, or never comes back.
    """
    box = make_box()
    box.start_trading()
    box.kill("venue", signal.SIGSTOP)
    box.until(lambda: box.mode() is Mode.PAUSED)
    time.sleep(4.0)
    box.kill("venue", signal.SIGCONT)
    box.until(lambda: box.mode() is Mode.NORMAL)
    ledger, books = settled(box).ledger, box.books()
    assert ledger.cash_quanta == books["cash_quanta"]
