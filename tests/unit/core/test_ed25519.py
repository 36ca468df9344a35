"""The plain check of signatures says what OpenSSL says, in however many steps."""

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from appliance.core.ed25519 import _ORDER, _PRIME, PublicKey, is_usable

# RFC 8032, 7.1: key, message, signature.
VECTORS = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        (
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
            "d25bf5f0595bbe24655141438e7a100b"
        ),
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        (
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c"
            "387b2eaeb4302aeeb00d291612bb0c00"
        ),
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        (
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc659"
            "4a7c15e9716ed28dc027beceea1ec40a"
        ),
    ),
]


def fits(key: bytes, signature: bytes, message: bytes) -> bool | None:
    """Return our answer."""
    return PublicKey(key).begin(signature, message).step()


def openssl(key: bytes, signature: bytes, message: bytes) -> bool:
    """Return OpenSSL's answer."""
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except InvalidSignature:
        return False
    return True


@pytest.mark.parametrize(("key", "message", "signature"), VECTORS)
def test_the_standard_s_own_examples_fit(key: str, message: str, signature: str) -> None:
    """Shows the arithmetic on RFC 8032's vectors; wrong if one did not fit, or fitted another message."""
    parts = bytes.fromhex(key), bytes.fromhex(signature), bytes.fromhex(message)
    assert fits(*parts) is True
    assert fits(parts[0], parts[1], parts[2] + b"x") is False


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=300), st.integers(0, 511))
def test_it_answers_as_openssl_does(seed: bytes, message: bytes, bit: int) -> None:
    """A good signature fits and one with a flipped bit does as OpenSSL says; wrong if the two ever differed."""
    private = Ed25519PrivateKey.from_private_bytes(seed)
    key, signature = private.public_key().public_bytes_raw(), private.sign(message)
    assert fits(key, signature, message) is True
    flipped = bytearray(signature)
    flipped[bit // 8] ^= 1 << bit % 8
    assert fits(key, bytes(flipped), message) == openssl(key, bytes(flipped), message)


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=64, max_size=64))
def test_strange_keys_and_signatures_are_answered_as_openssl_does(key: bytes, signature: bytes) -> None:
    """Any bytes are refused or answered alike; wrong if one of ours fitted and theirs did not."""
    if is_usable(key):
        assert fits(key, signature, b"stop") == openssl(key, signature, b"stop")


@pytest.mark.parametrize("bits", [1, 7, 16, 253])
def test_steps_of_any_length_come_to_the_same(bits: int) -> None:
    """The answer comes after as many steps as 253 bits need, and never before; wrong if a step were left out."""
    key, message, signature = (bytes.fromhex(one) for one in VECTORS[1])
    check = PublicKey(key).begin(signature, message)
    answers = [check.step(bits) for _ in range(-(-253 // bits))]
    assert answers == [None] * (len(answers) - 1) + [True]


def test_a_second_spelling_of_a_signature_is_refused() -> None:
    """The scalar plus the order would fit the same equation; wrong if it were taken for another signature."""
    key, message, signature = (bytes.fromhex(one) for one in VECTORS[1])
    scalar = int.from_bytes(signature[32:], "little") + _ORDER
    assert fits(key, signature[:32] + scalar.to_bytes(32, "little"), message) is False
    assert fits(key, signature + b"\0", message) is False
    assert fits(key, signature[:63], message) is False


@pytest.mark.parametrize(
    "number", [1, 0, _PRIME - 1, _PRIME, _PRIME + 1, 2, (1 << 255) | 1, (1 << 256) - 1],
)  # fmt: skip
def test_a_key_that_lets_anybody_sign_is_none(number: int) -> None:
    """Points of small order, points spelled twice and no points at all are refused; wrong if one were a key."""
    assert not is_usable(number.to_bytes(32, "little"))
    assert not is_usable(b"short")
