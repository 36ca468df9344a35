"""Journal rows in words, amounts as text."""

from decimal import Decimal

import pytest

from appliance.core.records import Row
from appliance.core.values import OrderKind, Side
from appliance.reporting.amounts import duration_ns, money, percent, price, signed_money, size
from appliance.reporting.story import Tone, entry_of
from appliance.trading.records import (
    Account,
    AnyRecord,
    Boot,
    Cascade,
    Decision,
    Equity,
    Fill,
    Intent,
    Mode,
    Models,
    Order,
    Parameters,
    Reconciled,
    Refused,
    Steps,
)
from appliance.wire.report import Grid
from tests.integration.reporting.scripted_trader import GRIDS, row

BY_NAME = {grid.instrument: grid for grid in GRIDS}
INTENT = Intent(
    client_id="b4abc12-00000042",
    instrument="BTC/USD",
    strategy="trend",
    side=Side.SELL,
    order_kind=OrderKind.LIMIT,
    price_ticks=640_001,
    size_lots=150_000,
    reduce_only=True,
    reason="fast below slow",
)
FILL = Fill(
    "b4abc12-00000042", "T1", "BTC/USD", Side.BUY, 640_001, 150_000, 960_001_500_000, 1, maker=False, venue_ns=1
)


@pytest.mark.parametrize(
    ("record", "title", "detail", "tone"),
    [
        (INTENT, "Sell 0.0015 BTC/USD at 64,000.1", "trend · reduce: fast below slow · limit …000042", Tone.PLAIN),
        (FILL, "Bought 0.0015 BTC/USD at 64,000.1", "for 96.00 · fee 0.00 · taker …000042", Tone.GOOD),
        (Order("x", "refuse", "refused", 0, "funds"), "Order x refused", "refuse · funds", Tone.BAD),
        (Mode("NORMAL", "PAUSED", "stale", "feed", 0, 0), "NORMAL → PAUSED", "stale (by feed)", Tone.CAUTION),
        (Mode("NORMAL", "EMERGENCY", "stop", "button", 0, 0), "NORMAL → EMERGENCY", "stop (by button)", Tone.BAD),
        (Reconciled(agreed=True, differences=(), venue_ns=1), "Books agree with the venue", "", Tone.GOOD),
        (Reconciled(agreed=False, differences=("a", "b"), venue_ns=1), "Books differ from the venue", "a; b", Tone.BAD),
        (Boot(3, "box", "0123456789abcdef", 1), "Start number 3", "configuration 0123456789ab", Tone.PLAIN),
        (Steps("A/B", "0.1", "1E-8"), "A/B counts anew", "price steps 0.1, size steps 1E-8", Tone.PLAIN),
        (Parameters({"a": "1", "b": "2"}), "Settings in force", "a 1, b 2", Tone.PLAIN),
        (
            Decision("BTC/USD", "trend", 1, 1, {}, "", "", (("trend: up", 1), ("h1_rsi", -2)), "up"),
            "trend decided to buy BTC/USD",
            "trend: up; h1_rsi",
            Tone.PLAIN,
        ),
        (Models("0123456789ab", "withdrawn", "late"), "Models 0123456789ab: withdrawn", "late", Tone.CAUTION),
        (Refused("equity"), "A row of kind equity was lost", "the disk had no room for it", Tone.BAD),
        (Cascade(1, "feeds", "done", 12_300_000, "gone"), "Stop of feeds: done after 12.3 ms", "gone", Tone.GOOD),
        (Cascade(1, "risk", "failed", 5, "a bug"), "Stop of risk: failed after 5 ns", "a bug", Tone.BAD),
        (Cascade(1, "execution", "done late", 2, ""), "Stop of execution: done late after 2 ns", "", Tone.CAUTION),
        (Cascade(1, "all", "complete", 1_500, "every"), "Stop: complete after 1.5 µs", "every", Tone.GOOD),
        (Account(10**14), "Account adopted", "cash 10,000.00", Tone.PLAIN),
        (
            Equity(10**14, 10**13, 10**14, 10**14, 1),
            "Equity 10,000.00",
            "cash 1,000.00 · highest 10,000.00",
            Tone.PLAIN,
        ),
    ],
)
def test_each_record_reads_as_a_sentence(record: AnyRecord, title: str, detail: str, tone: Tone) -> None:
    """Every kind the journal has today has its words; wrong if one came out as raw bytes or in wrong units."""
    entry = entry_of(row(1, record), BY_NAME)
    assert (entry.title, entry.detail, entry.tone) == (title, detail, tone)


def test_an_unknown_instrument_is_shown_in_ticks_and_lots() -> None:
    """Numbers without a known unit say so; wrong if ticks were passed off as a price."""
    assert entry_of(row(1, FILL), {}).title == "Bought 150000 lots BTC/USD at 640001 ticks"


def test_an_unknown_kind_is_still_shown_within_bounds() -> None:
    """A newer trader's record is visible and bounded; wrong if it vanished or flooded the page."""
    entry = entry_of(Row(1, 0, 0, "novel", b'{"kind":"novel"}' + b" " * 10_000), {})
    assert entry.title == "novel"
    assert entry.detail.startswith('{"kind":"novel"}')
    assert len(entry.detail) <= 240


@pytest.mark.parametrize(
    ("quanta", "plain", "signed"),
    [
        (0, "0.00", "0.00"),
        (-1, "0.00", "0.00"),
        (10**14, "10,000.00", "+10,000.00"),
        (-123_456_000_000, "-12.35", "-12.35"),
        (2**63 - 1, "922,337,203.69", "+922,337,203.69"),
    ],
)
def test_money_is_exact_to_the_cent(quanta: int, plain: str, signed: str) -> None:
    """Amounts are rounded once, from integers; wrong if a float had a part in it or zero showed a sign."""
    assert (money(quanta), signed_money(quanta)) == (plain, signed)


def test_sizes_and_prices_keep_every_digit_of_their_grid() -> None:
    """A whole size keeps its zeros; wrong if stripping zeros turned 100 into 1."""
    whole = Grid("X/USD", Decimal("0.01"), Decimal(1))
    assert size(whole, 100) == "100"
    assert size(GRIDS[0], 100_000_000) == "1"
    assert size(GRIDS[0], 1) == "0.00000001"
    assert price(GRIDS[0], 640_000) == "64,000.0"
    assert percent(12_345) == "1.23 %"


@pytest.mark.parametrize(
    ("span", "text"), [(None, "–"), (999, "999 ns"), (1_500, "1.5 µs"), (48_000_000, "48 ms"), (3_200_000_000, "3.2 s")]
)
def test_spans_read_in_a_fitting_unit(span: int | None, text: str) -> None:
    """A span never shows a wrong unit, and an unmeasured one shows none; wrong if None looked like zero."""
    assert duration_ns(span) == text
