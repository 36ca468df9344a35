"""What the last resort does at a venue, against the real exchange and without any process."""

from collections.abc import Callable

import pytest

from appliance.core.commands import AskAccount, SendCancel, SendCancelAll, SendOrder, VenueCommand
from appliance.core.errors import ConfigError
from appliance.core.events import AccountReported
from appliance.core.values import QUANTA_PER_QUOTE_UNIT, OrderKind, Side
from appliance.guardian.last_resort import POLICIES, Clearing, entries_in
from appliance.venues.simulator.exchange import Exchange
from appliance.venues.simulator.instruments import BUILT_IN

MS = 1_000_000
QUIET_NS = 500 * MS
BITCOIN = "BTC/USD"


class Venue:
    """Hold an exchange with one resting order to buy, one to sell, and something held."""

    def __init__(self) -> None:
        """Trade until all three are there."""
        self.now_ns = 10_000 * MS
        self.exchange = Exchange(BUILT_IN, 7, 10_000 * QUANTA_PER_QUOTE_UNIT)
        self.do(_order("bought", Side.BUY, OrderKind.MARKET, 0))
        self.do(_order("entry", Side.BUY, OrderKind.LIMIT, 1))
        self.do(_order("protective", Side.SELL, OrderKind.LIMIT, 90_000_000, lots=400_000, reduce_only=True))
        assert self.open_ids() == {"entry", "protective"}
        assert self.held() > 0

    def do(self, command: VenueCommand) -> None:
        """Let a command arrive now."""
        self.exchange.submit(self.now_ns, command, self.now_ns)

    def ask(self) -> AccountReported:
        """Return the account."""
        events = self.exchange.submit(self.now_ns, AskAccount(1, 0), self.now_ns)
        [report] = [event for event in events if isinstance(event, AccountReported)]
        return report

    def open_ids(self) -> set[str]:
        """Return what rests on the book."""
        return {order.client_id for order in self.exchange.open_orders()}

    def held(self) -> int:
        """Return what is held."""
        return self.exchange.position_lots(BITCOIN)

    def clear(self, clearing: Clearing, rounds: int = 40) -> None:
        """Carry out what the last resort decides, asking every 50 ms."""
        for command in clearing.begin():
            self.do(command)
        for _ in range(rounds):
            for command in clearing.reported(self.ask(), self.now_ns):
                self.do(command)
            if clearing.verified:
                return
            self.now_ns += 50 * MS


def _order(
    client_id: str, side: Side, kind: OrderKind, ticks: int, *, lots: int = 1_000_000, reduce_only: bool = False
) -> SendOrder:
    return SendOrder(client_id, BITCOIN, side, kind, ticks, lots, reduce_only, 1_000, 0)


def _proven(clearing: Clearing) -> bool:
    return clearing.verified


@pytest.fixture
def venue() -> Venue:
    """Return a venue where a trader left things behind."""
    return Venue()


def test_cancel_ends_entries_and_keeps_what_protects(venue: Venue) -> None:
    """The mildest policy leaves the protective order and the holding; it fails if either were touched."""
    held = venue.held()
    clearing = Clearing("cancel", venue.now_ns, QUIET_NS, "t")
    venue.clear(clearing)
    assert clearing.verified
    assert venue.open_ids() == {"protective"}
    assert venue.held() == held
    assert clearing.canceled_count == 1
    assert entries_in(venue.ask()) == 0


def test_cancel_all_ends_every_order_and_sells_nothing(venue: Venue) -> None:
    """Every order goes and the holding stays; it fails if one order were left or anything sold."""
    held = venue.held()
    clearing = Clearing("cancel_all", venue.now_ns, QUIET_NS, "t")
    venue.clear(clearing)
    assert clearing.verified
    assert venue.open_ids() == set()
    assert venue.held() == held


def test_flatten_sells_what_is_held_and_verifies_that_nothing_is(venue: Venue) -> None:
    """Nothing rests and nothing is held at the end; it fails if it stopped at the orders."""
    clearing = Clearing("flatten", venue.now_ns, QUIET_NS, "t")
    venue.clear(clearing)
    assert clearing.verified
    assert venue.open_ids() == set()
    assert venue.held() == 0
    assert clearing.sold_count >= 1
    assert venue.exchange.audit() == ()


@pytest.mark.parametrize("policy", POLICIES)
def test_a_second_run_finds_nothing_to_do(venue: Venue, policy: str) -> None:
    """Running twice is running once; it fails if the second run canceled or sold anything."""
    venue.clear(Clearing(policy, venue.now_ns, QUIET_NS, "one"))
    held, resting = venue.held(), venue.open_ids()
    second = Clearing(policy, venue.now_ns, QUIET_NS, "two")
    venue.clear(second)
    assert second.verified
    assert (second.canceled_count, second.sold_count) == (0, 0)
    assert (venue.held(), venue.open_ids()) == (held, resting)


def test_a_clear_report_proves_nothing_before_the_deadline_of_what_was_sent(venue: Venue) -> None:
    """An order on its way may still arrive; it fails if the first clear report were taken for the proof."""
    started_ns = venue.now_ns
    clearing = Clearing("cancel", started_ns, QUIET_NS, "t")
    venue.clear(clearing, rounds=2)
    assert venue.open_ids() == {"protective"}
    assert not _proven(clearing)
    venue.do(_order("late", Side.BUY, OrderKind.LIMIT, 1))
    venue.clear(clearing)
    assert _proven(clearing)
    assert venue.open_ids() == {"protective"}
    assert venue.now_ns >= started_ns + QUIET_NS
    assert clearing.canceled_count == 2


def test_an_order_that_cannot_be_canceled_is_never_verified(venue: Venue) -> None:
    """A report that shows an entry is the last word; it fails if having sent the cancel were enough."""
    clearing = Clearing("cancel", venue.now_ns, QUIET_NS, "t")
    for _ in range(100):
        venue.now_ns += 50 * MS
        assert clearing.reported(venue.ask(), venue.now_ns) == (SendCancel("entry"),)
    assert not clearing.verified
    assert clearing.clear_ns is None


def test_selling_ends_at_its_limit(venue: Venue) -> None:
    """A holding that cannot be sold is tried a bounded number of times; it fails if the sales went on for ever."""
    clearing = Clearing("flatten", venue.now_ns, QUIET_NS, "t")
    venue.do(SendCancelAll())
    venue.now_ns += 2 * QUIET_NS
    sales = sum(len(clearing.reported(venue.ask(), venue.now_ns)) for _ in range(500))
    assert sales == clearing.sold_count == 200
    assert not clearing.verified


@pytest.mark.parametrize("policy", ["", "sell", "CANCEL", "cancel\n"])
def test_an_unknown_policy_is_refused(policy: str) -> None:
    """Only the three policies are policies; it fails if another word did something."""
    with pytest.raises(ConfigError, match="no stop policy"):
        Clearing(policy, 0, 0, "t")


@pytest.fixture(params=POLICIES)
def begun(request: pytest.FixtureRequest) -> Callable[[], tuple[VenueCommand, ...]]:
    """Return the first commands of each policy."""
    return Clearing(str(request.param), 0, 0, "t").begin


def test_nothing_but_cancels_comes_first(begun: Callable[[], tuple[VenueCommand, ...]]) -> None:
    """No policy sells before it has canceled; it fails if an order could race its own cancel."""
    assert all(isinstance(command, SendCancelAll) for command in begun())
