"""Write an indicator down as a program of the kernels' machine.

A formula takes series and returns series: `sma(close, 20) - close`. Nothing is computed while it runs; each operation
adds an instruction to a draft, the same instruction never twice, so formulas that share a part compute it once. A
series knows how many rows pass before its first value, from which an indicator's warm-up follows by itself.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from appliance.core.errors import IndicatorError
from appliance.kernels.indicators import layout

INPUTS: Final = ("open", "high", "low", "close", "volume", "other")
# Bounds of one program: what a bar may cost, and the memory of its state.
INSTRUCTIONS_MAX: Final = 2_000
STATE_NUMBERS_MAX: Final = 2_000_000


class Program(NamedTuple):
    """Hold a finished program: its instructions, which registers are shown, and what it needs."""

    code: layout.Integers
    parameters: layout.Floats
    shown: layout.Integers
    state_length: int
    registers_count: int
    inputs: tuple[str, ...]
    warm_up_rows: tuple[int, ...]

    @property
    def read(self) -> tuple[int, ...]:
        """Return the input registers of an only instruction that can run from arrays into arrays; else none."""
        if len(self.code) != 1 or int(self.code[0, layout.OP]) not in layout.STRAIGHT:
            return ()
        code = self.code[0].tolist()
        first, registers = code[layout.OUT], code[layout.A : layout.A + layout.STRAIGHT[code[layout.OP]]]
        in_order = self.shown.tolist() == list(range(first, first + len(self.shown)))
        return tuple(registers) if in_order and {INPUTS[register] for register in registers} == set(self.inputs) else ()


class Series:
    """Stand for a register of a draft."""

    __slots__ = ("draft", "register", "warm")

    def __init__(self, draft: "Draft", register: int, warm: int) -> None:
        """Name the register and how many rows pass before its first value."""
        self.draft = draft
        self.register = register
        self.warm = warm

    def __add__(self, other: "Series | float") -> "Series":
        """Add."""
        if isinstance(other, Series):
            return self.draft.one(layout.ADD, (self, other), par=(1.0,))
        return self.draft.one(layout.AFFINE, (self,), par=(1.0, other))

    def __radd__(self, other: float) -> "Series":
        """Add."""
        return self + other

    def __sub__(self, other: "Series | float") -> "Series":
        """Subtract."""
        if isinstance(other, Series):
            return self.draft.one(layout.ADD, (self, other), par=(-1.0,))
        return self + -other

    def __rsub__(self, other: float) -> "Series":
        """Subtract from a number."""
        return self.draft.one(layout.AFFINE, (self,), par=(-1.0, other))

    def __mul__(self, other: "Series | float") -> "Series":
        """Multiply."""
        if isinstance(other, Series):
            return self.draft.one(layout.MULTIPLY, (self, other))
        return self.draft.one(layout.AFFINE, (self,), par=(other, 0.0))

    def __rmul__(self, other: float) -> "Series":
        """Multiply."""
        return self * other

    def __truediv__(self, other: "Series | float") -> "Series":
        """Divide; by zero gives not a number."""
        if isinstance(other, Series):
            return self.draft.one(layout.DIVIDE, (self, other))
        return self * (1.0 / other)

    def __neg__(self) -> "Series":
        """Change the sign."""
        return self * -1.0


class Draft:
    """Collect instructions; equal ones are the same register."""

    def __init__(self) -> None:
        """Begin with the inputs' registers only."""
        self._rows: list[tuple[list[int], tuple[float, ...]]] = []
        self._known: dict[tuple[object, ...], tuple[Series, ...]] = {}
        self._registers_count = layout.INPUTS_COUNT + 1
        self._state_length = 0
        self._inputs: set[str] = set()

    def input(self, name: str) -> Series:
        """Return the series of one input."""
        self._inputs.add(name)
        return Series(self, INPUTS.index(name), 0)

    def one(self, op: int, inputs: Sequence[Series], lookback: int = 0, **rest: object) -> Series:
        """Add an instruction of one output."""
        return self.instruct(op, inputs, (lookback,), **rest)[0]  # type: ignore[arg-type]

    def instruct(
        self,
        op: int,
        inputs: Sequence[Series],
        lookbacks: Sequence[int],
        *,
        state: int = 0,
        n: int = 0,
        m: int = 0,
        third: int = 0,
        par: Sequence[float] = (),
    ) -> tuple[Series, ...]:
        """Add an instruction, unless it is there already, and return its outputs."""
        registers = [series.register for series in inputs]
        key = (op, tuple(registers), n, m, third, tuple(par))
        if key in self._known:
            return self._known[key]
        columns = (registers + [0] * 4)[:4]
        if third:
            columns[2] = third
        self._rows.append(([op, self._registers_count, *columns, self._state_length, state, n, m], tuple(par)))
        warm = max((series.warm for series in inputs), default=0)
        outputs = tuple(
            Series(self, self._registers_count + number, warm + lookback) for number, lookback in enumerate(lookbacks)
        )
        self._registers_count += len(outputs)
        self._state_length += state
        self._known[key] = outputs
        return outputs

    def finish(self, outputs: Sequence[Series]) -> Program:
        """Return the program that shows these series."""
        if len(self._rows) > INSTRUCTIONS_MAX or self._state_length > STATE_NUMBERS_MAX:
            raise IndicatorError(
                f"{len(self._rows)} instructions with {self._state_length} remembered numbers are too much for one "
                f"program ({INSTRUCTIONS_MAX}, {STATE_NUMBERS_MAX}): ask for fewer indicators or shorter windows."
            )
        code = np.zeros((len(self._rows), layout.CODE_WIDTH), np.int64)
        parameters = np.zeros((len(self._rows), layout.PARAMETERS_WIDTH))
        for number, (columns, par) in enumerate(self._rows):
            code[number] = columns
            parameters[number, : len(par)] = par
        return Program(
            code,
            parameters,
            np.array([series.register for series in outputs], np.int64),
            self._state_length,
            self._registers_count + layout.SPARE,
            tuple(name for name in INPUTS if name in self._inputs),
            tuple(series.warm for series in outputs),
        )
