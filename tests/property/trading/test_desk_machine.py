"""The desk against a venue that loses, delays, repeats and reorders every word: the books always come out right.

A machine draws what happens next. The venue below keeps the truth; its words reach the desk late, in any order, twice,
or not at all (then only a question finds out). After every step the live ledger must be the fold of its rows, and
exposure must cover what the venue could still do.
"""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from appliance.core import commands, events
from appliance.core.values import Ending, OrderKind, Side, VenueState
from appliance.trading.projected import ProjectedLedger
from appliance.trading.records import Account
from tests.unit.trading.builders import INSTRUMENTS, MARKET, SETTINGS, TAG, Bench, a_plan, fold_of, traded

CASH_QUANTA = 10**15
UNIT_QUANTA = INSTRUMENTS[MARKET].tick_lot_quanta
STRIDE_NS = SETTINGS.deadline_ns // 4


class Resting:
    """One order as the venue has it."""

    def __init__(self, command: commands.SendOrder) -> None:
        self.command = command
        self.size_lots = command.size_lots
        self.trigger_ticks = command.trigger_ticks
        self.open = True
        self.trades: list[events.OrderTraded] = []

    @property
    def filled_lots(self) -> int:
        """Return what the venue filled so far."""
        return sum(trade.size_lots for trade in self.trades)

    @property
    def state(self) -> VenueState:
        """Return what the venue would answer."""
        if self.open:
            return VenueState.OPEN
        return VenueState.FILLED if self.filled_lots == self.size_lots else VenueState.CANCELED


class DeskAndVenue(RuleBasedStateMachine):
    """Draw plans, fills, cancels, silence, crashes and time."""

    def __init__(self) -> None:
        super().__init__()
        self.bench = Bench()
        self.bench.scribe.write(Account(CASH_QUANTA))
        self.now_ns = 0
        self.sent_ns: dict[str, int] = {}
        self.travelling: list[commands.SendOrder] = []
        self.venue: dict[str, Resting] = {}
        self.words: list[events.AnyEvent] = []
        self.changes_count = 0
        self.changes: list[tuple[int, commands.SendAmend]] = []
        self.trades_count = 0

    @rule(size_lots=st.integers(1, 20), side=st.sampled_from(Side))
    def plan(self, size_lots: int, side: Side) -> None:
        """Write an intent down."""
        self.bench.desk.plan(a_plan(side=side, size_lots=size_lots))

    @rule(size_lots=st.integers(1, 20))
    def guard(self, size_lots: int) -> None:
        """Write the intent of a stop down, which may be changed later."""
        self.bench.desk.plan(
            a_plan(side=Side.SELL, size_lots=size_lots, reduce_only=True)._replace(
                order_kind=OrderKind.STOP, trigger_ticks=900
            )
        )

    @precondition(lambda self: any(order.stands for order in self.bench.ledger.unsettled()))
    @rule(data=st.data(), size_lots=st.integers(1, 20), trigger_ticks=st.integers(800, 990))
    def change(self, data: st.DataObject, size_lots: int, trigger_ticks: int) -> None:
        """Ask for another size and trigger of a standing stop."""
        standing = [order for order in self.bench.ledger.unsettled() if order.stands]
        order = data.draw(st.sampled_from(standing))
        self.bench.desk.amend(order, order.filled_lots + size_lots, 0, trigger_ticks, "drawn")
        self.carry_out()

    @precondition(lambda self: self.changes)
    @rule(data=st.data(), lost=st.booleans(), refused=st.booleans())
    def change_arrives(self, data: st.DataObject, lost: bool, refused: bool) -> None:
        """Let a change reach the venue, late or never; past its deadline it is refused."""
        sent_ns, change = self.changes.pop(data.draw(st.integers(0, len(self.changes) - 1)))
        if not lost:
            self.venue_changes(sent_ns, change, refused)

    @rule(back=st.integers(0, 3))
    def disk_catches_up(self, back: int) -> None:
        """Acknowledge rows and send what became durable."""
        for command in self.bench.desk.durable(self.bench.ledger.sequence - back):
            self.bench.desk.send(command)
        self.carry_out()

    @precondition(lambda self: self.travelling)
    @rule(data=st.data(), lost=st.booleans())
    def order_arrives(self, data: st.DataObject, lost: bool) -> None:
        """Let an order reach the venue, late or never, in any order."""
        command = self.travelling.pop(data.draw(st.integers(0, len(self.travelling) - 1)))
        in_time = self.now_ns - self.sent_ns[command.client_id] <= SETTINGS.deadline_ns
        if in_time and not lost:
            assert command.client_id not in self.venue, "an order was sent twice"
            self.venue[command.client_id] = Resting(command)
            self.words.append(events.OrderAcknowledged(command.client_id, "V", 0))

    @precondition(lambda self: self.venue)
    @rule(data=st.data(), lots=st.integers(1, 20), price=st.integers(1, 500))
    def trade(self, data: st.DataObject, lots: int, price: int) -> None:
        """Fill part of an order at the venue."""
        resting = self.any_resting(data)
        lots = min(lots, resting.size_lots - resting.filled_lots)
        if not resting.open or lots == 0:
            return
        self.trades_count += 1
        order = self.bench.ledger.orders[resting.command.client_id]
        fill = traded(order, f"T{self.trades_count}", lots, price_ticks=price, venue_ns=self.trades_count)
        resting.trades.append(fill)
        resting.open = resting.filled_lots < resting.size_lots
        self.words.append(fill)

    @precondition(lambda self: self.venue)
    @rule(data=st.data(), how=st.sampled_from(Ending))
    def end(self, data: st.DataObject, how: Ending) -> None:
        """Let the venue end an order by itself."""
        resting = self.any_resting(data)
        if resting.open:
            resting.open = False
            self.words.append(events.OrderEnded(resting.command.client_id, how, resting.filled_lots, 0))

    @precondition(lambda self: self.words)
    @rule(data=st.data(), repeat=st.booleans(), lost=st.booleans())
    def hear(self, data: st.DataObject, repeat: bool, lost: bool) -> None:
        """Tell the desk a word, perhaps again, perhaps never."""
        number = data.draw(st.integers(0, len(self.words) - 1))
        word = self.words[number] if repeat else self.words.pop(number)
        if not lost:
            self.tell(word)

    @precondition(lambda self: self.sent_ns)
    @rule(data=st.data())
    def give_up_waiting(self, data: st.DataObject) -> None:
        """Say that no answer came in time."""
        name = data.draw(st.sampled_from(sorted(self.sent_ns)))
        self.bench.desk.timed_out(events.SendTimedOut(name))

    @precondition(lambda self: self.bench.ledger.working)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        """Cancel one of our working orders."""
        order = self.bench.ledger.orders[data.draw(st.sampled_from(sorted(self.bench.ledger.working)))]
        if order.working:
            self.bench.desk.cancel(order)
        self.carry_out()

    @rule(strides=st.integers(1, 12))
    def time_passes(self, strides: int) -> None:
        """Let time pass and do what is due."""
        self.now_ns += strides * STRIDE_NS
        self.bench.at(self.now_ns).desk.on_time()
        self.carry_out()

    @rule()
    def crash(self) -> None:
        """Start again from the rows alone."""
        after = Bench(self.bench.replayed())
        after.rows = self.bench.rows
        after.at(self.now_ns).desk.adopt(self.now_ns)
        self.bench = after

    def any_resting(self, data: st.DataObject) -> Resting:
        """Draw one of the venue's orders."""
        return self.venue[data.draw(st.sampled_from(sorted(self.venue)))]

    def carry_out(self) -> None:
        """Hand commands to the venue."""
        for command in self.bench.asked():
            match command:
                case commands.SendOrder():
                    assert command.client_id not in self.sent_ns, "an order was sent twice"
                    self.sent_ns[command.client_id] = self.now_ns
                    self.travelling.append(command)
                case commands.SendAmend():
                    self.changes.append((self.now_ns, command))
                case commands.SendCancel():
                    self.venue_cancels(command.client_id)
                case commands.AskOrder():
                    self.words.append(self.answer(command.client_id))
                case _:
                    pass

    def venue_cancels(self, name: str) -> None:
        """Cancel at the venue and let it answer."""
        resting = self.venue.get(name)
        if resting is None or not resting.open:
            self.words.append(events.CancelRefused(name, "unknown order"))
        else:
            resting.open = False
            self.words.append(events.OrderEnded(name, Ending.CANCELED, resting.filled_lots, 0))

    def venue_changes(self, sent_ns: int, change: commands.SendAmend, refused: bool) -> None:
        """Change at the venue, unless it cannot be or shall not be, and let it answer."""
        resting, name = self.venue.get(change.client_id), change.client_id
        in_time = self.now_ns - sent_ns <= SETTINGS.deadline_ns
        possible = resting is not None and resting.open and change.size_lots > resting.filled_lots
        if resting is None or not possible or not in_time or refused:
            self.words.append(events.AmendRefused.of(change, "no"))
            return
        resting.size_lots, resting.trigger_ticks = change.size_lots, change.trigger_ticks
        self.changes_count += 1
        amounts = (change.size_lots, 0, change.trigger_ticks)
        self.words.append(events.OrderAmended(name, *amounts, self.changes_count, change.asked_ns))

    def answer(self, name: str) -> events.OrderReported:
        """Answer for one order as the venue must."""
        resting = self.venue.get(name)
        if resting is not None:
            return events.OrderReported(name, resting.state, resting.filled_lots, tuple(resting.trades), 0)
        sent_ns = self.sent_ns.get(name)
        too_late = sent_ns is None or self.now_ns - sent_ns > SETTINGS.deadline_ns
        assert too_late, "asked about an order that may still arrive"
        return events.OrderReported(name, VenueState.NOT_FOUND, 0, (), 0)

    def tell(self, word: events.AnyEvent) -> None:
        """Hand one word to the desk."""
        desk = self.bench.desk
        match word:
            case events.OrderAcknowledged():
                desk.acknowledged(word)
            case events.OrderTraded():
                desk.traded(word)
            case events.OrderEnded():
                desk.ended(word)
            case events.OrderReported():
                desk.reported(word)
            case events.OrderAmended():
                desk.amended(word)
            case events.AmendRefused():
                desk.amend_refused(word)
            case events.CancelRefused():
                desk.missing_fills(word)
            case _:
                pass
        self.carry_out()

    @invariant()
    def nothing_contradicts(self) -> None:
        """An honest venue never contradicts us, and knows no order but ours."""
        assert self.bench.desk.contradictions == []
        assert self.bench.desk.strangers == set()

    @invariant()
    def the_ledger_is_the_fold_of_its_rows(self) -> None:
        """A restart at any moment finds the very same books."""
        assert fold_of(self.bench.replayed()) == fold_of(self.bench.ledger)

    @invariant()
    def exposure_covers_what_can_still_come(self) -> None:
        """Every lot the venue holds or has filled is seen as filled or exposed."""
        for name, resting in self.venue.items():
            order = self.bench.ledger.orders[name]
            possible = resting.size_lots if resting.open else resting.filled_lots
            assert order.filled_lots + order.exposed_lots >= possible, "a lot is neither booked nor exposed"

    def teardown(self) -> None:
        """Heal everything: every lost word is asked for, and the two sides agree to the quantum."""
        self.travelling.clear()
        for order in list(self.bench.ledger.unsettled()):
            if order.stands:
                self.bench.desk.cancel(order)
        for _ in range(40):
            self.now_ns += SETTINGS.query_interval_ns * 8
            for resting in self.venue.values():
                for fill in resting.trades:
                    self.tell(fill)
            self.bench.at(self.now_ns).desk.on_time()
            self.carry_out()
            changes, self.changes = self.changes, []
            for sent_ns, change in changes:
                self.venue_changes(sent_ns, change, refused=False)
            for guard in [order for order in self.bench.ledger.unsettled() if order.stands]:
                self.bench.desk.cancel(guard)
            self.carry_out()
            words, self.words = self.words, []
            for word in words:
                self.tell(word)
            if not self.bench.ledger.working:
                break
        self.settled()

    def settled(self) -> None:
        """Compare the books with the venue's truth to the quantum."""
        ledger = self.bench.ledger
        assert list(ledger.unsettled()) == []
        trades = [fill for resting in self.venue.values() for fill in resting.trades]
        assert ledger.fills_count == len(trades)
        assert ledger.position_lots(MARKET) == sum(fill.side.sign * fill.size_lots for fill in trades)
        paid = sum(
            fill.side.sign * fill.price_ticks * fill.size_lots * UNIT_QUANTA + fill.fee_quanta for fill in trades
        )
        assert ledger.cash_quanta == CASH_QUANTA - paid
        projected = ProjectedLedger()
        for row in self.bench.rows:
            projected.apply(row)
        assert fold_of(projected.ledger) == fold_of(ledger)
        assert all(name.startswith(f"b4{TAG}-") for name in self.venue)


DeskAndVenue.TestCase.settings = settings(max_examples=150, stateful_step_count=40)
TestDeskAndVenue = DeskAndVenue.TestCase
