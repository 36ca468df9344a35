"""Edge trains nobody thought of: none un-latches without the gesture, and every long enough press latches."""

from hypothesis import event, given, settings
from hypothesis import strategies as st

from appliance.safety.button import Button, Effect, Gesture, State

MS = 1_000_000
GESTURE = Gesture()
WAITS = st.one_of(st.integers(0, 5 * MS), st.integers(0, 4000 * MS), st.sampled_from([2 * MS, 3000 * MS, 60_000 * MS]))
ANY = st.tuples(st.sampled_from(["open", "close", "down", "up", "wait", "demand"]), WAITS).map(lambda step: [step])
HOLD = st.integers(2990, 3010).map(lambda held_ms: [("down", 100 * MS), ("up", held_ms * MS)])
TAP = st.sampled_from([20, 29, 30, 200, 2000, 2001]).map(lambda held_ms: [("down", 100 * MS), ("up", held_ms * MS)])
# Pieces of the gesture come often, so that trains get close to the door they must not open.
STEPS = st.lists(st.one_of(ANY, HOLD, TAP), max_size=30).map(
    lambda pieces: [step for piece in pieces for step in piece]
)
BITS = st.booleans()


def _apply(button: Button, action: str, now_ns: int) -> tuple[Effect, ...]:
    if action in {"open", "close"}:
        return button.contact(now_ns, closed=action == "close")
    if action in {"down", "up"}:
        return button.reset(now_ns, down=action == "down")
    return button.demand(now_ns) if action == "demand" else button.elapse(now_ns)


@settings(max_examples=500)
@given(STEPS, BITS)
def test_no_train_unlatches_without_the_whole_gesture(steps: list[tuple[str, int]], closed: bool) -> None:
    """A latched machine becomes clear only after a hold and a separate tap with the contact closed throughout.

    It fails if any train of bounces, timings or orders found another way out; the record of inputs is judged apart
    from the machine.
    """
    button = Button(GESTURE, latched=True, closed=closed, reset_down=False, now_ns=0)
    now_ns, down_since, holds, disturbed_ns = 0, -1, list[tuple[int, int]](), 0
    is_down, contact_open = False, not closed
    for action, wait_ns in steps:
        now_ns += wait_ns
        was_latched = button.latched
        if action in {"open", "demand"}:
            disturbed_ns = now_ns
        contact_open = action == "open" or (contact_open and action != "close")
        if action == "down" and not is_down:
            is_down, down_since = True, now_ns
        if action == "up" and is_down:
            is_down = False
            holds.append((down_since, now_ns))
        _apply(button, action, now_ns)
        if was_latched and not button.latched:
            event("started")
            tap, earlier = holds[-1], holds[:-1]
            assert not contact_open
            assert GESTURE.tap_ns_min <= tap[1] - tap[0] <= GESTURE.tap_ns_max
            assert any(
                end - begin >= GESTURE.hold_ns
                and begin >= disturbed_ns
                and tap[1] - (begin + GESTURE.hold_ns) < GESTURE.window_ns
                for begin, end in earlier
            )


@given(STEPS, st.integers(2 * MS, 100 * MS))
def test_every_press_of_the_minimum_length_latches(steps: list[tuple[str, int]], press_ns: int) -> None:
    """Whatever came before, a press of at least the glitch time ends latched; it fails if any state swallowed one."""
    button = Button(GESTURE, latched=False, closed=True, reset_down=False, now_ns=0)
    now_ns = 0
    for action, wait_ns in steps:
        now_ns += wait_ns
        _apply(button, action, now_ns)
    button.contact(now_ns + MS, closed=False)
    button.contact(now_ns + MS + press_ns, closed=True)
    assert button.latched
    assert button.state not in {State.READY, State.HELD, State.TAPPING}


@given(st.lists(st.tuples(st.integers(0, 2 * MS - 1), st.integers(1, 1000 * MS)), max_size=40))
def test_trains_of_glitches_never_latch_and_are_all_counted(train: list[tuple[int, int]]) -> None:
    """Openings shorter than the limit are counted and change nothing; it fails if one latched or went uncounted."""
    button = Button(GESTURE, latched=False, closed=True, reset_down=False, now_ns=0)
    now_ns = 0
    for open_ns, closed_ns in train:
        button.contact(now_ns, closed=False)
        button.contact(now_ns + open_ns, closed=True)
        now_ns += open_ns + closed_ns
    assert not button.latched
    assert button.glitch_count == len(train)


@given(STEPS)
def test_an_open_contact_is_never_clear(steps: list[tuple[str, int]]) -> None:
    """Permission and an open contact exclude each other at every moment; it fails if a sample or edge broke that."""
    button = Button(GESTURE, latched=False, closed=True, reset_down=False, now_ns=0)
    now_ns, closed = 0, True
    for action, wait_ns in steps:
        now_ns += wait_ns
        closed = action == "close" or (closed and action != "open")
        _apply(button, action, now_ns)
        button.sample(now_ns, closed=closed, reset_down=False)
        assert closed or button.state is not State.CLEAR
