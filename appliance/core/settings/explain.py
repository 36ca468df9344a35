"""Say in words, and as a file to start from, what every setting is for."""

import textwrap

from appliance.core.settings.table import SECTIONS, SETTINGS, Config, Setting

_WIDTH = 100
_HEADER = """\
# Bot4 Edge: every setting, with its default.
#
# Change a value, then run `appliance config check` on this file: it names every problem with its line.
# A setting that is left out has its default; one that is unknown or out of range stops the start.
# Live trading needs this file sealed (`appliance seal --help`); count version_count up first.
"""


def explanation(setting: Setting) -> str:
    """Return what one setting is for, what it accepts and its default."""
    return "\n".join(
        (
            setting.name,
            *textwrap.wrap(setting.explanation, _WIDTH, initial_indent="  ", subsequent_indent="  "),
            *_wrapped("  Expected: ", setting.expected),
            *_wrapped("  Default:  ", setting.kind.toml(setting.default)),
        )
    )


def _wrapped(label: str, text: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, initial_indent=label, subsequent_indent=" " * len(label), break_on_hyphens=False)


def template() -> str:
    """Return a complete configuration file in which every setting is explained and has its default."""
    return _HEADER + "".join(_section_text(section) for section in SECTIONS)


def _section_text(section: str) -> str:
    purpose = (SECTIONS[section].__doc__ or "").strip()
    settings = (_setting_text(setting) for setting in SETTINGS.values() if setting.section == section)
    return f"\n# {purpose}\n[{section}]\n" + "\n".join(settings)


def _setting_text(setting: Setting) -> str:
    comments = (*_wrapped("# ", setting.explanation), *_wrapped("# Expected: ", setting.expected))
    # Continuation lines of a comment need its mark too.
    marked = (line if line.startswith("#") else "#" + line[1:] for line in comments)
    return "\n".join((*marked, f"{setting.key} = {setting.kind.toml(setting.default)}", ""))


def in_force(config: Config) -> str:
    """Return every setting with the value in force, marking those that differ from the default."""
    lines = list[str]()
    for section in SECTIONS:
        lines.append(f"[{section}]")
        for setting in SETTINGS.values():
            if setting.section == section:
                value = getattr(getattr(config, section), setting.key)
                mark = "" if value == setting.default else f"  # default {setting.kind.toml(setting.default)}"
                lines.append(f"{setting.key} = {setting.kind.toml(value)}{mark}")
        lines.append("")
    return "\n".join(lines)
