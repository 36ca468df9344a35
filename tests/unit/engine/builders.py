"""A trader of real parts, told everything by hand: a market, a guardian, a disk and an honest small venue."""

from collections.abc import Callable, Mapping
from typing import Self

from appliance.core import commands, events
from appliance.core.config import loads
from appliance.core.instruments import Instrument
from appliance.core.records import Row
from appliance.core.values import Ending, Side
from appliance.engine.assembly import build_trader
from appliance.engine.trader import Trader
from appliance.safety.modes import Mode
from appliance.signals.features import Features
from appliance.strategies.contract import WAIT, Opinion, Stance
from appliance.trading import records
from appliance.trading.ledger import Ledger, OrderView, replay
from appliance.venues.simulator.instruments import BUILT_IN

TAG = "abcde"
MARKET = "BTC/USD"
SECOND_NS = 1_000_000_000
STEP_NS = 100_000_000
DAY_NS = 86_400 * SECOND_NS
EPOCH_NS = 19_700 * DAY_NS
CASH_QUANTA = 10_000 * 10**10
BID_TICKS, ASK_TICKS = 640_000, 640_010
INSTRUMENTS: dict[str, Instrument] = {market.symbol: market for market in BUILT_IN}
CONFIG = """
[trading]
strategies = ["trend"]
[market]
bar_s = 1
[orders]
reconcile_interval_s = 3600
[risk]
minimum_hold_s = 10
position_fraction_percent = 1
daily_loss_percent_max = 3
drawdown_percent_max = 15
"""


class Scripted:
    """A strategy that says what the test wants next."""

    name = "trend"

    def __init__(self) -> None:
        self.stance = Stance.WAIT

    def opinion(self, features: Features) -> Opinion:
        """Say it, whatever the features are."""
        return WAIT if self.stance is Stance.WAIT else Opinion(self.stance, f"the test says so at {features.close}")


class Rig:
    """Drive one trader; rows become durable at once unless `disk` is off, the venue answers unless `venue` is off."""

    def __init__(
        self,
        config: str = CONFIG,
        ledger: Ledger | None = None,
        start_ns: int = 0,
        instruments: Mapping[str, Instrument] = INSTRUMENTS,
    ) -> None:
        self.now_ns = start_ns
        self.wall_offset_ns = EPOCH_NS
        self.synchronized = True
        self.rows: list[Row] = []
        self.asked: list[commands.AnyCommand] = []
        self.disk = self.venue = True
        self.shell: dict[str, str] = {}
        self.sequence = 0
        self.lie: Callable[[events.AccountReported], events.AccountReported] = lambda report: report
        self.trader: Trader = build_trader(
            loads(config), instruments, ledger or Ledger(), tag=TAG, now_ns=start_ns, wall_ns=start_ns + EPOCH_NS
        )
        self.strategy = Scripted()
        self.trader._parts = self.trader._parts._replace(strategies=(self.strategy,))

    # What the trader is told

    def tell(self, *told: events.AnyEvent) -> Self:
        """Step through events, letting disk and venue answer what follows."""
        pending = list(told)
        while pending:
            asked = self.trader.step(self.now_ns, pending.pop(0))
            rows = [command.row for command in asked if isinstance(command, commands.WriteRow)]
            self.rows += rows
            self.asked += [command for command in asked if not isinstance(command, commands.WriteRow)]
            pending += [answer for command in asked for answer in self._answer_as_shell(command)]
            if self.venue:
                pending += [answer for command in asked for answer in self._answer(command)]
            if rows and self.disk:
                pending.append(events.JournalReached(rows[-1].sequence))
        return self

    def permit(self, *, permitted: bool = True, start: int = 0, latched: bool = False) -> Self:
        """Say what the guardian's lease says."""
        return self.tell(events.PermissionChanged(permitted, 0, start, latched=latched))

    def connect(self) -> Self:
        """Bring both connections up and quote the market."""
        self.tell(events.FeedChanged(connected=True, reason=""), events.OrderLinkChanged(connected=True, reason=""))
        return self.quote()

    def pass_time(self, nanoseconds: int, *, quoted: bool = True) -> Self:
        """Let time pass in small steps, with fresh quotes unless the feed is to fall silent."""
        until_ns = self.now_ns + nanoseconds
        while self.now_ns < until_ns:
            self.now_ns = min(self.now_ns + STEP_NS, until_ns)
            if quoted:
                self.quote()
            self.tell(events.TimePassed(self.now_ns + self.wall_offset_ns, self.synchronized))
        return self

    def quote(self, bid_ticks: int | None = None) -> Self:
        """Quote every market, at its last price unless told another for ours."""
        for name, tape in self.trader.tapes.items():
            bid = (bid_ticks if name == MARKET else None) or tape.bid_ticks or BID_TICKS
            self.sequence += 1
            venue_ns = self.now_ns + EPOCH_NS
            self.tell(events.QuoteChanged(name, bid, 1, bid + 10, 1, self.sequence, venue_ns))
        return self

    def bar(self, stance: Stance = Stance.WAIT, *, quoted: bool = True) -> Self:
        """Close one bar while the strategy says that."""
        self.strategy.stance = stance
        for _ in range(2):
            self.sequence += 1
            price_ticks = self.trader.tapes[MARKET].bid_ticks or BID_TICKS
            venue_ns = self.now_ns + EPOCH_NS
            self.tell(events.TradePrinted(MARKET, price_ticks, 1, Side.BUY, self.sequence, venue_ns))
            if self.bars_count_after(SECOND_NS, quoted=quoted):
                break
        self.strategy.stance = Stance.WAIT
        return self

    def bars_count_after(self, nanoseconds: int, *, quoted: bool) -> bool:
        """Let time pass and tell whether a quote closed the bar by itself."""
        before = self.trader.bars_count
        self.pass_time(nanoseconds, quoted=quoted)
        return self.trader.bars_count > before

    def running(self) -> Self:
        """Bring the trader to NORMAL."""
        self.permit().connect().pass_time(SECOND_NS)
        assert self.mode is Mode.NORMAL, self.trader.conduct.mode_reason
        return self

    def holding(self) -> Self:
        """Bring the trader to NORMAL with a position."""
        self.running().bar(Stance.ENTER)
        self.fill(self.orders()[-1])
        assert self.lots > 0
        return self

    def fill(self, order: OrderView, size_lots: int | None = None, price_ticks: int | None = None) -> Self:
        """Fill an order at its price, or at the bid."""
        lots = size_lots or order.size_lots - order.filled_lots
        price = price_ticks or order.price_ticks or self.trader.tapes[MARKET].bid_ticks
        trade_id = f"T{self.trader.ledger.fills_count}"
        return self.tell(
            events.OrderTraded(
                order.client_id, trade_id, order.instrument, order.side, price, lots, 0, maker=False, venue_ns=1
            )
        )

    # What became of it

    @property
    def mode(self) -> Mode:
        """Return the trader's mode."""
        return self.trader.mode

    @property
    def lots(self) -> int:
        """Return the lots held."""
        return self.trader.ledger.position_lots(MARKET)

    def orders(self) -> list[OrderView]:
        """Return every order but the guards of a position, oldest first."""
        return [order for order in self.trader.ledger.orders.values() if not order.protects]

    def guards(self) -> list[OrderView]:
        """Return the stops that guard a position, oldest first."""
        return [order for order in self.trader.ledger.orders.values() if order.protects]

    def take(self, kind: type[commands.AnyCommand]) -> list[commands.AnyCommand]:
        """Return the commands of a kind since last asked, and forget all."""
        taken, self.asked = [command for command in self.asked if isinstance(command, kind)], []
        return taken

    def modes(self) -> list[str]:
        """Return every mode entered so far, in order."""
        facts = [records.decode(row) for row in self.rows]
        return [fact.new for fact in facts if isinstance(fact, records.Mode)]

    def restarted(self, config: str = CONFIG, instruments: Mapping[str, Instrument] = INSTRUMENTS) -> "Rig":
        """Start a new process from the journal of this one, with what the venue lists then."""
        later = Rig(config, replay(self.rows), self.now_ns + SECOND_NS, instruments)
        later.rows = list(self.rows)
        return later

    def _answer(self, command: commands.AnyCommand) -> list[events.AnyEvent]:
        match command:
            case commands.AskAccount():
                return [self.lie(self._account(command.request))]
            case commands.SendCancel():
                order = self.trader.ledger.orders[command.client_id]
                return [events.OrderEnded(command.client_id, Ending.CANCELED, order.filled_lots, 0)]
            case commands.SendAmend():
                amounts = (command.size_lots, command.price_ticks, command.trigger_ticks)
                return [events.OrderAmended(command.client_id, *amounts, 0, command.asked_ns)]
            case commands.SendOrder():
                return [events.OrderAcknowledged(command.client_id, "V", 0)]
            case _:
                return []

    def _answer_as_shell(self, command: commands.AnyCommand) -> list[events.AnyEvent]:
        """Stop what is asked for at once, or as `shell` says for a layer: another outcome, or silence."""
        match command:
            case commands.AskHistory(instrument=name, bar_s=bar_s):
                return [events.HistoryTold(name, bar_s, (), 0)]
            case commands.StartLayer():
                return [events.FeedChanged(connected=True, reason="")]
            case commands.StopLayer() if outcome := self.shell.get(command.layer, "done"):
                stopped = events.LayerStopped(command.number, command.layer, outcome, "the test says so")
                feeds = command.layer == "feeds" and outcome == "done"
                return [events.FeedChanged(connected=False, reason=""), stopped] if feeds else [stopped]
            case _:
                return []

    def _account(self, request: int) -> events.AccountReported:
        ledger = self.trader.ledger
        holdings = tuple(events.Holding(name, held.lots) for name, held in ledger.positions.items() if held.lots)
        cash_quanta = ledger.cash_quanta if ledger.funded else CASH_QUANTA
        standing = tuple(
            events.OpenOrder(
                order.client_id, order.instrument, order.side, order.order_kind, order.price_ticks, order.size_lots, 0
            )
            for order in ledger.unsettled()
            if order.stands
        )
        return events.AccountReported(request, cash_quanta, holdings, standing, (), trades_complete=True, venue_ns=0)
