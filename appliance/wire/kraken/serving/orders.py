"""What is asked of the venue about orders, the same whether it came as a WebSocket request or as a REST form.

Amounts stay text here: whether a price fits an instrument's grid is for who knows the instrument.
"""

import re
from typing import Final

import msgspec

CLIENT_ID_MAX: Final = 18
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-fA-F]{32}")


class CloseAsked(msgspec.Struct, frozen=True, kw_only=True):
    """Ask for an order that takes the other side of what the first one fills."""

    order_type: str
    limit_price: bytes = b""
    trigger_price: bytes = b""


class NewOrder(msgspec.Struct, frozen=True, kw_only=True):
    """Ask for an order; what is empty was not asked for."""

    symbol: str
    side: str
    order_type: str
    quantity: bytes
    limit_price: bytes = b""
    trigger_price: bytes = b""
    in_force: str = "gtc"
    expires: str = ""
    post_only: bool = False
    reduce_only: bool = False
    self_trade: str = "cancel_newest"
    client_id: str = ""
    reference: int = 0
    validate: bool = False
    close: CloseAsked | None = None


class Amendment(msgspec.Struct, frozen=True, kw_only=True):
    """Ask for other terms of an open order."""

    order_id: str = ""
    client_id: str = ""
    quantity: bytes = b""
    limit_price: bytes = b""
    trigger_price: bytes = b""
    post_only: bool | None = None


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """Name orders by the venue's ids, ours, or the number we gave a group."""

    order_ids: tuple[str, ...] = ()
    client_ids: tuple[str, ...] = ()
    references: tuple[int, ...] = ()

    def count(self) -> int:
        """Return how many names these are."""
        return len(self.order_ids) + len(self.client_ids) + len(self.references)


def good_client_id(text: str) -> bool:
    """Tell whether a text is a UUID, with or without dashes, or short plain text."""
    return bool(_UUID.fullmatch(text)) or (0 < len(text) <= CLIENT_ID_MAX and text.isascii() and text.isprintable())
