"""Instructions that look at one row only; what is not a number stays so."""

import numpy as np

from appliance.kernels.compiling import part
from appliance.kernels.indicators import layout
from appliance.kernels.indicators.layout import NEARLY_ZERO, OP, OUT, A, B, C, Floats, Integers, N, Rows


@part
def combine(regs: Rows, rows: int, code: Integers, par: Floats) -> None:
    """Join two registers row by row; where either is not a number, so is the result.

    A loop for each operation, so that the processor takes several rows at once.
    """
    op, x, y, out, scale, instead = code[OP], regs[code[A]], regs[code[B]], regs[code[OUT]], par[0], par[1]
    if op == layout.ADD:
        for i in range(rows):
            out[i] = x[i] + scale * y[i]
    elif op == layout.MULTIPLY:
        for i in range(rows):
            out[i] = x[i] * y[i]
    elif op == layout.DIVIDE_OR:
        for i in range(rows):
            near = abs(y[i]) < NEARLY_ZERO
            share = scale * x[i] / (1.0 if near else y[i])
            out[i] = instead + 0.0 * x[i] if near else share
    elif op == layout.LARGER:
        for i in range(rows):
            out[i] = max(x[i], y[i]) + 0.0 * (x[i] + y[i])
    elif op == layout.SMALLER:
        for i in range(rows):
            out[i] = min(x[i], y[i]) + 0.0 * (x[i] + y[i])
    elif op == layout.DIVIDE:
        for i in range(rows):
            out[i] = x[i] / y[i] if y[i] != 0.0 else np.nan
    elif op == layout.GREATER:
        for i in range(rows):
            out[i] = (1.0 if x[i] > y[i] else 0.0) + 0.0 * (x[i] + y[i])
    elif op == layout.POWER:
        for i in range(rows):
            out[i] = x[i] ** scale
    else:
        for i in range(rows):
            out[i] = x[i] + 0.0 * y[i]


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
    if which == layout.ABSOLUTE:
        for i in range(rows):
            out[i] = abs(x[i])
        return
    if which == layout.SQUARE_ROOT:
        for i in range(rows):
            out[i] = np.sqrt(x[i])
        return
    for i in range(rows):
        value = mapped_value(which, x[i])
        out[i] = value if np.isfinite(value) else np.nan
