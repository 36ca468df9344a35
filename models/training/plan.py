"""What is trained, on what, with which seed: every number that decides the result."""

from datetime import UTC, datetime
from typing import Final, NamedTuple

from appliance.signals.feature_table import FEATURES

SEED: Final = 20250630
SYMBOLS: Final = ("BTCUSDT", "ETHUSDT")
FOLDS: Final = 5
FIRST_TEST: Final = datetime(2022, 1, 1, tzinfo=UTC)
EMBARGO_S: Final = 86_400
STATES: Final = 5
ROWS_CHECKED: Final = 10_000

# What the vector models read: everything that history holds; there is no book in it.
VECTOR_COLUMNS: Final = tuple(f.name for f in FEATURES if f.name not in {"spread", "imbalance", "microprice_gap"})
SEQUENCE_COLUMNS: Final = (
    "h1_return_1",
    "h1_return_6",
    "h1_return_24",
    "h1_gap_slow",
    "h1_macd_histogram",
    "h1_rsi",
    "h1_stochastic",
    "h1_volatility",
    "h1_volatility_ratio",
    "h1_volume_ratio",
    "h1_signed_volume",
    "h1_vwap_gap",
    "h1_efficiency",
    "m15_gap_slow",
    "m5_gap_slow",
    "day_sine",
)
LOGISTIC_COLUMNS: Final = ("h1_return_1", "h1_return_24", "h1_gap_slow", "h1_volatility_ratio", "h1_volume_ratio")
REGIME_COLUMNS: Final = ("h1_return_24", "h1_volatility", "h1_efficiency")


class Size(NamedTuple):
    """Bound how much is learned from, so that a run fits its time."""

    name: str
    rows_max: int
    epochs: int
    from_year: int


FULL: Final = Size("full", 40_000, 3, 2020)
SMALL: Final = Size("small", 3_000, 1, 2024)
