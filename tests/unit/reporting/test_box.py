"""What the reporter sees of the box past the trader: a real page, written as the guardian writes it."""

from pathlib import Path

import pytest

from appliance.core.clock import VirtualClock
from appliance.reporting.box import GUARDIAN_SILENT_NS, Box
from appliance.reporting.metrics import Metrics
from appliance.reporting.model import STALE_AFTER_MS, Model
from appliance.reporting.mqtt.present import state_of
from appliance.reporting.panel.view import state
from appliance.safety.lamps import Lamp
from appliance.safety.lease import LatchCause, LatchState, LeaseInformation, LeaseWriter, RelayState, lease_path
from appliance.safety.page import boot_identity
from tests.integration.reporting.scripted_trader import hello, telemetry

BEAT_NS = 50_000_000_000


def told(relay: RelayState, lamp: Lamp = Lamp.NORMAL) -> LeaseInformation:
    """Return what a guardian tells of a clear latch."""
    return LeaseInformation(
        latch_state=LatchState.CLEAR,
        latch_cause=LatchCause.NONE,
        latch_sequence=0,
        start_sequence=0,
        lamp=lamp,
        case_open=False,
        glitch_count=0,
        wiring_alarm=False,
        relay=relay,
    )


@pytest.fixture
def clock() -> VirtualClock:
    """Return a clock at the guardian's last beat."""
    return VirtualClock(monotonic_ns=BEAT_NS, wall_ns=1_760_000_000 * 10**9)


@pytest.fixture
def guardian(tmp_path: Path) -> LeaseWriter:
    """Return the guardian's end of the page, which has just beaten."""
    writer = LeaseWriter(lease_path(tmp_path), boot_identity(), 1)
    writer.beat(BEAT_NS)
    return writer


@pytest.mark.parametrize(
    ("relay", "words", "metric"),
    [
        (RelayState.PULSING, "held by the pulse", b"bot4_relay_pulsing 1.0"),
        (RelayState.DROPPED, "dropped: no pulse", b"bot4_relay_pulsing 0.0"),
        (RelayState.UNFITTED, "no watchdog relay is wired", None),
    ],
)
def test_the_relay_is_shown_everywhere(
    tmp_path: Path, clock: VirtualClock, guardian: LeaseWriter, relay: RelayState, words: str, metric: bytes | None
) -> None:
    """Panel, MQTT and metrics tell the guardian's word on the relay; wrong if one of them told another one, or a relay
    that is not wired had a metric that looks like a good one.
    """
    guardian.publish(told(relay))
    model = Model(10)
    model.take_box(Box(tmp_path, clock, lambda: None).look(), ())
    box: object = state(model, BEAT_NS)["box"]
    assert isinstance(box, dict)
    assert box["relay"] == words
    sent = state_of("d", model, model.box, now_ns=BEAT_NS, wall_ms=0, waiting=0, thinned=0)
    assert sent.relay == relay.name.lower()
    page = Metrics(model, clock).page()
    assert metric in page if metric is not None else b"bot4_relay_pulsing" not in page


def test_a_silent_guardian_holds_no_relay_and_lights_no_lamp(
    tmp_path: Path, clock: VirtualClock, guardian: LeaseWriter
) -> None:
    """A page that is no longer written says dropped and dark; wrong if the last good word outlived its guardian."""
    guardian.publish(told(RelayState.PULSING))
    box = Box(tmp_path, clock, lambda: None)
    clock.advance_to(BEAT_NS + GUARDIAN_SILENT_NS)
    assert (box.look().lamp, box.look().relay) == ("NORMAL", "pulsing")
    clock.advance_to(BEAT_NS + GUARDIAN_SILENT_NS + 1)
    assert (box.look().lamp, box.look().relay) == ("DARK", "dropped")


def test_the_panel_shows_the_guardians_lamp_past_a_dead_trader(
    tmp_path: Path, clock: VirtualClock, guardian: LeaseWriter
) -> None:
    """The drawn lamp is the real one also when the trader is silent, and unknown only where nobody tells; wrong if the
    page went blank in the very moment somebody looks, or kept the dead trader's green.
    """
    model = Model(10)
    model.greet(hello(0))
    model.take_telemetry(telemetry(), BEAT_NS)
    assert state(model, BEAT_NS)["lamp"] == "normal"
    later_ns = BEAT_NS + (STALE_AFTER_MS + 1) * 1_000_000
    assert state(model, later_ns)["lamp"] == "unknown"
    guardian.publish(told(RelayState.DROPPED, Lamp.EMERGENCY))
    model.take_box(Box(tmp_path, clock, lambda: None).look(), ())
    assert state(model, later_ns)["lamp"] == "emergency"
    assert state(model, BEAT_NS)["lamp"] == "emergency"
