"""The reporter in the world: nothing is lost between journal and broker, and the trader never feels any of it."""

from collections import Counter

import pytest

from appliance.world.reporter_faults import REPORTER_NAMES
from appliance.world.scale import SHORT
from appliance.world.simulation import Outcome, World

ALWAYS = SHORT._replace(reporter_in=1, damage_in=0)
NEVER = SHORT._replace(reporter_in=0, damage_in=0)
SEEDS = range(12)


@pytest.fixture(scope="module")
def outcomes() -> list[Outcome]:
    """Run some worlds that all have a reporter."""
    return [World(seed, ALWAYS).run() for seed in SEEDS]


def test_everything_reaches_the_broker(outcomes: list[Outcome]) -> None:
    """Shows that through every fault of link, process, disk and broker each row reaches the broker as it was written
    and in order, and that the broker has all of them in the end; fails when one is lost, altered, invented or late.
    """
    assert [outcome.finding for outcome in outcomes] == [None] * len(outcomes)


def test_the_reporters_faults_took_effect(outcomes: list[Outcome]) -> None:
    """Shows that every fault of the reporter, and what several bring about (a message twice, a full outbox,
    commits taken back), happened; fails when one has become so tame that it shows nothing.
    """
    happened = sum((outcome.happened for outcome in outcomes), Counter[str]())
    assert [name for name in REPORTER_NAMES if not happened[name]] == []


@pytest.mark.parametrize("seed", range(3))
def test_a_trader_lives_the_same_life_with_a_reporter(seed: int) -> None:
    """Shows that the trader says the same, to the nanosecond, with a reporter that hangs, dies and loses its broker as
    with none at all; fails when anything of the reporter's reaches the trader.
    """
    lives: list[list[str]] = []
    for scale in (ALWAYS, NEVER):
        lines: list[str] = []
        World(seed, scale, story=lines.append).run()
        said = [line for line in lines if line[12:].lstrip().startswith("->")]
        lives.append([line for line in said if float(line[:12]) < scale.duration_ns / 1e9])
    assert len(lives[0]) > 100
    assert lives[0] == lives[1]


def test_damage_is_found_wherever_it_was_done() -> None:
    """Shows that a journal in which a bit, a hash or a time was changed, or a row removed or moved, is refused until a
    person restores it, and then trading goes on; fails when a process starts on it or refuses a whole one.
    """
    worlds = [World(seed, SHORT._replace(reporter_in=0, damage_in=1)).run() for seed in range(8)]
    assert [world.finding for world in worlds] == [None] * 8
    assert sum(world.happened["journal damaged"] for world in worlds) >= 4
