"""The fleet as lines of a terminal: what is wrong comes first, and colour never stands alone."""

from collections.abc import Iterable

from appliance.reporting.monitor.fleet import Appliance, Fleet

_SIGNS = {
    "NORMAL": ("●", "32"),
    "REDUCED": ("◐", "33"),
    "PAUSED": ("◌", "33"),
    "READY": ("○", "33"),
    "BOOT": ("…", "34"),
    "TEST": ("…", "34"),
    "EMERGENCY": ("!", "31"),
    "HALTED": ("■", "31"),
    "FAULT": ("✖", "35"),
}
_BARS = "▁▂▃▄▅▆▇█"
_COURSE_POINTS = 24
_DETAILS_MAX = 3
_HEADER = f"{'':2}{'appliance':<20} {'mode':<11} {'equity':>14} {'drawdown':>9} {'heard':>8}  last event"


def lines(fleet: Fleet, now_ns: int, quiet_after_s: float, width: int, *, colour: bool) -> list[str]:
    """Return the whole screen."""
    ranked = sorted(fleet.appliances.values(), key=lambda one: (not one.alarms(now_ns, quiet_after_s), one.device))
    shown = [_HEADER[:width]]
    for one in ranked:
        alarms = one.alarms(now_ns, quiet_after_s)
        shown.append(_row(one, now_ns, width, colour=colour))
        shown += [f"    ! {alarm}"[:width] for alarm in alarms]
        if len(ranked) <= _DETAILS_MAX:
            shown += [line[:width] for line in _details(one)]
    if not ranked:
        shown.append("nothing heard yet")
    alarmed = sum(1 for one in ranked if one.alarms(now_ns, quiet_after_s))
    shown.append(f"appliances: {len(ranked)}, with alarms: {alarmed}, messages ignored: {fleet.ignored}")
    return shown


def _row(one: Appliance, now_ns: int, width: int, *, colour: bool) -> str:
    state = one.state
    lamp = state.lamp if state is not None and state.lamp is not None else ""
    sign, code = _SIGNS.get(lamp, ("?", "37"))
    equity = f"{state.equity:,.2f}" if state is not None and state.equity is not None else "–"
    fall = f"{state.drawdown_percent:.2f} %" if state is not None and state.drawdown_percent is not None else "–"
    mode = (state.mode if state is not None else None) or "–"
    heard = "–" if one.heard_ns is None else f"{one.silent_s(now_ns):.0f} s"
    last = one.entries[-1].title if one.entries else ""
    text = f"{sign} {one.device:<20} {mode:<11} {equity:>14} {fall:>9} {heard:>8}  {last}"[:width]
    return f"\x1b[{code}m{text}\x1b[0m" if colour else text


def _details(one: Appliance) -> Iterable[str]:
    if one.points:
        yield f"    equity {course([equity for _, equity in one.points])}"
    for chain, head in one.heads.items():
        yield f"    {chain}: head {head.sequence} {head.digest[:12]}"
    for entry in list(one.entries)[-_DETAILS_MAX:]:
        yield f"    {entry.sequence:>8} {entry.kind:<10} {entry.title}"


def course(values: list[float]) -> str:
    """Return the last values as a row of bars."""
    last = values[-_COURSE_POINTS:]
    low, high = min(last), max(last)
    span = high - low or 1.0
    return "".join(_BARS[int((value - low) / span * (len(_BARS) - 1))] for value in last)
