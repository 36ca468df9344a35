"""All layers together: on honest bars, on each kind of damage, and on recorded bars with bad prints."""

import json
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from pyarrow import parquet  # type: ignore[import-untyped]

from appliance.__main__ import main
from appliance.market.bars import Bar
from appliance.market.quality.score import Dimension
from appliance.market.quality.watch import QualityWatch
from tests.recorded.kraken_data import recorded_file
from tests.unit.quality.builders import BAR_NS, Market, watched

BITFINEX_PARTS = 1_000_000
MINUTE_MS = 60_000
Columns = dict[str, Any]


def test_honest_bars_stay_usable() -> None:
    """Shows 3,000 honest bars usable, and a summary that counts them; fails when layers add up to a false alarm."""
    watch = watched(Market(1), 3_000)
    summary = watch.summary()
    assert (summary.bars, summary.unusable_bars) == (3_000, 0)
    assert summary.mean_score > 0.98


@pytest.mark.parametrize(
    ("damage", "dimension"),
    [
        ({"close_ticks": 9_000_000, "high_ticks": 9_000_000}, Dimension.ACCURATE),
        ({"low_ticks": 0}, Dimension.VALID),
        ({"low_ticks": 7_500_000, "high_ticks": 5_000_000}, Dimension.VALID),
        ({"trades_count": 0}, Dimension.VALID),
        ({"volume_lots": -1}, Dimension.VALID),
        ({"gap_bars": 60}, Dimension.COMPLETE),
    ],
)
def test_each_damage_forbids_opening_for_a_while(damage: dict[str, int], dimension: Dimension) -> None:
    """Shows each kind of bad bar forbidding entries at once, told, later forgiven; fails when one passes or sticks."""
    market = Market(2)
    watch = watched(market, 300)
    bad = msgspec.structs.replace(market.bar(), **damage)
    alerts = watch.update(bad, bad.start_ns)
    assert watch.summary().unusable_bars == 1
    assert [alert.dimension for alert in alerts] == [dimension]
    assert all(alert.reason for alert in alerts)
    for _ in range(30):
        bar = market.bar()
        watch.update(bar, bar.start_ns)
    assert watch.usable


def test_bars_that_come_late_are_told() -> None:
    """Shows bars that lag ever more behind their own time refused, and a short silence not; fails without a clock."""
    market = Market(3)
    watch = watched(market, 100)
    bar = market.bar()
    watch.update(bar, bar.start_ns + 4 * BAR_NS)
    assert watch.usable
    bar = market.bar()
    watch.update(bar, bar.start_ns + 30 * BAR_NS)
    assert not watch.usable


def test_quotes_that_contradict_the_bars_are_told() -> None:
    """Shows quotes a fifth off the traded prices refused; fails when a second source is not listened to."""
    market = Market(4)
    watch = watched(market, 100)
    bar = market.bar()
    watch.heard("quotes", round(bar.close_ticks * 1.001), bar.start_ns)
    watch.update(bar, bar.start_ns)
    assert watch.usable
    bar = market.bar()
    watch.heard("quotes", round(bar.close_ticks * 1.2), bar.start_ns)
    watch.update(bar, bar.start_ns)
    assert not watch.usable


def recorded(name: str) -> Columns:
    """Return recorded minutes as columns, times in milliseconds."""
    table = parquet.read_table(recorded_file(f"ohlcv/{name}.parquet"))
    columns = {word: table.column(word).to_numpy() for word in table.column_names}
    columns["date"] = columns["date"].astype("datetime64[ms]").astype(np.int64)
    return columns


def feed(watch: QualityWatch, columns: Columns, first: int, end: int) -> None:
    """Let a watch see some recorded bars."""
    for place in range(first, end):
        time_ms = int(columns["date"][place])
        words = ("open", "high", "low", "close", "volume")
        opened, high, low, close, volume = (round(float(columns[word][place]) * BITFINEX_PARTS) for word in words)
        gap = (time_ms - int(columns["date"][place - 1])) // MINUTE_MS - 1 if place > first else 0
        watch.update(Bar("X", time_ms * 10**6, opened, high, low, close, volume, 1, gap), time_ms * 10**6)


def test_recorded_bad_prints_are_found() -> None:
    """Shows every recorded print at under two thirds or over one and a half times its neighbours refused.

    Fails when one of them would have been traded on. The neighbours must agree and the minutes before be calm, their
    returns within 3 %: in the crash of April 2013 no one could tell a print from the market.
    """
    columns = recorded("bitfinex_BTCUSD_1m")
    closes, lows, highs = columns["close"], columns["low"], columns["high"]
    near = np.minimum(closes[:-2], closes[2:]), np.maximum(closes[:-2], closes[2:])
    alike = near[1] / near[0] < 1.05
    prints = np.flatnonzero(alike & ((lows[1:-1] < near[0] / 1.5) | (highs[1:-1] > near[1] * 1.5))) + 1
    calm = [place for place in prints.tolist() if np.diff(np.log(closes[max(0, place - 300) : place])).std() < 0.03]
    assert len(calm) >= 4
    for place in calm:
        watch = QualityWatch(BAR_NS)
        feed(watch, columns, max(0, place - 300), place + 1)
        assert not watch.usable, (place, watch.score)


def test_recorded_good_minutes_are_left_alone() -> None:
    """Shows under one minute in a hundred of a busy recorded market refused; fails when the layers cry wolf."""
    columns = recorded("binance_spot_BTCUSDT_1m")
    watch = QualityWatch(BAR_NS)
    feed(watch, columns, len(columns["date"]) - 4_000, len(columns["date"]))
    assert watch.summary().unusable_bars < 40


def test_the_command_tells_where(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Shows a file with one bad print told with its minute and exit code 1, a clean one with 0; fails otherwise."""
    market = Market(7)
    bars = [market.bar() for _ in range(200)]
    for name, spoil in (("clean", 1), ("bad", 3)):
        rows = [
            f"{bar.start_ns // 10**9},{bar.open_ticks},{bar.high_ticks * (spoil if n == 150 else 1)},"
            f"{bar.low_ticks},{bar.close_ticks},{bar.volume_lots}"
            for n, bar in enumerate(bars)
        ]
        (tmp_path / f"{name}.csv").write_text("\n".join(["time,open,high,low,close,volume", *rows]))
    assert main(["quality", str(tmp_path / "clean.csv")]) == 0
    assert "0 not to be opened on" in capsys.readouterr().out
    assert main(["quality", str(tmp_path / "bad.csv")]) == 1
    assert "accurate   bad   a price" in capsys.readouterr().out
    assert main(["quality", str(tmp_path / "bad.csv"), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["alerts"] == {"accurate bad": 1, "accurate poor": 1}


def test_the_command_refuses_a_single_bar(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Shows one bar refused in a sentence; fails when its length is made up."""
    (tmp_path / "one.csv").write_text("time,open,high,low,close\n1704067200,1,1,1,1\n")
    assert main(["quality", str(tmp_path / "one.csv")]) == 2
    assert "it takes two" in capsys.readouterr().err
