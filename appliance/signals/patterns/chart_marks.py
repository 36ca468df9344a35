"""What was found, drawn over the bars: shapes with their names and ends, candlesticks, bands of levels.

A page has room for a few shapes only: the best that do not lie on one another. How many there were is said in the
heading.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from appliance.market.bar_table import BarTable
from appliance.signals.patterns.finder import Match
from appliance.signals.patterns.levels import Level
from appliance.signals.patterns.shape import line_through
from appliance.signals.patterns.survey import CandleMatch, Survey
from appliance.signals.patterns.svg import element, path, text, width_of

if TYPE_CHECKING:
    from appliance.signals.patterns.chart import Pane

SHAPES_MAX: Final = 8
OVERLAP_MAX: Final = 0.5
CANDLES_MAX: Final = 60
CANDLE_BARS_APART: Final = 2
LABEL_SIZE: Final = 12.5
LABEL_MOVES: Final = 8
END_BARS: Final = 8
XABCD: Final = 5
HALO: Final = {"stroke": "var(--ground)", "stroke_width": "4", "paint_order": "stroke", "stroke_linejoin": "round"}
Box = tuple[float, float, float, float]


class Marks:
    """Choose what to draw and keep labels off one another."""

    def __init__(self, pane: "Pane", found: Survey) -> None:
        """Choose the shapes."""
        self._pane = pane
        self._found = found
        self._taken: list[Box] = []
        self._chosen: list[Match] = []
        for match in sorted(found.shapes, key=lambda match: -match.quality):
            if len(self._chosen) < SHAPES_MAX and not any(
                _overlap(match, other) > OVERLAP_MAX for other in self._chosen
            ):
                self._chosen.append(match)

    def counted(self) -> str:
        """Say how much was found and how much of it is drawn."""
        shapes, candles = len(self._found.shapes), len(self._found.candles)
        words = f"{shapes} shapes found, the {len(self._chosen)} clearest drawn" if shapes else "no shape found"
        return (
            f"{words}; {candles} candlesticks, {min(candles, len(self._shown_candles()))} marked" if candles else words
        )

    def bands(self) -> Iterator[str]:
        """Yield a band for each support and resistance, a line for each Fibonacci level."""
        pane, right = self._pane, self._pane.x(self._pane.bars - 0.5)
        for level in self._shown_levels():
            if level.kind.startswith("Fibonacci"):
                y = pane.y(level.price)
                ends = [(pane.x(level.bars[0]), y), (right, y)]
                yield path(ends, stroke="var(--level)", stroke_dasharray="2 4", opacity="0.8")
                continue
            top, bottom = pane.y(min(level.band[1], pane.high)), pane.y(max(level.band[0], pane.low))
            place = {"x": pane.x(-0.5), "y": top, "width": right - pane.x(-0.5), "height": max(2.0, bottom - top)}
            yield element("rect", fill="var(--level)", opacity="0.16", **place)

    def level_names(self) -> Iterator[str]:
        """Yield each level's name at the right."""
        right = self._pane.x(self._pane.bars - 0.5)
        for level in self._shown_levels():
            name = f"{level.kind} ×{level.touches}" if level.touches else level.kind
            place = self._room(name, right - 6 - width_of(name, 11), self._pane.y(level.price) - 4, 11)
            yield text(name, *place, 11, "level", **HALO)

    def _shown_levels(self) -> list[Level]:
        return [level for level in self._found.levels if self._pane.holds(level.price)]

    def shapes(self) -> Iterator[str]:
        """Yield the lines, name and end of each chosen shape."""
        for match in self._chosen:
            points = [
                (self._pane.x(bar), self._pane.y(price)) for bar, price in zip(match.bars, match.prices, strict=True)
            ]
            if match.family == "harmonic" and len(points) == XABCD:
                for three in (points[:3], points[2:]):
                    yield path(three, fill="var(--shape)", opacity="0.13")
            if match.family == "lines":
                yield from self._two_lines(match)
            else:
                yield path(points, fill="none", stroke="var(--shape)", stroke_width="2", stroke_linejoin="round")
            for x, y in points:
                yield element("circle", cx=x, cy=y, r=3, fill="var(--shape)")
            yield from self._end(match)
            yield from self._name(match, points)

    def _two_lines(self, match: Match) -> Iterator[str]:
        for first in (0, 1):
            line = line_through(match.bars[first::2], match.prices[first::2])
            ends = match.bars[0], min(match.known_bar, self._pane.bars - 1)
            points = [(self._pane.x(bar), self._pane.y(line.at(bar))) for bar in ends]
            yield path(points, fill="none", stroke="var(--shape)", stroke_width="2")

    def _end(self, match: Match) -> Iterator[str]:
        if not self._pane.holds(match.ends_at) or match.direction == 0:
            return
        y = self._pane.y(match.ends_at)
        x = self._pane.x(match.bars[-1]), self._pane.x(min(match.known_bar + END_BARS, self._pane.bars - 1))
        yield path([(x[0], y), (x[1], y)], stroke="var(--shape)", stroke_width="1.5", stroke_dasharray="5 4")

    def _name(self, match: Match, points: list[tuple[float, float]]) -> Iterator[str]:
        arrow = {1: " ↑", -1: " ↓"}.get(match.direction, "")
        words = f"{match.name}{arrow} {match.quality:.2f}"
        above = match.prices[-1] > match.prices[-2]
        y = min(y for _, y in points) - 12 if above else max(y for _, y in points) + 22
        middle = (points[0][0] + points[-1][0]) / 2.0 - width_of(words, LABEL_SIZE) / 2.0
        x = min(max(middle, 6.0), self._pane.x(self._pane.bars) - width_of(words, LABEL_SIZE))
        x, y = self._room(words, x, y, LABEL_SIZE, -1 if above else 1)
        yield text(words, x, y, LABEL_SIZE, "shape", font_weight="600", **HALO)

    def candles(self, table: BarTable) -> Iterator[str]:
        """Yield a triangle at each chosen candlestick pattern, with its name."""
        for candle in self._shown_candles():
            rises = candle.strength > 0
            x = self._pane.x(candle.bar)
            y = self._pane.y(float((table.low if rises else table.high)[candle.bar])) + (7 if rises else -7)
            reach = 7 if rises else -7
            corners = f"{x:.1f},{y:.1f} {x - 4:.1f},{y + reach:.1f} {x + 4:.1f},{y + reach:.1f}"
            colour = "rise" if rises else "fall"
            name = element("title", f"{candle.words} {candle.strength:+d}")
            yield element("polygon", name, points=corners, fill=f"var(--{colour})")
            wide = width_of(candle.words, 10)
            place = self._room(candle.words, x - wide / 2.0, y + (19 if rises else -10), 10, 1 if rises else -1)
            yield text(candle.words, *place, 10, colour, **HALO)

    def _shown_candles(self) -> list[CandleMatch]:
        """Return the rarest patterns first: of many bars before few, none too close to another."""
        shown: list[CandleMatch] = []
        for candle in sorted(self._found.candles, key=lambda c: (-c.bars, -abs(c.strength), -c.bar)):
            clear = all(abs(candle.bar - other.bar) > CANDLE_BARS_APART for other in shown)
            if candle.bars > 1 and clear and len(shown) < CANDLES_MAX:
                shown.append(candle)
        return shown

    def _room(self, words: str, x: float, y: float, size: float, way: int = -1) -> tuple[float, float]:
        """Return a place for a text near the wanted one that covers no other text."""
        wide = width_of(words, size)
        for _ in range(LABEL_MOVES):
            box = (x, y - size, x + wide, y + 3)
            if not any(_covers(box, other) for other in self._taken):
                break
            y += way * (size + 3)
        self._taken.append((x, y - size, x + wide, y + 3))
        return x, y


def _covers(box: Box, other: Box) -> bool:
    return box[0] < other[2] and other[0] < box[2] and box[1] < other[3] and other[1] < box[3]


def _overlap(match: Match, other: Match) -> float:
    """Return how much of the shorter span lies on the other."""
    shared = min(match.bars[-1], other.bars[-1]) - max(match.bars[0], other.bars[0])
    return shared / min(b - a for a, b in ((m.bars[0], m.bars[-1]) for m in (match, other)))
