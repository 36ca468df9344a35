"""All layers over one instrument's bars, in one call a bar; the last score says whether anything may be opened."""

import math
from typing import Final

from appliance.market.bars import Bar
from appliance.market.quality.alerts import POOR_BELOW, Alert, Alerts
from appliance.market.quality.benford import Benford
from appliance.market.quality.changes import Changes
from appliance.market.quality.consensus import Consensus
from appliance.market.quality.finding import FINE, Finding
from appliance.market.quality.kalman import Kalman
from appliance.market.quality.monitor import Monitor, Summary
from appliance.market.quality.score import Dimension, Score, Scorer

CONSENSUS_PPM: Final = 20_000
# By how much later than its own time says, in bars, a bar may come; and how much more takes all its worth. A short
# silence is no fault of the data: the age of the quotes answers for that.
DRIFT_BARS_ALLOWED: Final = 5.0
DRIFT_BARS_MAX: Final = 10.0


class QualityWatch:
    """Judge one instrument's bars."""

    __slots__ = (
        "_alerts",
        "_bar_ns",
        "_benford",
        "_changes",
        "_close",
        "_consensus",
        "_kalman",
        "_monitor",
        "_scorer",
        "_seen_ns",
        "_start_ns",
        "score",
    )

    def __init__(self, bar_ns: int) -> None:
        """Begin with nothing against bars of this length."""
        self._bar_ns = bar_ns
        self._benford, self._kalman, self._changes = Benford(), Kalman(), Changes()
        self._consensus = Consensus(CONSENSUS_PPM, bar_ns)
        self._scorer, self._alerts, self._monitor = Scorer(), Alerts(), Monitor()
        self._close, self._start_ns, self._seen_ns = 0, 0, 0
        self.score: Score = self._scorer.update({})

    @property
    def usable(self) -> bool:
        """Tell whether something may be opened on these bars."""
        return self.score.usable

    def heard(self, source: str, price_ticks: int, now_ns: int) -> None:
        """Take another source's price."""
        self._consensus.heard(source, price_ticks, now_ns)

    def update(self, bar: Bar, now_ns: int) -> tuple[Alert, ...]:
        """Judge a closed bar, and return what a person should know."""
        valid = _validity(bar)
        findings: dict[Dimension, tuple[Finding, ...]] = {Dimension.VALID: (valid,)}
        findings[Dimension.TIMELY] = (self._timeliness(bar, now_ns),)
        if valid is FINE:
            self._consensus.heard("bars", bar.close_ticks, now_ns)
            reading = self._kalman.update(bar)
            findings[Dimension.COMPLETE] = (reading.gap,)
            findings[Dimension.ACCURATE] = (reading.outlier, self._consensus.judge(now_ns))
            log_return = math.log(bar.close_ticks / self._close) if self._close else 0.0
            findings[Dimension.CONSISTENT] = (self._benford.update(bar.volume_lots), self._changes.update(log_return))
            self._close = bar.close_ticks
        self.score = self._scorer.update(findings)
        alerts = tuple(self._alerts.update(self.score, bar.start_ns))
        self._monitor.update(self.score, alerts)
        return alerts

    def summary(self) -> Summary:
        """Return what was seen so far."""
        return self._monitor.summary()

    def told(self) -> str:
        """Return the score, and what was last against the bars while something still is."""
        newest = self._monitor.newest
        doubt = min(self.score.parts.values()) < POOR_BELOW and newest is not None and newest.reason
        return f"score {self.score.total:.2f}" + (f": {doubt}" if doubt else "")

    def _timeliness(self, bar: Bar, now_ns: int) -> Finding:
        """Compare how much later this bar came than the last with how much later it begins."""
        drift_ns = 0
        if self._start_ns:
            drift_ns = (now_ns - self._seen_ns) - (bar.start_ns - self._start_ns)
        self._start_ns, self._seen_ns = bar.start_ns, now_ns
        late_bars = drift_ns / self._bar_ns - DRIFT_BARS_ALLOWED
        if late_bars <= 0.0:
            return FINE
        return Finding(
            max(0.0, 1.0 - late_bars / DRIFT_BARS_MAX), f"a bar came {drift_ns / self._bar_ns:.1f} bars late"
        )


def _validity(bar: Bar) -> Finding:
    low, high = min(bar.open_ticks, bar.close_ticks), max(bar.open_ticks, bar.close_ticks)
    if bar.low_ticks <= 0:
        return Finding(0.0, "a price that is not positive")
    if bar.low_ticks > low or bar.high_ticks < high:
        return Finding(0.0, "open or close outside the range")
    if bar.volume_lots < 0 or bar.trades_count <= 0 or bar.gap_bars < 0:
        return Finding(0.0, "a bar without a trade")
    return FINE
