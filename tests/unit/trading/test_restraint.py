"""A refusal is answered with patience, never with the next order."""

from appliance.trading.restraint import WAIT_NS_MAX, WAIT_NS_MIN, Restraint


def test_each_refusal_doubles_the_wait_up_to_a_minute() -> None:
    """Shows the last moment that waits and the first that does not, after each refusal; fails when one is retried
    sooner, or the wait grows without end.
    """
    restraint, now_ns, wait_ns = Restraint(), 5, WAIT_NS_MIN
    for _ in range(10):
        restraint.refused("BTC/USD", "trend", now_ns)
        assert restraint.waits("BTC/USD", "trend", now_ns + wait_ns - 1)
        now_ns += wait_ns
        assert not restraint.waits("BTC/USD", "trend", now_ns)
        wait_ns = min(2 * wait_ns, WAIT_NS_MAX)


def test_only_the_refused_one_waits_and_an_accepted_order_ends_it() -> None:
    """Shows that another strategy and another instrument go on, and that one taken order forgets it all; fails when a
    refusal stops everybody, or for ever.
    """
    restraint = Restraint()
    restraint.refused("BTC/USD", "trend", 0)
    restraint.refused("BTC/USD", "trend", 0)
    assert not restraint.waits("BTC/USD", "reversion", 1)
    assert not restraint.waits("ETH/USD", "trend", 1)
    restraint.accepted("BTC/USD", "trend")
    assert not restraint.waits("BTC/USD", "trend", 1)
    restraint.refused("BTC/USD", "trend", 0)
    assert not restraint.waits("BTC/USD", "trend", WAIT_NS_MIN)
