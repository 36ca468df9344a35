"""Presses that come twice or never end, on the guardian's loop in virtual time."""

from collections.abc import Callable

from appliance.safety.lamps import Lamp
from tests.unit.guardian.bench_parts import Bench

MS = 1_000_000
Start = Callable[..., Bench]


def test_a_second_press_undoes_nothing(bench: Bench) -> None:
    """Pressed twice is pressed once, and also a box made ready is stopped again; it fails if a press could toggle, or
    the hold before it still counted.
    """
    bench.run(100)
    for _ in range(2):
        bench.press(duration_ns=5 * MS)
        bench.run(100)
    assert not bench.permits()
    assert bench.told().latch_sequence == 1
    bench.hold_reset(3100)
    assert bench.lamp() is Lamp.READY
    bench.press(duration_ns=5 * MS)
    bench.run(100)
    bench.hold_reset(150)
    assert not bench.permits()
    assert bench.latch.load(0).latched


def test_a_wire_cut_while_running_stops_until_it_is_whole_again(start: Start) -> None:
    """A contact that opens and never closes is a press without end: no gesture and no restart starts the box; it fails
    if only an edge counted.
    """
    bench = start()
    bench.run(100)
    assert bench.permits()
    bench.press()
    bench.run(100)
    for _ in range(2):
        bench.hold_reset(3100)
        bench.hold_reset(150)
    assert not bench.permits()
    again = start(closed=False)
    again.hold_reset(3100)
    again.hold_reset(150)
    assert not again.permits()
