"""One instrument's market as its breaker sees it: how wide, how much, how one-sided.

Windows are counted in the venue's time, so that a connection which begins with the recent past is not taken for a
burst. What is usual is a slow average over windows; before enough of them were seen, only the absolute bounds count.
A measure without a trade for a while says nothing any more, so silence can never hold a breaker open.
"""

from typing import NamedTuple

from appliance.core.clock import NANOSECONDS_PER_SECOND
from appliance.core.values import PARTS_PER_MILLION
from appliance.safety.breakers.circuit import Cause
from appliance.safety.breakers.gauges import Level, calm_below, level_of
from appliance.safety.breakers.tuning import Odds

WINDOW_NS = 10 * NANOSECONDS_PER_SECOND
WINDOWS_LEARNED_MIN = 30
SILENT_NS = 3 * WINDOW_NS
# One-sidedness is an average over about eight windows, and of fewer trades than these it says nothing.
TRADES_MIN = 100
SPREAD_PPM_FLOOR = 1_000
_FLOW_SHIFT = 3
_USUAL_SHIFT = 5
_WINDOWS_ELAPSED_MAX = 64
_FIXED_POINT = 1 << 16
_UNBOUNDED = 1 << 62


class FlowSettings(NamedTuple):
    """Bound what counts as an ordinary market."""

    spread_ppm_max: int
    spread_of_usual_percent_max: int
    volume_of_usual_percent_max: int
    toxicity_ppm_max: int


class Flow:
    """Measure one instrument."""

    __slots__ = (
        "_odds",
        "_seen_ns",
        "_settings",
        "_signed",
        "_spread_calm_ppm",
        "_spread_ppm",
        "_total",
        "_toxicity_max",
        "_trades",
        "_usual_spread",
        "_usual_volume",
        "_volume",
        "_volume_calm",
        "_volume_max",
        "_window_end_ns",
        "_windows_count",
        "spread_ppm_max",
        "toxicity_ppm",
    )

    def __init__(self, settings: FlowSettings) -> None:
        """Begin without knowing what is usual."""
        self._settings = settings
        self._odds: dict[Cause, Odds] = {}
        self._seen_ns = 0
        self._window_end_ns = 0
        self._windows_count = 0
        self._volume = self._signed = self._total = self._trades = 0
        self._usual_volume = self._usual_spread = 0
        self._spread_ppm = 0
        self.toxicity_ppm = 0
        self._set_bounds()

    def tune(self, cause: Cause, odds: Odds) -> None:
        """Take how sensitive to be about a cause."""
        self._odds[cause] = odds
        self._set_bounds()

    def quoted(self, bid_ticks: int, ask_ticks: int) -> Level:
        """Take a quote and say how its spread stands."""
        width = (ask_ticks - bid_ticks) * PARTS_PER_MILLION
        if width < bid_ticks * self._spread_calm_ppm:
            self._spread_ppm = width // bid_ticks
            return Level.CALM
        self._spread_ppm = width // bid_ticks if bid_ticks > 0 else PARTS_PER_MILLION
        return level_of(self._spread_ppm, self.spread_ppm_max)

    def traded(self, now_ns: int, venue_ns: int, size_lots: int, sign: int) -> bool:
        """Take a trade and tell whether volume or one-sidedness wants to be looked at."""
        self._seen_ns = now_ns
        rolled = venue_ns >= self._window_end_ns
        if rolled:
            self._roll(venue_ns)
        self._volume += size_lots
        self._signed += sign * size_lots * _FIXED_POINT
        self._total += size_lots * _FIXED_POINT
        self._trades += _FIXED_POINT
        return rolled or self._volume >= self._volume_calm

    def levels(self, now_ns: int) -> tuple[tuple[Cause, Level], ...]:
        """Say how every measure stands now."""
        heard = now_ns - self._seen_ns <= SILENT_NS
        return (
            (Cause.SPREAD, level_of(self._spread_ppm, self.spread_ppm_max)),
            (Cause.VOLUME, level_of(self._volume, self._volume_max) if heard else Level.CALM),
            (Cause.TOXIC_FLOW, level_of(self.toxicity_ppm, self._toxicity_max) if heard else Level.CALM),
        )

    def forget_quote(self) -> None:
        """Hold no spread against the market that nobody watches."""
        self._spread_ppm = 0

    def _roll(self, venue_ns: int) -> None:
        elapsed = min((venue_ns - self._window_end_ns) // WINDOW_NS + 1, _WINDOWS_ELAPSED_MAX)
        first = self._window_end_ns == 0
        self._window_end_ns = venue_ns - venue_ns % WINDOW_NS + WINDOW_NS
        if first:
            return
        for _ in range(elapsed):
            self._learn()
        self._set_bounds()

    def _learn(self) -> None:
        """Close one window: what is usual moves a little, what was one-sided fades."""
        volume, self._volume = self._volume * _FIXED_POINT, 0
        fresh = self._windows_count == 0
        self._usual_volume = volume if fresh else self._usual_volume + ((volume - self._usual_volume) >> _USUAL_SHIFT)
        spread = self._spread_ppm * _FIXED_POINT
        self._usual_spread = spread if fresh else self._usual_spread + ((spread - self._usual_spread) >> _USUAL_SHIFT)
        self._windows_count += 1
        enough = self._trades >= TRADES_MIN * _FIXED_POINT
        self.toxicity_ppm = abs(self._signed) * PARTS_PER_MILLION // self._total if enough and self._total else 0
        self._signed -= self._signed >> _FLOW_SHIFT
        self._total -= self._total >> _FLOW_SHIFT
        self._trades -= self._trades >> _FLOW_SHIFT

    def _set_bounds(self) -> None:
        settings = self._settings
        widest_ppm = settings.spread_ppm_max
        self._volume_max = self._volume_calm = _UNBOUNDED
        if self._windows_count >= WINDOWS_LEARNED_MIN:
            usual_ppm = self._usual_spread // _FIXED_POINT
            wide_ppm = usual_ppm * settings.spread_of_usual_percent_max // 100
            widest_ppm = min(widest_ppm, max(wide_ppm, SPREAD_PPM_FLOOR))
            usual_hundredths = self._usual_volume * settings.volume_of_usual_percent_max
            self._volume_max = self._tuned(Cause.VOLUME, usual_hundredths // (100 * _FIXED_POINT) + 1)
            self._volume_calm = calm_below(self._volume_max)
        self.spread_ppm_max = self._tuned(Cause.SPREAD, widest_ppm)
        self._spread_calm_ppm = calm_below(self.spread_ppm_max)
        self._toxicity_max = self._tuned(Cause.TOXIC_FLOW, settings.toxicity_ppm_max)

    def _tuned(self, cause: Cause, most: int) -> int:
        return self._odds.get(cause, Odds()).threshold(most)
