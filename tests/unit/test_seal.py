"""The seal covers exactly one configuration, one device, one set of models, and never an older version."""

import json

import pytest

from appliance.core.errors import ConfigError, SealError
from appliance.core.seal import Accepted, KeyPair, Verdict, generate, key_line, private_key_from, sign, verify
from appliance.core.secret import Secret

CONFIG = b'[device]\nname = "box"\nversion_count = 7\n'
DEVICE = "pi-10000000abcdef"
MODELS = {"manifest.toml": "0" * 64, "lstm.onnx": "1" * 64}


@pytest.fixture(scope="module")
def keys() -> KeyPair:
    """Return a signing key."""
    return generate()


@pytest.fixture(scope="module")
def seal(keys: KeyPair) -> bytes:
    """Return the seal of the configuration above."""
    return sign(CONFIG, keys.private, DEVICE, MODELS)


def judged(
    seal_bytes: bytes,
    public: bytes,
    *,
    config: bytes = CONFIG,
    device: str = DEVICE,
    last: Accepted | None = None,
) -> Verdict:
    """Return the verdict on a seal, with one thing different."""
    return verify(config, seal_bytes, public, device, MODELS, last)


def flips(data: bytes) -> list[bytes]:
    """Return the data with each of its bits flipped in turn."""
    return [
        data[:place] + bytes([data[place] ^ 1 << bit]) + data[place + 1 :]
        for place in range(len(data))
        for bit in range(8)
    ]


def test_the_sealed_configuration_is_accepted(keys: KeyPair, seal: bytes) -> None:
    """Shows that an untouched seal is good and says which version it accepts; fails when nothing can be accepted."""
    verdict = judged(seal, keys.public)
    assert verdict.good
    assert verdict.reason == ""
    assert verdict.accepted is not None
    assert verdict.accepted.version_count == 7


def test_any_flipped_bit_of_the_configuration_is_refused(keys: KeyPair, seal: bytes) -> None:
    """Shows that the seal is of the exact bytes, comments included; fails when some bytes are not covered."""
    assert [one for one in flips(CONFIG) if judged(seal, keys.public, config=one).good] == []


def test_any_flipped_bit_of_the_seal_is_refused(keys: KeyPair, seal: bytes) -> None:
    """Shows that a seal has one spelling, white space included; fails when a changed one still decodes to the same."""
    assert [one for one in flips(seal) if judged(one, keys.public).good] == []


def test_any_flipped_bit_of_the_public_key_is_refused(keys: KeyPair, seal: bytes) -> None:
    """Shows that only the one key fits; fails when the signature is not checked."""
    assert [one for one in flips(keys.public) if judged(seal, one).good] == []
    assert [length for length in (0, 31, 33) if judged(seal, (keys.public * 2)[:length]).good] == []


def test_any_flipped_bit_of_the_device_is_refused(keys: KeyPair, seal: bytes) -> None:
    """Shows that a seal is for one device; fails when a configuration can be carried to another."""
    others = [one.decode("latin-1") for one in flips(DEVICE.encode())]
    assert [one for one in [*others, "", DEVICE + "0"] if judged(seal, keys.public, device=one).good] == []
    assert "for device" in judged(seal, keys.public, device="other").reason


@pytest.mark.parametrize(
    "models",
    [
        {},
        {"manifest.toml": "0" * 64},
        {**MODELS, "extra.onnx": "2" * 64},
        {**MODELS, "lstm.onnx": "2" * 64},
        {"manifest.toml": "1" * 64, "lstm.onnx": "0" * 64},
    ],
)
def test_other_models_are_refused(keys: KeyPair, seal: bytes, models: dict[str, str]) -> None:
    """Shows that a missing, added, changed or swapped model refuses; fails when only the names are compared."""
    verdict = verify(CONFIG, seal, keys.public, DEVICE, models, None)
    assert not verdict.good
    assert "models differ" in verdict.reason


@pytest.mark.parametrize(
    ("last", "good"),
    [
        (None, True),
        (Accepted(6, "f" * 64), True),
        (Accepted(7, "f" * 64), False),
        (Accepted(8, "f" * 64), False),
        (Accepted(2**40, "f" * 64), False),
    ],
)
def test_an_older_version_is_refused(keys: KeyPair, seal: bytes, last: Accepted | None, good: bool) -> None:
    """Shows that versions only go up, and a number is used for one file only; fails when an old file comes back."""
    assert judged(seal, keys.public, last=last).good is good


def test_the_same_file_is_accepted_at_every_start(keys: KeyPair, seal: bytes) -> None:
    """Shows that starting again is no roll-back; fails when a version is accepted only once."""
    accepted = judged(seal, keys.public).accepted
    assert judged(seal, keys.public, last=accepted).good


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("format", 2),
        ("format", True),
        ("config_version_count", 8),
        ("config_version_count", 7.0),
        ("config_bytes", 1),
        ("device", "a b"),
        ("models", []),
        ("models", {"a": 1}),
        ("signature", "00" * 64),
        ("signature", "0" * 127),
        ("signature", None),
        ("more", 1),
    ],
)
def test_a_forged_field_is_refused(keys: KeyPair, seal: bytes, field: str, value: object) -> None:
    """Shows that a seal written anew with another field is refused; fails when a field is outside the signature."""
    document = {**json.loads(seal), field: value}
    forged = json.dumps(document, sort_keys=True, separators=(",", ":")).encode() + b"\n"
    assert not judged(forged, keys.public).good


@pytest.mark.parametrize(
    "data", [b"", b"null", b"[]", b"\xff", b"[" * 60_000, b"9" * 60_000, b'{"format":1}', b" " * 100_000]
)
def test_what_is_no_seal_is_refused_without_an_error(keys: KeyPair, data: bytes) -> None:
    """Shows that noise, deep brackets and huge numbers are a verdict; fails with any error."""
    verdict = judged(data, keys.public)
    assert not verdict.good
    assert verdict.reason.startswith("the seal")


def test_a_refused_configuration_is_not_sealed(keys: KeyPair) -> None:
    """Shows that what cannot be used cannot be signed; fails when a seal is made without checking."""
    with pytest.raises(ConfigError):
        sign(b"[risk]\nheat_percent_max = 101", keys.private, DEVICE, {})
    with pytest.raises(SealError, match="device"):
        sign(CONFIG, keys.private, "a b", {})


def test_a_damaged_private_key_is_refused_without_showing_it(keys: KeyPair) -> None:
    """Shows that only the exact key line is taken and never repeated in an error; fails when part of it is printed."""
    line = key_line("private", keys.private.reveal()).strip()
    assert private_key_from(Secret(line)) == keys.private
    for text in (line[:-1], line + "0", line.upper(), line.replace("private", "public"), line.split(" ")[1]):
        with pytest.raises(SealError) as caught:
            private_key_from(Secret(text))
        assert line[-20:].lower() not in str(caught.value).lower()
