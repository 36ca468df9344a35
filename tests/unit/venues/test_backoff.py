"""Waiting between attempts."""

import random

from appliance.venues.backoff import Backoff


def test_waits_double_to_the_cap_and_are_spread() -> None:
    """Shows the bounds of each wait and that two clients differ; fails when waits do not grow, pass the cap, or
    are the same for everybody.
    """
    backoff = Backoff(100, 5_000, random.Random(1))
    waits = [backoff.next_ms() for _ in range(200)]
    for attempt, wait_ms in enumerate(waits):
        full_ms = min(100 << min(attempt, 20), 5_000)
        assert full_ms // 2 <= wait_ms <= full_ms
    assert len(set(waits)) > 100
    other = Backoff(100, 5_000, random.Random(2))
    assert waits != [other.next_ms() for _ in range(200)]


def test_success_starts_over() -> None:
    """Shows that a reset brings the first wait back; fails when a flap an hour ago still counts."""
    backoff = Backoff(100, 5_000, random.Random(1))
    for _ in range(10):
        backoff.next_ms()
    backoff.reset()
    assert backoff.next_ms() <= 100
