"""Layer 7: what quality was over time: how many bars were usable, what was found how often, the last alerts."""

from collections import Counter, deque
from typing import Final

import msgspec

from appliance.market.quality.alerts import Alert, Gravity
from appliance.market.quality.score import Dimension, Score

ALERTS_KEPT: Final = 50


class Summary(msgspec.Struct, frozen=True):
    """Carry what was seen so far."""

    bars: int
    unusable_bars: int
    score: float
    mean_score: float
    worst: dict[str, float]
    alerts: dict[str, int]
    newest: tuple[tuple[int, str, str, str], ...]


class Monitor:
    """Count over the life of one instrument's watch."""

    __slots__ = ("_alerts", "_bars", "_last", "_newest", "_sum", "_unusable", "_worst")

    def __init__(self) -> None:
        """Begin without a bar."""
        self._bars = self._unusable = 0
        self._sum, self._last = 0.0, 1.0
        self._worst = dict.fromkeys(Dimension, 1.0)
        self._alerts: Counter[str] = Counter()
        self._newest: deque[Alert] = deque(maxlen=ALERTS_KEPT)

    def update(self, score: Score, alerts: tuple[Alert, ...]) -> None:
        """Count a bar."""
        self._bars += 1
        self._unusable += not score.usable
        self._sum += score.total
        self._last = score.total
        for dimension, part in score.parts.items():
            self._worst[dimension] = min(self._worst[dimension], part)
        for alert in alerts:
            if alert.gravity is not Gravity.WELL:
                self._alerts[f"{alert.dimension} {alert.gravity.name.lower()}"] += 1
            self._newest.append(alert)

    @property
    def newest(self) -> Alert | None:
        """Return the newest alert."""
        return self._newest[-1] if self._newest else None

    def summary(self) -> Summary:
        """Return the counts."""
        return Summary(
            self._bars,
            self._unusable,
            self._last,
            self._sum / self._bars if self._bars else 1.0,
            {dimension.value: worst for dimension, worst in self._worst.items()},
            dict(self._alerts),
            tuple((a.start_ns, a.dimension.value, a.gravity.name.lower(), a.reason) for a in self._newest),
        )
