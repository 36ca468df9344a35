"""The cards that need a booted system: moved wires, services stopped and killed, a clock, a full card.

Each begins where the stop button is in and the box is stopped (HIL-07 left it so) or green, and leaves it green.
"""

import time
from typing import Protocol

from appliance.safety.lamps import PATTERNS, Lamp
from hil_tests.result import LOOK_S, Card, Result, Samples, stays, times, unless, within
from hil_tests.rig import Rig

GREEN_S_MAX = 30.0
STOPPED_S_MAX = 2.0
GLITCHES, GLITCH_US, GLITCH_US_MAX = 20, 500, 2_000
GLITCH_TRAINS_MAX = 5
LOST_S_MAX = 5.0
REPLACED_S_MAX = 30.0
DEATHS, DEATHS_WITHIN_S = 6, 60.0
WATCHED_S = 2.0
STEADY_S = 6.0
# Less than health.disk_free_bytes_min, and enough to write down a stop.
LITTLE_BYTES = 150_000_000
_SHOWN_IN_A_RUN = (Lamp.BOOT, Lamp.NORMAL, Lamp.EMERGENCY, Lamp.HALTED, Lamp.READY)


class Inside(Rig, Protocol):
    """Reach into a booted box."""

    power_cuts: int
    wires_seen: dict[Lamp, set[tuple[int, int, int, int]]]

    def glitch(self, count: int, length_us: int) -> list[int]:
        """Break the stop contact shortly, some times; return how many microseconds each break really took."""
        ...

    def relay_changes(self, duration_s: float) -> int:
        """Count how often the relay's wire changed within some seconds."""
        ...

    def service(self, what: str, unit: str) -> str:
        """Do to a service what its name says (hang, wake, kill, state); return what is told."""
        ...

    def set_time(self, *, there: bool) -> None:
        """Give the box a time server, or take it away."""
        ...

    def set_network(self, *, there: bool) -> None:
        """Plug the box's network in or out."""
        ...

    def fill(self, *, left_bytes: int | None) -> None:
        """Leave only so much room on the data partition, or give all of it back."""
        ...


def _green(rig: Inside, limit_s: float = GREEN_S_MAX) -> float | None:
    return within(limit_s * rig.stretch, lambda: rig.lamp() is Lamp.NORMAL)


def _started(rig: Inside) -> Result:
    rig.press("release")
    halted_s = within(STOPPED_S_MAX * rig.stretch, lambda: rig.lamp() is Lamp.HALTED)
    rig.press("reset")
    ready_s = within(STOPPED_S_MAX * rig.stretch, lambda: rig.lamp() is Lamp.READY)
    rig.press("start")
    return times(released_to_halted=halted_s, reset_to_ready=ready_s)


def _way_back(rig: Inside) -> Result:
    started = _started(rig)
    green = times(start_to_green=_green(rig))
    return unless(Result(started.wrong, {**started.measured_s, **green.measured_s}), green.wrong)


def _pressed_at_power_on(rig: Inside) -> Result:
    # A lamp is red long before the trader is there to verify the stop, and only a verified one has a way back.
    halted_s = within(GREEN_S_MAX * 2 * rig.stretch, lambda: rig.lamp() is Lamp.HALTED)
    back = _way_back(rig)
    first = times(stopped_to_verified=halted_s)
    return unless(Result(first.wrong, {**first.measured_s, **back.measured_s}), back.wrong)


def _glitches(rig: Inside) -> Result:
    # A bench that is held up breaks the contact for too long, which is a press: a train with such a break says nothing.
    longest_us: list[int] = []
    measured: Samples = {}
    for _ in range(GLITCH_TRAINS_MAX):
        took_us = rig.glitch(GLITCHES, GLITCH_US)
        measured = {"break": [one / 1e6 for one in took_us]}
        latched = not stays(1.0, lambda: rig.lamp() not in {Lamp.EMERGENCY, Lamp.HALTED})
        if max(took_us) < GLITCH_US_MAX:
            return Result("a break shorter than the glitch time latched a stop" if latched else "", measured)
        longest_us.append(max(took_us))
        if latched and (back := _way_back(rig).wrong):
            return Result(back, measured)
    reason = f"the bench broke the contact for up to {min(longest_us)} us in each of {GLITCH_TRAINS_MAX} trains"
    return Result("", measured, f"{reason}; it must stay below {GLITCH_US_MAX} us")


def _tamper(rig: Inside) -> Result:
    red_s = within(STOPPED_S_MAX * rig.stretch, lambda: rig.lamp() in {Lamp.EMERGENCY, Lamp.HALTED, Lamp.FAULT},
                   lambda: rig.press("open-case"))  # fmt: skip
    stayed = stays(1.0, lambda: not rig.permitted())
    rig.press("shut-case")
    back = _way_back(rig)
    result = Result(back.wrong, {**times(open_to_red=red_s).measured_s, **back.measured_s})
    result = unless(result, "" if red_s is not None else "an open case stopped nothing")
    return unless(result, "" if stayed else "permission while the case was open")


def _guardian_hangs(rig: Inside) -> Result:
    pulses = rig.relay_changes(WATCHED_S)
    gone_s = within(STOPPED_S_MAX * rig.stretch, lambda: not rig.permitted(), lambda: rig.service("hang", "guardian"))
    dropped = rig.relay_changes(WATCHED_S) == 0
    back_s = _green(rig, REPLACED_S_MAX)
    result = times(hang_to_no_permission=gone_s, then_to_green=back_s)
    result = unless(result, "" if pulses else "the relay had no pulse while the box was green")
    return unless(result, "" if dropped else "the relay went on being pulsed by a guardian that hangs")


def _trader_hangs(rig: Inside) -> Result:
    lost_s = within(LOST_S_MAX * rig.stretch, lambda: rig.lamp() is not Lamp.NORMAL,
                    lambda: rig.service("hang", "trader"))  # fmt: skip
    return times(hang_to_lamp=lost_s, then_to_green=_green(rig, REPLACED_S_MAX))


def _crash_loop(rig: Inside) -> Result:
    end_s = time.monotonic() + DEATHS_WITHIN_S * rig.stretch
    deaths = 0
    while deaths < DEATHS and time.monotonic() < end_s and rig.service("state", "trader") != "failed":
        deaths += rig.service("kill", "trader") == "killed"
        time.sleep(1.0)
    failed = within(LOST_S_MAX * rig.stretch, lambda: rig.service("state", "trader") == "failed")
    # The guardian calls a trader dead when its pulse is too old, wherever it was killed.
    calm_s = within(LOST_S_MAX * rig.stretch, lambda: not rig.permitted() and rig.lamp() is not Lamp.NORMAL)
    calm = stays(WATCHED_S, lambda: not rig.permitted() and rig.lamp() is not Lamp.NORMAL)
    rig.power_off()
    back_s = within(GREEN_S_MAX * 2 * rig.stretch, lambda: rig.lamp() is Lamp.NORMAL, rig.power_on)
    result = times(given_up_after=failed, then_to_no_permission=calm_s, power_to_green=back_s)
    return unless(result, "" if calm else "it may trade although the trader was given up")


def _power_cuts(rig: Inside) -> Result:
    took: list[float] = []
    for number in range(rig.power_cuts):
        rig.power_off()
        green_s = within(GREEN_S_MAX * 2 * rig.stretch, lambda: rig.lamp() is Lamp.NORMAL, rig.power_on)
        if green_s is None:
            return Result(f"not green after power cut {number + 1}", {"power_to_green": took})
        took.append(green_s)
    return Result("", {"power_to_green": took})


def _no_time_at_boot(rig: Inside) -> Result:
    rig.power_off()
    rig.set_time(there=False)
    paused_s = within(GREEN_S_MAX * 2 * rig.stretch, lambda: rig.lamp() is Lamp.PAUSED, rig.power_on)
    opened = not stays(WATCHED_S, lambda: rig.lamp() is not Lamp.NORMAL)
    rig.set_time(there=True)
    result = times(power_to_paused=paused_s, time_to_green=_green(rig))
    return unless(result, "green without a clock" if opened else "")


def _other_lamp(rig: Inside, duration_s: float) -> Lamp | None:
    """Return the first lamp but green within some seconds."""
    end_s = time.monotonic() + duration_s
    while time.monotonic() < end_s:
        if (lamp := rig.lamp()) is not Lamp.NORMAL:
            return lamp
        time.sleep(LOOK_S)
    return None


def _no_network(rig: Inside) -> Result:
    # What is asked of the box without its network, it must first have shown with it.
    if within(GREEN_S_MAX * rig.stretch, lambda: _other_lamp(rig, STEADY_S) is None) is None:
        return Result(f"never green for {STEADY_S:.0f} s while it had its network", {})
    rig.set_network(there=False)
    other = _other_lamp(rig, STEADY_S)
    gone_s = rig.press("estop")
    halted_s = within(GREEN_S_MAX * rig.stretch, lambda: rig.lamp() is Lamp.HALTED)
    rig.set_network(there=True)
    back = _way_back(rig)
    found = times(press_to_no_permission=gone_s, then_to_verified=halted_s)
    result = unless(Result(found.wrong, {**found.measured_s, **back.measured_s}), back.wrong)
    return unless(result, "" if other is None else f"without its network the box showed {other.name}")


def _little_room(rig: Inside) -> Result:
    rig.fill(left_bytes=LITTLE_BYTES)
    held_s = within(GREEN_S_MAX * rig.stretch, lambda: rig.lamp() is not Lamp.NORMAL)
    gone_s = rig.press("estop")
    halted_s = within(GREEN_S_MAX * rig.stretch, lambda: rig.lamp() is Lamp.HALTED)
    rig.fill(left_bytes=None)
    back = _way_back(rig)
    found = times(little_room_to_not_green=held_s, press_to_no_permission=gone_s, then_to_verified=halted_s)
    return unless(Result(found.wrong, {**found.measured_s, **back.measured_s}), back.wrong)


def _full(rig: Inside) -> Result:
    little = _little_room(rig)
    if little.wrong:
        return little
    # Without a byte left no journal is kept: a fault, which a person's start answers when the trader starts anew.
    rig.fill(left_bytes=0)
    held_s = within(GREEN_S_MAX * rig.stretch, lambda: rig.lamp() is not Lamp.NORMAL)
    gone_s = rig.press("estop")
    stayed = stays(WATCHED_S, lambda: not rig.permitted())
    rig.fill(left_bytes=None)
    rig.power_off()
    halted_s = within(GREEN_S_MAX * 2 * rig.stretch, lambda: rig.lamp() is Lamp.HALTED, rig.power_on)
    back = _started(rig)
    rig.power_off()
    green_s = within(GREEN_S_MAX * 2 * rig.stretch, lambda: rig.lamp() is Lamp.NORMAL, rig.power_on)
    found = times(full_to_not_green=held_s, full_press_to_no_permission=gone_s, power_to_halted=halted_s,
                  again_to_green=green_s)  # fmt: skip
    result = unless(Result(found.wrong, {**little.measured_s, **found.measured_s}), back.wrong)
    return unless(result, "" if stayed else "permission on a full partition after a press")


def _wires(rig: Inside) -> Result:
    for lamp, seen in rig.wires_seen.items():
        allowed = {tuple(map(int, PATTERNS[lamp].at(at_ms, yellow_fitted=True)))
                   for at_ms in range(0, PATTERNS[lamp].period_ms, 10)}  # fmt: skip
        if lamp is not Lamp.DARK and seen - allowed:
            return Result(f"in {lamp.name} the wires carried {sorted(seen - allowed)}, which it never shows", {})
    unseen = [lamp.name for lamp in _SHOWN_IN_A_RUN if lamp not in rig.wires_seen]
    return Result("", {}, f"never seen during this run: {', '.join(unseen)}" if unseen else "")


def _green_again(rig: Inside) -> bool:
    """Bring a box that a failed card left somewhere back to green, by what an owner can do."""
    rig.power_off()
    rig.set_time(there=True)
    rig.power_on()
    rig.fill(left_bytes=None)
    rig.press("shut-case")
    rig.press("release")
    limit_s = GREEN_S_MAX * 2 * rig.stretch
    if within(limit_s, lambda: rig.lamp() in {Lamp.NORMAL, Lamp.HALTED}) is None:
        return False
    return rig.lamp() is Lamp.NORMAL or not _way_back(rig).wrong


_WIRES, _SERVICES = frozenset({"contacts"}), frozenset({"services"})
_BUTTONS = "stop button at BCM17, reset at BCM5"

CARDS_OF_A_BOOTED_BOX = (
    Card("HIL-08", "pressed at power-on, and the way back", "a start needs release, reset and start, in this order",
         _BUTTONS, "with the button in since before power-on: release, hold reset, press reset",
         "double flash, yellow blink, green", _pressed_at_power_on, _WIRES),
    Card("HIL-09", "bounce and glitch trains", "a shock is no press", _BUTTONS,
         f"{GLITCHES} breaks of {GLITCH_US} us", "no stop is latched by a break below 2 ms", _glitches, _WIRES,
         _green_again),
    Card("HIL-10", "tamper", "an open case stops", "case switch at BCM6", "open the case, shut it, reset, start",
         "red, no permission while open, green after the start", _tamper, _WIRES, _green_again),
    Card("HIL-11", "the guardian hangs", "permission and relay end with it", "relay at BCM25",
         "stop the guardian's process while green", "no permission, no pulse, replaced and green again",
         _guardian_hangs, _WIRES | _SERVICES, _green_again),
    Card("HIL-12", "the trader hangs", "the lamp never shows trading that is not", "lamp",
         "stop the trader's process while green", "not green, then replaced and green again", _trader_hangs, _SERVICES,
         _green_again),
    Card("HIL-13", "crash loop", "it is given up, and nothing trades", "lamp", "kill the trader each time it is back",
         "given up after five deaths; no permission; green after a power cycle", _crash_loop, _SERVICES,
         _green_again),
    Card("HIL-14", "no clock at power-on", "no trading before the time is known", "network",
         "power on without a time server, then give it one", "yellow until then, green after",
         _no_time_at_boot, frozenset({"clock"}), _green_again),
    Card("HIL-15", "network loss", "a stop needs no network", "network", "take the network, press, verify",
         "stopped and verified at the venue in the box", _no_network, frozenset({"network"}), _green_again),
    Card("HIL-16", "full data partition", "no room opens nothing and stops no stop", "none",
         "leave little room, press, give it back, start; leave none, press, give it back, power, start, power",
         "not green meanwhile, a press stops, green after", _full, _SERVICES, _green_again),
    Card("HIL-17", "power cuts", "power may be cut at any moment", "power", "cut while green, power on, many times",
         "green after every one", _power_cuts, _SERVICES, _green_again),
    Card("HIL-18", "lamp in every state", "what the guardian says is what the wires carry", "lamp at BCM24, 22, 27, 23",
         "compare wires and state all through the run", "no wire is lit that the state does not show", _wires, _WIRES,
         lambda _: True),
    Card("HIL-19", "broker loss", "who looks cannot hold up who trades", "network", "take the broker away",
         "green meanwhile", None, frozenset({"broker"})),
    Card("HIL-20", "thermal report", "heat is told", "none", "heat the processor", "told in the metrics", None,
         frozenset({"sensor"})),
    Card("HIL-21", "the chip's watchdog", "a hung system is reset", "none", "stop the first process",
         "restarted within 30 s", None, frozenset({"watchdog"})),
    Card("HIL-22", "a day", "nothing grows", "none", "run for 24 hours", "green all along", None, frozenset({"day"})),
)  # fmt: skip
