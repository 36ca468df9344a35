"""The button's machine: every pair of its table, the glitch limit from both sides, and the whole gesture."""

import itertools

import pytest

from appliance.safety.button import TABLE, Button, Effect, Event, Gesture, State

MS = 1_000_000
GESTURE = Gesture()
S, E, F = State, Event, Effect

EXPECTED = {
    S.CLEAR: {E.OPENED: (S.SUSPECT, F.SUSPENDED), E.DEMANDED: (S.LATCHED, F.LATCHED)},
    S.SUSPECT: {
        E.CLOSED: (S.CLEAR, F.GLITCHED),
        E.LASTED: (S.PRESSED, F.LATCHED),
        E.DEMANDED: (S.PRESSED, F.LATCHED),
    },
    S.PRESSED: {E.CLOSED: (S.LATCHED, F.NONE)},
    S.LATCHED: {E.OPENED: (S.PRESSED, F.NONE), E.RESET_PRESSED: (S.HOLDING, F.NONE)},
    S.HOLDING: {
        E.OPENED: (S.PRESSED, F.ABANDONED),
        E.DEMANDED: (S.LATCHED, F.ABANDONED),
        E.RESET_HELD: (S.HELD, F.READY),
        E.RESET_BOUNCED: (S.LATCHED, F.NONE),
        E.RESET_TAPPED: (S.LATCHED, F.ABANDONED),
        E.RESET_RELEASED: (S.LATCHED, F.ABANDONED),
    },
    S.HELD: {
        E.OPENED: (S.PRESSED, F.ABANDONED),
        E.DEMANDED: (S.LATCHED, F.ABANDONED),
        E.RESET_BOUNCED: (S.READY, F.NONE),
        E.RESET_TAPPED: (S.READY, F.NONE),
        E.RESET_RELEASED: (S.READY, F.NONE),
        E.WINDOW_CLOSED: (S.LATCHED, F.EXPIRED),
    },
    S.READY: {
        E.OPENED: (S.PRESSED, F.ABANDONED),
        E.DEMANDED: (S.LATCHED, F.ABANDONED),
        E.RESET_PRESSED: (S.TAPPING, F.NONE),
        E.WINDOW_CLOSED: (S.LATCHED, F.EXPIRED),
    },
    S.TAPPING: {
        E.OPENED: (S.PRESSED, F.ABANDONED),
        E.DEMANDED: (S.LATCHED, F.ABANDONED),
        E.RESET_BOUNCED: (S.READY, F.NONE),
        E.RESET_TAPPED: (S.CLEAR, F.STARTED),
        E.RESET_RELEASED: (S.LATCHED, F.ABANDONED),
        E.WINDOW_CLOSED: (S.LATCHED, F.EXPIRED),
    },
}


def _button(*, latched: bool = False, closed: bool = True, reset_down: bool = False) -> Button:
    return Button(GESTURE, latched=latched, closed=closed, reset_down=reset_down, now_ns=0)


def _state(button: Button) -> State:
    return button.state


def _ready(at_ns: int = 0) -> Button:
    """Return a latched button after three seconds of reset, let go at 3100 ms past `at_ns`."""
    button = _button(latched=True)
    button.reset(at_ns, down=True)
    assert button.elapse(at_ns + 3000 * MS) == (F.READY,)
    button.reset(at_ns + 3100 * MS, down=False)
    return button


@pytest.mark.parametrize(("state", "event"), list(itertools.product(State, Event)))
def test_every_pair_of_state_and_event_does_what_is_listed(state: State, event: Event) -> None:
    """Each of the 80 pairs moves as listed and all others do nothing; it fails if any cell changed."""
    expected = EXPECTED[state].get(event, (state, F.NONE))
    assert TABLE.get((state, event), (state, F.NONE)) == expected


def test_only_a_tap_in_ready_and_the_end_of_a_glitch_lead_to_clear() -> None:
    """There are two ways to permission and no third; it fails if the table grew one."""
    ways = {pair for pair, (state, _) in TABLE.items() if state is S.CLEAR}
    assert ways == {(S.SUSPECT, E.CLOSED), (S.TAPPING, E.RESET_TAPPED)}


@pytest.mark.parametrize(("open_ns", "latches"), [(1, False), (2 * MS - 1, False), (2 * MS, True), (2 * MS + 1, True)])
def test_the_glitch_limit_holds_from_both_sides(open_ns: int, *, latches: bool) -> None:
    """One nanosecond below the limit is a glitch, the limit itself a press; it fails if the limit moved."""
    button = _button()
    assert button.contact(1000, closed=False) == (F.SUSPENDED,)
    effects = button.contact(1000 + open_ns, closed=True)
    assert effects == ((F.LATCHED,) if latches else (F.GLITCHED,))
    assert button.latched is latches
    assert button.glitch_count == (0 if latches else 1)


def test_an_opening_suspends_at_once_and_latches_by_time_alone() -> None:
    """Permission goes with the edge and the latch needs no second edge; it fails if a held press waited for release."""
    button = _button()
    button.contact(0, closed=False)
    assert _state(button) is S.SUSPECT
    assert button.deadline_ns() == 2 * MS
    assert button.elapse(2 * MS) == (F.LATCHED,)
    assert _state(button) is S.PRESSED


def test_bounce_cannot_unlatch_nor_hide_a_press() -> None:
    """Bounces before, during and after a press change nothing; it fails if a late closing cleared the latch."""
    button = _button()
    for at_us in (0, 300, 500, 900):
        button.contact(at_us * 1000, closed=at_us in {300, 900})
    assert _state(button) is S.CLEAR
    button.contact(1_000_000, closed=False)
    button.elapse(3_000_000)
    assert _state(button) is S.PRESSED
    for at_us in (3100, 3200, 3300, 3400, 3500):
        button.contact(at_us * 1000, closed=at_us in {3100, 3300, 3500})
        assert button.latched


def test_five_glitches_in_a_minute_raise_one_alarm() -> None:
    """Repeated glitches mean bad wiring; it fails if they were only ignored, or alarmed at each."""
    button = _button()
    alarms = 0
    for number in range(9):
        button.contact(number * 1000 * MS, closed=False)
        alarms += F.WIRING_ALARM in button.contact(number * 1000 * MS + MS, closed=True)
    assert button.glitch_count == 9
    assert alarms == 1


def test_rare_glitches_raise_no_alarm() -> None:
    """Five glitches within two minutes are no alarm; it fails if they were counted for ever."""
    button = _button()
    for number in range(9):
        button.contact(number * 30_000 * MS, closed=False)
        assert F.WIRING_ALARM not in button.contact(number * 30_000 * MS + MS, closed=True)


def test_a_contact_sampled_open_latches_at_once() -> None:
    """A lost edge does not lose the press; it fails if only edges counted."""
    button = _button()
    assert button.sample(MS, closed=False, reset_down=False) == (F.SUSPENDED, F.LATCHED)
    assert _state(button) is S.PRESSED


def test_a_closing_without_its_opening_latches() -> None:
    """A press whose opening was lost still stops; it fails if a lone closing were ignored."""
    button = _button()
    assert F.LATCHED in button.contact(MS, closed=True)
    assert _state(button) is S.LATCHED


def test_a_closing_already_sampled_is_not_taken_for_a_lost_opening() -> None:
    """A glitch whose end was first sampled stays a glitch; it fails if its late edge latched."""
    button = _button()
    button.contact(0, closed=False)
    assert button.sample(MS, closed=True, reset_down=False) == (F.GLITCHED,)
    assert button.contact(MS, closed=True) == ()
    assert _state(button) is S.CLEAR


@pytest.mark.parametrize(
    ("latched", "closed", "state"),
    [(False, True, S.CLEAR), (True, True, S.LATCHED), (False, False, S.PRESSED), (True, False, S.PRESSED)],
)
def test_boot_is_clear_only_without_record_and_with_a_closed_contact(
    *, latched: bool, closed: bool, state: State
) -> None:
    """Pressed or cut at boot is halted from boot; it fails if the level were ignored."""
    assert _button(latched=latched, closed=closed).state is state


def test_the_whole_gesture_starts() -> None:
    """Hold three seconds, let go, tap: started; it fails if any step were not enough or not needed."""
    button = _ready()
    assert _state(button) is S.READY
    button.reset(5000 * MS, down=True)
    assert button.reset(5100 * MS, down=False) == (F.STARTED,)
    assert _state(button) is S.CLEAR


def test_a_hold_one_nanosecond_short_makes_nothing_ready() -> None:
    """The hold time is the hold time; it fails if letting go early were enough."""
    button = _button(latched=True)
    button.reset(0, down=True)
    assert button.reset(3000 * MS - 1, down=False) == (F.ABANDONED,)
    assert _state(button) is S.LATCHED


def test_letting_go_of_the_hold_is_not_the_start() -> None:
    """Reset never starts by itself; it fails if the release of the hold counted as a tap."""
    button = _ready()
    assert _state(button) is S.READY
    assert button.elapse(60_000 * MS) == ()


@pytest.mark.parametrize(("tap_ms", "state"), [(29, S.READY), (30, S.CLEAR), (2000, S.CLEAR), (2001, S.LATCHED)])
def test_a_tap_is_neither_bounce_nor_leaning(tap_ms: int, state: State) -> None:
    """Too short is ignored and too long goes back to the latch; it fails at either limit."""
    button = _ready()
    button.reset(5000 * MS, down=True)
    button.reset((5000 + tap_ms) * MS, down=False)
    assert _state(button) is state


@pytest.mark.parametrize(("at_ms", "state"), [(62_999, S.CLEAR), (63_000, S.LATCHED)])
def test_the_window_closes_sixty_seconds_after_ready(at_ms: int, state: State) -> None:
    """A tap that ends too late starts nothing; it fails if the window never closed."""
    button = _ready()
    button.reset((at_ms - 100) * MS, down=True)
    button.reset(at_ms * MS, down=False)
    assert _state(button) is state


@pytest.mark.parametrize("steps", range(4))
def test_the_shortest_opening_ends_the_gesture_wherever_it_stands(steps: int) -> None:
    """While latched even a glitch counts as a press; it fails if the gesture survived one."""
    button = _button(latched=True)
    for at_ms, down in [(0, True), (3100, False), (5000, True), (5010, False)][:steps]:
        button.reset(at_ms * MS, down=down)
    button.elapse(6000 * MS if steps == 1 else 5020 * MS)
    button.contact(6001 * MS, closed=False)
    button.contact(6001 * MS + 1, closed=True)
    assert _state(button) is S.LATCHED


def test_reset_does_nothing_while_the_contact_is_open() -> None:
    """The gesture needs a released button; it fails if holding reset on a pressed one made it ready."""
    button = _button(latched=True, closed=False)
    button.reset(0, down=True)
    button.elapse(10_000 * MS)
    assert _state(button) is S.PRESSED


def test_a_stuck_reset_button_starts_nothing() -> None:
    """A reset already down at boot or at release must be pressed anew; it fails if a jammed button could reset."""
    for button in (_button(latched=True, reset_down=True), _button(latched=True, closed=False, reset_down=True)):
        button.contact(MS, closed=True)
        button.elapse(100_000 * MS)
        assert _state(button) is S.LATCHED


@pytest.mark.parametrize("state", State)
def test_a_demand_never_ends_in_permission(state: State) -> None:
    """A stop demanded elsewhere latches from every state; it fails if any state ignored it into CLEAR."""
    button = _button()
    button.state = state
    button._closed = state not in {S.SUSPECT, S.PRESSED}
    button.demand(MS)
    assert button.latched


def test_time_that_runs_back_is_held() -> None:
    """An edge dated before the last one counts as now; it fails if a negative length became a glitch or a tap."""
    button = _button()
    button.elapse(10 * MS)
    button.contact(5 * MS, closed=False)
    assert button.deadline_ns() == 12 * MS
