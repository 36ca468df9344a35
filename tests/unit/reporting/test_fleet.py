"""What the monitor believes, and what it accuses an appliance of."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.reporting.monitor.fleet import APPLIANCES_MAX, Fleet
from appliance.reporting.monitor.screen import course, lines
from appliance.reporting.mqtt.payloads import Chain, State, encode

BASE = "bot4-edge"
SECOND = 10**9


def state(device: str = "a", **more: Any) -> bytes:  # noqa: ANN401 - any field
    """Return a state message."""
    return encode(msgspec.structs.replace(State(device=device, wall_ms=1, stale=False, mode="NORMAL"), **more))


def chain(head: str, journal: str = "abc12", device: str = "a") -> bytes:
    """Return a message of heads."""
    return encode(Chain(device=device, wall_ms=1, journal=journal, head=head))


def told(fleet: Fleet, leaf: str, payload: bytes, *, retained: bool = False, now_ns: int = 0) -> None:
    """Hand over one message of appliance a."""
    fleet.take(f"{BASE}/a/{leaf}", payload, retained=retained, now_ns=now_ns)


def test_a_quiet_appliance_raises_an_alarm_and_a_retained_message_is_no_life() -> None:
    """Silence is told after the limit, also when only retained messages came; wrong if an old state passed for life."""
    fleet = Fleet(BASE)
    told(fleet, "state", state(), retained=True)
    told(fleet, "state", state(), retained=True, now_ns=20 * SECOND)
    one = fleet.appliances["a"]
    assert one.alarms(29 * SECOND, 30) == []
    assert one.alarms(31 * SECOND, 30) == ["quiet for 31 s"]
    told(fleet, "state", state(), now_ns=31 * SECOND)
    assert one.alarms(60 * SECOND, 30) == []


def test_the_will_is_an_alarm_at_once() -> None:
    """An appliance whose connection broke is offline without waiting; wrong if only its silence told."""
    fleet = Fleet(BASE)
    told(fleet, "availability", b"offline")
    assert fleet.appliances["a"].alarms(0, 30) == ["offline"]


@pytest.mark.parametrize(
    ("changed", "alarm"),
    [
        ({"mode": "FAULT"}, "mode FAULT"),
        ({"estop": True}, "stop latched"),
        ({"case_open": True}, "case open"),
        ({"stale": True}, "its trader is silent"),
        ({"bad_checks": ("disk space",)}, "check: disk space"),
    ],
)
def test_what_the_state_says_is_an_alarm(changed: dict[str, Any], alarm: str) -> None:
    """Every state that needs a person is told; wrong if one passed for good."""
    fleet = Fleet(BASE)
    told(fleet, "state", state(**changed))
    assert fleet.appliances["a"].alarms(0, 30) == [alarm]


@pytest.mark.parametrize(
    ("second", "third", "accused"),
    [
        (chain("10:aa"), chain("12:bb"), None),
        (chain("10:aa"), chain("10:aa"), None),
        (chain("10:aa"), chain("9:cc"), "went back from row 10 to 9"),
        (chain("10:aa"), chain("10:dd"), "has another row 10"),
        (chain("10:aa"), chain("1:ee", "zzz99"), "has taken the place of"),
        (chain("10:aa", "abc12~1"), chain("11:aa", "abc12~1"), "rows that were published are missing"),
    ],
)
def test_a_cut_or_rewritten_journal_is_found(second: bytes, third: bytes, accused: str | None) -> None:
    """Heads that go back, change or belong to another journal accuse, and growth does not; wrong if a truncated journal
    could pass.
    """
    fleet = Fleet(BASE)
    told(fleet, "chain", second)
    told(fleet, "chain", third)
    told(fleet, "chain", third)
    alarms = fleet.appliances["a"].alarms(0, 30)
    assert len(alarms) == (accused is not None)
    assert accused is None or accused in alarms[0]


@given(topic=st.text(max_size=30), payload=st.binary(max_size=200), retained=st.booleans())
def test_no_message_breaks_the_monitor(topic: str, payload: bytes, *, retained: bool) -> None:
    """Any topic with any payload is taken or ignored; wrong if one raised or made an appliance out of nothing."""
    fleet = Fleet(BASE)
    for one in (topic, f"{BASE}/a/{topic}", f"{BASE}/a/state", f"{BASE}/a/event/{topic}"):
        fleet.take(one, payload, retained=retained, now_ns=0)
    assert lines(fleet, 0, 30, 100, colour=True)


def test_a_message_about_another_device_is_ignored() -> None:
    """A payload that names another device than its topic is not believed; wrong if one could speak for another."""
    fleet = Fleet(BASE)
    told(fleet, "state", state("b"))
    assert fleet.appliances == {}
    assert fleet.ignored == 1


def test_appliances_are_bounded() -> None:
    """Beyond the limit no further appliance is kept; wrong if a stranger could fill the memory with names."""
    fleet = Fleet(BASE)
    for number in range(APPLIANCES_MAX + 5):
        fleet.take(f"{BASE}/d{number}/availability", b"online", retained=False, now_ns=0)
    assert len(fleet.appliances) == APPLIANCES_MAX
    assert fleet.ignored == 5


def test_the_screen_names_what_is_wrong_first() -> None:
    """The appliance with an alarm stands above the healthy one; wrong if it were lost among many."""
    fleet = Fleet(BASE)
    fleet.take(f"{BASE}/a/state", state("a", lamp="NORMAL"), retained=False, now_ns=0)
    fleet.take(f"{BASE}/b/state", state("b", lamp="FAULT", mode="FAULT"), retained=False, now_ns=0)
    shown = lines(fleet, 0, 30, 100, colour=False)
    assert shown[1].startswith("✖ b")
    assert shown[2].strip() == "! mode FAULT"
    assert shown[-1].startswith("appliances: 2, with alarms: 1")
    assert course([1.0, 2.0, 3.0]) == "▁▄█"
