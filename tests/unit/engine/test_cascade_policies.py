"""What each layer of a stop does to strategies, protection, positions and models, and what brings them back."""

import msgspec
import pytest

from appliance.core import commands, events
from appliance.core.values import Ending, OrderKind, Side
from appliance.safety.modes import Mode
from appliance.strategies.contract import Stance
from appliance.trading import decision
from appliance.trading.desk import Plan
from appliance.trading.ledger import OrderView
from tests.unit.engine.builders import BID_TICKS, MARKET, SECOND_NS, Rig
from tests.unit.engine.stops import POLICIES, endings, outcomes, policy, stop, stopping


def departing(rig: Rig) -> OrderView:
    """Plan a strategy's departure while the disk stands still, so that it has not left."""
    rig.disk = False
    rig.pass_time(11 * SECOND_NS).bar(Stance.LEAVE)
    order = rig.orders()[-1]
    assert (order.order_kind, order.reduce_only, order.state) == (OrderKind.LIMIT, True, "planned")
    return order


def test_strategies_are_asked_for_nothing_and_their_plans_withdrawn() -> None:
    """Shows that a departure that has not left is taken back and no other is planned while the stop lasts; fails when a
    strategy still trades in EMERGENCY.
    """
    rig = Rig().running().bar(Stance.ENTER)
    rig.fill(rig.orders()[-1])
    order = departing(rig)
    rig.venue = False
    rig.shell["feeds"] = ""
    stop(rig).pass_time(2 * SECOND_NS)
    assert (order.state, outcomes(rig)["strategies"]) == ("never", "done")
    count = len(rig.orders())
    rig.bar(Stance.LEAVE).bar(Stance.LEAVE)
    assert (len(rig.orders()), rig.mode) == (count, Mode.EMERGENCY)


@pytest.mark.parametrize("name", POLICIES)
def test_protection_follows_the_policy(name: str) -> None:
    """Shows that a resting reducing order is kept by `cancel` and canceled by the other two, and that losses are then
    not watched either; fails when the default leaves a position bare, or the others leave an order.
    """
    rig = Rig(policy(name)).holding()
    rig.trader._parts.desk.plan(
        Plan(MARKET, "trend", Side.SELL, OrderKind.LIMIT, BID_TICKS * 2, 1, reduce_only=True, reason="rests")
    )
    resting = rig.orders()[-1]
    rig.tell(events.JournalReached(rig.trader.ledger.sequence))
    stop(rig)
    rig.pass_time(SECOND_NS + SECOND_NS // 2)
    said = {ending.layer: ending.reason for ending in endings(rig)}["risk"]
    assert resting.working is (name == "cancel")
    assert said == ("2 protective orders kept" if name == "cancel" else "no protective order is left")
    assert stopping(rig).losses_unwatched is (name != "cancel")


def test_a_loss_that_is_being_cut_is_given_up_as_well() -> None:
    """Shows that under `cancel_all` a sale that was on its way is canceled, and that neither another one nor a guard
    follows; fails when the stop leaves an order, or losses are still cut after it.
    """
    rig = Rig(policy("cancel_all")).holding()
    rig.trader._parts.desk.plan(decision.stop(MARKET, "trend", rig.lots, "stop loss reached"))
    rig.tell(events.JournalReached(rig.trader.ledger.sequence))
    cut, guard = rig.orders()[-1], rig.guards()[-1]
    rig.venue = False
    stop(rig).quote(BID_TICKS // 2)
    canceled = {order.client_id for order in rig.take(commands.SendCancel) if isinstance(order, commands.SendCancel)}
    assert canceled == {cut.client_id, guard.client_id}
    for order in (cut, guard):
        rig.tell(events.OrderEnded(order.client_id, Ending.CANCELED, 0, 0))
    rig.quote(BID_TICKS // 2).pass_time(3 * SECOND_NS)
    assert (rig.orders()[-1], rig.guards()[-1]) == (cut, guard)


def test_flatten_sells_what_is_held_and_only_then_is_verified() -> None:
    """Shows that under `flatten` the sale planned by the stop is neither withdrawn nor canceled by later layers, that
    they do not wait for it, and that HALTED does; fails when a layer undoes what another did.
    """
    rig = Rig(policy("flatten")).holding()
    held = rig.lots
    stop(rig).pass_time(4 * SECOND_NS)
    sale = rig.orders()[-1]
    assert (sale.order_kind, sale.size_lots, sale.working) == (OrderKind.MARKET, held, True)
    assert (outcomes(rig)["execution"], outcomes(rig)["all"], rig.mode) == ("timed out", "complete", Mode.EMERGENCY)
    assert len(rig.orders()) == 2
    rig.fill(sale).pass_time(2 * SECOND_NS)
    assert (rig.lots, rig.mode) == (0, Mode.HALTED)
    assert endings(rig)[-1].outcome == "done late"


def test_flatten_leaves_what_the_venue_takes_no_order_for() -> None:
    """Shows that a holding below the venue's smallest order is not asked to be sold, and that the stop is verified all
    the same; fails when it is asked for ever and never halted.
    """
    rig = Rig(policy("flatten")).holding()
    terms = rig.trader._parts.instruments
    terms[MARKET] = msgspec.structs.replace(terms[MARKET], size_lots_min=rig.lots + 1)
    stop(rig).pass_time(4 * SECOND_NS)
    assert (rig.mode, len(rig.orders())) == (Mode.HALTED, 1)


def test_a_sale_that_cannot_leave_is_tried_once_a_second() -> None:
    """Shows that under `flatten` a sale that never left (the clock is not set, the link is gone) is planned again, but
    only after a second; fails when every word about it is answered at once, a hundred rows a second without end.
    """
    rig = Rig(policy("flatten")).holding()
    rig.disk = False
    stop(rig).pass_time(SECOND_NS // 2)
    rig.venue, tried = False, len(rig.orders())
    for _ in range(5):
        rig.tell(events.JournalReached(rig.trader.ledger.sequence))
        rig.tell(events.SendFailed(rig.orders()[-1].client_id, "the venue's clock is too far from ours"))
        rig.pass_time(SECOND_NS // 20)
    assert (rig.orders()[-1].reason, len(rig.orders())) == ("flatten after a stop", tried)
    rig.pass_time(SECOND_NS)
    assert len(rig.orders()) == tried + 1


def test_market_data_stopped_on_purpose_is_no_lost_connection() -> None:
    """Shows that the stop's own disconnect trips no breaker however often it happens; fails when it counts as an
    error of the venue's.
    """
    rig = Rig().running()
    for press in range(1, 12):
        stop(rig, press).pass_time(SECOND_NS)
        assert rig.modes()[-1] == "HALTED"
        rig.permit(start=press).pass_time(SECOND_NS)
    assert rig.mode is Mode.NORMAL, rig.trader.conduct.mode_reason


class Model:
    """A model that may be broken."""

    def __init__(self, name: str, *, broken: bool = False) -> None:
        self.name = name
        self.broken = broken
        self.running = True

    def stop(self) -> None:
        """Stop, or fail to."""
        if self.broken:
            raise OSError("the model hangs in its session")
        self.running = False

    def start(self) -> None:
        """Go on."""
        self.running = True


def test_every_model_is_stopped_even_behind_a_broken_one() -> None:
    """Shows that no loaded model is said so, that a broken one fails the layer but not the others, and that a start
    brings them back; fails when the first exception ends the loop.
    """
    bare = stop(Rig().running())
    assert {ending.layer: ending.reason for ending in endings(bare)}["models"] == "no model is loaded"
    rig = Rig().running()
    models = Model("first", broken=True), Model("second")
    stopping(rig)._models = models
    stop(rig)
    said = next(ending for ending in endings(rig) if ending.layer == "models")
    assert (said.outcome, said.reason) == ("failed", "OSError: the model hangs in its session")
    assert not models[1].running
    rig.pass_time(SECOND_NS).permit(start=1)
    assert models[1].running
