"""What the trader knows about the world it depends on, and which of it forbids opening."""

from collections.abc import Iterator
from typing import NamedTuple

from appliance.core.clock import NANOSECONDS_PER_MILLISECOND, NANOSECONDS_PER_SECOND
from appliance.core.events import HealthIssue
from appliance.kernels.book import Integers
from appliance.market.intake import STEPS_CHANGED
from appliance.market.tape import Tape
from appliance.safety.health import clock, feed_age
from appliance.safety.health.verdict import Absent, Consequence, Verdict

ONLINE = "online"
BOOT_PATIENCE_NS = 3 * NANOSECONDS_PER_SECOND


class WatchSettings(NamedTuple):
    """Bound how old and how doubtful an input may be."""

    feed_age_ns_max: int
    clock_unsynced_allowed: bool


class Watch:
    """Keep the last word heard from each input."""

    __slots__ = (
        "_settings",
        "_tapes",
        "_terms",
        "_venue_status",
        "booted_ns",
        "clock_synchronized",
        "feed_connected",
        "health_issues",
        "latch_sequence",
        "latched",
        "now_ns",
        "orders_connected",
        "permission_heard",
        "permitted",
        "start_sequence",
    )

    def __init__(self, settings: WatchSettings, tapes: dict[str, Tape]) -> None:
        """Begin with everything absent: silence means stop."""
        self._settings = settings
        self._tapes = tapes
        self._terms: dict[str, str] = {}
        self._venue_status = ONLINE
        self.now_ns = 0
        self.booted_ns: int | None = None
        self.feed_connected = False
        self.orders_connected = False
        self.clock_synchronized = False
        self.health_issues: tuple[HealthIssue, ...] = ()
        self.permission_heard = False
        self.permitted = False
        self.latched = False
        self.latch_sequence = 0
        self.start_sequence = 0

    @property
    def clock_usable(self) -> bool:
        """Tell whether the wall clock may date a day: somebody vouches for it, or the owner does without."""
        return self.clock_synchronized or self._settings.clock_unsynced_allowed

    def feed_changed(self, *, connected: bool) -> None:
        """Forget every quote whenever the connection changes: nobody watched in between."""
        self.feed_connected = connected
        for tape in self._tapes.values():
            tape.forget_quote()

    def look_at_book(self, name: str, rows: Integers, row: int) -> None:
        """Let the figures of an instrument's book follow what was applied to it."""
        if name in self._tapes:
            self._tapes[name].micro.update(rows, row)

    def book_lost(self, name: str) -> None:
        """Forget the quote of an instrument whose book may not be believed."""
        if name in self._tapes:
            self._tapes[name].forget_quote()

    def venue_says(self, status: str) -> bool:
        """Take what the venue says of itself, and tell whether that is news."""
        news = status != self._venue_status
        self._venue_status = status
        return news

    def terms_told(self, name: str, reason: str) -> bool:
        """Take why an instrument may not be traded on the terms in use, if so, and tell whether that is news."""
        if name not in self._tapes or self._terms.get(name, "") == reason:
            return False
        self._terms[name] = reason
        return True

    @property
    def steps_changed(self) -> bool:
        """Tell whether some instrument has other steps by now than those that this run counts in."""
        return STEPS_CHANGED in self._terms.values()

    def feed_age_ns(self, name: str) -> int | None:
        """Return the age of an instrument's quote, or None when there is none."""
        quoted_ns = self._tapes[name].quoted_ns
        return None if quoted_ns is None else self.now_ns - quoted_ns

    def fresh(self, name: str) -> bool:
        """Tell whether an instrument's market may be acted upon."""
        age_ns = self.feed_age_ns(name)
        usable = self.feed_connected and self._tapes[name].known
        return usable and age_ns is not None and age_ns <= self._settings.feed_age_ns_max

    def refused_at_boot(self) -> bool:
        """Tell whether permission has stayed away longer than a start takes."""
        waited = self.booted_ns is not None and self.now_ns - self.booted_ns > BOOT_PATIENCE_NS
        return not self.permitted and (waited or self.latched)

    def verdicts(self) -> tuple[Verdict, Verdict]:
        """Return what the clock's and the market data's health is; `reasons_to_pause` is what follows from it."""
        ages_ns = [self.feed_age_ns(name) for name in self._tapes]
        known_ns = [age_ns for age_ns in ages_ns if age_ns is not None]
        age: int | Absent = Absent("nothing is quoted" if self.feed_connected else "no connection")
        if self.feed_connected and known_ns and len(known_ns) == len(ages_ns):
            age = max(known_ns) // NANOSECONDS_PER_MILLISECOND
        return (
            clock.judge(self.clock_synchronized, unsynced_allowed=self._settings.clock_unsynced_allowed),
            feed_age.judge(age, self._settings.feed_age_ns_max // NANOSECONDS_PER_MILLISECOND),
        )

    def reasons_to_pause(self) -> Iterator[str]:
        """Yield why nothing may be opened now."""
        if not self.orders_connected:
            yield "no order connection"
        if not self.feed_connected:
            yield "no market data connection"
        else:
            stale = [name for name in self._tapes if not self.fresh(name)]
            if stale:
                yield "stale or unusable market data: " + ", ".join(stale)
        if self._venue_status != ONLINE:
            yield f"the venue says {self._venue_status}"
        yield from (f"{name}: {reason}" for name, reason in self._terms.items() if reason)
        if not self.clock_usable:
            yield "clock not synchronized"
        for issue in self.health_issues:
            if issue.consequence == Consequence.NO_OPEN:
                yield f"{issue.check}: {issue.detail}"
