"""Whatever bytes a file holds, reading it gives a configuration or one clear refusal."""

from hypothesis import example, given, settings
from hypothesis import strategies as st

from appliance.core.config import loads, parse
from appliance.core.errors import ConfigError
from appliance.core.settings.explain import template
from appliance.core.settings.scanner import scan
from appliance.core.settings.table import SECTIONS, SETTINGS, Config

TEMPLATE = template().encode()
PIECES = st.sampled_from(
    [
        *(f"[{section}]" for section in SECTIONS),
        *(setting.key for setting in SETTINGS.values()),
        *("=", "\n", "\r\n", " ", "#", '"', "'", '"""', "'''", "[", "]", "{", "}", ",", ".", "\\", "[[", "]]"),
        *("1", "true", "nan", "-1", "1.5", "1e9", '"a"', "'a'", "é", "\u2028", "1979-05-27", "0x1f", "\t", "\x7f"),
    ]
)


def outcome(data: bytes) -> Config | None:
    """Return the configuration, or nothing when it was refused by name; any other error reaches the test."""
    refusal = "f:"
    try:
        return parse(data, "f")
    except ConfigError as problem:
        refusal = str(problem)
    assert refusal.startswith("f:")
    return None


@given(st.binary(max_size=400))
def test_random_bytes_never_break_the_reader(data: bytes) -> None:
    """Shows that noise is refused by name; fails with any error that is not a refusal."""
    outcome(data)


@settings(max_examples=1_000)
@given(st.lists(PIECES, max_size=40).map("".join))
@example('[device]\nname = """a""""" # x\nx = 1')
@example("risk = 1\n[risk.a]\n")
@example("[a.b]\n[a]\nb.c=1")
def test_pieces_of_toml_never_break_the_reader(text: str) -> None:
    """Shows that text close to TOML is read or refused; fails where parser and scanner disagree about it."""
    outcome(text.encode())


@settings(max_examples=300)
@given(st.integers(0, len(TEMPLATE) * 8 - 1))
def test_a_flipped_bit_is_refused_or_harmless(bit: int) -> None:
    """Shows that no single flipped bit breaks the reader, and any accepted result is one that can be written again;
    fails with an error that is not a refusal.
    """
    data = bytearray(TEMPLATE)
    data[bit // 8] ^= 1 << bit % 8
    config = outcome(bytes(data))
    if config is not None:
        assert config.fingerprint != loads(template()).fingerprint


NAMES = st.from_regex(r"[a-z_]{1,12}", fullmatch=True)
FILLERS = st.sampled_from(
    [
        "# a [comment] = 'with' \"everything\"\n",
        "\n",
        "\r\n",
        'filler{n} = """\n[risk]\nx = 1\n"""\n',
        "filler{n} = '''\n# not a comment\n'''\n",
        'filler{n} = [ # ]\n  "]",\n  [1, 2],\n]\n',
        "filler{n} = '\"' # '\n",
        'filler{n} = "\\"" # "\n',
        "filler{n} = 1979-05-27 07:32:00\n",
    ]
)


@settings(max_examples=300)
@given(st.lists(st.tuples(st.lists(FILLERS, max_size=4), NAMES), max_size=8, unique_by=lambda pair: pair[1]))
def test_every_key_is_found_on_its_line(parts: list[tuple[list[str], str]]) -> None:
    """Shows that the scanner's lines are those an editor shows, whatever stands between; fails when one shifts."""
    text, expected, number = "[here]\n", list[tuple[str, int]](), 0
    for fillers, name in parts:
        for filler in fillers:
            number += 1
            text += filler.format(n=number)
        expected.append((f"key-{name}", text.count("\n") + 1))
        text += f"key-{name} = {number}\n"
    outcome(text.encode())
    scanned = scan(text)
    assert scanned.problems == ()
    assert [(one.key, one.line) for one in scanned.entries if one.key.startswith("key-")] == expected
