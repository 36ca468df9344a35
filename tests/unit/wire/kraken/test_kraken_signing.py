"""Signing private requests."""

import pytest

from appliance.core.errors import WireError
from appliance.core.secret import Secret
from appliance.wire.kraken.signing import NONCE_MAX, signature, signed

# The example of the venue's own guide "Spot REST Authentication".
PRIVATE = Secret("kQH5HW/8p1uGOVjbgWA7FunAmGO8lsSUXNsu3eow76sz84Q18fWxnyRzBHCd3pd5nE9qa99HAZtuZuj6F1huXg==")
PATH = "/0/private/AddOrder"
NONCE = 1616492376594
BODY = b"nonce=1616492376594&ordertype=limit&pair=XBTUSD&price=37500&type=buy&volume=1.25"
SIGNATURE = "4/dpxb3iT4tp/ZCVEwSnEsLxx0bqyhLpdfOpc6fn7OR8+UClSV5n9E6aSS8MPtnRfp32bAb0nmbRn6H8ndwLUQ=="
FIELDS = {"ordertype": "limit", "pair": "XBTUSD", "price": "37500", "type": "buy", "volume": "1.25"}


def test_the_venues_own_example() -> None:
    """Shows the published signature reproduced, body and all; fails when any byte that is signed differs."""
    assert signature(PATH, BODY, NONCE, PRIVATE) == SIGNATURE
    request = signed(PATH, FIELDS, NONCE, "key", PRIVATE)
    assert (request.path, request.body) == (PATH, BODY)
    assert dict(request.headers)["API-Sign"] == SIGNATURE


@pytest.mark.parametrize("nonce", [0, -1, NONCE_MAX + 1])
def test_a_nonce_the_venue_cannot_hold_is_refused(nonce: int) -> None:
    """Shows both bounds; fails when a nonce would be refused by the venue and lock the key."""
    with pytest.raises(WireError, match="nonce"):
        signed(PATH, FIELDS, nonce, "key", PRIVATE)


def test_a_bad_key_is_told_without_showing_it() -> None:
    """Shows the error name the remedy and not the key, causes included; fails when the key is printed."""
    with pytest.raises(WireError) as caught:
        signature(PATH, BODY, NONCE, Secret("canary-no-base64!"))
    assert "canary" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_a_nonce_of_ones_own_is_refused() -> None:
    """Shows that fields cannot carry a second nonce; fails when two are sent."""
    with pytest.raises(WireError, match="leave it out"):
        signed(PATH, {"nonce": "1"}, NONCE, "key", PRIVATE)
