"""Instructions that look at one row only; what is not a number stays so."""

import numpy as np

from appliance.kernels.compiling import part
from appliance.kernels.indicators import layout
from appliance.kernels.indicators.layout import NEARLY_ZERO, OP, OUT, A, B, C, Floats, Integers, N, Rows


@part
def combined(op: int, x: float, y: float, scale: float, instead: float) -> float:
    """Join two numbers."""
    if op == layout.ADD:
        return x + scale * y
    if op == layout.MULTIPLY:
        return x * y
    if op == layout.DIVIDE:
        return x / y if y != 0.0 else np.nan
    if op == layout.DIVIDE_OR:
        return instead if abs(y) < NEARLY_ZERO else scale * x / y
    if op == layout.LARGER:
        return max(x, y)
    if op == layout.SMALLER:
        return min(x, y)
    if op == layout.GREATER:
        return 1.0 if x > y else 0.0
    if op == layout.POWER:
        return float(x**scale)
    return x


@part
def combine(regs: Rows, rows: int, code: Integers, par: Floats) -> None:
    """Join two registers row by row; where either is not a number, so is the result."""
    op, x, y, out, scale, instead = code[OP], regs[code[A]], regs[code[B]], regs[code[OUT]], par[0], par[1]
    for i in range(rows):
        v, w = x[i], y[i]
        out[i] = combined(op, v, w, scale, instead) if v == v and w == w else np.nan


@part
def affine(regs: Rows, rows: int, code: Integers, par: Floats) -> None:
    """Scale and shift a register."""
    x, out, scale, shift = regs[code[A]], regs[code[OUT]], par[0], par[1]
    for i in range(rows):
        out[i] = scale * x[i] + shift


@part
def choose(regs: Rows, rows: int, code: Integers) -> None:
    """Take the second register where the first is above zero, else the third; not knowing the first is knowing none."""
    chosen, x, y, out = regs[code[A]], regs[code[B]], regs[code[C]], regs[code[OUT]]
    for i in range(rows):
        which = chosen[i]
        if which == which:
            out[i] = x[i] if which > 0.0 else y[i]
        else:
            out[i] = np.nan


@part
def mapped_value(which: int, x: float) -> float:
    """Apply a function of one number."""
    if which == layout.ABSOLUTE:
        return abs(x)
    if which == layout.SQUARE_ROOT:
        return float(np.sqrt(x))
    if which == layout.LOGARITHM:
        return float(np.log(x))
    if which == layout.EXPONENTIAL:
        return float(np.exp(x))
    if which == layout.SIGN:
        return float(np.sign(x))
    if which == layout.SINE:
        return float(np.sin(x))
    if which == layout.COSINE:
        return float(np.cos(x))
    if which == layout.TANGENT:
        return float(np.tan(x))
    if which == layout.ARC_SINE:
        return float(np.arcsin(x))
    if which == layout.ARC_COSINE:
        return float(np.arccos(x))
    if which == layout.ARC_TANGENT:
        return float(np.arctan(x))
    if which == layout.SINE_HYPERBOLIC:
        return float(np.sinh(x))
    if which == layout.COSINE_HYPERBOLIC:
        return float(np.cosh(x))
    if which == layout.TANGENT_HYPERBOLIC:
        return float(np.tanh(x))
    if which == layout.CEILING:
        return float(np.ceil(x))
    if which == layout.FLOOR:
        return float(np.floor(x))
    return float(np.log10(x))


@part
def mapped(regs: Rows, rows: int, code: Integers) -> None:
    """Apply a function to every row; what has no finite value is not a number."""
    x, out, which = regs[code[A]], regs[code[OUT]], code[N]
    for i in range(rows):
        value = mapped_value(which, x[i])
        out[i] = value if np.isfinite(value) else np.nan
