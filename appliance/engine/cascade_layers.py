"""What each layer of a stop does, as far as it lives in the step; the others are asked for as commands.

A layer here begins once and is then asked what came of it until it has an answer. Whatever one of them raises is
written down as its failure and the next one starts; a broken invariant alone still ends the process. Verifying that
no entry is left goes on after its deadline has passed and even after all else has ended, because nothing but that
makes the stop a finished one.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol

from appliance.core.clock import NANOSECONDS_PER_MILLISECOND
from appliance.core.commands import SendCancelAll, StartLayer, StopLayer
from appliance.core.events import LayerStopped
from appliance.core.instruments import Instrument
from appliance.core.values import OrderKind
from appliance.safety.cascade import STOPPED, Cascade, Layer, State, Turn, Word
from appliance.trading import decision, records
from appliance.trading.desk import Desk
from appliance.trading.ledger import OrderView
from appliance.trading.protection import SALE_INTERVAL_NS
from appliance.trading.reconcile import Reconciler
from appliance.trading.scribe import Scribe

ALL = "all"
COMPLETE = "complete"
PRESSED_AGAIN = "pressed again"
REASON_LENGTH_MAX = 200
_WORDS = {word.value: word for word in (Word.DONE, Word.FAILED, Word.OVERDUE)}


class Model(Protocol):
    """Infer something from features."""

    name: str

    def stop(self) -> None:
        """Infer nothing until started again."""
        ...

    def start(self) -> None:
        """Go on."""
        ...


class Handler(NamedTuple):
    """Stop one layer inside the step: begin, then say what came of it, or nothing while it is not known."""

    begin: Callable[[], None]
    finding: Callable[[], str | None]


class Stopping:
    """Carry out a stop, layer after layer, and undo it when trading is allowed again."""

    __slots__ = (
        "_cascade",
        "_desk",
        "_feeds_stopped",
        "_flattening",
        "_handlers",
        "_in_force",
        "_instruments",
        "_models",
        "_policy",
        "_reconciler",
        "_sale_due_ns",
        "_scribe",
        "losses_unwatched",
        "strategies_stopped",
    )

    def __init__(
        self,
        scribe: Scribe,
        desk: Desk,
        reconciler: Reconciler,
        instruments: Mapping[str, Instrument],
        policy: str,
        models: tuple[Model, ...],
    ) -> None:
        """Stop nothing yet; `policy` is cancel, cancel_all or flatten."""
        self._instruments = instruments
        self._scribe = scribe
        self._desk = desk
        self._reconciler = reconciler
        self._policy = policy
        self._models = models
        self._cascade = Cascade()
        self._in_force = False
        self._feeds_stopped = False
        self._flattening: set[str] = set()
        self._sale_due_ns = 0
        self.strategies_stopped = False
        self.losses_unwatched = False
        self._handlers: Mapping[Layer, Handler] = {
            Layer.EXECUTION: Handler(self._cancel_by_policy, self._execution),
            Layer.STRATEGIES: Handler(self._stop_strategies, lambda: "asked for nothing any more"),
            Layer.MODELS: Handler(self._stop_models, self._models_found),
            Layer.RISK: Handler(self._stop_protection, self._protection),
        }

    # What the conduct asks

    @property
    def running(self) -> bool:
        """Tell whether layers are being stopped."""
        return self._cascade.running is not None

    @property
    def feeds_stopped(self) -> bool:
        """Tell whether it is us who keep market data away."""
        return self._feeds_stopped

    def keeps_guards(self, *, ending: bool) -> bool:
        """Tell whether positions stay guarded: always, but for a stop or an end whose policy gives them up."""
        return self._policy == "cancel" or not (self._in_force or ending)

    @property
    def confirmed(self) -> bool:
        """Tell whether the guardian may be told that no entry is left: the very last thing but the mode."""
        told = self._cascade.state(Layer.OUTPUTS) is not State.WAITING
        return told and self._cascade.state(Layer.EXECUTION) in STOPPED

    @property
    def complete(self) -> bool:
        """Tell whether every layer had its turn, no entry is left, and nothing has raised a doubt about that since."""
        return self._cascade.complete and self._cascade.state(Layer.EXECUTION) in STOPPED and self._clear()

    @property
    def verified_by(self) -> str:
        """Return what a verified stop rests on."""
        differs = bool(self._reconciler.differences)
        return "no open entries, though books differ" if differs else "the venue confirms: no open entries"

    def begin(self) -> None:
        """Stop everything; a stop that comes while one is in force is written down and restarts nothing."""
        now_ns = self._scribe.now_ns
        if self._in_force:
            layer = self._cascade.running or "nothing, every layer had its turn"
            self._write(ALL, PRESSED_AGAIN, now_ns - self._cascade.began_ns, f"being stopped: {layer}")
            return
        self._in_force = True
        self._flattening.clear()
        self._follow(self._cascade.start(now_ns))

    def advance(self) -> None:
        """Go on with what is under way; to be called whenever something may have changed."""
        if not self._in_force:
            return
        layer = self._cascade.running
        if layer is not None and layer in self._handlers and layer is not Layer.EXECUTION:
            self._follow(self._look(layer))
        if self._cascade.state(Layer.EXECUTION) not in STOPPED:
            self._follow(self._look(Layer.EXECUTION))
        self._follow(self._cascade.tick(self._scribe.now_ns))

    def layer_stopped(self, event: LayerStopped) -> None:
        """Take the shell's word about a layer of this very stop that lives there."""
        known = [layer for layer in Layer if layer == event.layer and layer not in self._handlers]
        if known and event.number == self._cascade.number:
            word = _WORDS.get(event.outcome, Word.FAILED)
            self._follow(self._cascade.report(self._scribe.now_ns, known[0], word, event.reason))

    def resume(self) -> None:
        """Start again what was stopped."""
        if not self._in_force:
            return
        self._in_force = False
        self.strategies_stopped = self.losses_unwatched = False
        for model in self._models:
            model.start()
        if self._feeds_stopped:
            self._feeds_stopped = False
            self._scribe.ask(StartLayer(Layer.FEEDS))

    def cancel_working(self) -> None:
        """Cancel every entry, and what protects as well unless the policy keeps it."""
        everything = self._policy != "cancel"
        for order in list(self._scribe.ledger.unsettled()):
            if order.working and (everything or not order.reduce_only):
                self._desk.cancel(order)

    # How the layers follow each other

    def _follow(self, turn: Turn) -> None:
        """Write down what ended and begin what starts, for as long as layers end at once."""
        self._note(turn)
        for _ in Layer:
            if turn.starts is None:
                return
            turn = self._begin_layer(turn.starts)
            self._note(turn)

    def _begin_layer(self, layer: Layer) -> Turn:
        handler = self._handlers.get(layer)
        if handler is None:
            self._feeds_stopped |= layer is Layer.FEEDS
            deadline_ms = self._cascade.deadline_ns(layer) // NANOSECONDS_PER_MILLISECOND
            self._scribe.ask(StopLayer(self._cascade.number, layer, deadline_ms))
            return Turn()
        try:
            handler.begin()
        except Exception as problem:  # noqa: BLE001 - whatever one layer raises must not keep the next from stopping
            return self._failed(layer, problem)
        return self._look(layer)

    def _look(self, layer: Layer) -> Turn:
        try:
            finding = self._handlers[layer].finding()
        except Exception as problem:  # noqa: BLE001 - as above
            return self._failed(layer, problem)
        return Turn() if finding is None else self._cascade.report(self._scribe.now_ns, layer, Word.DONE, finding)

    def _failed(self, layer: Layer, problem: Exception) -> Turn:
        sentence = f"{type(problem).__name__}: {problem}"
        return self._cascade.report(self._scribe.now_ns, layer, Word.FAILED, sentence)

    def _note(self, turn: Turn) -> None:
        if turn.ended is not None:
            self._write(*turn.ended)
        if turn.completes:
            self._conclude()

    def _conclude(self) -> None:
        states = {layer: self._cascade.state(layer) for layer in Layer}
        bad = ", ".join(f"{layer} {state}" for layer, state in states.items() if state not in STOPPED)
        took_ns = self._cascade.ended_ns - self._cascade.began_ns
        self._write(ALL, COMPLETE, took_ns, bad or "every layer stopped")

    def _write(self, layer: str, outcome: str, took_ns: int, reason: str) -> None:
        reason = reason[:REASON_LENGTH_MAX]
        self._scribe.write(records.Cascade(self._cascade.number, layer, outcome, took_ns, reason))

    # What the layers do

    def _cancel_by_policy(self) -> None:
        if self._policy != "cancel":
            self._scribe.ask(SendCancelAll())
        self.cancel_working()

    def _execution(self) -> str | None:
        """Verify with the venue that no entry is left, and under `flatten` that nothing is held either."""
        if not self._clear() or (self._policy == "flatten" and not self._flat()):
            return None
        return self.verified_by

    def _clear(self) -> bool:
        """Tell whether the venue was asked since the last doubt, and no entry of ours is left."""
        entries = [order for order in self._scribe.ledger.unsettled() if not order.reduce_only]
        return not entries and not self._reconciler.wanted

    def _flat(self) -> bool:
        """Tell whether all is sold that the venue takes an order for; a smaller rest would be refused for ever."""
        ledger = self._scribe.ledger
        held = [
            (name, strategy, lots)
            for name, position in ledger.positions.items()
            for strategy, lots in position.lots_by_strategy.items()
            if lots >= self._instruments[name].size_lots_min
        ]
        if held and not ledger.working and self._scribe.now_ns >= self._sale_due_ns:
            self._sale_due_ns = self._scribe.now_ns + SALE_INTERVAL_NS
            for name, strategy, lots in held:
                plan = decision.stop(name, strategy, lots, "flatten after a stop")
                self._flattening.add(self._desk.plan(plan))
        return not held

    def _stop_strategies(self) -> None:
        """Ask no strategy any more, and take back what one has planned: only strategies use limit orders."""
        self.strategies_stopped = True
        for order in list(self._scribe.ledger.unsettled()):
            if order.order_kind is OrderKind.LIMIT and self._desk.unsent(order):
                self._desk.withdraw(order.client_id, "its strategy was stopped")

    def _stop_models(self) -> None:
        problems = []
        for model in self._models:
            try:
                model.stop()
            except Exception as problem:  # noqa: BLE001 - every other model is stopped before this one's failure counts
                problems.append(problem)
        if problems:
            raise problems[0]

    def _models_found(self) -> str:
        return f"{len(self._models)} stopped" if self._models else "no model is loaded"

    def _stop_protection(self) -> None:
        """Keep what protects the position, or give it up, as the policy says."""
        self.losses_unwatched = self._policy != "cancel"
        if self.losses_unwatched:
            for order in self._protecting():
                self._desk.cancel(order)

    def _protection(self) -> str | None:
        left = len(self._protecting())
        if self.losses_unwatched:
            return None if left else "no protective order is left"
        return f"{left} protective orders kept"

    def _protecting(self) -> list[OrderView]:
        orders = self._scribe.ledger.unsettled()
        return [
            order for order in orders if order.working and order.reduce_only and order.client_id not in self._flattening
        ]
