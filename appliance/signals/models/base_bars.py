"""Gather an engine's bars into the base bars that the models read."""

from typing import NamedTuple


class BaseBar(NamedTuple):
    """Hold one closed base bar."""

    start_s: int
    open: float
    high: float
    low: float
    close: float
    volume: float


class BaseBars:
    """Gather one instrument's bars; their length divides the base bar's."""

    __slots__ = ("_base_s", "_length_s", "_open")

    def __init__(self, length_s: int, base_s: int) -> None:
        """Begin with nothing gathered."""
        self._length_s = length_s
        self._base_s = base_s
        self._open: BaseBar | None = None

    def add(self, bar: BaseBar) -> list[BaseBar]:
        """Take one bar and return the base bars it closed: at most one that it shows to be over, and its own."""
        closed: list[BaseBar] = []
        start_s = bar.start_s - bar.start_s % self._base_s
        gathered = self._open
        if gathered is not None and gathered.start_s != start_s:
            closed.append(gathered)
            gathered = None
        if gathered is None:
            gathered = bar._replace(start_s=start_s)
        else:
            gathered = BaseBar(
                start_s,
                gathered.open,
                max(gathered.high, bar.high),
                min(gathered.low, bar.low),
                bar.close,
                gathered.volume + bar.volume,
            )
        self._open = gathered
        if (bar.start_s + self._length_s) % self._base_s == 0:
            closed.append(gathered)
            self._open = None
        return closed
