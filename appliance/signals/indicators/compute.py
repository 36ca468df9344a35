"""Compute indicators: over whole arrays, or bar after bar; both run the same program through the same kernel."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from appliance.core.errors import IndicatorError
from appliance.kernels.indicators import layout, machine
from appliance.signals.indicators.catalogue import Fused, Wanted, find, fuse
from appliance.signals.indicators.program import INPUTS, Program

ROWS_MAX: Final = 100_000_000
_NONE: Final = np.zeros(0)


def batch(name: str, data: Mapping[str, npt.ArrayLike], **parameters: float) -> dict[str, layout.Floats]:
    """Compute one indicator over arrays; the first rows, and rows that are not wholly a row, are NaN."""
    fused = fuse((Wanted(name, parameters),))
    return dict(zip(find(name).outputs.split(), run(fused, data), strict=True))


def run(fused: Fused, data: Mapping[str, npt.ArrayLike]) -> layout.Rows:
    """Compute a program over arrays; one row of the result for each of its outputs."""
    program = fused.program
    inputs = _inputs(program, data)
    count = len(next(values for values in inputs if len(values))) if any(map(len, inputs)) else 0
    out = np.empty((len(program.shown), count))
    state = np.zeros(program.state_length)
    if program.read:
        first, second, third = (*(inputs[register] for register in program.read), _NONE, _NONE)[:3]
        spare = np.empty((layout.SPARE, layout.BLOCK_ROWS_MAX))
        machine.straight(program.code[0], program.parameters[0], state, spare, (first, second, third), out)
        return out
    block = max(min(layout.BLOCK_ROWS_MAX, layout.BLOCK_NUMBERS // program.registers_count), 64)
    regs = np.zeros((program.registers_count, block))
    machine.run(program.code, program.parameters, program.shown, state, regs, inputs, out)
    return out


def _inputs(program: Program, data: Mapping[str, npt.ArrayLike]) -> layout.Inputs:
    missing = [name for name in program.inputs if name not in data]
    if missing:
        raise IndicatorError(f"{missing[0]} is missing: this needs {', '.join(program.inputs)}.")
    arrays = {name: _array(name, data[name]) for name in program.inputs}
    lengths = {name: len(values) for name, values in arrays.items()}
    if len(set(lengths.values())) > 1:
        raise IndicatorError(f"All inputs must be equally long, but there are {lengths}.")
    if max(lengths.values(), default=0) > ROWS_MAX:
        raise IndicatorError(f"More than {ROWS_MAX} rows: compute them in parts.")
    opened, high, low, close, volume, other = (arrays.get(name, _NONE) for name in INPUTS)
    return opened, high, low, close, volume, other


def _array(name: str, values: npt.ArrayLike) -> layout.Floats:
    array = np.asarray(values)
    if array.ndim != 1 or array.dtype.kind not in "iuf":
        raise IndicatorError(
            f"{name} must be one row of real numbers, but has {array.ndim} dimensions of {array.dtype}."
        )
    array = np.ascontiguousarray(array, np.float64)
    # The kernel is compiled for arrays that may be written, and another one would have to be compiled.
    return array if array.flags.writeable else array.copy()


class Stream:
    """Compute a program bar after bar, in a state of fixed size."""

    __slots__ = ("_fused", "_inputs", "_out", "_regs", "_row", "_state", "names", "values")

    def __init__(self, fused: Fused) -> None:
        """Begin cold: nothing was seen."""
        program = fused.program
        self._fused = fused
        self._state = np.zeros(program.state_length)
        self._regs = np.zeros((program.registers_count, 1))
        self._row = np.full((len(INPUTS), 1), np.nan)
        opened, high, low, close, volume, other = (
            self._row[number] if name in program.inputs else _NONE for number, name in enumerate(INPUTS)
        )
        self._inputs: layout.Inputs = (opened, high, low, close, volume, other)
        self._out = np.full((len(program.shown), 1), np.nan)
        self.values = self._out[:, 0]
        self.names = fused.names

    def update(self, opened: float, high: float, low: float, close: float, volume: float, other: float = 0.0) -> None:
        """Fold one bar in; `values` holds what follows from it."""
        row, program = self._row, self._fused.program
        row[0, 0], row[1, 0], row[2, 0], row[3, 0], row[4, 0], row[5, 0] = opened, high, low, close, volume, other
        machine.run(program.code, program.parameters, program.shown, self._state, self._regs, self._inputs, self._out)


def stream(wanted: Sequence[Wanted]) -> Stream:
    """Return a stream of these indicators."""
    return Stream(fuse(wanted))
