"""Draw bars, lines over them and what was found in them as one SVG, for a person to look at.

Written by hand: a plotting library would weigh more than the whole appliance. Colour never stands alone: a falling bar
is filled, a rising one hollow.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np

from appliance.market.bar_table import BarTable, written
from appliance.signals.patterns.chart_marks import Marks
from appliance.signals.patterns.overlays import Floats, Overlay
from appliance.signals.patterns.survey import Survey
from appliance.signals.patterns.svg import element, path, style, text, width_of

WIDTH: Final = 1440
HEIGHT: Final = 810
LEFT, RIGHT, TOP, BOTTOM = 20, 92, 78, 34
VOLUME_HEIGHT: Final = 90
GAP: Final = 14
PRICE_TICKS: Final = 8
TIME_TICKS: Final = 9
PADDING: Final = 0.06
LINE_COLOURS: Final = 4
MINUTES_SHOWN_MS: Final = 60 * 86_400_000


class Pane(NamedTuple):
    """Map bars and prices to places on the page."""

    bars: int
    low: float
    high: float
    top: float
    bottom: float

    def x(self, bar: float) -> float:
        """Return the middle of a bar."""
        return LEFT + (bar + 0.5) * self.bar_width

    def y(self, price: float) -> float:
        """Return the height of a price."""
        return self.bottom - (price - self.low) / (self.high - self.low) * (self.bottom - self.top)

    @property
    def bar_width(self) -> float:
        """Return the room of one bar."""
        return (WIDTH - LEFT - RIGHT) / self.bars

    def holds(self, price: float) -> bool:
        """Tell whether a price is on the page."""
        return self.low <= price <= self.high


def pane_for(table: BarTable) -> Pane:
    """Return the pane that holds all finite prices, with room above and below."""
    prices = np.concatenate([table.high, table.low])
    prices = prices[np.isfinite(prices)]
    low, high = (float(prices.min()), float(prices.max())) if len(prices) else (0.0, 1.0)
    room = (high - low) * PADDING or max(abs(high), 1.0) * PADDING
    bottom = HEIGHT - BOTTOM - VOLUME_HEIGHT - GAP
    return Pane(len(table.close), low - room, high + room, TOP, bottom)


def draw(table: BarTable, title: str, lines: Sequence[Overlay], found: Survey, theme: str) -> str:
    """Return the chart."""
    pane = pane_for(table)
    marks = Marks(pane, found)
    body = "\n".join(
        [
            style(theme),
            element("rect", width=WIDTH, height=HEIGHT, fill="var(--ground)"),
            *_price_grid(pane),
            *_time_grid(pane, table),
            *marks.bands(),
            *_volumes(pane, table),
            *_bars(pane, table),
            *_lines(pane, lines),
            *marks.shapes(),
            *marks.level_names(),
            *marks.candles(table),
            *_heading(table, title, lines, marks.counted()),
        ]
    )
    box = f"0 0 {WIDTH} {HEIGHT}"
    return element("svg", f"\n{body}\n", xmlns="http://www.w3.org/2000/svg", viewBox=box, width=WIDTH, height=HEIGHT)


def _price_grid(pane: Pane) -> Iterator[str]:
    step = 10.0 ** math.floor(math.log10((pane.high - pane.low) / PRICE_TICKS))
    step *= next(factor for factor in (1, 2, 5, 10) if (pane.high - pane.low) / (step * factor) <= PRICE_TICKS)
    digits = max(0, -math.floor(math.log10(step)))
    for number in range(math.ceil(pane.low / step), math.floor(pane.high / step) + 1):
        y = pane.y(number * step)
        yield element("line", x1=LEFT, x2=WIDTH - RIGHT, y1=y, y2=y, stroke="var(--grid)")
        yield text(f"{number * step:,.{digits}f}", WIDTH - RIGHT + 8, y + 4, 12, "faint")


def _time_grid(pane: Pane, table: BarTable) -> Iterator[str]:
    times = table.time_ms.tolist()
    long = times[-1] - times[0] > MINUTES_SHOWN_MS
    every = max(1, math.ceil(pane.bars / TIME_TICKS))
    for bar in range(every // 2, pane.bars, every):
        x, moment = pane.x(bar), written(times[bar])
        yield element("line", x1=x, x2=x, y1=TOP, y2=HEIGHT - BOTTOM, stroke="var(--grid)")
        label = moment[:10] if long else moment[5:]
        yield text(label, x, HEIGHT - BOTTOM + 20, 12, "faint", text_anchor="middle")


def _bars(pane: Pane, table: BarTable) -> Iterator[str]:
    half = max(0.5, pane.bar_width * 0.36)
    for bar, (opened, high, low, close) in enumerate(
        zip(*(column.tolist() for column in (table.open, table.high, table.low, table.close)), strict=True)
    ):
        if not all(map(math.isfinite, (opened, high, low, close))):
            continue
        colour = f"var(--{'rise' if close >= opened else 'fall'})"
        x, top, bottom = pane.x(bar), pane.y(max(opened, close)), pane.y(min(opened, close))
        wick = f"M{x:.1f} {pane.y(high):.1f}V{top:.1f}M{x:.1f} {bottom:.1f}V{pane.y(low):.1f}"
        yield element("path", d=wick, stroke=colour)
        fill = "var(--ground)" if close >= opened else colour
        tall = max(1.0, bottom - top)
        yield element("rect", x=x - half, y=top, width=2.0 * half, height=tall, fill=fill, stroke=colour)


def _volumes(pane: Pane, table: BarTable) -> Iterator[str]:
    finite = table.volume[np.isfinite(table.volume)]
    most = float(finite.max()) if len(finite) else 0.0
    if most <= 0.0:
        return
    floor, half = float(HEIGHT - BOTTOM), max(0.5, pane.bar_width * 0.36)
    for bar, (amount, rises) in enumerate(
        zip(table.volume.tolist(), (table.close >= table.open).tolist(), strict=True)
    ):
        if math.isfinite(amount):
            tall = amount / most * VOLUME_HEIGHT
            fill = f"var(--{'rise' if rises else 'fall'})"
            place = {"x": pane.x(bar) - half, "y": floor - tall, "width": 2.0 * half, "height": tall}
            yield element("rect", fill=fill, opacity="0.45", **place)


def _lines(pane: Pane, lines: Sequence[Overlay]) -> Iterator[str]:
    for number, overlay in enumerate(lines):
        colour = f"var(--line{number % LINE_COLOURS})"
        columns = [overlay.line] if overlay.other is None else [overlay.line, overlay.other]
        if overlay.other is not None:
            outline = [*_points(pane, overlay.line), *reversed(_points(pane, overlay.other))]
            yield path(outline, fill=colour, opacity="0.08")
        for column in columns:
            yield path(_points(pane, column), fill="none", stroke=colour, stroke_width="1.6")


def _points(pane: Pane, column: Floats) -> list[tuple[float, float]]:
    clipped = np.clip(column, pane.low, pane.high)
    return [(pane.x(bar), pane.y(price)) for bar, price in enumerate(clipped.tolist()) if math.isfinite(price)]


def _heading(table: BarTable, title: str, lines: Sequence[Overlay], counted: str) -> Iterator[str]:
    first, last = (written(time) for time in table.time_ms[[0, -1]].tolist())
    yield text(title, LEFT, 30, 19, font_weight="600")
    yield text(f"{first} to {last} UTC, {len(table.close)} bars; {counted}", LEFT, 52, 13, "faint")
    x = float(WIDTH - RIGHT)
    for number, overlay in reversed(list(enumerate(lines))):
        x -= width_of(overlay.name, 13) + 20
        yield text(overlay.name, x, 30, 13, f"line{number % LINE_COLOURS}", font_weight="600")
