"""One world from one seed: built, tormented, healed, and asked whether it came back.

Everything random comes from one generator, so a seed is the whole story. Most faults wait for the next intent to be
written and strike within a moment of it: a crash in an idle minute shows little.
"""

import random
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from appliance.core.clock import NANOSECONDS_PER_DAY, NANOSECONDS_PER_SECOND
from appliance.core.config import Config
from appliance.core.errors import InvariantBroken
from appliance.core.events import PermissionChanged, ShutdownRequested
from appliance.core.records import Row
from appliance.core.values import cash_to_quanta
from appliance.engine.assembly import build_trader
from appliance.engine.model_desk import ModelDesk
from appliance.engine.trader import Trader
from appliance.safety.lamps import Lamp, View, lamp
from appliance.safety.modes import Mode
from appliance.trading.ledger import Ledger, replay
from appliance.venues.simulator.exchange import Exchange
from appliance.venues.simulator.instruments import BUILT_IN
from appliance.world import faults, invariants
from appliance.world.coverage import Turn
from appliance.world.disk import Disk, inspect
from appliance.world.inspector import Finding, Inspector, Parts
from appliance.world.journal_faults import JOURNAL_KINDS
from appliance.world.keeper import Keeper
from appliance.world.later_faults import LATER_KINDS
from appliance.world.links import Connection, Ends, milliseconds
from appliance.world.model_faults import MODEL_KINDS
from appliance.world.models import Around, Models
from appliance.world.person import Person
from appliance.world.reporter import Clocks, ReporterMaking
from appliance.world.reporter_faults import REPORTER_KINDS, dice_of
from appliance.world.reporter_parts import Further, brought_about, publishing_for, reporter_for
from appliance.world.scale import Scale, draw_config
from appliance.world.schedule import Beside, Schedule
from appliance.world.shell import Making, Moment, Shell, Surroundings, WallClock
from appliance.world.stage import Stage
from appliance.world.venue import Venue

EPOCH_NS = 1_700_000_000 * NANOSECONDS_PER_SECOND
TAG = "world"
QUIET_START_NS = 4 * NANOSECONDS_PER_SECOND
RECOVERY_NS = 90 * NANOSECONDS_PER_SECOND
# A broker that was away is called again after a minute at most, and what waited goes through its narrow door.
DELIVERY_NS = 300 * NANOSECONDS_PER_SECOND
ENDING_NS = 3 * NANOSECONDS_PER_SECOND
AMBUSH_PATIENCE_NS = 30 * NANOSECONDS_PER_SECOND
LATENCY_MS = (1, 60)
LOOK_NS = 5 * NANOSECONDS_PER_SECOND
_AMBUSH_IN_4 = 3
_STEADY = frozenset({Mode.NORMAL, Mode.REDUCED})
_INSTRUMENTS = {instrument.symbol: instrument for instrument in BUILT_IN}


def clocks_too_far(clock: WallClock) -> bool:
    """Tell at the door what the live order connection finds out with its pings."""
    return clock.too_far


class Recipe(NamedTuple):
    """Say how the parts under test are made, so that a planted bug is a different maker and nothing else."""

    trader: Callable[[Config, Ledger, int, int], Trader]
    lease: Callable[[Keeper, Trader], bool]
    replay: Callable[[Sequence[Row]], Ledger]
    disk: type[Disk]
    keeper: type[Keeper]
    lamp: Callable[[View], Lamp]
    inspect: Callable[[Disk], str] = inspect
    reporter: ReporterMaking = ReporterMaking()
    too_far: Callable[[WallClock], bool] = clocks_too_far
    models: type[ModelDesk] = ModelDesk


class Outcome(NamedTuple):
    """Tell what became of one world."""

    seed: int
    digest: str
    simulated_ns: int
    events: Counter[str]
    happened: Counter[str]
    turns: Counter[Turn]
    finding: Finding | None


class Cut(NamedTuple):
    """Say how much of a world is left: which planned faults strike, and when everything heals (None: as drawn)."""

    faults: frozenset[int] | None = None
    until_ns: int | None = None


WHOLE = Cut()


def honest_trader(config: Config, ledger: Ledger, now_ns: int, wall_ns: int) -> Trader:
    """Return the trader exactly as the appliance builds it."""
    return build_trader(config, _INSTRUMENTS, ledger, tag=TAG, now_ns=now_ns, wall_ns=wall_ns)


def _lease_of_this_moment(keeper: Keeper, _trader: Trader) -> bool:
    return keeper.permitted()


HONEST = Recipe(honest_trader, _lease_of_this_moment, replay, Disk, Keeper, lamp)


class World:
    """Run one seed to its end."""

    def __init__(
        self,
        seed: int,
        scale: Scale,
        recipe: Recipe = HONEST,
        *,
        kinds: tuple[faults.Kind, ...] = faults.KINDS,
        story: Callable[[str], None] | None = None,
        cut: Cut = WHOLE,
    ) -> None:
        """Draw a world."""
        self._seed = seed
        self._dice = random.Random(seed)
        self._schedule = Schedule(self._dice)
        self._further = self._beside("further faults")
        self._scale = scale
        self._kinds = kinds
        self._cut = cut
        self._ends_ns = scale.duration_ns if cut.until_ns is None else cut.until_ns
        self.planned: list[str] = []
        self._over = False
        self._asked_to_end = False
        self._faulty_looks = 0
        self._models = self._beside("the models")
        self._has_models = scale.later_in > 0 and self._models.dice.randrange(scale.later_in) == 0
        config = draw_config(self._dice, scale, self._models.dice if self._has_models else None)
        self._stage = self._build(config, recipe, story)
        self._plan_faults()

    def run(self) -> Outcome:
        """Let everything happen until the world has ended or something is wrong."""
        stage, schedule = self._stage, self._schedule
        stage.venue.begin()
        stage.shell.start()
        schedule.after(LOOK_NS, self._look)
        schedule.at(self._ends_ns, self._heal)
        if stage.reporter is not None:
            stage.reporter.start()
        try:
            while not self._over and stage.inspector.finding is None:
                schedule.run_next()
        except InvariantBroken as broken:
            stage.inspector.found(7, f"the trader stopped itself: {broken}")
        except Exception as problem:  # noqa: BLE001 - a process that dies of a bug is a finding, told with its seed
            stage.inspector.found(7, f"the process died of {type(problem).__name__}: {problem}")
        inspector = stage.inspector
        if stage.models is not None:
            stage.models.end()
        if stage.reporter is not None:
            stage.reporter.end()
            stage.happened.update(brought_about(stage.reporter))
        return Outcome(
            self._seed,
            inspector.digest,
            schedule.now_ns,
            inspector.events,
            stage.happened,
            inspector.coverage.turns,
            inspector.finding,
        )

    def _beside(self, what: str) -> Further:
        dice = dice_of(self._seed, what)
        return Further(dice, Beside(self._schedule, dice))

    def _build(self, config: Config, recipe: Recipe, story: Callable[[str], None] | None) -> Stage:
        schedule, dice, scale = self._schedule, self._dice, self._scale
        inspector = Inspector(schedule, config, story)
        exchange = Exchange(
            tuple(_INSTRUMENTS[name] for name in scale.instruments),
            dice.getrandbits(32),
            cash_to_quanta(config.trading.capital_quote),
            epoch_ns=EPOCH_NS,
            trade_interval_ns=milliseconds(dice, scale.trade_interval_ms),
        )
        clock = WallClock(schedule, EPOCH_NS + dice.randrange(NANOSECONDS_PER_DAY))
        making = Making(partial(recipe.trader, config), recipe.lease, recipe.replay, recipe.inspect, recipe.too_far)
        further = self._beside("the reporter")
        reports = scale.reporter_in > 0 and further.dice.randrange(scale.reporter_in) == 0
        publishing = publishing_for(further, inspector, TAG) if reports else None
        shell = Shell(schedule, dice, making, publishing or inspector, milliseconds(dice, scale.tick_ms))
        venue = Venue(schedule, dice, exchange, self._count, inspector.check)
        latency_ns = milliseconds(dice, LATENCY_MS)
        feed_ends = Ends(shell.feed_connected, shell.feed_lost, shell.received, venue.receive, venue.greeting)
        order_ends = Ends(shell.orders_connected, shell.orders_lost, shell.received, venue.receive, tuple)
        venue.feed = Connection(schedule, dice, latency_ns, feed_ends)
        venue.orders = Connection(schedule, dice, latency_ns, order_ends)
        disk = recipe.disk(schedule, dice, shell.deliver)
        keeper = recipe.keeper(schedule, dice, self._tell_permission, shell.pulse)
        keeper.decide_lamp = recipe.lamp
        person = Person(schedule, dice, keeper, inspector.note)
        shell.around = Surroundings(venue.feed, venue.orders, disk, keeper, clock)
        inspector.parts = Parts(shell, venue, venue.orders, disk, keeper)
        reporter = None
        if publishing is not None:
            reporter = reporter_for(further, inspector, publishing, recipe.reporter, clock, TAG)
        return Stage(
            schedule,
            dice,
            inspector,
            venue,
            venue.feed,
            venue.orders,
            disk,
            keeper,
            person,
            shell,
            clock,
            self._further.dice,
            reporter,
            self._give_models(shell, inspector, config, recipe),
        )

    def _give_models(self, shell: Shell, inspector: Inspector, config: Config, recipe: Recipe) -> Models | None:
        if not self._has_models:
            return None

        def failed(sentence: str) -> None:
            inspector.found(7, sentence)

        clocks = Clocks(self._models.schedule, shell.around.clock.wall_ns)
        exchange = inspector.parts.venue.exchange
        around = Around(clocks, self._models.dice, exchange, inspector.opinions, self._count, failed)
        shell.models = models = Models(around, config, recipe.models)
        return models

    def _count(self, what: str) -> None:
        self._stage.count(what)

    def _tell_permission(self, event: PermissionChanged) -> None:
        self._stage.shell.deliver(event)

    def _plan_faults(self) -> None:
        """Spread the faults over the run, going through all kinds before any comes again."""
        self._plan_further_faults()
        deck: list[faults.Kind] = []
        for _ in range(self._scale.faults_count):
            if not deck:
                deck = list(self._kinds)
                self._dice.shuffle(deck)
            at_ns = self._dice.randrange(QUIET_START_NS, self._scale.duration_ns)
            kind = deck.pop()
            ambush = kind.at_door or self._dice.getrandbits(2) < _AMBUSH_IN_4
            begin = self._lie_in_wait if ambush else self._strike
            self._schedule.at(at_ns, partial(self._unless_cut, self._number(kind), partial(begin, kind)))
        self._plan_later_faults()

    def _plan_later_faults(self) -> None:
        """Plan each later kind with dice of its own, and last, so that no fault of the others gets another number."""
        for kind in LATER_KINDS if self._scale.later_in and self._scale.faults_count else ():
            dice, schedule = self._beside(kind.name)
            if not self._has_models if kind in MODEL_KINDS else dice.randrange(self._scale.later_in):
                continue
            for _ in range(max(self._scale.faults_count // faults.REPEATED_FROM, 1)):
                at_ns = dice.randrange(QUIET_START_NS, self._scale.duration_ns)
                begin = self._lie_in_wait if dice.getrandbits(2) < _AMBUSH_IN_4 else self._strike
                schedule.at(at_ns, partial(self._unless_cut, self._number(kind), partial(begin, kind)))

    def _plan_further_faults(self) -> None:
        """Spread the faults of the reporter and of the journal where it lies, with dice of their own."""
        dice, schedule = self._further
        kinds = dice.sample(REPORTER_KINDS, len(REPORTER_KINDS)) if self._stage.reporter is not None else []
        if self._scale.damage_in and dice.randrange(self._scale.damage_in) == 0:
            kinds += JOURNAL_KINDS
        for kind in kinds * max(self._scale.faults_count // faults.REPEATED_FROM, 1):
            at_ns = dice.randrange(QUIET_START_NS, self._scale.duration_ns)
            schedule.at(at_ns, partial(self._unless_cut, self._number(kind), partial(self._strike_further, kind)))

    def _number(self, kind: faults.Kind) -> int:
        self.planned.append(kind.name)
        return len(self.planned) - 1

    def _unless_cut(self, number: int, begin: Callable[[], None]) -> None:
        if self._cut.faults is None or number in self._cut.faults:
            begin()

    def _strike_further(self, kind: faults.Kind) -> None:
        if self._schedule.now_ns < self._ends_ns:
            kind.begin(self._stage)
            self._further.schedule.after(
                milliseconds(self._further.dice, kind.lasts_ms), partial(kind.end, self._stage)
            )

    def _lie_in_wait(self, kind: faults.Kind) -> None:
        waiting = [kind]

        def spring() -> None:
            if waiting:
                self._strike(waiting.pop())

        moment = Moment.DOOR if kind.at_door else self._dice.choice(list(Moment))
        self._stage.shell.ambushes[moment].append(spring)
        self._schedule.after(AMBUSH_PATIENCE_NS, spring)

    def _strike(self, kind: faults.Kind) -> None:
        if self._schedule.now_ns >= self._ends_ns:
            return
        kind.begin(self._stage)
        lasts_ns = milliseconds(self._dice, kind.lasts_ms)
        if lasts_ns:
            self._schedule.after(lasts_ns, partial(kind.end, self._stage))

    def _look(self) -> None:
        """Let the person look at the lamp: a fault that has stayed a while is attended to."""
        stage = self._stage
        faulty = stage.shell.trader is not None and stage.shell.trader.mode is Mode.FAULT
        self._faulty_looks = self._faulty_looks + 1 if faulty and not stage.disk.failed else 0
        if self._faulty_looks >= 1 + stage.dice.getrandbits(1):
            self._faulty_looks = 0
            stage.inspector.note("a person attends to the fault")
            stage.remove_strangers()
            stage.person.press()
            self._schedule.after(4 * LOOK_NS, self._restart_by_hand)
        if not self._over:
            self._schedule.after(LOOK_NS, self._look)

    def _restart_by_hand(self) -> None:
        """Let the person end the process; not one that is on its way out already, asked to end with the world."""
        if not self._asked_to_end:
            self._stage.shell.kill()

    def _heal(self) -> None:
        self._stage.inspector.note("every fault ends")
        faults.heal(self._stage, (*faults.KINDS, *REPORTER_KINDS, *JOURNAL_KINDS, *LATER_KINDS))
        self._schedule.after(2 * LOOK_NS, partial(self._await_recovery, self._schedule.now_ns + RECOVERY_NS))

    def _await_recovery(self, until_ns: int) -> None:
        problem = self._not_recovered()
        if not problem and self._stage.reporter is not None:
            problem = self._stage.reporter.behind
            until_ns = max(until_ns, self._ends_ns + DELIVERY_NS)
        if not problem:
            self._asked_to_end = True
            self._stage.shell.deliver(ShutdownRequested("the world ends"))
            self._schedule.after(ENDING_NS + milliseconds(self._dice, self._scale.tick_ms), self._end)
        elif self._schedule.now_ns < until_ns:
            self._schedule.after(NANOSECONDS_PER_SECOND // 2, partial(self._await_recovery, until_ns))
        else:
            self._stage.inspector.found(12, f"long after every fault has ended, {problem}")

    def _not_recovered(self) -> str:
        stage = self._stage
        trader = stage.shell.trader
        if trader is None:
            return "the process is not running"
        if trader.mode not in _STEADY:
            return f"the trader is {trader.mode.name}: {trader.conduct.mode_reason}"
        if not trader.conduct.reconciled:
            return "the books are not compared"
        if dict(trader.instruments) != stage.venue.exchange.instruments:
            return "the trader counts with other terms than the venue's"
        waiting = ", ".join(
            f"{order.client_id} {order.state}" for order in trader.ledger.unsettled() if not order.stands
        )
        if waiting:
            return f"orders are unsettled: {waiting}"
        return invariants.positions_are_guarded(trader.ledger, stage.venue.exchange)

    def _end(self) -> None:
        stage = self._stage
        if stage.shell.trader is not None or stage.shell.ended_code != 0:
            stage.inspector.found(12, "the process did not end in good order when asked to")
        ledger = replay(stage.disk.rows)
        stage.inspector.found(7, invariants.restart_is_the_fold(ledger, stage.inspector.books))
        stage.inspector.found(
            3, invariants.equals_the_venue(ledger, stage.venue.exchange, (), stage.venue.foreign_quanta)
        )
        stage.inspector.found(4, "; ".join(stage.venue.exchange.audit()))
        self._over = True


def run_seed(seed: int, scale: Scale, recipe: Recipe = HONEST) -> Outcome:
    """Run one world and return what became of it."""
    return World(seed, scale, recipe).run()
