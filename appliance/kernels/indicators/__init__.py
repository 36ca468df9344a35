"""Indicators as short programs of compiled steps: one definition for whole arrays and for bar after bar.

Theory of operation. An indicator is a list of instructions over registers, like a small machine's program: `close` goes
into an average, the average into a difference, and so on. Each instruction is one kernel here; it takes a block of rows
from its input registers, keeps what it must remember in its own part of one flat state of float64, and fills its output
registers. `machine.run` walks over arrays in blocks of rows that stay in the processor's cache, so a whole array costs
what a loop written by hand would; a live bar is the same call with a block of one row. There is no second
implementation that could differ, and adding an indicator compiles nothing.

What is not a number is not there. A row with a NaN, an infinity, or a high below its low gives NaN and leaves every
state as it was: the rows after it come out as though it had never been. A warm-up is the same rule: an instruction's
first outputs are NaN, and the next instruction begins to count where they end.

No sum is ever kept by adding the new and subtracting the old: an outlier would leave its rounding error behind for
good, and a year of bars would drift. A window of n values is split where a block of n began: sums over what is left of
the older block were made once, from its end; sums over the newer one grow. The two parts joined are a fresh sum.
"""
