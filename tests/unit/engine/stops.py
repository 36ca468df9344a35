"""What the tests of a stop share: pressing the button, spoiling a layer, and reading what came of it."""

from collections.abc import Callable

from appliance.core import events
from appliance.core.errors import InvariantBroken
from appliance.engine.cascade_layers import Handler, Stopping
from appliance.safety.cascade import RULES, Layer
from appliance.trading import records
from tests.unit.engine.builders import CONFIG, Rig

ORDER = [layer.value for layer in Layer]
IN_STEP = ORDER[:4]
IN_SHELL = ORDER[4:]
SUM_NS = sum(rule.deadline_ns for rule in RULES)
DEADLINE_NS = {rule.layer.value: rule.deadline_ns for rule in RULES}
POLICIES = ["cancel", "cancel_all", "flatten"]


def policy(name: str) -> str:
    """Return the configuration with a stop policy."""
    return CONFIG + f'[safety]\nstop_policy = "{name}"\n'


def endings(rig: Rig) -> list[records.Cascade]:
    """Return what the journal says of every layer, in order."""
    facts = [records.decode(row) for row in rig.rows]
    return [fact for fact in facts if isinstance(fact, records.Cascade)]


def outcomes(rig: Rig) -> dict[str, str]:
    """Return how each layer ended, the first word of each."""
    return {ending.layer: ending.outcome for ending in reversed(endings(rig))}


def stop(rig: Rig, latch: int = 1) -> Rig:
    """Press the button."""
    return rig.tell(events.PermissionChanged(permitted=False, latch_sequence=latch, start_sequence=0, latched=True))


def stopping(rig: Rig) -> Stopping:
    """Return what carries the stop out."""
    return rig.trader.conduct.stopping


def spoil(rig: Rig, layer: str, finding: Callable[[], str | None], begin: Callable[[], object] = lambda: None) -> None:
    """Put another handler in a layer's place."""
    handlers = dict(stopping(rig)._handlers)
    handlers[Layer(layer)] = Handler(lambda: _call(begin), finding)
    stopping(rig)._handlers = handlers


def _call(begin: Callable[[], object]) -> None:
    begin()


def throw() -> str:
    """Fail as a bug would."""
    raise ValueError("a bug")


def break_invariant() -> str:
    """Fail as what must never be."""
    raise InvariantBroken("what cannot be true")
