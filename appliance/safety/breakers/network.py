"""All breakers, and which part depends on which: whatever is open holds back everything below it.

    global ──► venue ──► each instrument

Openness cascades by being asked for, not by being copied: a part admits an entry only if it and all it depends on do.
So a dependant cannot be forgotten when its parent opens, nor stay behind when it closes.
"""

from collections.abc import Iterable, Iterator, Mapping

from appliance.core.require import require
from appliance.safety.breakers.breaker import Breaker, BreakerSettings, Change
from appliance.safety.breakers.circuit import State

GLOBAL = "global"
VENUE = "venue"
TRIALS_FOLLOWED_MAX = 256

_Trial = tuple[tuple[Breaker, int], ...]


class Network:
    """Join breakers into one decision for each part."""

    __slots__ = ("_chains", "_trials", "breakers")

    def __init__(self, parents: Mapping[str, str], settings: BreakerSettings) -> None:
        """Build from each part and what it depends on; the root depends on nothing."""
        names = dict.fromkeys([*parents.values(), *parents])
        self.breakers = {name: Breaker(name, settings) for name in names}
        self._chains = {name: tuple(self.breakers[link] for link in _chain(name, parents)) for name in names}
        self._trials: dict[str, _Trial] = {}

    def admits(self, name: str) -> bool:
        """Tell whether one more entry of a part may pass."""
        return all(breaker.admits for breaker in self._chains[name])

    def state(self, name: str) -> State:
        """Return how far a part is open, through itself or through what it depends on."""
        return max(breaker.state for breaker in self._chains[name])

    def opened(self, name: str) -> bool:
        """Tell whether a part is open, through itself or through what it depends on."""
        return self.state(name) is State.OPEN

    def dependants(self, name: str) -> tuple[str, ...]:
        """Return every part that an open breaker of this one holds back, itself first."""
        breaker = self.breakers[name]
        return (name, *(other for other, chain in self._chains.items() if breaker in chain and other != name))

    def begin_trial(self, name: str, client_id: str) -> None:
        """Let an entry pass, as a trial of every breaker on its way that is half open."""
        halves = [breaker for breaker in self._chains[name] if breaker.state is State.HALF_OPEN]
        if not halves:
            return
        if len(self._trials) >= TRIALS_FOLLOWED_MAX:
            del self._trials[next(iter(self._trials))]
        self._trials[client_id] = tuple((breaker, breaker.take_trial()) for breaker in halves)

    def end_trial(self, now_ns: int, client_id: str, *, good: bool) -> Iterator[Change]:
        """Yield what the outcome of an entry changes; an entry that was no trial changes nothing."""
        for breaker, of_round in self._trials.pop(client_id, ()):
            change = breaker.trial_ended(now_ns, of_round, good=good)
            if change is not None:
                yield change

    def return_trial(self, client_id: str) -> None:
        """Give back the trial of an entry that never left."""
        for breaker, of_round in self._trials.pop(client_id, ()):
            breaker.return_trial(of_round)

    def pass_time(self, now_ns: int) -> Iterator[Change]:
        """Yield what time alone changes."""
        for breaker in self.breakers.values():
            change = breaker.pass_time(now_ns)
            if change is not None:
                yield change

    def followed(self) -> Iterable[str]:
        """Return the entries whose outcome a breaker waits for."""
        return self._trials.keys()


def _chain(name: str, parents: Mapping[str, str]) -> list[str]:
    chain = [name]
    while chain[-1] in parents:
        require(parents[chain[-1]] not in chain, f"the breaker of {name} depends on itself")
        chain.append(parents[chain[-1]])
    return chain
