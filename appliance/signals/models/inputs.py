"""What a model is given: the vector of now, and the vectors of the last hours.

A step is taken when the slowest frame's bar ends with its own last base bar: once in twelve bars, an hour where a base
bar has five minutes. The vector of a step is the whole feature table; the sequence is that of the last sixteen steps.
A step carries as many more, so that each hour of the sequence has a sequence of its own: what is said of now may depend
on what was said of those hours, and is still worked out from the step alone. A step that is missing is a row of NaN: a
model that learned from whole hours is not shown a hole.
"""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from appliance.kernels import model_features as kernel
from appliance.signals.feature_table import BASE_BAR_S

STEPS: Final = 16
HOURS: Final = 2 * STEPS - 1
STEP_BARS: Final = kernel.MULTIPLES[-1]
BAR_FIELDS: Final = 5
BOOK_FIELDS: Final = 4
# The slowest frame's last figure: it is there when all others are.
_LAST_OF_FRAMES: Final = kernel.CALENDAR - 1

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]


class Step(NamedTuple):
    """Hold what models are given at one moment: a vector for each of the last hours, NaN where one is missing."""

    start_s: int
    hours: Singles

    @property
    def vector(self) -> Singles:
        """Return the figures of now."""
        return np.asarray(self.hours[-1])

    @property
    def sequence(self) -> Singles:
        """Return the figures of the last steps, the oldest first."""
        return self.hours[-STEPS:]

    @property
    def warm(self) -> bool:
        """Tell whether every frame of every hour of the sequence has been filled."""
        return bool(np.isfinite(self.sequence[:, _LAST_OF_FRAMES]).all())


class ModelInputs:
    """Fold one instrument's base bars, and give a step when one is complete."""

    __slots__ = ("_bar", "_base_s", "_book", "_out", "_ring", "_ring_index", "_state", "refused_count")

    def __init__(self, base_s: int = BASE_BAR_S) -> None:
        """Begin cold."""
        self._base_s = base_s
        self._state = np.zeros(kernel.STATE_LENGTH)
        self._out = np.full(kernel.OUT_LENGTH, np.nan)
        self._bar = np.zeros(BAR_FIELDS)
        self._book = np.zeros(BOOK_FIELDS)
        self._ring = np.full((HOURS, kernel.OUT_LENGTH), np.nan, np.float32)
        self._ring_index = np.full(HOURS, -1, np.int64)
        self.refused_count = 0

    @property
    def vector(self) -> Floats:
        """Return the features of the last bar, a column each; the caller must not keep it."""
        return self._out

    def add(
        self, start_s: int, bar: tuple[float, float, float, float, float], book: tuple[float, float, float, float]
    ) -> Step | None:
        """Fold one closed bar (open, high, low, close, volume; bid, its size, ask, its size) and return its step."""
        self._bar[:] = bar
        self._book[:] = book
        if not kernel.fold(self._state, start_s, self._base_s, self._bar, self._book, self._out):
            self.refused_count += 1
            return None
        index = start_s // self._base_s
        if (index + 1) % STEP_BARS:
            return None
        number = (index + 1) // STEP_BARS
        self._ring[number % HOURS] = self._out
        self._ring_index[number % HOURS] = number
        wanted = np.arange(number - HOURS + 1, number + 1)
        hours = self._ring[wanted % HOURS]
        hours[self._ring_index[wanted % HOURS] != wanted] = np.nan
        return Step(start_s, hours)


class StepTable(NamedTuple):
    """Hold every step of a series: the row of its last base bar, number and vector, and if its sequence is whole."""

    rows: Integers
    hours: Integers
    vectors: Singles
    whole: npt.NDArray[np.bool_]

    def sequences(self, numbers: Integers, columns: tuple[int, ...]) -> Singles:
        """Return the sequences that end at these steps, of these columns; NaN where a step is missing."""
        ends = numbers[:, None] + np.arange(-STEPS + 1, 1)[None, :]
        taken = self.vectors[:, columns][np.maximum(ends, 0)]
        taken[~self.whole[numbers]] = np.nan
        return np.asarray(taken)

    def step(self, number: int, start_s: int) -> Step:
        """Return one step as it is served."""
        first = max(0, number - HOURS + 1)
        ages = self.hours[number] - self.hours[first : number + 1]
        near = ages < HOURS
        hours = np.full((HOURS, kernel.OUT_LENGTH), np.nan, np.float32)
        hours[HOURS - 1 - ages[near]] = self.vectors[first : number + 1][near]
        return Step(start_s, hours)


def step_table(starts_s: Integers, bars: Floats, base_s: int = BASE_BAR_S) -> StepTable:
    """Return every step of a series at once, by the very kernel that serves them one by one."""
    table = np.empty((starts_s.size, kernel.OUT_LENGTH))
    kernel.fold_all(starts_s, base_s, bars, table)
    index = starts_s // base_s
    rows = np.flatnonzero((index + 1) % STEP_BARS == 0)
    numbers = (index[rows] + 1) // STEP_BARS
    whole = np.zeros(rows.size, np.bool_)
    if rows.size >= STEPS:
        whole[STEPS - 1 :] = numbers[STEPS - 1 :] - numbers[: rows.size - STEPS + 1] == STEPS - 1
    return StepTable(rows, numbers, table[rows].astype(np.float32), whole)
