"""A synthetic market: one seeded, integer-only random process and the ladder of prices its makers quote.

The fair price wanders in millionths of a tick through regimes (up, down, reverting, quiet), so that a strategy of any
family meets minutes it was made for and minutes it was not. Takers arrive as a Poisson process. Written by hand
because the same seed must yield the same market on every machine: all arithmetic is on integers, the two distributions
are tables of rounded quantiles, and the only draw is `getrandbits`; a float process differs in the last digit between
maths libraries.

One arrival draws 128 random bits once and cuts them up; drawing each number on its own would cost most of the budget.
"""

import enum
import math
import random
from statistics import NormalDist
from typing import NamedTuple

from appliance.core.clock import NANOSECONDS_PER_SECOND
from appliance.core.require import require
from appliance.core.values import PARTS_PER_MILLION

LEVELS = 8
START_TICKS_MIN = 1_000
_BILLION = 1_000_000_000
_FAIR_SCALE = 1_000_000
_STEPS_PER_PRICE = 40_000
_RANGE_FACTOR = 8
_SPREAD_TICKS = (1, 1, 2, 3)
_TABLE = 1024
_NORMAL_PPM = tuple(round(NormalDist().inv_cdf((index + 0.5) / _TABLE) * PARTS_PER_MILLION) for index in range(_TABLE))
_WAIT_PPM = tuple(round(-math.log((index + 0.5) / _TABLE) * PARTS_PER_MILLION) for index in range(_TABLE))
_TAKER_PARTS = (1, 1, 1, 1, 1, 2, 2, 2, 3, 3, 4, 5, 7, 10, 20, 60)
_TAKER_DIVISOR = 40
_HALF_IN_1024 = 512
_BIAS_IN_1024_MAX = 400


class Regime(enum.Enum):
    """Name the moods of the market."""

    UP = "up"
    DOWN = "down"
    REVERTING = "reverting"
    QUIET = "quiet"


class Mood(NamedTuple):
    """Hold what one regime does to the fair price."""

    drift_ppb_per_s: int
    noise_ppb_per_root_s: int
    pull_ppm_per_s: int
    duration_s_mean: int
    buyers_in_1024: int


MOODS: dict[Regime, Mood] = {
    Regime.UP: Mood(120_000, 80_000, 0, 40, 600),
    Regime.DOWN: Mood(-120_000, 80_000, 0, 40, 424),
    Regime.REVERTING: Mood(0, 250_000, 150_000, 60, 512),
    Regime.QUIET: Mood(0, 20_000, 0, 15, 512),
}
_TRENDING_BELOW = 460
_REVERTING_BELOW = 870


class SyntheticMarket:
    """Draw arrivals and prices; knows nothing of accounts or of our orders."""

    __slots__ = (
        "_anchor",
        "_base_lots",
        "_fair",
        "_fair_max",
        "_fair_min",
        "_interval_ns",
        "_last_ns",
        "_mood",
        "_noise_ppb",
        "_random",
        "_regime_until_ns",
        "_start",
        "ask_lots",
        "ask_ticks",
        "bid_lots",
        "bid_ticks",
        "next_ns",
        "regime",
        "step_ticks",
        "taker_buys",
        "taker_lots",
    )

    def __init__(self, seed: str, start_ticks: int, base_lots: int, trade_interval_ns: int, now_ns: int) -> None:
        """Open the market at a price, with takers arriving once in so many nanoseconds on average."""
        require(start_ticks >= START_TICKS_MIN, "a synthetic market needs room below its start price")
        require(base_lots > 0 and trade_interval_ns > 0, "a synthetic market needs a size and a pace")
        # Seeded by text, whose hashing into the generator is the same in every version of Python.
        self._random = random.Random(seed)  # noqa: S311 - a market to replay, not a secret
        self._interval_ns = trade_interval_ns
        self._base_lots = base_lots
        self._start = self._fair = self._anchor = start_ticks * _FAIR_SCALE
        self._fair_min = self._start // _RANGE_FACTOR
        self._fair_max = self._start * _RANGE_FACTOR
        self.step_ticks = max(1, start_ticks // _STEPS_PER_PRICE)
        self._last_ns = self.next_ns = now_ns
        self._regime_until_ns = now_ns
        self.taker_buys = True
        self.taker_lots = base_lots
        self._change_regime()
        self.move()

    def move(self) -> None:
        """Carry the market to its next arrival time: new fair price, new ladder, next taker and its time."""
        now_ns = self.next_ns
        if now_ns >= self._regime_until_ns:
            self._change_regime()
        bits = self._random.getrandbits(128)
        self._drift(now_ns, bits & 1023)
        self._quote(bits >> 10)
        self._draw_taker(bits >> 76)
        self.next_ns = now_ns + 1 + _WAIT_PPM[bits >> 98 & 1023] * self._interval_ns // PARTS_PER_MILLION

    def _drift(self, now_ns: int, index: int) -> None:
        mood = self._mood
        fair = self._fair
        elapsed_ns = now_ns - self._last_ns
        step = fair * mood.drift_ppb_per_s * elapsed_ns // (_BILLION * _BILLION)
        step += fair * self._noise_ppb * _NORMAL_PPM[index] // (_BILLION * PARTS_PER_MILLION)
        if mood.pull_ppm_per_s:
            pull_ppm = min(mood.pull_ppm_per_s * elapsed_ns // NANOSECONDS_PER_SECOND, PARTS_PER_MILLION)
            step += (self._anchor - fair) * pull_ppm // PARTS_PER_MILLION
        self._fair = min(max(fair + step, self._fair_min), self._fair_max)
        self._last_ns = now_ns

    def _quote(self, bits: int) -> None:
        spread_ticks = _SPREAD_TICKS[bits & 3]
        self.bid_ticks = self._fair // _FAIR_SCALE - (spread_ticks >> 1)
        self.ask_ticks = self.bid_ticks + spread_ticks
        base = self._base_lots
        self.bid_lots = [
            base + base * (bits >> 2 & 15),
            base + base * (bits >> 6 & 15),
            base + base * (bits >> 10 & 15),
            base + base * (bits >> 14 & 15),
            base + base * (bits >> 18 & 15),
            base + base * (bits >> 22 & 15),
            base + base * (bits >> 26 & 15),
            base + base * (bits >> 30 & 15),
        ]
        self.ask_lots = [
            base + base * (bits >> 34 & 15),
            base + base * (bits >> 38 & 15),
            base + base * (bits >> 42 & 15),
            base + base * (bits >> 46 & 15),
            base + base * (bits >> 50 & 15),
            base + base * (bits >> 54 & 15),
            base + base * (bits >> 58 & 15),
            base + base * (bits >> 62 & 15),
        ]

    def _draw_taker(self, bits: int) -> None:
        self.taker_buys = bits & 1023 < self._mood.buyers_in_1024
        parts = _TAKER_PARTS[bits >> 10 & 15] * (1 + (bits >> 14 & 255))
        self.taker_lots = 1 + self._base_lots * parts // (_TAKER_DIVISOR * 64)

    def _change_regime(self) -> None:
        bits = self._random.getrandbits(30)
        self.regime = self._choose(bits & 1023, bits >> 10 & 1023)
        self._mood = MOODS[self.regime]
        self._anchor = self._fair
        wait_ppm = _WAIT_PPM[bits >> 20] + PARTS_PER_MILLION // 4
        duration_ns = self._mood.duration_s_mean * wait_ppm * (NANOSECONDS_PER_SECOND // PARTS_PER_MILLION)
        self._regime_until_ns = self.next_ns + duration_ns
        noise = self._mood.noise_ppb_per_root_s
        self._noise_ppb = noise * math.isqrt(self._interval_ns) // math.isqrt(NANOSECONDS_PER_SECOND)

    def _choose(self, which: int, direction: int) -> Regime:
        if which >= _REVERTING_BELOW:
            return Regime.QUIET
        if which >= _TRENDING_BELOW:
            return Regime.REVERTING
        # Far from its start the market turns back more often than not, so that a year of it stays a market.
        bias = (self._start - self._fair) * 2 * _TABLE // self._start
        bias = min(max(bias, -_BIAS_IN_1024_MAX), _BIAS_IN_1024_MAX)
        return Regime.UP if direction < _HALF_IN_1024 + bias else Regime.DOWN

    def levels(self, sign: int) -> list[tuple[int, int]]:
        """Return the (price, lots) a taker meets, best first: the asks for a buyer (+1), the bids for a seller (-1)."""
        best, lots = (self.ask_ticks, self.ask_lots) if sign > 0 else (self.bid_ticks, self.bid_lots)
        step = self.step_ticks * sign
        return [(best + step * level, size) for level, size in enumerate(lots) if size]

    def meet(self, sign: int, size_lots: int) -> list[tuple[int, int]]:
        """Return what a taker of that size trades against; nothing is changed."""
        price, ladder = (self.ask_ticks, self.ask_lots) if sign > 0 else (self.bid_ticks, self.bid_lots)
        step = self.step_ticks * sign
        met = []
        for lots in ladder:
            took = min(lots, size_lots)
            met.append((price, took))
            size_lots -= took
            if not size_lots:
                break
            price += step
        return met

    def lots_at(self, sign: int, price_ticks: int) -> int:
        """Return the synthetic lots resting at a price on the side a taker of that sign meets."""
        best, lots = (self.ask_ticks, self.ask_lots) if sign > 0 else (self.bid_ticks, self.bid_lots)
        level, between = divmod((price_ticks - best) * sign, self.step_ticks)
        return lots[level] if not between and 0 <= level < LEVELS else 0

    def consume(self, sign: int, price_ticks: int, size_lots: int) -> None:
        """Take lots off the ladder; an empty best level uncovers the next, an empty ladder moves one step away."""
        best, lots = (self.ask_ticks, self.ask_lots) if sign > 0 else (self.bid_ticks, self.bid_lots)
        level = (price_ticks - best) * sign // self.step_ticks
        require(0 <= level < LEVELS and lots[level] >= size_lots, "more was taken than the ladder held")
        lots[level] -= size_lots
        while lots[0] == 0:
            del lots[0]
            lots.append(self._base_lots)
            best += self.step_ticks * sign
        if sign > 0:
            self.ask_ticks = best
        else:
            self.bid_ticks = best
