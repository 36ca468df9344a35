"""How the units of the last resort hang together with the others."""

from pathlib import Path

import pytest

UNITS = Path(__file__).resolve().parents[3] / "systemd/system"


def _lines(name: str) -> list[str]:
    return (UNITS / name).read_text().splitlines()


@pytest.mark.parametrize("name", ["bot4-trader.service", "bot4-guardian.service"])
def test_a_crash_loop_ends_in_a_cancel(name: str) -> None:
    """The unit gives up after its limit and clears at the venue; it fails if a dead process left its orders alone."""
    lines = _lines(name)
    assert "OnFailure=bot4-clear.service" in lines
    assert "StartLimitBurst=5" in lines


@pytest.mark.parametrize("name", ["bot4-clear.service", "bot4-last-resort.service"])
def test_what_clears_stands_alone(name: str) -> None:
    """It needs no other unit of ours; it fails if it waited for what has died."""
    needs = [line for line in _lines(name) if line.startswith(("Requires=", "BindsTo=", "Requisite=", "PartOf="))]
    assert needs == []


def test_a_crash_loop_is_cleared_by_the_mildest_policy() -> None:
    """Nobody pressed, so what protects a position stays; it fails if a crash sold or bared anything."""
    assert any("--policy cancel " in line for line in _lines("bot4-clear.service") if line.startswith("ExecStart="))


def test_the_parked_one_is_never_given_up() -> None:
    """A stop may need it at any time; it fails if deaths in a row could leave the guardian without one."""
    lines = _lines("bot4-last-resort.service")
    assert "Restart=always" in lines
    assert "StartLimitIntervalSec=0" in lines
    assert "Sockets=bot4-last-resort.socket" in lines


def test_only_the_guardian_may_call_and_it_has_no_other_way_out() -> None:
    """The last resort has the key and the network, the guardian neither; it fails if one got back what is the
    other's, or a third may call.
    """
    guardian, parked = _lines("bot4-guardian.service"), _lines("bot4-last-resort.service")
    assert {"PrivateNetwork=yes", "RestrictAddressFamilies=AF_UNIX"} <= set(guardian)
    assert not any(line.startswith("LoadCredential") for line in guardian)
    assert "LoadCredentialEncrypted=last-resort.key" in parked
    assert {"SocketUser=bot4-guardian", "SocketMode=0600"} <= set(_lines("bot4-last-resort.socket"))
