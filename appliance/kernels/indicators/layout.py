"""How an instruction is written down: the columns of a program's two tables, and the instructions' numbers."""

from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Three = tuple[Floats, Floats, Floats]
Inputs = tuple[Floats, Floats, Floats, Floats, Floats, Floats]

# An instruction: its number, first output register, input registers, state begin and length, two whole parameters.
OP, OUT, A, B, C, D, STATE, SIZE, N, M = range(10)
CODE_WIDTH: Final = 10
PARAMETERS_WIDTH: Final = 8
# The first registers: the inputs (zero when not used), then zeros.
OPEN, HIGH, LOW, CLOSE, VOLUME, OTHER, NOTHING = range(7)
INPUTS_COUNT: Final = 6
# The last registers are nobody's: what an instruction needs while it works on a block.
SPARE: Final = 3
BLOCK_ROWS_MAX: Final = 1024
# So many numbers of registers stay close to the processor.
BLOCK_NUMBERS: Final = 24_576

# TA-Lib's bound below which a divisor counts as zero.
NEARLY_ZERO: Final = 1e-14

# Numbers of a group stand together, because the machine finds a kernel group by group.
ADD, MULTIPLY, DIVIDE, DIVIDE_OR, LARGER, SMALLER, GREATER, AFFINE, CHOOSE, WHERE_KNOWN, POWER = range(11)
MAPPED: Final = 12
WINDOW: Final = 20
LAG, SKIP, SUM, SPREAD, SLOPE, RELATION, EXTREME = range(20, 27)
DEVIATION, RANK, VARIABLE, WEIGHTED, PROFILE, MIDDLE, MOMENT, PEAK = range(27, 35)
RECURSION: Final = 40
AVERAGE, TOTAL, MOVES, MACD, DIRECTION, ADAPT, HOLD, FILTER, STREAK, RANGE = range(40, 50)
PATH: Final = 60
SAR, SUPERTREND, HEIKIN, ZIGZAG, RENKO, SESSION = range(60, 66)
WEIGHED, FRACTAL, MCGINLEY, KLINGER, INDEXED = range(66, 71)
CYCLE: Final = 80
HILBERT, MESA, LAGUERRE = range(80, 83)

# What MAPPED applies, by its first whole parameter.
(
    ABSOLUTE,
    SQUARE_ROOT,
    LOGARITHM,
    EXPONENTIAL,
    SIGN,
    SINE,
    COSINE,
    TANGENT,
    ARC_SINE,
    ARC_COSINE,
    ARC_TANGENT,
    SINE_HYPERBOLIC,
    COSINE_HYPERBOLIC,
    TANGENT_HYPERBOLIC,
    CEILING,
    FLOOR,
    LOGARITHM_10,
) = range(17)

# What runs straight from the inputs into the outputs when it is all of a program, and how many inputs it reads.
STRAIGHT: Final = {AVERAGE: 1, SUM: 1, MOVES: 1, MACD: 1, RANGE: 3}
