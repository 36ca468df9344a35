"""The lamp's drawing as a style sheet, made from the very table that drives the real lamp.

Colour and rhythm are copied from nowhere: each pattern's phases become the key frames of one animation, so the page
cannot come to show another rhythm than the one on the box. A reader who asked for less motion gets the pattern's first
colour, steady, and the words beside it.
"""

from appliance.safety.lamps import PATTERNS, Colour, Lamp, Pattern

UNKNOWN = "unknown"


def lamp_code(name: str) -> str:
    """Return the page's word for a lamp's name, or "unknown" for a name the table does not have."""
    return name.lower() if name in Lamp.__members__ else UNKNOWN


def lamp_text(name: str) -> str:
    """Return what a person sees when looking at the lamp."""
    return PATTERNS[Lamp[name]].label if name in Lamp.__members__ else "not known from here: look at the box"


def style_sheet() -> str:
    """Return the rules and animations of every pattern."""
    rules = "\n".join(_rule(lamp, PATTERNS[lamp]) for lamp in Lamp)
    calm = "\n".join(f"  {_selector(lamp)} {{ animation: none; }}" for lamp in Lamp)
    return f"{rules}\n@media (prefers-reduced-motion: reduce) {{\n{calm}\n}}\n"


def _selector(lamp: Lamp) -> str:
    return f'[data-lamp="{lamp.name.lower()}"] .lamp-light'


def _rule(lamp: Lamp, pattern: Pattern) -> str:
    steady = f"{_selector(lamp)} {{ color: {_colour(pattern.phases[0].colour)};"
    if len(pattern.phases) == 1:
        return steady + " }"
    name = f"lamp-{lamp.name.lower()}"
    return f"{steady} animation: {name} {pattern.period_ms}ms step-end infinite; }}\n{_frames(name, pattern)}"


def _frames(name: str, pattern: Pattern) -> str:
    elapsed_ms = 0
    frames = []
    for phase in pattern.phases:
        frames.append(f"  {elapsed_ms * 100 / pattern.period_ms:.4g}% {{ color: {_colour(phase.colour)}; }}")
        elapsed_ms += phase.duration_ms
    return f"@keyframes {name} {{\n" + "\n".join(frames) + "\n}"


def _colour(colour: Colour) -> str:
    return "transparent" if colour is Colour.DARK else f"var(--lamp-{colour.value})"
