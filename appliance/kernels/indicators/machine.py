"""The machine: walk over rows in blocks and carry out a program's instructions on each.

Groups of instructions are told apart by their numbers, so that a block's instruction is found in a few comparisons.
"""

import numpy as np

from appliance.kernels.compiling import inlined, kernel, part
from appliance.kernels.indicators import cycles, elementwise, layout, paths, recursions, scans, windows
from appliance.kernels.indicators.layout import OP, OUT, SIZE, STATE, A, B, C, Floats, Inputs, Integers, Rows, Three


@inlined
def window(op: int, regs: Rows, spare: Rows, rows: int, s: Floats, code: Integers, par: Floats) -> None:
    """Carry out an instruction over the last n rows."""
    if op == layout.SUM:
        windows.window_sum(regs[code[A]], regs[code[OUT]], spare, rows, s, code, par)
    elif op == layout.LAG:
        windows.lag(regs, rows, s, code)
    elif op == layout.SKIP:
        windows.skip(regs, rows, s, code)
    elif op == layout.SPREAD:
        windows.spread(regs, rows, s, code)
    elif op == layout.SLOPE:
        windows.slope(regs, rows, s, code)
    elif op == layout.RELATION:
        windows.relation(regs, rows, s, code)
    elif op == layout.PEAK:
        scans.peak(regs, spare, rows, s, code, par)
    elif op == layout.EXTREME:
        scans.extreme(regs, rows, s, code, par)
    elif op == layout.PROFILE:
        scans.profile(regs, rows, s, code, par)
    else:
        scans.scan(regs, rows, s, code, par)


@inlined
def recursion(op: int, regs: Rows, rows: int, s: Floats, code: Integers, par: Floats) -> None:
    """Carry out an instruction whose last output is part of the next."""
    if op == layout.AVERAGE:
        recursions.average(regs[code[A]], regs[code[OUT]], rows, s, code, par)
    elif op == layout.TOTAL:
        recursions.total(regs, rows, s, code)
    elif op == layout.MOVES:
        recursions.moves(regs[code[A]], regs[code[OUT]], rows, s, code)
    elif op == layout.MACD:
        at = code[OUT]
        recursions.macd(regs[code[A]], regs[at], regs[at + 1], regs[at + 2], rows, s, code, par)
    elif op == layout.DIRECTION:
        recursions.direction(regs, rows, s, code)
    elif op == layout.ADAPT:
        recursions.adapt(regs, rows, s, code)
    elif op == layout.HOLD:
        recursions.hold(regs, rows, s, code, par)
    elif op == layout.FILTER:
        recursions.recursive_filter(regs, rows, s, code, par)
    elif op == layout.RANGE:
        recursions.average_range(regs[code[A]], regs[code[B]], regs[code[C]], regs[code[OUT]], rows, s, code)
    else:
        recursions.streak(regs, rows, s, code)


@inlined
def path(op: int, regs: Rows, rows: int, s: Floats, code: Integers, par: Floats) -> None:
    """Carry out an instruction that follows the price."""
    if op == layout.SAR:
        paths.parabolic(regs, rows, s, code, par)
    elif op == layout.SUPERTREND:
        paths.supertrend(regs, rows, s, code, par)
    elif op == layout.HEIKIN:
        paths.heikin(regs, rows, s, code)
    elif op == layout.ZIGZAG:
        paths.zigzag(regs, rows, s, code, par)
    elif op == layout.RENKO:
        paths.renko(regs, rows, s, code)
    elif op == layout.SESSION:
        paths.session(regs, rows, s, code)
    elif op == layout.WEIGHED:
        paths.weighed(regs, rows, s, code)
    elif op == layout.FRACTAL:
        paths.fractal(regs, rows, s, code, par)
    elif op == layout.MCGINLEY:
        paths.mcginley(regs, rows, s, code, par)
    elif op == layout.KLINGER:
        paths.klinger(regs, rows, s, code)
    else:
        paths.indexed(regs, rows, s, code, par)


@inlined
def carry_out(regs: Rows, rows: int, s: Floats, code: Integers, par: Floats) -> None:
    """Carry out one instruction on a block of rows."""
    op = code[OP]
    if op < layout.WINDOW:
        if op == layout.AFFINE:
            elementwise.affine(regs, rows, code, par)
        elif op == layout.MAPPED:
            elementwise.mapped(regs, rows, code)
        elif op == layout.CHOOSE:
            elementwise.choose(regs, rows, code)
        else:
            elementwise.combine(regs, rows, code, par)
    elif op < layout.RECURSION:
        window(op, regs, regs[regs.shape[0] - layout.SPARE :], rows, s, code, par)
    elif op < layout.PATH:
        recursion(op, regs, rows, s, code, par)
    elif op < layout.CYCLE:
        path(op, regs, rows, s, code, par)
    elif op == layout.HILBERT:
        cycles.hilbert(regs, rows, s, code)
    elif op == layout.MESA:
        cycles.mesa(regs, rows, s, code, par)
    else:
        cycles.laguerre(regs, rows, s, code, par)


@part
def take(x: Floats, rows: int, begin: int, values: Floats) -> int:
    """Copy a block of one input, if there is that input, and return 1 when any of it is not finite."""
    flawed = np.int64(0)
    if values.shape[0] > 0:
        block = values[begin : begin + rows]
        for i in range(rows):
            v = block[i]
            x[i] = v
            flawed |= np.int64(v - v != 0.0)
    return int(flawed)


@part
def below(x: Floats, y: Floats, rows: int) -> int:
    """Return 1 when any of the first is less than the second."""
    found = np.int64(0)
    for i in range(rows):
        found |= np.int64(x[i] < y[i])
    return int(found)


@part
def bit(values: Floats, slot: int) -> int:
    """Return the bit that says that there is this input; what is not used must stay as it is."""
    return (1 << slot) if values.shape[0] > 0 else 0


@part
def mark(regs: Rows, rows: int, used: int, ranged: bool, traded: bool) -> None:
    """Make the whole of a row not a number where one of its inputs is none, or no market can have it."""
    for i in range(rows):
        known = 0.0
        for slot in range(layout.INPUTS_COUNT):
            known += 0.0 * regs[slot, i] if used & (1 << slot) else 0.0
        if ranged and regs[layout.HIGH, i] < regs[layout.LOW, i]:
            known = np.nan
        if traded and regs[layout.VOLUME, i] < 0.0:
            known = np.nan
        for slot in range(layout.INPUTS_COUNT):
            if used & (1 << slot):
                regs[slot, i] += known


@part
def read(regs: Rows, rows: int, begin: int, inputs: Inputs) -> None:
    """Copy a block of the inputs; a row that is not wholly a row becomes not a number."""
    opened, high, low, close, volume, other = inputs
    flawed = take(regs[layout.OPEN], rows, begin, opened) | take(regs[layout.HIGH], rows, begin, high)
    flawed |= take(regs[layout.LOW], rows, begin, low) | take(regs[layout.CLOSE], rows, begin, close)
    flawed |= take(regs[layout.VOLUME], rows, begin, volume) | take(regs[layout.OTHER], rows, begin, other)
    ranged, traded = high.shape[0] > 0 and low.shape[0] > 0, volume.shape[0] > 0
    if ranged:
        flawed |= below(regs[layout.HIGH], regs[layout.LOW], rows)
    if traded:
        flawed |= below(regs[layout.VOLUME], regs[layout.NOTHING], rows)
    if flawed > 0:
        used = bit(opened, layout.OPEN) | bit(high, layout.HIGH) | bit(low, layout.LOW)
        used |= bit(close, layout.CLOSE) | bit(volume, layout.VOLUME) | bit(other, layout.OTHER)
        mark(regs, rows, used, ranged, traded)


@kernel
def run(code: Integers, par: Floats, shown: Integers, state: Floats, regs: Rows, inputs: Inputs, out: Rows) -> None:
    """Run a program over arrays, block by block, going on from the state it was left in."""
    total, block = out.shape[1], regs.shape[1]
    for begin in range(0, total, block):
        rows = min(block, total - begin)
        read(regs, rows, begin, inputs)
        for k in range(code.shape[0]):
            at = code[k, STATE]
            carry_out(regs, rows, state[at : at + code[k, SIZE]], code[k], par[k])
        for k in range(shown.shape[0]):
            values, shelf = regs[shown[k]], out[k, begin : begin + rows]
            for i in range(rows):
                shelf[i] = values[i]


@kernel
def straight(code: Integers, par: Floats, s: Floats, spare: Rows, inputs: Three, out: Rows) -> None:
    """Run a program of one instruction from its inputs into its outputs, without registers between.

    These instructions look for holes and for what is not finite by themselves, so that no row is read twice.
    """
    total, op = out.shape[1], code[OP]
    first, second, third = inputs
    for begin in range(0, total, spare.shape[1]):
        rows = min(spare.shape[1], total - begin)
        x, to = first[begin : begin + rows], out[0, begin : begin + rows]
        if op == layout.AVERAGE:
            recursions.average(x, to, rows, s, code, par)
        elif op == layout.SUM:
            windows.window_sum(x, to, spare, rows, s, code, par)
        elif op == layout.MOVES:
            recursions.moves(x, to, rows, s, code)
        elif op == layout.RANGE:
            low, close = second[begin : begin + rows], third[begin : begin + rows]
            recursions.average_range(x, low, close, to, rows, s, code)
        else:
            smooth, distance = out[1, begin : begin + rows], out[2, begin : begin + rows]
            recursions.macd(x, to, smooth, distance, rows, s, code, par)
