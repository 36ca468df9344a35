"""A synthetic market with a deep, persistent book: what the paper venue shows, and what its takers and ours consume.

Theory of operation. The fair price, its regimes and the takers' arrivals are those of `SyntheticMarket`. The book is
not drawn again at every arrival: makers' lots stay at their prices until the fair price passes them, a taker takes
them, or they are changed by the few makers who come and go between two takers (as many a side as a seeded draw says).
So an update touches a handful of levels, as a real venue's does. Prices behind the best are multiples of the step, so
a level keeps its place when the best price moves. A big trade of ours moves the fair price itself: by the square root
of its size, measured in what the best hundred levels hold, as markets are found to answer.
"""

import math
from bisect import bisect_left
from operator import neg
from typing import Final

from appliance.core.require import require
from appliance.core.values import PARTS_PER_MILLION
from appliance.venues.simulator.market import SyntheticMarket

LEVELS_DEEP: Final = 120
# A trade as large as the levels behind it moves the fair price by so many millionths.
IMPACT_PPM: Final = 2_000
_CHANGES_MAX = 3
_GROWTH_LEVELS = 8
_FAIR_SCALE = 1_000_000


class LadderMarket(SyntheticMarket):
    """Keep a book of many levels around the synthetic fair price."""

    __slots__ = ("_ask_prices", "_bid_prices", "_impact_ppm", "_levels", "_ready", "_speed")

    def __init__(
        self,
        seed: str,
        start_ticks: int,
        base_lots: int,
        trade_interval_ns: int,
        now_ns: int,
        *,
        levels: int = LEVELS_DEEP,
        impact_ppm: int = IMPACT_PPM,
        speed: int = 1,
    ) -> None:
        """Open the market with so many levels a side; it lives so many times as fast as its moods say."""
        require(levels > _CHANGES_MAX and speed > 0, "a deep book needs levels, and a market has to live")
        self._speed = speed
        self._levels = levels
        self._impact_ppm = impact_ppm
        self._ready = False
        self._ask_prices: list[int] = []
        self._bid_prices: list[int] = []
        super().__init__(seed, start_ticks, base_lots, max(1, trade_interval_ns // speed), now_ns)

    def levels(self, sign: int) -> list[tuple[int, int]]:
        """Return the (price, lots) a taker meets, best first."""
        prices, lots = self._side(sign)
        return list(zip(prices, lots, strict=True))

    def meet(self, sign: int, size_lots: int) -> list[tuple[int, int]]:
        """Return what a taker of that size trades against; nothing is changed."""
        prices, lots = self._side(sign)
        met: list[tuple[int, int]] = []
        for price, resting in zip(prices, lots, strict=True):
            took = min(resting, size_lots)
            met.append((price, took))
            size_lots -= took
            if not size_lots:
                break
        return met

    def lots_at(self, sign: int, price_ticks: int) -> int:
        """Return the synthetic lots resting at a price on the side a taker of that sign meets."""
        prices, lots = self._side(sign)
        place = self._place(sign, prices, price_ticks)
        return lots[place] if place < len(prices) and prices[place] == price_ticks else 0

    def consume(self, sign: int, price_ticks: int, size_lots: int) -> None:
        """Take lots off the book; a level that is empty is gone, and the last one is never empty."""
        prices, lots = self._side(sign)
        place = self._place(sign, prices, price_ticks)
        held = lots[place] if place < len(prices) and prices[place] == price_ticks else 0
        require(held >= size_lots, "more was taken than the book held")
        lots[place] -= size_lots
        if not lots[place]:
            del prices[place], lots[place]
        if not prices:
            prices.append(price_ticks + self.step_ticks * sign)
            lots.append(self._base_lots)
        self._refresh_best()

    def push(self, sign: int, size_lots: int) -> None:
        """Move the fair price in the direction of a trade, by the square root of its share of the book."""
        _, lots = self._side(sign)
        depth_lots = sum(lots) + size_lots
        root_ppm = math.isqrt(size_lots * PARTS_PER_MILLION * PARTS_PER_MILLION // depth_lots)
        move = self._fair * self._impact_ppm * root_ppm // (PARTS_PER_MILLION * PARTS_PER_MILLION)
        self._fair = min(max(self._fair + sign * move, self._fair_min), self._fair_max)

    def _change_regime(self) -> None:
        super()._change_regime()
        speed = self._speed
        if speed > 1:
            drift, pull = self._mood.drift_ppb_per_s * speed, self._mood.pull_ppm_per_s * speed
            self._mood = self._mood._replace(drift_ppb_per_s=drift, pull_ppm_per_s=pull)
            self._noise_ppb = self._noise_ppb * math.isqrt(speed * PARTS_PER_MILLION) // math.isqrt(PARTS_PER_MILLION)
            self._regime_until_ns = self.next_ns + (self._regime_until_ns - self.next_ns) // speed

    def _quote(self, bits: int) -> None:
        spread = 1 + (bits & 3)
        middle = self._fair // _FAIR_SCALE
        bid = middle - (spread >> 1)
        if not self._ready:
            self._ready = True
            self.ask_lots, self.bid_lots = [], []
        taken_lots = self.taker_lots if self._bid_prices else 0
        taker_sign = 1 if self.taker_buys else -1
        for sign, best, draw in ((1, bid + spread, bits >> 2), (-1, bid, bits >> 33)):
            prices, lots = self._side(sign)
            if sign == taker_sign and taken_lots:
                self._take_front(prices, lots, taken_lots)
            self._requote(sign, best, draw)
        self._refresh_best()

    def _take_front(self, prices: list[int], lots: list[int], size_lots: int) -> None:
        """Remove what the last taker took of the makers' lots."""
        gone = 0
        while gone < len(lots) and size_lots >= lots[gone]:
            size_lots -= lots[gone]
            gone += 1
        del prices[:gone], lots[:gone]
        if lots:
            lots[0] -= size_lots

    def _requote(self, sign: int, best: int, draw: int) -> None:
        """Withdraw what the fair price has passed, quote at the best price, let some makers change, fill up behind."""
        prices, lots = self._side(sign)
        passed = self._place(sign, prices, best)
        del prices[:passed], lots[:passed]
        if not prices or prices[0] != best:
            prices.insert(0, best)
            lots.insert(0, self._lots_for(draw))
        for change in range(draw & _CHANGES_MAX):
            word = draw >> (4 + 8 * change)
            place = 1 + (word & 15)
            if place < len(lots):
                lots[place] = self._lots_for(word >> 4)
        step = self.step_ticks
        self._fill_gap(sign, prices, lots)
        while len(prices) < self._levels:
            price = (prices[-1] // step + sign) * step if sign > 0 else -(-prices[-1] // step + 1) * step
            prices.append(price)
            lots.append(self._lots_for(price) * (1 + min(len(prices), _GROWTH_LEVELS) // 4))
        del prices[self._levels :], lots[self._levels :]

    def _fill_gap(self, sign: int, prices: list[int], lots: list[int]) -> None:
        """Put makers into a gap of more than two steps behind the best price, so that the book stays dense."""
        step = self.step_ticks
        count = 0
        while len(prices) > 1 and (prices[1] - prices[0]) * sign > 2 * step and count < self._levels:
            price = (prices[1] // step - sign) * step if sign > 0 else -(-prices[1] // step - 1) * step
            prices.insert(1, price)
            lots.insert(1, self._lots_for(price))
            count += 1

    def _lots_for(self, word: int) -> int:
        # A multiplicative hash: neighbors differ, the same price draws the same, and no generator is asked.
        return self._base_lots + self._base_lots * ((word * 2_654_435_761 >> 11) & 15) // 2 + (word & 1023)

    def _refresh_best(self) -> None:
        self.bid_ticks, self.ask_ticks = self._bid_prices[0], self._ask_prices[0]

    def _side(self, sign: int) -> tuple[list[int], list[int]]:
        return (self._ask_prices, self.ask_lots) if sign > 0 else (self._bid_prices, self.bid_lots)

    @staticmethod
    def _place(sign: int, prices: list[int], price_ticks: int) -> int:
        return bisect_left(prices, price_ticks) if sign > 0 else bisect_left(prices, -price_ticks, key=neg)
