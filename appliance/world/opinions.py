"""What the models truly said of each step, and when, kept apart from what the trader believes of it."""

from appliance.core.clock import NANOSECONDS_PER_MILLISECOND, NANOSECONDS_PER_SECOND
from appliance.core.commands import AskModels
from appliance.core.config import Config
from appliance.core.events import ModelsAnswered
from appliance.engine.model_voices import GOOD
from appliance.signals.fusion import MODELS
from appliance.trading import records

# An ask may wait for another one's answer before its own is worked out.
_BUDGETS = 2
Key = tuple[str, int]


class Opinions:
    """Follow what one life of the process asks its models, and what it hears."""

    def __init__(self, config: Config) -> None:
        """Begin with nothing asked."""
        self._cache_ns = config.models.cache_s * NANOSECONDS_PER_SECOND
        self._patience_ns = _BUDGETS * config.models.budget_ms * NANOSECONDS_PER_MILLISECOND
        self.begin()

    def begin(self) -> None:
        """Begin another life, which knows nothing of what was said before."""
        self._asked_ns: dict[Key, int] = {}
        self._past: set[Key] = set()
        self._nonsense: set[Key] = set()
        self._heard: dict[str, tuple[int, str]] = {}
        self._word: dict[str, tuple[int, str]] = {}

    def asked(self, command: AskModels, now_ns: int, *, past: bool) -> None:
        """Take an ask; one about bars that the venue remembers may move nothing."""
        key = (command.instrument, command.start_s)
        self._asked_ns[key] = now_ns
        if past:
            self._past.add(key)

    def spoke(self, instrument: str, start_s: int, *, sound: bool) -> None:
        """Take from the model itself whether what it says of a step is a chance."""
        if not sound:
            self._nonsense.add((instrument, start_s))

    def heard(self, event: ModelsAnswered, now_ns: int) -> None:
        """Take an answer on its way into the step."""
        key = (event.instrument, event.start_s)
        problem = self._problem(key, now_ns)
        if event.state == GOOD and key not in self._past:
            self._word[event.instrument] = (now_ns, problem)
        elif key in self._past:
            problem = problem or "what they said of bars that closed before anybody looked"
        else:
            problem = problem or f"an answer that is {event.state}"
        self._heard[event.instrument] = (now_ns, problem)

    def _problem(self, key: Key, now_ns: int) -> str:
        if key in self._nonsense:
            return "an answer that is no chance"
        asked_ns = self._asked_ns.get(key)
        if asked_ns is None:
            return "an answer that nobody asked for"
        if now_ns - asked_ns > self._patience_ns:
            return f"an answer that came {(now_ns - asked_ns) / 1e9:.1f} s after it was asked for"
        return ""

    def forbid(self, decision: records.Decision, now_ns: int) -> str:
        """Say why an entry must not be decided as it was, where the models had a say in it."""
        own = decision.strategy == MODELS
        if not own and MODELS not in decision.weights:
            return ""
        who = f"{decision.strategy} decided to open {decision.instrument} by"
        known = (self._heard if own else self._word).get(decision.instrument)
        if known is None:
            return f"{who} models that have not spoken"
        said_ns, problem = known
        if problem:
            return f"{who} {problem}"
        old = now_ns - said_ns > (0 if own else self._cache_ns)
        return f"{who} what the models said {(now_ns - said_ns) / 1e9:.1f} s ago" if old else ""
