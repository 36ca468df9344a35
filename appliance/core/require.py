"""Invariants that stay on: unlike `assert`, no interpreter flag removes them."""

from typing import NoReturn

from appliance.core.errors import InvariantBroken


def require(condition: object, explanation: str) -> None:
    """Stop the process unless the condition holds."""
    if not condition:
        raise InvariantBroken(explanation)


def unreachable(explanation: str) -> NoReturn:
    """Stop the process at a place that no input may reach."""
    raise InvariantBroken(explanation)
