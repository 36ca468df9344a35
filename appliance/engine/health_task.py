"""Health checks while the appliance runs: read in a thread every few seconds, told to the trader when the set changes.

The first look is taken before anything may trade. A look that does not come back (a disk that hangs, a sensor that
blocks) is itself an issue and forbids opening until it does; no second one is started behind it, so at most one thread
ever waits.
"""

import asyncio
from collections.abc import Callable, Sequence

from appliance.core.events import HealthChanged, HealthIssue
from appliance.engine.ports import Post
from appliance.safety.health.verdict import Check, Condition, Consequence, Verdict, issue

INTERVAL_S = 5.0
PATIENCE_S = 10.0

Look = Callable[[Verdict | None], Verdict]


class HealthTask:
    """Look at the machine and tell what changed."""

    __slots__ = ("_interval_s", "_last", "_looks", "_patience_s", "_post", "_told", "verdicts")

    def __init__(
        self, looks: Sequence[Look], post: Post, *, interval_s: float = INTERVAL_S, patience_s: float = PATIENCE_S
    ) -> None:
        """Take one function for each check; it is given its own last verdict."""
        self._looks = tuple(looks)
        self._post = post
        self._interval_s = interval_s
        self._patience_s = patience_s
        self._last: tuple[Verdict | None, ...] = (None,) * len(self._looks)
        self._told: tuple[tuple[Check, Condition, Consequence], ...] | None = None
        self.verdicts: tuple[Verdict, ...] = ()

    def look(self) -> None:
        """Look once, here and now."""
        self._take(self._read())

    async def run(self) -> None:
        """Look at every interval until canceled."""
        while True:
            await asyncio.sleep(self._interval_s)
            reading = asyncio.ensure_future(asyncio.to_thread(self._read))
            done, _ = await asyncio.wait({reading}, timeout=self._patience_s)
            if not done:
                silent = issue(Check.CHECKS, Consequence.NO_OPEN, f"no answer for {self._patience_s:.0f} s")
                self._tell((*self.verdicts, silent))
            self._take(await reading)

    def _read(self) -> tuple[Verdict, ...]:
        return tuple(look(before) for look, before in zip(self._looks, self._last, strict=True))

    def _take(self, verdicts: tuple[Verdict, ...]) -> None:
        self._last = verdicts
        self._tell(verdicts)

    def _tell(self, verdicts: tuple[Verdict, ...]) -> None:
        self.verdicts = verdicts
        wrong = [verdict for verdict in verdicts if not verdict.good]
        telling = tuple((verdict.check, verdict.condition, verdict.consequence) for verdict in wrong)
        if telling != self._told:
            self._told = telling
            issues = (HealthIssue(verdict.check, verdict.consequence, verdict.detail) for verdict in wrong)
            self._post(HealthChanged(tuple(issues)))
