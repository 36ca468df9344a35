"""The models' features: against their definitions, without a look ahead, the same one by one as all at once."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.kernels import model_features as kernel
from appliance.signals.feature_table import FEATURES, NAMES, WARM_UP_BARS, places_of
from appliance.signals.models.inputs import STEPS, ModelInputs, Step, step_table
from tests.parity.feature_twin import Plain, features

BASE_S = 300
Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


def walk(
    seed: int, count: int, *, flat: float = 0.0, holes: tuple[tuple[int, int], ...] = ()
) -> tuple[Integers, Floats]:
    """Return a seeded walk: a share of its bars does not move, some have no volume, some are missing."""
    draw = np.random.default_rng(seed)
    steps = draw.normal(0.0, 0.002, count) * (draw.random(count) >= flat)
    closes = 100.0 * np.exp(np.cumsum(steps))
    opens = np.r_[100.0, closes[:-1]]
    reach = 0.001 * draw.random((2, count)) * (draw.random(count) >= flat)
    volumes = draw.exponential(2.0, count) * (draw.random(count) >= flat / 2)
    bars = np.column_stack(
        [opens, np.maximum(opens, closes) * (1 + reach[0]), np.minimum(opens, closes) * (1 - reach[1]), closes, volumes]
    )
    kept = np.ones(count, np.bool_)
    for begin, end in holes:
        kept[begin:end] = False
    starts_s = 1_700_000_100 // BASE_S * BASE_S + np.arange(count) * BASE_S
    return starts_s[kept], np.ascontiguousarray(bars[kept])


def batch(starts_s: Integers, bars: Floats) -> Floats:
    """Return the features of every bar."""
    table = np.empty((starts_s.size, kernel.OUT_LENGTH))
    assert kernel.fold_all(starts_s, BASE_S, bars, table) == 0
    return table


def five(row: Floats) -> tuple[float, float, float, float, float]:
    """Return a row of an array as a bar."""
    opened, high, low, close, volume = map(float, row)
    return opened, high, low, close, volume


def plain(starts_s: Integers, bars: Floats) -> list[Plain]:
    """Return the bars as the twin reads them."""
    return [Plain(int(start) // BASE_S, *five(row)) for start, row in zip(starts_s, bars, strict=True)]


@pytest.mark.parametrize(
    ("seed", "flat", "holes"),
    [(1, 0.0, ()), (2, 0.5, ()), (3, 1.0, ()), (4, 0.1, ((40, 43), (100, 112), (200, 230))), (5, 0.0, ((30, 900),))],
)
def test_every_feature_equals_its_definition(seed: int, flat: float, holes: tuple[tuple[int, int], ...]) -> None:
    """Shows 109 figures equal to a plain twin's to 1e-9, over flat runs, empty bars and holes short and long; fails
    when a formula, the beginning of an average, a frame's end or what a hole does differs.
    """
    starts_s, bars = walk(seed, 1_250, flat=flat, holes=holes)
    table, oracle = batch(starts_s, bars), plain(starts_s, bars)
    for row in sorted({0, 23, 24, 60, 75, 299, 300, 311, starts_s.size // 2, starts_s.size - 2, starts_s.size - 1}):
        wanted = features(oracle[: row + 1], BASE_S)
        np.testing.assert_allclose(table[row, : kernel.BOOK], wanted, rtol=1e-9, atol=1e-9, equal_nan=True)
    assert np.isnan(table[:, kernel.BOOK :]).all()


@pytest.mark.parametrize("place", range(kernel.BOOK), ids=NAMES[: kernel.BOOK])
def test_no_feature_looks_ahead(place: int, tables: tuple[Floats, Floats]) -> None:
    """Shows for each feature that bars yet to come change nothing; fails when one reads past its bar."""
    whole, another = tables
    np.testing.assert_array_equal(whole[:600, place], another[:600, place])
    assert not np.array_equal(whole[600:, place], another[600:, place]) or NAMES[place] in CALENDAR_NAMES


CALENDAR_NAMES = {"day_sine", "day_cosine", "week_sine", "week_cosine", "weekend"}


@pytest.fixture(scope="module")
def tables() -> tuple[Floats, Floats]:
    """Return the features of two series that part after 600 bars."""
    starts_s, bars = walk(6, 1_000)
    changed = bars.copy()
    changed[600:] = walk(7, 1_000)[1][600:] * 3.0
    return batch(starts_s, bars), batch(starts_s, changed)


def test_each_feature_is_nan_until_the_bar_its_table_names() -> None:
    """Shows that the table's warm-up is the kernel's; fails when a cold figure looks like a number or a warm one does
    not.
    """
    starts_s, bars = walk(8, 700)
    first_whole = int(np.argmax(starts_s // BASE_S % 12 == 0))
    table = batch(starts_s[first_whole:], bars[first_whole:])
    for place, feature in enumerate(FEATURES[: kernel.BOOK]):
        assert int(np.argmax(~np.isnan(table[:, place]))) + 1 == feature.warm_up_bars, feature.name
        assert not np.isnan(table[feature.warm_up_bars :, place]).any(), feature.name
    assert not np.isnan(batch(starts_s, bars)[WARM_UP_BARS:, : kernel.BOOK]).any()


def one_by_one(starts_s: Integers, bars: Floats) -> list[Step]:
    """Return the steps that bars fed singly give."""
    inputs = ModelInputs(BASE_S)
    steps = [inputs.add(int(s), five(row), (0.0, 0.0, 0.0, 0.0)) for s, row in zip(starts_s, bars, strict=True)]
    return [step for step in steps if step is not None]


@settings(max_examples=15)
@given(seed=st.integers(0, 2**32), begin=st.integers(0, 700), length=st.integers(0, 40))
def test_bars_fed_singly_give_the_steps_of_the_batch(seed: int, begin: int, length: int) -> None:
    """Shows live and batch to be the same to the bit, sequences too, wherever a hole falls; fails when the ring, the
    order of its rows or the rule for a missing hour differs between serving and training.
    """
    starts_s, bars = walk(seed, 800, holes=((begin, begin + length),))
    steps = step_table(starts_s, bars, BASE_S)
    columns = tuple(range(kernel.OUT_LENGTH))
    sequences = steps.sequences(np.arange(steps.rows.size), columns)
    live = one_by_one(starts_s, bars)
    assert [step.start_s for step in live] == starts_s[steps.rows].tolist()
    for number, step in enumerate(live):
        np.testing.assert_array_equal(step.vector, steps.vectors[number])
        np.testing.assert_array_equal(step.hours, steps.step(number, step.start_s).hours)
        if steps.whole[number]:
            np.testing.assert_array_equal(step.sequence, sequences[number])
        else:
            assert np.isnan(step.sequence).any()
    assert sequences.shape[1] == STEPS


def test_an_old_or_doubled_bar_is_refused_and_counted() -> None:
    """Shows that time never runs backwards in the features; fails when such a bar is folded in."""
    starts_s, bars = walk(9, 50)
    inputs = ModelInputs(BASE_S)
    for start, row in zip(starts_s, bars, strict=True):
        inputs.add(int(start), five(row), (0.0, 0.0, 0.0, 0.0))
    before = inputs.vector.copy()
    assert inputs.add(int(starts_s[-1]), (1.0, 1.0, 1.0, 1.0, 1.0), (0.0, 0.0, 0.0, 0.0)) is None
    assert inputs.add(int(starts_s[3]), (1.0, 1.0, 1.0, 1.0, 1.0), (0.0, 0.0, 0.0, 0.0)) is None
    assert inputs.refused_count == 2
    np.testing.assert_array_equal(inputs.vector, before)


def test_the_book_is_read_where_there_is_one() -> None:
    """Shows spread, imbalance and microprice by hand, and NaN for a crossed or empty book; fails when a sign turns."""
    inputs = ModelInputs(BASE_S)
    inputs.add(BASE_S, (10.0, 10.0, 10.0, 10.0, 1.0), (99.0, 3.0, 101.0, 1.0))
    spread, imbalance, gap = inputs.vector[kernel.BOOK :]
    assert spread == pytest.approx(0.02)
    assert imbalance == pytest.approx(0.5)
    assert gap == pytest.approx(((99.0 * 1 + 101.0 * 3) / 4 - 100.0) / 100.0)
    for number, book in enumerate([(101.0, 1.0, 99.0, 1.0), (99.0, 0.0, 101.0, 0.0), (0.0, 1.0, 1.0, 1.0)], start=2):
        inputs.add(number * BASE_S, (10.0, 10.0, 10.0, 10.0, 1.0), book)
        assert np.isnan(inputs.vector[kernel.BOOK :]).all()


def test_the_table_describes_every_column_once() -> None:
    """Shows as many names as columns, none twice, and unknown ones refused; fails when table and kernel part."""
    assert len(FEATURES) == kernel.OUT_LENGTH == len(set(NAMES)) >= 60
    assert places_of((NAMES[5], NAMES[0])) == (5, 0)
    assert places_of(("h1_rsi", "h1_luck")) == "h1_luck"
