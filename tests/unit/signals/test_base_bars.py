"""The engine's bars become the bars that models read."""

import pytest

from appliance.signals.models.base_bars import BaseBar, BaseBars


def minute(number: int, price: float = 100.0, volume: float = 1.0) -> BaseBar:
    """Return a bar of a minute."""
    return BaseBar(60 * number, price, price + 1, price - 1, price + 0.5, volume)


def test_five_minutes_make_one_bar_at_once() -> None:
    """Shows open, extremes, close and volume, and that the last minute closes it; fails when it waits for the next."""
    bars = BaseBars(60, 300)
    closed = [bars.add(minute(number, 100.0 + number)) for number in range(5)]
    assert closed[:4] == [[], [], [], []]
    assert closed[4] == [BaseBar(0, 100.0, 105.0, 99.0, 104.5, 5.0)]


def test_a_bar_with_its_last_minute_missing_is_closed_by_the_next() -> None:
    """Shows that a hole loses nothing that came before it; fails when two spans are mixed in one bar."""
    bars = BaseBars(60, 300)
    bars.add(minute(0))
    assert bars.add(minute(7)) == [BaseBar(0, 100.0, 101.0, 99.0, 100.5, 1.0)]
    assert bars.add(minute(9)) == [BaseBar(300, 100.0, 101.0, 99.0, 100.5, 2.0)]


@pytest.mark.parametrize("base_s", [1, 300])
def test_bars_of_the_same_length_pass_through(base_s: int) -> None:
    """Shows that the demonstration's one-second bars are base bars themselves; fails when one is held back."""
    bar = BaseBar(7 * base_s, 1.0, 2.0, 0.5, 1.5, 3.0)
    assert BaseBars(base_s, base_s).add(bar) == [bar]
