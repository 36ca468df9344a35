"""The watchdog relay: what its pin does, and what the page tells of it."""

from collections.abc import Callable

from appliance.safety.lease import RelayState
from appliance.safety.modes import Mode
from tests.unit.guardian.bench_parts import Bench

Start = Callable[..., Bench]


def test_the_relay_pulses_for_a_living_trader_and_drops_when_the_stop_is_verified(bench: Bench) -> None:
    """The pulse stops for a lost trader and after a verified stop, and the page says so; it fails if the pin kept
    moving, or the page told another story than the pin.
    """
    relay = bench.pins.factory.pin(25)
    relay.clear_states()
    bench.run(1000)
    assert 9 <= len(relay.states) <= 12
    assert bench.told().relay is RelayState.PULSING
    bench.press()
    bench.trader(Mode.HALTED, acknowledged=1, flat=True)
    bench.run(100)
    relay.clear_states()
    bench.run(1000)
    assert len(relay.states) == 1
    assert not relay.state
    assert bench.told().relay is RelayState.DROPPED


def test_a_relay_that_is_not_wired_is_never_told_as_held(start: Start) -> None:
    """Without a relay in the settings the page says so; it fails if an output nobody drives looked like a guard."""
    bench = start(relay=None)
    bench.run(1000)
    assert bench.permits()
    assert bench.told().relay is RelayState.UNFITTED


def test_the_relay_drops_five_seconds_after_a_stop_that_nobody_verifies(bench: Bench) -> None:
    """The pulse goes on while the trader may still be stopping, and ends then; it fails if it waited for a proof."""
    relay = bench.pins.factory.pin(25)
    bench.run(100)
    bench.press()
    for _ in range(45):
        bench.trader(Mode.EMERGENCY, acknowledged=1)
        bench.run(100)
    relay.clear_states()
    bench.trader(Mode.EMERGENCY, acknowledged=1)
    bench.run(300)
    assert len(relay.states) > 1
    for _ in range(4):
        bench.trader(Mode.EMERGENCY, acknowledged=1)
        bench.run(100)
    relay.clear_states()
    bench.trader(Mode.EMERGENCY, acknowledged=1)
    bench.run(300)
    assert len(relay.states) == 1
    assert not relay.state
