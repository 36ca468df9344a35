"""Models serve on probation, in full, or not at all, and never come back by themselves."""

from appliance.signals.models.service import (
    ANSWERS_TO_JUDGE,
    ANSWERS_TO_PROVE,
    BRIER_MAX,
    CANARY,
    DRAWDOWN_MAX,
    FULL,
    OUTCOMES_TO_JUDGE,
    WITHDRAWN,
    Service,
)


def test_good_answers_end_the_probation() -> None:
    """Shows the very answer that promotes; fails when a canary is promoted early or never."""
    service = Service()
    moves = [service.answered("good") for _ in range(ANSWERS_TO_PROVE)]
    assert moves[:-1] == [None] * (ANSWERS_TO_PROVE - 1)
    assert moves[-1] is not None
    assert (moves[-1].stage, service.stage) == (FULL, FULL)


def test_late_answers_withdraw_and_good_ones_do_not_restore() -> None:
    """Shows rollback for latency and that it is final; fails when a bad set comes back without a new one."""
    service = Service(FULL)
    moves = [service.answered("late") for _ in range(ANSWERS_TO_JUDGE)]
    assert moves[-1] is not None
    assert moves[-1].stage == WITHDRAWN
    assert "late" in moves[-1].reason
    assert all(service.answered("good") is None for _ in range(2 * ANSWERS_TO_PROVE))
    assert service.stage == WITHDRAWN


def test_a_few_bad_answers_are_borne() -> None:
    """Shows that one late answer in ten withdraws nothing; fails when the limit counts answers instead of shares."""
    service = Service(CANARY)
    for _ in range(20):
        for state in ("late", *["good"] * 9):
            service.answered(state)
    assert service.stage != WITHDRAWN


def test_forecasts_worse_than_a_coin_withdraw() -> None:
    """Shows rollback for calibration from the first outcome that may count; fails when outcomes are not judged."""
    service = Service(FULL)
    moves = [service.came_true(0.9, -0.001, advised=False) for _ in range(OUTCOMES_TO_JUDGE)]
    assert moves[:-1] == [None] * (OUTCOMES_TO_JUDGE - 1)
    assert moves[-1] is not None
    assert moves[-1].stage == WITHDRAWN
    coin = Service(FULL)
    assert [coin.came_true(0.5, 0.01 if turn % 2 else -0.01, advised=True) for turn in range(100)] == [None] * 100
    assert BRIER_MAX > 0.25


def test_advice_that_loses_withdraws() -> None:
    """Shows rollback for a fall from the peak of what was advised, none for what was not; fails when losses before a
    gain are forgotten or silence is blamed.
    """
    service = Service(FULL)
    assert service.came_true(0.5, 0.05, advised=True) is None
    assert service.came_true(0.5, -DRAWDOWN_MAX, advised=True) is None
    assert service.came_true(0.5, -1.0, advised=False) is None
    moved = service.came_true(0.5, -0.01, advised=True)
    assert moved is not None
    assert (moved.stage, moved.reason) == (WITHDRAWN, "what they advised fell 11.0% from its peak")
