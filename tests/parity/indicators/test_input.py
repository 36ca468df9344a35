"""What cannot be computed on is refused with a sentence, or gives NaN as documented; nothing crashes."""

import numpy as np
import numpy.typing as npt
import pytest

from appliance.core.errors import IndicatorError
from appliance.signals.indicators.catalogue import CATALOGUE, Wanted, fuse
from appliance.signals.indicators.compute import Stream, batch
from tests.parity.indicators.markets import walk

CLOSE = walk(1, 60)["close"]


@pytest.mark.parametrize(
    "values",
    [
        CLOSE.reshape(6, 10),
        CLOSE.astype(complex),
        CLOSE.astype(str),
        CLOSE > 100.0,
        np.array([None, 1.0], dtype=object),
        np.float64(3.0),
    ],
    ids=["two dimensions", "complex", "text", "bool", "objects", "one number"],
)
def test_what_is_no_row_of_numbers_is_refused(values: npt.ArrayLike) -> None:
    """Shows a refusal that names the input; fails when a wrong array is computed on."""
    with pytest.raises(IndicatorError, match="close must be one row of real numbers"):
        batch("sma", {"close": values})


def test_missing_and_unequal_inputs_are_refused() -> None:
    """Shows both refusals; fails when a missing or a shorter input is made up for."""
    with pytest.raises(IndicatorError, match="low is missing"):
        batch("atr", {"high": CLOSE, "close": CLOSE})
    with pytest.raises(IndicatorError, match="equally long"):
        batch("atr", {"high": CLOSE, "low": CLOSE[1:], "close": CLOSE})


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"length": 0}, "from 1 to 1000"),
        ({"length": 1_001}, "from 1 to 1000"),
        ({"length": 2.5}, "whole number"),
        ({"length": float("nan")}, "from 1 to 1000"),
        ({"length": True}, "from 1 to 1000"),
        ({"period": 3}, "no parameter 'period'"),
    ],
)
def test_parameters_out_of_bounds_are_refused(parameters: dict[str, float], sentence: str) -> None:
    """Shows each refusal; fails when a length of zero or an unknown name gets to the kernel."""
    with pytest.raises(IndicatorError, match=sentence):
        batch("sma", {"close": CLOSE}, **parameters)


def test_unknown_names_and_too_much_at_once_are_refused() -> None:
    """Shows three refusals; fails when a misspelt name or an unbounded program is accepted."""
    with pytest.raises(IndicatorError, match="no indicator 'smma'"):
        fuse((Wanted("smma"),))
    with pytest.raises(IndicatorError, match="1 to 200"):
        fuse([])
    with pytest.raises(IndicatorError, match="too much for one"):
        fuse([Wanted("hurst", {"length": 1_000, "longest": 100 - number}) for number in range(50)])


def test_other_layouts_of_the_same_numbers_are_the_same() -> None:
    """Shows whole numbers, strides, read-only and single-precision arrays computed as their values; fails when a
    layout is misread.
    """
    expected = batch("sma", {"close": np.arange(50.0)}, length=5)["sma"]
    frozen = np.arange(50.0)
    frozen.flags.writeable = False
    for values in (
        np.arange(50),
        np.arange(50, dtype=np.float32),
        np.arange(100.0)[::2] / 2.0,
        frozen,
        list(range(50)),
    ):
        np.testing.assert_array_equal(batch("sma", {"close": values}, length=5)["sma"], expected)


@pytest.mark.parametrize("name", sorted(CATALOGUE))
def test_short_arrays_are_nan_throughout(name: str) -> None:
    """Shows zero, one and two rows computed without a crash, and not known before the warm-up; fails when a window
    reads beyond its rows.
    """
    for rows in range(3):
        market = walk(1, max(rows, 40))
        found = batch(name, {key: values[:rows] for key, values in market.items()})
        for warm, values in zip(fuse((Wanted(name),)).program.warm_up_rows, found.values(), strict=True):
            assert len(values) == rows
            assert np.isnan(values[:warm]).all()


def test_rows_that_no_market_can_have_are_nan() -> None:
    """Shows NaN for a high below its low and for a negative volume, and the next rows unharmed; fails when a swapped
    bar becomes a range.
    """
    market = walk(5, 80)
    market["high"][40], market["low"][40] = market["low"][40], market["high"][40]
    market["volume"][50] = -1.0
    found = batch("trange", market)["trange"]
    assert np.isnan(found[[0, 40]]).all()
    assert np.count_nonzero(np.isnan(found)) == 2
    assert np.isnan(batch("obv", market)["obv"][50])
    assert np.count_nonzero(np.isnan(batch("mfi", market)["mfi"][20:])) == 2


def test_a_stream_starts_cold_and_survives_nonsense() -> None:
    """Shows NaN before the first bar and after a bar that is none, and the state untouched by it; fails when a stream
    shows a stale value for a row it refused.
    """
    stream = Stream(fuse((Wanted("ema", {"length": 2}),)))
    assert np.isnan(stream.values).all()
    for close in (1.0, 2.0):
        stream.update(close, close, close, close, 1.0)
    assert stream.values.tolist() == [1.5]
    stream.update(1.0, 1.0, 1.0, float("inf"), 1.0)
    assert np.isnan(stream.values).all()
    stream.update(3.0, 3.0, 3.0, 3.0, 1.0)
    assert stream.values.tolist() == [2.5]
