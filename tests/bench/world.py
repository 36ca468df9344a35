"""How much time the simulated world lives through: a calm day with the real engine, on one core."""

import time

from appliance.core.clock import NANOSECONDS_PER_DAY
from appliance.world.scale import long_days
from appliance.world.simulation import run_seed
from tests.bench.figures import Figure, figure, show

SECONDS_PER_HOUR = 3_600


def measure() -> list[Figure]:
    """Run one seed of one day."""
    began_s = time.perf_counter()
    outcome = run_seed(1, long_days(1))
    took_s = time.perf_counter() - began_s
    if outcome.finding is not None:
        raise AssertionError(f"the world found {outcome.finding.sentence}")
    days = outcome.simulated_ns / NANOSECONDS_PER_DAY
    return [
        figure("world: simulated days an hour, calm", days / took_s * SECONDS_PER_HOUR, "days/h", 2_000),
        figure("world: events, calm", sum(outcome.events.values()) / took_s, "events/s"),
    ]


if __name__ == "__main__":
    show(measure())
