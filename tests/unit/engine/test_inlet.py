"""Raw frames through the step: quotes and trades come out of books that are believed, and of no other."""

import itertools
import math

import pytest

from appliance.core import commands, events
from appliance.core.instruments import Instrument
from appliance.core.values import Ending
from appliance.engine.conduct import ANEW_NS_MIN
from appliance.market.book import MISMATCHES_TO_FAULT, BookState
from appliance.market.intake import ASK_INTERVAL_NS, Intake, grid_of
from appliance.safety.modes import Mode
from appliance.strategies.contract import Stance
from appliance.trading.orders import State
from appliance.wire.kraken.numbers import Grid
from tests.property.wire.kraken.kraken_spelling import DictBook, spelled_book, spelled_trades
from tests.unit.engine.builders import ASK_TICKS, BID_TICKS, EPOCH_NS, INSTRUMENTS, MARKET, SECOND_NS, Rig

GRID = Grid(MARKET, 1, 8)
STATUS = '{"channel":"status","type":"update","data":[{"system":"%s","version":"2.0.0","connection_id":1}]}'
PAIR = (
    '{"channel":"instrument","type":"update","data":{"assets":[],"pairs":[{"symbol":"BTC/USD","base":"BTC",'
    '"quote":"USD","status":"%s","qty_precision":8,"qty_increment":%s,"price_precision":1,"price_increment":%s,'
    '"qty_min":%s,"cost_min":0.5,"cost_precision":5}]}}'
)


class FrameRig(Rig):
    """Drive a trader by frames alone: one live book, whose venue is the oracle of the codec's tests."""

    def __init__(self) -> None:
        super().__init__()
        self.book = DictBook(10)
        self.book.apply([(BID_TICKS, 7)], [(ASK_TICKS, 7)])
        self.numbers = itertools.count(1)

    def frame(self, text: bytes | str) -> "FrameRig":
        """Tell one frame."""
        self.tell(events.MarketFrame(text.decode("latin-1") if isinstance(text, bytes) else text))
        return self

    def snapshot(self) -> "FrameRig":
        """Tell the whole book."""
        return self.frame(
            spelled_book(
                GRID,
                self.book.best(0),
                self.book.best(1),
                self.book.checksum(),
                self.now_ns + EPOCH_NS,
                snapshot=True,
            )
        )

    def update(self, bid_ticks: int, lots: int, wrong: int = 0) -> "FrameRig":
        """Tell a changed level, with a wrong checksum where told so."""
        self.book.apply([(bid_ticks, lots)], [])
        return self.frame(
            spelled_book(GRID, [(bid_ticks, lots)], [], self.book.checksum() ^ wrong, self.now_ns + EPOCH_NS)
        )

    def quote(self, bid_ticks: int | None = None) -> "FrameRig":  # noqa: ARG002 - frames alone move this market
        """Keep the market fresh by a frame where the rig would by an event."""
        self.frame(spelled_book(GRID, [], [], self.book.checksum(), self.now_ns + EPOCH_NS))
        return self

    def shown(self) -> str:
        """Return the trader's mode by its name."""
        return self.mode.name

    def subscriptions(self) -> list[commands.SubscribeMarket]:
        """Return what was subscribed to since last asked."""
        taken = self.take(commands.SubscribeMarket)
        return [command for command in taken if isinstance(command, commands.SubscribeMarket)]


def live() -> FrameRig:
    """Return a trader in NORMAL by frames alone."""
    rig = FrameRig()
    rig.permit()
    rig.tell(events.FeedChanged(connected=True, reason=""), events.OrderLinkChanged(connected=True, reason=""))
    rig.snapshot().pass_time(SECOND_NS)
    assert rig.shown() == "NORMAL", rig.trader.conduct.mode_reason
    return rig


def test_a_connection_is_subscribed_to_and_frames_alone_make_it_normal() -> None:
    """Shows that the step asks for its books, and that frames quote; fails when another event were needed."""
    rig = FrameRig()
    rig.permit().tell(events.FeedChanged(connected=True, reason=""))
    assert rig.subscriptions() == [commands.SubscribeMarket(tuple(rig.trader.tapes), trades=True)]
    rig.tell(events.OrderLinkChanged(connected=True, reason="")).pass_time(SECOND_NS)
    assert rig.shown() == "PAUSED"
    rig.snapshot().pass_time(SECOND_NS)
    assert rig.shown() == "NORMAL"
    tape = rig.trader.tapes[MARKET]
    assert (tape.bid_ticks, tape.ask_ticks) == (BID_TICKS, ASK_TICKS)


def test_trades_reach_the_bars() -> None:
    """Shows that printed trades close bars; fails when a side, a size or a time is lost on the way."""
    rig = live()
    moment = rig.now_ns + EPOCH_NS
    rig.frame(spelled_trades(GRID, [("buy", BID_TICKS, 5, 1, moment), ("sell", BID_TICKS, 6, 2, moment)]))
    rig.frame(spelled_trades(GRID, [("buy", BID_TICKS, 5, 1, moment)], snapshot=True))
    assert rig.trader.tapes[MARKET].trades_count == 2
    before = rig.trader.bars_count
    rig.frame(spelled_trades(GRID, [("buy", BID_TICKS, 5, 3, moment + 2 * SECOND_NS)]))
    assert rig.trader.bars_count == before + 1


def test_a_wrong_checksum_pauses_in_the_same_step_and_a_snapshot_heals() -> None:
    """Shows quarantine, no-open, resubscription and return; fails when one wrong book were traded on."""
    rig = live()
    rig.pass_time(ASK_INTERVAL_NS)
    rig.subscriptions()
    rig.update(BID_TICKS - 1, 9, wrong=1)
    assert rig.shown() == "PAUSED"
    assert rig.subscriptions() == [commands.SubscribeMarket((MARKET,), trades=False)]
    rig.update(BID_TICKS - 2, 9)
    assert rig.shown() == "PAUSED", "an update of the old subscription is no snapshot"
    rig.snapshot().pass_time(SECOND_NS)
    assert rig.shown() == "NORMAL"
    assert rig.subscriptions() == []


def test_checksums_that_keep_failing_are_a_fault() -> None:
    """Shows that the last of several mismatches needs a person, one fewer does not; fails when it goes on."""
    rig = live()
    for number in range(MISMATCHES_TO_FAULT):
        assert rig.shown() != "FAULT"
        assert number < MISMATCHES_TO_FAULT
        rig.pass_time(ASK_INTERVAL_NS)
        rig.update(BID_TICKS - 1, 9 + number, wrong=1)
        rig.snapshot()
    assert rig.shown() == "FAULT"
    assert "checksum mismatch" in rig.trader.conduct.mode_reason


def test_a_lost_snapshot_is_asked_for_again_but_not_in_a_circle() -> None:
    """Shows that an unanswered subscription is repeated, an interval apart; fails when it waits or floods."""
    rig = FrameRig()
    rig.tell(events.FeedChanged(connected=True, reason=""))
    rig.subscriptions()
    for _ in range(3):
        rig.pass_time(ASK_INTERVAL_NS)
        assert len(rig.subscriptions()) == 1


@pytest.mark.parametrize(
    "frame", ['{"channel":"book","type":"update","data":[{"symbol":"BTC/USD"}]}', '{"channel":"book"']
)
def test_a_book_message_that_cannot_be_read_is_not_passed_over(frame: str) -> None:
    """Shows that a refused message about a book pauses; fails when the book were believed on."""
    rig = live()
    rig.frame(frame)
    assert rig.shown() == "PAUSED"
    assert sum(rig.trader.intake.refused.values()) == 1


@pytest.mark.parametrize("text", ["\x00\xff", "", "[[[[", '{"channel":"weather"}', '{"channel":"heartbeat"}', "\u0100"])
def test_any_other_frame_changes_nothing(text: str) -> None:
    """Shows that noise neither stops nor moves the trader; fails when one character of it could."""
    rig = live()
    rig.frame(text)
    assert rig.shown() == "NORMAL"


def test_maintenance_opens_nothing_until_the_venue_is_back() -> None:
    """Shows that the venue's own word pauses, and that its return ends it; fails when it is not heard."""
    rig = live()
    rig.frame(STATUS % "maintenance")
    assert rig.shown() == "PAUSED"
    assert "the venue says maintenance" in rig.trader.conduct.mode_reason
    rig.frame(STATUS % "online")
    assert rig.shown() == "NORMAL"


@pytest.mark.parametrize(
    ("status", "lot", "tick", "smallest", "good"),
    [
        ("online", "1e-8", "0.1", "0.0001", True),
        ("online", "1e-7", "0.1", "0.0001", False),
        ("online", "1e-8", "0.01", "0.0001", False),
        ("cancel_only", "1e-8", "0.1", "0.0001", False),
    ],
)
def test_changed_terms_open_nothing(status: str, lot: str, tick: str, smallest: str, good: bool) -> None:
    """Shows that another step or status pauses, and the known ones do not; fails when one is overlooked."""
    rig = live()
    rig.frame(PAIR % (status, lot, tick, smallest))
    assert (rig.shown() == "NORMAL") is good


def test_a_larger_smallest_order_is_taken_over_while_running() -> None:
    """Shows that the entry made on the old terms is canceled, that nothing opens until the books were compared, that
    smaller entries are denied from then on, and that the old terms come back the same way; fails when the trader goes
    on with old terms, or pauses until it is restarted.
    """
    rig = live()
    rig.bar(Stance.ENTER)
    entry = rig.orders()[-1]
    rig.venue = False
    rig.frame(PAIR % ("online", "1e-8", "0.1", "0.500000001"))
    assert (rig.mode, rig.take(commands.SendCancel)) == (Mode.RECONCILING, [commands.SendCancel(entry.client_id)])
    rig.venue = True
    rig.tell(events.OrderEnded(entry.client_id, Ending.CANCELED, 0, 0)).pass_time(SECOND_NS)
    assert (rig.mode, rig.trader._parts.instruments[MARKET].size_lots_min) == (Mode.NORMAL, 50_000_001)
    rig.bar(Stance.ENTER)
    assert (len(rig.orders()), dict(rig.trader.denials)) == (1, {"size below the venue's smallest order": 1})
    rig.frame(PAIR % ("online", "1e-8", "0.1", "0.0001")).pass_time(SECOND_NS).bar(Stance.ENTER)
    assert (rig.mode, len(rig.orders())) == (Mode.NORMAL, 2)


def test_changed_steps_end_the_process_in_good_order_to_be_started_anew() -> None:
    """Shows that other steps cancel the entry and pause, that books which then do not add up are no fault, that the
    process ends by itself with its guard standing, but not soon after its start, and not when the old steps came
    back; fails when it pauses for good, gives up its guard, or starts again and again.
    """
    rig = live()
    rig.bar(Stance.ENTER)
    entry = rig.orders()[-1]
    rig.fill(entry, entry.size_lots // 2).pass_time(SECOND_NS)
    rig.frame(PAIR % ("online", "1e-8", "0.01", "0.0001"))
    assert entry.state is State.CANCELED
    rig.pass_time(SECOND_NS)
    for number in range(2 * MISMATCHES_TO_FAULT):
        rig.update(BID_TICKS - 1, 9 + number, wrong=1)
        rig.snapshot().pass_time(ASK_INTERVAL_NS)
    assert (rig.mode, rig.take(commands.EndProcess)) == (Mode.PAUSED, [])
    rig.frame(PAIR % ("online", "1e-8", "0.1", "0.0001")).pass_time(ANEW_NS_MIN)
    assert (rig.mode, rig.take(commands.EndProcess)) == (Mode.NORMAL, [])
    rig.frame(PAIR % ("online", "1e-8", "0.01", "0.0001")).pass_time(2 * SECOND_NS)
    assert rig.take(commands.EndProcess) == [commands.EndProcess(0, "ended in good order")]
    assert [guard.stands for guard in rig.guards()] == [True]


def test_terms_that_are_told_again_change_nothing() -> None:
    """Shows that the list a new connection begins with is no news; fails when each reconnect cancels and compares."""
    rig = live()
    rig.bar(Stance.ENTER)
    rig.frame(PAIR % ("online", "1e-8", "0.1", "0.0001"))
    assert (rig.mode, rig.take(commands.SendCancel)) == (Mode.NORMAL, [])


def test_a_lost_connection_forgets_every_book() -> None:
    """Shows that nothing held survives a disconnect; fails when an old book were quoted after it."""
    rig = live()
    rig.tell(events.FeedChanged(connected=False, reason=""))
    assert rig.trader.intake.books.state(0) is BookState.EMPTY
    rig.update(BID_TICKS - 1, 9)
    assert rig.shown() == "PAUSED"


def test_an_instrument_without_whole_digits_has_no_grid() -> None:
    """Shows that only steps of one digit can be read; fails when another step were taken for the next one."""
    assert grid_of(INSTRUMENTS[MARKET]) == GRID
    half = Instrument.define(
        "A/USD",
        tick=INSTRUMENTS[MARKET].tick * 5,
        lot=INSTRUMENTS[MARKET].lot,
        size_lots_min=1,
        maker_fee_ppm=0,
        taker_fee_ppm=0,
    )
    assert grid_of(half) is None
    assert Intake({half.symbol: half}).names == ()


def test_the_figures_of_a_book_follow_its_frames_and_end_with_it() -> None:
    """Shows that microprice and flow come from the books in the step, and that a book that is lost has none; fails when
    nothing reaches the figures, or they outlive their book.
    """
    rig = live()
    micro = rig.trader.tapes[MARKET].micro
    before = micro.microprice_ticks
    assert before > 0
    rig.update(BID_TICKS, 10**9)
    assert micro.microprice_ticks > before
    assert micro.flow_imbalance > 0
    rig.update(BID_TICKS, 2 * 10**9, wrong=1)
    assert math.isnan(micro.microprice_ticks)
