"""Rows that TA-Lib does not have, against columns that others computed and published.

Where two references disagree, ours is the paper's. Klinger's force is |2 dm/cm - 1|; one column has |2 (dm/cm - 1)|.
McGinley's own constant is 0.6; the column leaves it out, so the comparison sets it to one. Hurst's exponent here is the
slope over deviations of n differences each; the column takes differences within n prices, fewer the longer the lag.
"""

import csv
import io
from typing import NamedTuple

import numpy as np
import pytest
import zstandard

from appliance.signals.indicators.compute import batch
from tests.parity.indicators.markets import Column
from tests.recorded.kraken_data import recorded_file

BYTES_MAX = 10**8
PRICES = ("open", "high", "low", "close", "volume")


class Reference(NamedTuple):
    """Name a published column, the row it is compared with, and to how many digits it was printed."""

    file: str
    column: str
    row: str
    word: str
    parameters: dict[str, float]
    digits: float
    from_row: int = 0


REFERENCES = (
    Reference("columns/spy_with_rsv.csv.zst", "rsv9", "rogers_satchell", "volatility", {"length": 9, "year": 1}, 1e-9),
    Reference("columns/spy_do.csv.zst", "do", "derivative", "derivative", {}, 1e-9),
    Reference("columns/spy_asi.csv.zst", "asi", "swing_index", "asi", {"limit": 8}, 1e-8),
    Reference("columns/spy_wto.csv.zst", "wt1", "wavetrend", "wt1", {}, 1e-7),
    Reference("columns/spy_wto.csv.zst", "wt2", "wavetrend", "wt2", {}, 1e-7),
    Reference(
        "columns/spy_with_McGinleyDynamic.csv.zst", "mcginleydynamic14", "mcginley", "mcginley", {"factor": 1.0}, 1e-9
    ),
    Reference("worked_examples/cs-easeofmovement.csv", "sma_emv", "ease", "ease", {}, 1e-8),
    # The worked example begins its averages as though price had stood still before.
    Reference("worked_examples/cs-stc.csv", "stc", "schaff", "stc", {}, 1e-8, 60),
)


def table(name: str) -> dict[str, Column]:
    """Read a file of columns; what is no number is NaN."""
    raw = recorded_file(f"reference/{name}").read_bytes()
    if name.endswith(".zst"):
        raw = zstandard.ZstdDecompressor().stream_reader(io.BytesIO(raw)).read(BYTES_MAX)
    titles, *lines = csv.reader(io.StringIO(raw.decode("utf-8-sig")))
    return {
        title.strip().lower(): np.array([number(line[place]) for line in lines if len(line) == len(titles)])
        for place, title in enumerate(titles)
    }


def number(text: str) -> float:
    """Read a number, or NaN."""
    try:
        return float(text)
    except ValueError:
        return float("nan")


@pytest.mark.parametrize("reference", REFERENCES, ids=lambda reference: f"{reference.row}-{reference.column}")
def test_a_row_equals_a_published_column(reference: Reference) -> None:
    """Shows at least a few values, and all that both sides have, equal to the digits that were printed; fails when a
    formula is another one.
    """
    columns = table(reference.file)
    ours = batch(reference.row, columns, **reference.parameters)[reference.word]
    theirs = columns[reference.column]
    known = ~np.isnan(ours) & ~np.isnan(theirs)
    known[: reference.from_row] = False
    a, b = ours[known], theirs[known]
    assert len(a) > 10
    assert np.max(np.abs(a - b) / np.maximum(np.abs(b), np.mean(np.abs(b)))) <= reference.digits
