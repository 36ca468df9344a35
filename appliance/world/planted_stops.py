"""Bugs of the stop, the lamp, the clock and the limits, planted like those of the orders beside them."""

from dataclasses import replace

from appliance.core import events
from appliance.core.commands import AnyCommand
from appliance.core.config import Config
from appliance.core.values import INT64_MAX, Ending
from appliance.engine.cascade_layers import Stopping
from appliance.engine.conduct import Conduct
from appliance.engine.trader import Trader
from appliance.engine.watch import Watch
from appliance.market.bars import Bar
from appliance.market.tape import Tape
from appliance.safety.button import Button, Effect, Gesture, State
from appliance.safety.lamps import Lamp, View, lamp
from appliance.trading.desk import Desk
from appliance.trading.ledger import Ledger, OrderView
from appliance.world.keeper import Keeper
from appliance.world.planting import Bug, spoiled, with_desk
from appliance.world.simulation import HONEST, honest_trader

_LONG_GLITCH = Gesture(glitch_ns=900_000_000)
_FREE_PPM = 900_000
_LARGE_PPM = 80_000


class _EagerKeeper(Keeper):
    """Take a reset for a start."""

    def _grants(self) -> bool:
        ready = self._button.state in {State.HELD, State.READY, State.TAPPING}
        return ready or super()._grants()


class _DeafKeeper(Keeper):
    """Take a short press for a glitch."""

    def _new_button(self, *, closed: bool, reset_down: bool, case_open: bool) -> Button:
        now_ns, latched = self._schedule.now_ns, self._record_latched or case_open
        return Button(_LONG_GLITCH, latched=latched, closed=closed, reset_down=reset_down, now_ns=now_ns)


class _UnalarmedKeeper(Keeper):
    """Let anybody open the box."""

    def _case_opened(self, at_ns: int) -> tuple[Effect, ...]:
        return self._button.elapse(at_ns)


class _CarefreeKeeper(Keeper):
    """Look at the case only at the moment at which it opens."""

    def _new_button(self, *, closed: bool, reset_down: bool, case_open: bool) -> Button:  # noqa: ARG002 - that is the bug
        return super()._new_button(closed=closed, reset_down=reset_down, case_open=False)


class _GenerousKeeper(Keeper):
    """Lend a lease that nothing but a word takes back."""

    def permitted(self) -> bool:
        return self._lent_when_silenced if self.silent else super().permitted()


class _HopefulDesk(Desk):
    """Take a cancel that was asked for as one that happened."""

    __slots__ = ()

    def cancel(self, order: OrderView) -> None:
        super().cancel(order)
        if order.working:
            self.ended(events.OrderEnded(order.client_id, Ending.CANCELED, order.filled_lots, 0))


class _SlackDesk(Desk):
    """Leave out the executions that the end of an order announces."""

    __slots__ = ()

    def ended(self, event: events.OrderEnded) -> None:
        order = self._scribe.ledger.orders.get(event.client_id)
        seen_lots = event.filled_lots if order is None else order.filled_lots
        super().ended(events.OrderEnded(event.client_id, event.how, seen_lots, event.venue_ns))


class _HurriedStopping(Stopping):
    """Try a sale again as soon as it is known that it did not leave."""

    __slots__ = ()

    def _flat(self) -> bool:
        self._sale_due_ns = 0
        return super()._flat()


class _TimelessWatch(Watch):
    """Trade whether or not anybody vouches for the clock."""

    __slots__ = ()

    @property
    def clock_usable(self) -> bool:
        return True


class _DeafToHealth(Conduct):
    """Take no notice of what the health checks say."""

    __slots__ = ()

    def health_changed(self, event: events.HealthChanged) -> None:  # noqa: ARG002 - that is the bug
        super().health_changed(events.HealthChanged(()))


class _BlindTape(Tape):
    """Take a crossed book for a market."""

    __slots__ = ()

    @property
    def known(self) -> bool:
        return self.quoted_ns is not None

    def quote(self, event: events.QuoteChanged, now_ns: int) -> Bar | None:
        bar = super().quote(event, now_ns)
        self.crossed = False
        self.quoted_ns = now_ns
        return bar


class _WallTrader(Trader):
    """Run every timer on the wall clock."""

    __slots__ = ("_ahead_ns", "_first_wall_ns")

    def step(self, now_ns: int, event: events.AnyEvent) -> list[AnyCommand]:
        if isinstance(event, events.TimePassed):
            first_ns = getattr(self, "_first_wall_ns", event.wall_ns - now_ns)
            self._first_wall_ns = first_ns
            self._ahead_ns = event.wall_ns - now_ns - first_ns
        return super().step(now_ns + getattr(self, "_ahead_ns", 0), event)


def _wall_trader(config: Config, ledger: Ledger, now_ns: int, wall_ns: int) -> Trader:
    return _WallTrader(honest_trader(config, ledger, now_ns, wall_ns)._parts)  # noqa: SLF001 - put where the real one was


def _unbounded(config: Config, ledger: Ledger, now_ns: int, wall_ns: int) -> Trader:
    parts = honest_trader(config, ledger, now_ns, wall_ns)._parts  # noqa: SLF001 - as above
    limits = parts.limits._replace(
        position_ppm=_FREE_PPM,
        symbol_ppm=_FREE_PPM,
        venue_ppm=_FREE_PPM,
        strategy_ppm=_FREE_PPM,
        sector_ppm=_FREE_PPM,
        order_quanta_max=INT64_MAX,
    )
    settings = parts.settings._replace(fraction_ppm=_LARGE_PPM)
    return Trader(parts._replace(limits=limits, settings=settings))


def _lamp_of_the_trader(view: View) -> Lamp:
    return lamp(replace(view, button=State.CLEAR))


def _hopeful_lamp(view: View) -> Lamp:
    return lamp(replace(view, cleared_apart=True))


def _two_tapes(trader: Trader) -> tuple[object, type]:
    for tape in trader.tapes.values():
        tape.__class__ = _BlindTape
    return next(iter(trader.tapes.values())), _BlindTape


STOP_BUGS: tuple[Bug, ...] = (
    Bug(
        "reset taken for a start",
        "permission comes back when reset was held, without a separate start",
        HONEST._replace(keeper=_EagerKeeper),
        frozenset({1, 2}),
    ),
    Bug(
        "short press taken for a glitch",
        "a press has to last almost a second before it counts",
        HONEST._replace(keeper=_DeafKeeper),
        frozenset({1, 2, 9}),
    ),
    Bug(
        "open case unheeded",
        "the box may be opened while it trades, and nothing follows",
        HONEST._replace(keeper=_UnalarmedKeeper),
        frozenset({1, 2, 9}),
    ),
    Bug(
        "case not looked at when starting",
        "a guardian that starts in an open box believes its record",
        HONEST._replace(keeper=_CarefreeKeeper),
        frozenset({1, 2, 9}),
    ),
    Bug(
        "lease that never expires",
        "a guardian that hangs leaves its permission behind",
        HONEST._replace(keeper=_GenerousKeeper),
        frozenset({1}),
    ),
    Bug(
        "lamp of the trader alone",
        "the lamp shows what the trader does and not that the stop stands",
        HONEST._replace(lamp=_lamp_of_the_trader),
        frozenset({9}),
    ),
    Bug(
        "halted before it is verified",
        "the lamp claims a verified stop as soon as the button is pressed",
        HONEST._replace(lamp=_hopeful_lamp),
        frozenset({9}),
    ),
    Bug(
        "cancel taken for done",
        "an order counts as ended when its cancel was asked for",
        with_desk(_HopefulDesk),
        frozenset({3, 5, 12}),
    ),
    Bug(
        "sale tried without a pause",
        "a sale after a stop that could not leave is planned again in the same breath",
        spoiled(lambda trader: (trader.conduct.stopping, _HurriedStopping)),
        frozenset({10}),
    ),
    Bug(
        "executions announced at the end forgotten",
        "an order that ended is settled although not all of its executions were seen",
        with_desk(_SlackDesk),
        frozenset({3, 5, 12}),
    ),
    Bug(
        "clock not asked",
        "trading goes on although nobody vouches for the clock",
        spoiled(lambda trader: (trader.watch, _TimelessWatch)),
        frozenset({10}),
    ),
    Bug(
        "venue's clock not asked at the door",
        "orders leave with deadlines on a clock that is far from the venue's",
        HONEST._replace(too_far=lambda _clock: False),
        frozenset({10}),
    ),
    Bug(
        "clocks apart and trading",
        "the health checks' word is heard and nothing follows",
        spoiled(lambda trader: (trader.conduct, _DeafToHealth)),
        frozenset({10}),
    ),
    Bug(
        "crossed book taken for a market",
        "a quote whose bid is above its ask counts like any other",
        spoiled(_two_tapes),
        frozenset({10}),
    ),
    Bug(
        "timers on the wall clock",
        "deadlines and ages follow a clock that may be set",
        HONEST._replace(trader=_wall_trader),
        frozenset({3, 5, 10, 12}),
    ),
    Bug(
        "limits forgotten",
        "entries are sized as if there were no limits",
        HONEST._replace(trader=_unbounded),
        frozenset({5}),
    ),
)
