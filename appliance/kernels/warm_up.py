"""Compile every kernel before it is needed: a first trade must not wait for a compiler."""

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from appliance.kernels import (
    bars,
    book,
    changes,
    correlation,
    frames,
    hidden_states,
    lease,
    microstructure,
    model_features,
    nesting,
    tree_shap,
)
from appliance.kernels.indicators import layout, machine
from appliance.kernels.patterns import candles, swings


def _indicators() -> None:
    none, registers = np.zeros(0), np.zeros((layout.INPUTS_COUNT + 1 + layout.SPARE, 1))
    code, parameters = np.zeros((0, layout.CODE_WIDTH), np.int64), np.zeros((0, layout.PARAMETERS_WIDTH))
    shown, state, out = np.zeros(0, np.int64), np.zeros(0), np.zeros((0, 0))
    inputs = (none, none, none, none, none, none)
    machine.run(code, parameters, shown, state, registers, inputs, out)
    row = np.zeros(layout.CODE_WIDTH, np.int64)
    machine.straight(row, np.zeros(layout.PARAMETERS_WIDTH), state, registers, (none, none, none), out)


def _bars() -> None:
    series = np.zeros((1, bars.SERIES_LENGTH), np.int64)
    series[0, bars.LENGTH] = 1
    out = np.zeros((2, bars.BAR_LENGTH), np.int64)
    bars.fold(series, 1, 1, 1, out, 0)
    bars.pass_time(series, 1, out, 0)
    column = np.ones(1, np.int64)
    bars.fold_many(series, column, column, column, out)


def _lease() -> None:
    lease.permits(np.zeros(8, dtype=np.uint64), np.uint64(1), np.uint64(1))


def _books() -> None:
    rows = book.rows_for(1, book.DEPTHS[0])
    book.settle(rows, 0, snapshot=False, bids=0, asks=0, checksum=0, venue_ns=0)
    book.top(rows, 0, np.zeros(book.TOP_LENGTH, np.int64))
    frames.book_frame(b"{}", rows)
    frames.book_lines(b"{}", 0, rows, np.zeros(2, np.int64))
    frames.trade_frame(b"{}", rows, np.zeros((1, frames.TRADE_FIELDS), np.int64))
    nesting.nesting(b"{}")


def _microstructure() -> None:
    state, fresh = np.zeros(microstructure.STATE_LENGTH), np.zeros(4 * microstructure.LEVELS)
    rows = book.rows_for(1, book.DEPTHS[0])
    microstructure.look(state, rows, 0, 1.0, fresh, np.zeros(microstructure.OUT_LENGTH))
    microstructure.vpin(np.zeros(microstructure.VPIN_LENGTH), np.zeros(microstructure.BUCKETS), 1.0, 1.0)


def _models() -> None:
    state, out = np.zeros(model_features.STATE_LENGTH), np.zeros(model_features.OUT_LENGTH)
    model_features.fold(state, 300, 300, np.ones(5), np.zeros(4), out)
    belief, row = np.ones(1), np.zeros(1)
    hidden_states.filter_step(belief, np.ones((1, 1)), np.zeros((1, 1)), np.ones((1, 1)), row, belief)
    ends, places = np.full(1, -1, np.int32), np.zeros(1, np.int32)
    leaf = tree_shap.TreeNodes(places, places, np.zeros(1, np.float32), ends, ends, np.zeros(1), np.ones(1))
    tree_shap.contributions(leaf, np.zeros(1, np.float32), np.zeros(1))


def _patterns() -> None:
    candles.find_candles([[1.0]] * 4)
    out = np.zeros(len(candles.CANDLES), np.int16)
    candles.update(candles.new_state(), 1.0, 1.0, 1.0, 1.0, out)
    swings.update(np.zeros(swings.STATE_LENGTH), 1.0, 1.0, 1.0, 1.0)


def _correlation() -> None:
    starts, returns, counts = np.zeros((2, 1), np.int64), np.zeros((2, 1)), np.zeros(2, np.int64)
    correlation.pearson(starts, returns, counts, 0, 1, 1)
    correlation.highest(starts, returns, counts, 0, np.ones(1, np.int64), 1)


def _changes() -> None:
    changes.bayes(changes.beliefs(), 0.0)
    changes.last_change(np.zeros(2 * changes.STRETCH_MIN), 0)


# Two processes that each take every other one (tools/kernels.sh) have about as much to do.
KERNELS: tuple[tuple[str, Callable[[], None]], ...] = (
    ("books and frames", _books),
    ("indicators", _indicators),
    ("models", _models),
    ("bars", _bars),
    ("lease", _lease),
    ("microstructure", _microstructure),
    ("change points", _changes),
    ("correlation", _correlation),
)
# What commands call and few strategies, so that other traders neither wait for it nor hold it.
ALL_KERNELS = (*KERNELS, ("patterns", _patterns))


def warm_up(kernels: Sequence[tuple[str, Callable[[], None]]] = KERNELS) -> Iterator[tuple[str, int, int]]:
    """Run each kernel once, yielding its name, its number and how many there are as each begins."""
    for number, (name, run) in enumerate(kernels, start=1):
        yield name, number, len(kernels)
        with _uncollected():
            run()


@contextmanager
def _uncollected() -> Iterator[None]:
    """Hold back the garbage collector: a compiler makes millions of objects that live until it is done."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
