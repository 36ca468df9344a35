"""The few SVG elements a chart needs, and its colours, light and dark. Text is escaped here and nowhere else."""

from collections.abc import Iterable
from html import escape
from typing import Final

LIGHT: Final = {
    "ground": "#ffffff",
    "ink": "#1f2933",
    "faint": "#7b8794",
    "grid": "#e8ecf0",
    "rise": "#0f8b8d",
    "fall": "#d1495b",
    "shape": "#5a4fcf",
    "level": "#b7791f",
    "line0": "#2b6cb0",
    "line1": "#c05621",
    "line2": "#6b46c1",
    "line3": "#2f855a",
}
DARK: Final = {
    "ground": "#11161d",
    "ink": "#e6edf3",
    "faint": "#8b98a5",
    "grid": "#222b36",
    "rise": "#2ec4b6",
    "fall": "#ff6b7a",
    "shape": "#a99cff",
    "level": "#e0b050",
    "line0": "#63b3ed",
    "line1": "#f6ad55",
    "line2": "#b794f4",
    "line3": "#68d391",
}
THEMES: Final = ("auto", "light", "dark")
LETTER_WIDTH: Final = 0.56


def style(theme: str) -> str:
    """Return the style sheet: one set of colours, or the reader's choice of two."""
    first = _colours(DARK if theme == "dark" else LIGHT)
    second = f"@media (prefers-color-scheme: dark) {{ {_colours(DARK)} }}" if theme == "auto" else ""
    return f"<style>{first} {second} text {{ font-family: system-ui, sans-serif; }}</style>"


def _colours(colours: dict[str, str]) -> str:
    return "svg { " + " ".join(f"--{name}: {value};" for name, value in colours.items()) + " }"


def element(name: str, body: str = "", /, **attributes: object) -> str:
    """Return one element; an underscore in an attribute's name stands for a hyphen."""
    words = "".join(f' {key.replace("_", "-")}="{escape(_shown(value))}"' for key, value in attributes.items())
    return f"<{name}{words}>{body}</{name}>" if body else f"<{name}{words}/>"


def text(words: str, x: float, y: float, size: float = 12, colour: str = "ink", /, **attributes: object) -> str:
    """Return a line of text."""
    return element("text", escape(words), x=x, y=y, font_size=size, fill=f"var(--{colour})", **attributes)


def path(points: Iterable[tuple[float, float]], **attributes: object) -> str:
    """Return an open line through points."""
    steps = " ".join(f"{'L' if number else 'M'}{x:.1f} {y:.1f}" for number, (x, y) in enumerate(points))
    return element("path", d=steps, **attributes)


def width_of(words: str, size: float) -> float:
    """Return about how wide a text is."""
    return len(words) * size * LETTER_WIDTH


def _shown(value: object) -> str:
    return f"{value:.1f}" if isinstance(value, float) else str(value)
