"""Several voices become one decision, and no voice is ever heard beyond its bounds."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from appliance.signals.fusion import (
    BOUNDS,
    MODELS,
    NAMES,
    OUTSIDE,
    TECHNICAL,
    USUAL,
    WHISPER,
    Credit,
    Voice,
    fuse,
    weight_of,
)

SHARES = st.floats(0.0, 1.0)
VOICES = st.dictionaries(
    st.sampled_from(NAMES), st.builds(Voice, st.floats(-1.0, 1.0), st.floats(0.0, 1.0)), max_size=3
)


@given(name=st.sampled_from(NAMES), share=SHARES)
def test_a_weight_stays_in_its_bounds(name: str, share: float) -> None:
    """Shows that no run of luck lifts or sinks a voice beyond its bounds; fails when adaption is not held."""
    low, high = BOUNDS[name]
    assert low <= weight_of(name, USUAL[name], share) <= high
    assert weight_of(name, USUAL[name], 0.5) == USUAL[name]


@given(st.lists(st.booleans(), max_size=400))
def test_credit_moves_towards_what_happened_and_never_to_certainty(rights: list[bool]) -> None:
    """Shows the share between 0 and 1 after any history; fails when old days do not fade or doubt is lost."""
    credit = Credit()
    for right in rights:
        credit = credit.noted(right=right)
    assert 0.0 < credit.share < 1.0
    before = credit.share
    assert credit.noted(right=True).share > before


@given(voices=VOICES)
@example({TECHNICAL: Voice(0.6875, 5e-324)})
def test_the_score_lies_among_the_voices(voices: dict[str, Voice]) -> None:
    """Shows score and certainty within those of the voices heard; fails when a weight is counted twice."""
    fused = fuse(voices, USUAL)
    sure = [voice for voice in voices.values() if voice.certainty > 0.0]
    if not fused.weights:
        assert not fused.allowed
        assert all(voice.certainty * min(USUAL.values()) <= WHISPER * sum(USUAL.values()) for voice in sure)
        return
    assert min(v.score for v in sure) - 1e-9 <= fused.score <= max(v.score for v in sure) + 1e-9
    assert 0.0 <= fused.certainty <= max(v.certainty for v in voices.values()) + 1e-9
    assert sum(fused.weights.values()) == pytest.approx(100.0)


def test_a_voice_without_weight_changes_nothing() -> None:
    """Shows that models which earned no weight cannot hinder or help; fails when a zero is treated as a voice."""
    loud = {TECHNICAL: Voice(1.0, 1.0), MODELS: Voice(-1.0, 1.0)}
    assert fuse(loud, {TECHNICAL: 40.0, MODELS: 0.0}) == fuse({TECHNICAL: loud[TECHNICAL]}, {TECHNICAL: 40.0})
    assert fuse(loud, {TECHNICAL: 40.0, MODELS: 0.0}).allowed


def test_voices_that_pull_against_each_other_open_nothing() -> None:
    """Shows a conflict refused and said, and agreement allowed; fails when the louder voice simply wins."""
    against = {TECHNICAL: Voice(1.0, 1.0), MODELS: Voice(-0.7, 1.0)}
    fused = fuse(against, USUAL)
    assert (fused.allowed, fused.why_not) == (False, "the voices pull against each other")
    assert fuse({TECHNICAL: Voice(1.0, 1.0), MODELS: Voice(0.7, 1.0)}, USUAL).allowed
    assert fuse({TECHNICAL: Voice(1.0, 1.0), MODELS: Voice(-1.0, 1.0)}, USUAL).why_not != ""


def test_silence_opens_nothing() -> None:
    """Shows that no voice, or none that is sure, allows no entry; fails when absence reads as consent."""
    assert not fuse({}, USUAL).allowed
    assert not fuse({OUTSIDE: Voice(1.0, 0.0)}, USUAL).allowed
