"""The cards. Each says why, what to do, and what counts as passed; each measures what it can."""

from appliance.safety.lamps import Lamp
from hil_tests.inside import CARDS_OF_A_BOOTED_BOX
from hil_tests.result import Card, Result, stays, times, unless, within
from hil_tests.rig import Rig

BOOT_S_MAX = 60.0
PERMISSION_GONE_S_MAX = 0.5
VERIFIED_S_MAX = 5.0
RECORD_S = 0.2
_RED = frozenset({Lamp.EMERGENCY, Lamp.HALTED})


def _cold_boot(rig: Rig) -> Result:
    return times(power_to_green=within(BOOT_S_MAX * rig.stretch, lambda: rig.lamp() is Lamp.NORMAL, rig.power_on))


def _press(rig: Rig) -> Result:
    seen: list[float | None] = []
    gone_s = within(
        PERMISSION_GONE_S_MAX * rig.stretch, lambda: not rig.permitted(), lambda: seen.append(rig.press("estop"))
    )
    # Where the rig measures beside the box, that counts and not how long the bench took to ask.
    gone_s = seen[0] if seen[0] is not None else gone_s
    if gone_s is not None and gone_s > PERMISSION_GONE_S_MAX:
        gone_s = None
    halted_s = within(VERIFIED_S_MAX * rig.stretch, lambda: rig.lamp() is Lamp.HALTED)
    result = times(press_to_no_permission=gone_s, then_to_verified=halted_s)
    open_orders = rig.open_orders()
    return unless(result, f"the venue has {open_orders} orders open" if open_orders else "")


def _release(rig: Rig) -> Result:
    rig.press("release")
    stayed = stays(2.0, lambda: not rig.permitted() and rig.lamp() is Lamp.HALTED)
    return Result("" if stayed else "letting the button out ended the stop", {})


def _power_cycle(rig: Rig) -> Result:
    rig.power_off()
    result = times(power_to_halted=within(BOOT_S_MAX * rig.stretch, lambda: rig.lamp() is Lamp.HALTED, rig.power_on))
    stayed = stays(2.0, lambda: not rig.permitted())
    return unless(result, "" if stayed else "the stop did not survive the power cut")


def _reset_arms_nothing(rig: Rig) -> Result:
    rig.press("reset")
    ready_s = within(2.0 * rig.stretch, lambda: rig.lamp() is Lamp.READY)
    stayed = stays(2.0, lambda: not rig.permitted())
    return unless(times(reset_to_ready=ready_s), "" if stayed else "the reset alone gave permission")


def _start(rig: Rig) -> Result:
    green_s = within(VERIFIED_S_MAX * rig.stretch, lambda: rig.lamp() is Lamp.NORMAL, lambda: rig.press("start"))
    return times(start_to_green=green_s)


def _cut_while_stopping(rig: Rig) -> Result:
    red_s = within(PERMISSION_GONE_S_MAX * rig.stretch, lambda: rig.lamp() in _RED, lambda: rig.press("estop"))
    # The lamp does not wait for the card to have the record; a button that stays in covers what lies between.
    stays(RECORD_S, lambda: True)
    rig.power_off()
    again_s = within(BOOT_S_MAX * rig.stretch, lambda: rig.lamp() in _RED, rig.power_on)
    stayed = stays(3.0, lambda: not rig.permitted())
    result = times(press_to_red=red_s, power_to_red=again_s)
    return unless(result, "" if stayed else "it traded after a boot under a stop")


_BUTTON = "stop button, normally closed, between 3V3 and BCM17"
_RESET = "reset button at BCM5"

# In this order: each leaves the box where the next one begins.
CARDS = (
    Card(
        "HIL-01",
        "cold boot to green",
        "it starts by itself",
        "power, lamp",
        "power on",
        "green within 60 s",
        _cold_boot,
    ),
    Card(
        "HIL-02",
        "press to venue-confirmed zero",
        "a press stops",
        _BUTTON,
        "press while green",
        "no permission within 0.5 s, double flash within 5 s, no order open at the venue",
        _press,
    ),
    Card("HIL-03", "release keeps the stop", "letting go is no reset", _BUTTON, "release", "stays for 2 s", _release),
    Card(
        "HIL-04",
        "power cycle while halted",
        "the stop is durable",
        "power",
        "cut the power, power on",
        "double flash within 60 s, no permission",
        _power_cycle,
    ),
    Card(
        "HIL-05",
        "reset arms nothing",
        "a reset is not a start",
        _RESET,
        "hold reset for 3 s",
        "yellow slow blink within 2 s, no permission for 2 s",
        _reset_arms_nothing,
    ),
    Card("HIL-06", "start", "a separate press starts", _RESET, "press reset shortly", "green within 5 s", _start),
    Card(
        "HIL-07",
        "power cut while stopping",
        "a boot never clears a stop",
        f"{_BUTTON}; power",
        "press, cut the power 0.2 s after the lamp turned red, power on",
        "red within 60 s, no permission for 3 s",
        _cut_while_stopping,
    ),
    *CARDS_OF_A_BOOTED_BOX,
)
