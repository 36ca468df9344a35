"""What a venue may tell the trader over the built-in link."""

import pytest

from appliance.core.errors import WireError
from appliance.core.events import (
    AnyEvent,
    DeadManFired,
    FeedChanged,
    HealthChanged,
    JournalFailed,
    JournalReached,
    LayerStopped,
    OrderLinkChanged,
    PermissionChanged,
    SendFailed,
    SendTimedOut,
    ShutdownRequested,
    TimePassed,
)
from appliance.wire.link import encode
from appliance.wire.venue_link import client_decoder

OURS: tuple[AnyEvent, ...] = (
    PermissionChanged(permitted=True, latch_sequence=0, start_sequence=0),
    JournalReached(1),
    JournalFailed("x"),
    TimePassed(1, wall_synchronized=True),
    ShutdownRequested("x"),
    FeedChanged(connected=True, reason="x"),
    OrderLinkChanged(connected=True, reason="x"),
    SendFailed("a", "x"),
    SendTimedOut("a"),
    HealthChanged(()),
    LayerStopped(1, "journal", "done", "x"),
)


@pytest.mark.parametrize("event", OURS, ids=lambda event: type(event).__name__)
def test_a_venue_cannot_speak_for_us(event: AnyEvent) -> None:
    """Show that permission, durability and time never come from the venue; fails when its link takes such a word."""
    with pytest.raises(WireError):
        client_decoder().feed(encode(event))


def test_a_venue_can_speak_for_itself() -> None:
    """Show that the refusal above is about those words; fails when the link takes nothing at all."""
    assert client_decoder().feed(encode(DeadManFired(1))) == [DeadManFired(1)]
