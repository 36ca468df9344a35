"""Any file of bars is read, listed, drawn and judged, or refused in a sentence; nothing else."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from appliance.__main__ import main

NUMBER = st.one_of(
    st.floats(width=64).map(repr),
    st.integers(-5, 50).map(str),
    st.sampled_from(["", "-0.0", "1e400", "0x1", "\uff11", "1_0", "1e15", "1e16", "nan", "inf"]),
)
TIME = st.one_of(
    st.integers(0, 10**14).map(str),
    st.datetimes().map(lambda moment: moment.isoformat()),
    st.sampled_from(["", "²", "9" * 40, "0001-01-01T00:00+23:59", "9999-12-31T23:59:59-23:59", "now", "2024-W01-1"]),
)
ROWS = st.lists(st.tuples(TIME, NUMBER, NUMBER, NUMBER, NUMBER, NUMBER).map(",".join), max_size=30)
# Times in order, so that something is left to find and draw.
RISING = st.lists(st.tuples(NUMBER, NUMBER, NUMBER, NUMBER, NUMBER).map(",".join), max_size=60).map(
    lambda rows: [f"{1_700_000_000 + 60 * number},{row}" for number, row in enumerate(rows)]
)
HEADER = "time,open,high,low,close,volume\n"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=st.one_of(
        st.binary(max_size=200), st.one_of(ROWS, RISING).map(lambda rows: (HEADER + "\n".join(rows)).encode())
    )
)
@example(data=HEADER.encode())
@example(data=(HEADER + "9" * 40 + ",1,1,1,1,1").encode())
@example(data=(HEADER + "1,1,1,1,1,1\n2,1e15,1e15,-1e15,0,1e15\n3,0,0,0,0,0\n").encode())
def test_any_file_is_shown_or_refused(data: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Shows every command ending in 0, 1 or 2, a refusal with a sentence; fails when Python's error is shown."""
    file = tmp_path / "bars.csv"
    file.write_bytes(data)
    out = str(tmp_path / "chart.svg")
    for words in (
        ["patterns", str(file), "--patterns", "all", "--quality", "0"],
        ["chart", str(file), "--out", out, "--patterns", "all", "--indicators", "sma:3,bollinger:2"],
        ["quality", str(file)],
    ):
        code = main(words)
        told = capsys.readouterr()
        assert code in {0, 1, 2}
        assert told.err.startswith("appliance: ") == (code == 2), told.err
