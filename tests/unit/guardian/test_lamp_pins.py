"""What a person sees: the lamp's pins read back over time, against the published table, on one lamp and on a tower."""

import itertools
from collections.abc import Callable

import pytest

from appliance.core.clock import VirtualClock
from appliance.core.errors import HardwareError
from appliance.hardware.pins import Factory, PinAssignment, Pins, open_pins
from appliance.safety.modes import Mode
from tests.unit.guardian.bench_parts import PINS, Bench

MS = 1_000_000
STEP_MS = 10
Start = Callable[..., Bench]
Seen = tuple[str, int]

# Colour and length in milliseconds of one whole period, as the handbook has it.
PUBLISHED: dict[str, list[Seen]] = {
    "BOOT": [("blue", 500), ("dark", 1500)],
    "RECONCILING": [("blue", 500), ("dark", 1500)],
    "NORMAL": [("green", 4800), ("dark", 200)],
    "REDUCED": [("green", 900), ("dark", 100), ("yellow", 900), ("dark", 100)],
    "PAUSED": [("yellow", 1000)],
    "EMERGENCY": [("red", 100), ("dark", 100)],
    "HALTED": [("red", 150), ("dark", 150), ("red", 150), ("dark", 1050)],
    "FAULT": [*[("magenta", 100), ("dark", 100)] * 4, ("magenta", 100), ("dark", 700)],
    "READY": [("yellow", 1000), ("dark", 1000)],
}
MIXED = {
    (0, 0, 0, 0): "dark",
    (1, 0, 0, 0): "red",
    (0, 1, 0, 0): "green",
    (0, 0, 1, 0): "blue",
    (1, 1, 0, 0): "yellow",
    (1, 0, 1, 0): "magenta",
}
TOWER = {**{levels: name for levels, name in MIXED.items() if name != "yellow"}, (0, 0, 0, 1): "yellow"}


def _colour(bench: Bench, *, tower: bool) -> str:
    pins = (PINS.red, PINS.green, PINS.blue, 23)
    fitted = pins if tower else pins[:3]
    levels = [int(bool(bench.pins.factory.pin(pin).state)) for pin in fitted]
    red, green, blue, yellow = (*levels, 0)[:4]
    return (TOWER if tower else MIXED)[red, green, blue, yellow]


def _watch(bench: Bench, duration_ms: int, *, tower: bool) -> list[str]:
    """Return the colour every 10 ms; between two samples the guardian turns as often as it wants."""
    seen = []
    for _ in range(duration_ms // STEP_MS):
        bench.run(STEP_MS)
        seen.append(_colour(bench, tower=tower))
    return seen


def _expected(name: str, samples: int) -> list[str]:
    period = [colour for colour, length_ms in PUBLISHED[name] for _ in range(length_ms // STEP_MS)]
    return (period * (samples // len(period) + 2))[:samples]


def _bring(bench: Bench, name: str) -> None:
    """Bring the lamp into a state by what really leads there."""
    if name in {"EMERGENCY", "HALTED"}:
        bench.press()
        bench.trader(Mode[name], acknowledged=1, flat=name == "HALTED")
    elif name == "READY":
        bench.trader(Mode.HALTED, acknowledged=1, flat=True)
        bench.press(duration_ns=5 * MS)
        bench.run(50)
        bench.hold_reset(3_050)
    else:
        bench.trader(Mode[name])


@pytest.mark.parametrize("tower", [False, True], ids=["one lamp", "tower"])
@pytest.mark.parametrize("name", PUBLISHED)
def test_the_pins_show_the_published_rhythm_in_every_state(start: Start, name: str, *, tower: bool) -> None:
    """The wires carry the table, for three periods and more; it fails if a colour or a length were another."""
    bench = start(yellow=23 if tower else None)
    bench.run(100)
    _bring(bench, name)
    bench.run(40)
    seen = _watch(bench, 16_000, tower=tower)
    # The guardian turns every 20 ms, so an edge may come that much late; the rhythm starts where it started.
    best = min(
        sum(one != other for one, other in zip(seen, _expected(name, len(seen) + shift)[shift:], strict=True))
        for shift in range(sum(length_ms for _, length_ms in PUBLISHED[name]) // STEP_MS)
    )
    edges = sum(one != other for one, other in itertools.pairwise(seen))
    assert best <= 2 * edges
    assert best <= len(seen) // 8
    assert {colour for colour, _ in PUBLISHED[name]} == set(seen)


@pytest.mark.parametrize(("percent", "level"), [(1, 0.01), (40, 0.4), (100, 1)])
def test_brightness_is_the_height_of_every_lamp(percent: int, level: float) -> None:
    """Dimmed lamps are pulsed at their share, full ones are not pulsed; it fails if dark or bright were dimmed too."""
    pins = open_pins("simulated", PINS, VirtualClock(), percent)
    lines = [pins.factory.pin(pin) for pin in (PINS.red, PINS.green, PINS.blue)]
    pins.show((True, False, True, False))
    assert [line.state for line in lines] == [level, 0, level]
    assert all((line.frequency is None) is (percent == 100) for line in lines)
    assert PINS.relay is not None
    assert pins.factory.pin(PINS.relay).frequency is None
    pins.close()
    assert [line.state for line in lines] == [0, 0, 0]


def test_pins_that_cannot_dim_are_refused() -> None:
    """A brightness that the library cannot show is an error with its way out; it fails if it were ignored."""
    from gpiozero.pins.mock import MockFactory, MockPin  # noqa: PLC0415 - a library without pulses, only here

    factory: Factory = MockFactory(pin_class=MockPin)
    plain = PinAssignment(estop=17, reset=5, case=None, relay=None, red=24, green=22, blue=27, yellow=None)
    with pytest.raises(HardwareError, match="lamp_brightness_percent to 100"):
        Pins(factory, plain, VirtualClock(), 50)
    Pins(factory, plain, VirtualClock(), 100)
