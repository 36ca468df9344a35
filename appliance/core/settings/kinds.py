"""What a setting's value may be: each kind accepts or refuses, says what it expects, and writes itself as TOML.

A kind never corrects a value: what is not accepted is refused, and the caller names the line.
"""

import ipaddress
import re
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Protocol

from appliance.core.ed25519 import is_usable

PATH_CHARACTERS_MAX = 80
_FOUND_CHARACTERS_MAX = 60
_FOUND_BITS_MAX = 128


class Kind(Protocol):
    """Describe the values that one setting may have."""

    def accepts(self, found: object) -> bool:
        """Tell whether a parsed TOML value may be used."""
        ...

    def convert(self, found: object) -> object:
        """Return an accepted value as the program uses it."""
        ...

    def expected(self, unit: str) -> str:
        """Say what is accepted, in words that follow `expected`."""
        ...

    def toml(self, value: object) -> str:
        """Write a value as TOML."""
        ...


def quoted(text: str) -> str:
    """Return a text as a TOML string."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def shown(found: object) -> str:
    """Return what was found in a form short and plain enough for one line of a terminal."""
    if isinstance(found, bool):
        return "true" if found else "false"
    if isinstance(found, int) and found.bit_length() > _FOUND_BITS_MAX:
        # Python refuses to write very long numbers, so they are described.
        return f"a whole number of {found.bit_length()} bits"
    if isinstance(found, list):
        return f"a list of {len(found)}" if len(found) != 1 else f"a list of one, {shown(found[0])}"
    if isinstance(found, dict):
        return "a table"
    text = repr(found) if isinstance(found, str) else str(found)
    return text if len(text) <= _FOUND_CHARACTERS_MAX else text[:_FOUND_CHARACTERS_MAX] + "..."


def _in_unit(unit: str) -> str:
    return f", in {unit}" if unit else ""


@dataclass(frozen=True, slots=True)
class Whole:
    """Accept whole numbers in a range."""

    minimum: int
    maximum: int

    def accepts(self, found: object) -> bool:
        """Tell whether this is a whole number in the range."""
        # TOML's true would otherwise pass for 1.
        return isinstance(found, int) and not isinstance(found, bool) and self.minimum <= found <= self.maximum

    def convert(self, found: object) -> object:
        """Return the number."""
        return found

    def expected(self, unit: str) -> str:
        """Say the range."""
        return f"a whole number from {self.minimum} to {self.maximum}{_in_unit(unit)}"

    def toml(self, value: object) -> str:
        """Write the number."""
        return str(value)


@dataclass(frozen=True, slots=True)
class Exact:
    """Accept decimal numbers in a range, with no more places than the program keeps."""

    minimum: Decimal
    maximum: Decimal
    places: int

    def accepts(self, found: object) -> bool:
        """Tell whether this is a finite number in the range that needs no rounding."""
        if isinstance(found, bool) or not isinstance(found, int | Decimal):
            return False
        if isinstance(found, Decimal) and not (found.is_finite() and self._fits(found)):
            return False
        return self.minimum <= found <= self.maximum

    def _fits(self, number: Decimal) -> bool:
        exponent = number.as_tuple().exponent
        return isinstance(exponent, int) and exponent >= -self.places

    def convert(self, found: object) -> object:
        """Return the number as a Decimal."""
        return Decimal(str(found))

    def expected(self, unit: str) -> str:
        """Say the range and the places."""
        bounds = f"from {self.minimum:f} to {self.maximum:f}{_in_unit(unit)}"
        return f"a number {bounds}, with at most {self.places} decimal places"

    def toml(self, value: object) -> str:
        """Write the number without an exponent."""
        return f"{value:f}"


@dataclass(frozen=True, slots=True)
class Switch:
    """Accept true and false."""

    def accepts(self, found: object) -> bool:
        """Tell whether this is true or false."""
        return isinstance(found, bool)

    def convert(self, found: object) -> object:
        """Return the truth value."""
        return found

    def expected(self, unit: str) -> str:  # noqa: ARG002 - part of the contract, a switch has no unit
        """Say the two values."""
        return "true or false"

    def toml(self, value: object) -> str:
        """Write true or false."""
        return "true" if value else "false"


@dataclass(frozen=True, slots=True)
class Choice:
    """Accept one of a few words or numbers."""

    allowed: tuple[str, ...] | tuple[int, ...]

    def accepts(self, found: object) -> bool:
        """Tell whether this is one of the allowed values."""
        return isinstance(found, str | int) and not isinstance(found, bool) and found in self.allowed

    def convert(self, found: object) -> object:
        """Return the value."""
        return found

    def expected(self, unit: str) -> str:
        """List the allowed values."""
        return f"one of {', '.join(self.toml(value) for value in self.allowed)}{_in_unit(unit)}"

    def toml(self, value: object) -> str:
        """Write the word or number."""
        return quoted(value) if isinstance(value, str) else str(value)


@dataclass(frozen=True, slots=True)
class Text:
    """Accept a text of a given form."""

    form: str
    description: str

    def accepts(self, found: object) -> bool:
        """Tell whether the whole text has the form."""
        return isinstance(found, str) and re.fullmatch(self.form, found) is not None

    def convert(self, found: object) -> object:
        """Return the text."""
        return found

    def expected(self, unit: str) -> str:
        """Describe the form."""
        return f"{self.description}{_in_unit(unit)}"

    def toml(self, value: object) -> str:
        """Write the text in quotes."""
        return quoted(str(value))


@dataclass(frozen=True, slots=True)
class VerifyingKey:
    """Accept an Ed25519 public key."""

    def accepts(self, found: object) -> bool:
        """Tell whether this is a key that signatures can be checked with."""
        written = isinstance(found, str) and re.fullmatch("[0-9a-f]{64}", found) is not None
        return written and is_usable(bytes.fromhex(str(found)))

    def convert(self, found: object) -> object:
        """Return the key as it is written."""
        return found

    def expected(self, unit: str) -> str:  # noqa: ARG002 - part of the contract, a key has no unit
        """Say where one comes from."""
        return "the 64 letters that `appliance remote-stop keygen` printed"

    def toml(self, value: object) -> str:
        """Write the key in quotes."""
        return quoted(str(value))


@dataclass(frozen=True, slots=True)
class Address:
    """Accept a numeric IP address."""

    def accepts(self, found: object) -> bool:
        """Tell whether this is an IPv4 or IPv6 address in its usual writing."""
        if not isinstance(found, str) or "%" in found:
            return False
        try:
            return str(ipaddress.ip_address(found)) == found
        except ValueError:
            return False

    def convert(self, found: object) -> object:
        """Return the address."""
        return found

    def expected(self, unit: str) -> str:  # noqa: ARG002 - part of the contract, an address has no unit
        """Say what an address looks like."""
        return 'a numeric IP address such as "127.0.0.1" (this box only) or "0.0.0.0" (every network)'

    def toml(self, value: object) -> str:
        """Write the address in quotes."""
        return quoted(str(value))


@dataclass(frozen=True, slots=True)
class Folder:
    """Accept an absolute path in plain characters."""

    def accepts(self, found: object) -> bool:
        """Tell whether this is an absolute path without `..` and short enough for a socket inside it."""
        return (
            isinstance(found, str)
            and len(found) <= PATH_CHARACTERS_MAX
            and re.fullmatch(r"(/[A-Za-z0-9_.-]+)+", found) is not None
            and not {".", ".."} & set(found.split("/"))
        )

    def convert(self, found: object) -> object:
        """Return the path."""
        return Path(str(found))

    def expected(self, unit: str) -> str:  # noqa: ARG002 - part of the contract, a path has no unit
        """Say what a path looks like."""
        return f"an absolute path of at most {PATH_CHARACTERS_MAX} characters (letters, digits, - _ . /) without .."

    def toml(self, value: object) -> str:
        """Write the path in quotes."""
        return quoted(str(value))


@dataclass(frozen=True, slots=True)
class Several:
    """Accept a list of different values of one kind."""

    element: Kind
    count_max: int

    def accepts(self, found: object) -> bool:
        """Tell whether the list is of a permitted length and each element is accepted and different."""
        if not isinstance(found, list) or not 1 <= len(found) <= self.count_max:
            return False
        return all(self.element.accepts(one) for one in found) and len(set(found)) == len(found)

    def convert(self, found: object) -> object:
        """Return the elements as a tuple."""
        return tuple(self.element.convert(one) for one in found) if isinstance(found, list) else ()

    def expected(self, unit: str) -> str:
        """Say how many of what."""
        return f"a list of 1 to {self.count_max} different values, each {self.element.expected(unit)}"

    def toml(self, value: object) -> str:
        """Write the list on one line."""
        elements = value if isinstance(value, tuple) else ()
        return "[" + ", ".join(self.element.toml(one) for one in elements) + "]"


@dataclass(frozen=True, slots=True)
class OrNothing:
    """Accept what another kind of text accepts, or an empty text that means: none."""

    kind: Kind

    def accepts(self, found: object) -> bool:
        """Tell whether this is empty, or a value of the other kind."""
        return found == "" or self.kind.accepts(found)

    def convert(self, found: object) -> object:
        """Return the value, or nothing."""
        return None if found == "" else self.kind.convert(found)

    def expected(self, unit: str) -> str:
        """Say what the other kind accepts, and that it may be empty."""
        return f'{self.kind.expected(unit)}; or "" for none'

    def toml(self, value: object) -> str:
        """Write the value, or an empty text."""
        return quoted("") if value is None else self.kind.toml(value)
