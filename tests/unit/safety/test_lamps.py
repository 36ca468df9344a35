"""The lamp: a function of state, and every state told apart without its colour."""

import itertools

import pytest

from appliance.safety.button import State
from appliance.safety.lamps import PATTERNS, Colour, Lamp, Pulse, View, lamp
from appliance.safety.modes import Mode

STATES = [found for found in Lamp if found not in {Lamp.DARK, Lamp.TEST}]
RUNNING = {State.CLEAR, State.SUSPECT}
EMERGENCY_STATES = {State.PRESSED, State.LATCHED, State.HOLDING}


def _rhythm(which: Lamp) -> tuple[bool, ...]:
    """Return lit or dark, every 10 ms for 60 s, as a person without colours sees it."""
    return tuple(PATTERNS[which].colour(ms) is not Colour.DARK for ms in range(0, 60_000, 10))


def _distance(first: tuple[bool, ...], second: tuple[bool, ...]) -> int:
    """Return in how many of the samples two rhythms differ under the best of all shifts of 50 ms."""
    return min(
        sum(one != other for one, other in zip(first, second[shift:] + second[:shift], strict=True))
        for shift in range(0, 500, 5)
    )


@pytest.mark.parametrize(("first", "second"), list(itertools.combinations(STATES, 2)))
def test_every_two_states_differ_in_rhythm_alone(first: Lamp, second: Lamp) -> None:
    """Two states are told apart in black and white, whenever one looks; it fails if two shared a rhythm."""
    assert _distance(_rhythm(first), _rhythm(second)) >= 200


@pytest.mark.parametrize(
    ("which", "colours"),
    [
        (Lamp.BOOT, {Colour.BLUE}),
        (Lamp.NORMAL, {Colour.GREEN}),
        (Lamp.REDUCED, {Colour.GREEN, Colour.YELLOW}),
        (Lamp.PAUSED, {Colour.YELLOW}),
        (Lamp.READY, {Colour.YELLOW}),
        (Lamp.EMERGENCY, {Colour.RED}),
        (Lamp.HALTED, {Colour.RED}),
        (Lamp.FAULT, {Colour.MAGENTA}),
    ],
)
def test_each_state_has_its_colour_and_says_so(which: Lamp, colours: set[Colour]) -> None:
    """Colours are the published ones and named in the label; it fails if a pattern were changed without its label."""
    shown = {phase.colour for phase in PATTERNS[which].phases} - {Colour.DARK}
    assert shown == colours
    assert all(colour.value in PATTERNS[which].label for colour in colours)


def test_only_paused_is_without_a_dark_phase_and_no_lamp_is_dark_for_long() -> None:
    """Steady means steady, and dark always means no guardian; it fails if a pattern were dark for over 1.5 s."""
    steady = [state for state in STATES if all(phase.colour is not Colour.DARK for phase in PATTERNS[state].phases)]
    assert steady == [Lamp.PAUSED]
    longest_ms = max(
        phase.duration_ms for state in STATES for phase in PATTERNS[state].phases if phase.colour is Colour.DARK
    )
    assert longest_ms <= 1500


def test_patterns_repeat_and_phases_meet_at_their_edges() -> None:
    """The dip of NORMAL begins at 4800 ms and ends at 5000 ms, in every period; it fails by one phase or period."""
    pattern = PATTERNS[Lamp.NORMAL]
    for start_ms in (0, 5000, 5000 * 1_000_000):
        assert pattern.at(start_ms) == (False, True, False, False)
        assert pattern.at(start_ms + 4799) == (False, True, False, False)
        assert pattern.at(start_ms + 4800) == (False, False, False, False)
        assert pattern.at(start_ms + 4999) == (False, False, False, False)


def test_yellow_is_its_own_lamp_where_one_is_fitted() -> None:
    """A tower shows yellow with its yellow lamp, one RGB lamp mixes it; it fails if both or neither were lit."""
    assert PATTERNS[Lamp.PAUSED].at(0) == (True, True, False, False)
    assert PATTERNS[Lamp.PAUSED].at(0, yellow_fitted=True) == (False, False, False, True)


def test_the_lamp_test_lights_every_channel() -> None:
    """A dead lamp shows in the test; it fails if a channel were left out."""
    pattern = PATTERNS[Lamp.TEST]
    lit = [pattern.at(ms, yellow_fitted=True) for ms in range(0, pattern.period_ms, 50)]
    assert [any(levels) for levels in zip(*lit, strict=True)] == [True] * 4


def _expected(view: View) -> Lamp:
    """Say it once more in other words: the oracle."""
    fresh = view.pulse is Pulse.FRESH
    if view.broken:
        return Lamp.FAULT
    if view.button in EMERGENCY_STATES and fresh and view.mode is Mode.FAULT:
        return Lamp.FAULT
    if view.button in EMERGENCY_STATES:
        return Lamp.HALTED if fresh and view.mode is Mode.HALTED and view.stop_verified else Lamp.EMERGENCY
    if view.button not in RUNNING:
        return Lamp.READY
    if not fresh:
        return Lamp.BOOT if view.pulse is Pulse.NEVER else Lamp.FAULT
    assert view.mode is not None
    return Lamp.BOOT if view.mode is Mode.RECONCILING else Lamp[view.mode.name]


@pytest.mark.parametrize("state", State)
def test_the_lamp_is_the_listed_function_of_everything_it_sees(state: State) -> None:
    """Every view gives the lamp of the published table; it fails for any view that would claim more safety."""
    for pulse, mode, verified, broken in itertools.product(Pulse, Mode, (False, True), (False, True)):
        view = View(state, pulse, mode, verified, broken)
        assert lamp(view) is _expected(view)


def test_green_needs_a_living_trader() -> None:
    """Green is never shown for a trader that is missing or lost; it fails if an old mode stayed on the lamp."""
    for state, pulse in itertools.product(State, (Pulse.NEVER, Pulse.LOST)):
        view = View(state, pulse, Mode.NORMAL, stop_verified=True, broken=False)
        assert lamp(view) not in {Lamp.NORMAL, Lamp.REDUCED, Lamp.PAUSED, Lamp.HALTED}
