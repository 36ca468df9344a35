"""Loading for trading: verified, then parsed, then remembered, so that an older file never comes back."""

import hashlib
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.core import seal
from appliance.core.errors import ConfigError, SealError
from appliance.core.model_hashes import model_hashes
from appliance.core.seal import Accepted, KeyPair, Statement, generate, key_line, sign
from appliance.core.sealed import Sealing, last_accepted, load_for_trading, remember
from tests.live_settings import LIVE

DEVICE = "pi-1"


class Box:
    """Lay out an appliance's files in a folder."""

    def __init__(self, folder: Path) -> None:
        self.keys: KeyPair = generate()
        self.config = folder / "appliance.toml"
        self.state = folder / "state"
        self.state.mkdir()
        self.sealing = Sealing(folder / "seal", folder / "public.key", DEVICE, {}, self.state)
        self.sealing.public_key.write_text(key_line("public", self.keys.public.hex()))

    def install(self, text: str) -> None:
        """Write a configuration and its seal."""
        self.config.write_text(text)
        self.sealing.seal.write_bytes(sign(text.encode(), self.keys.private, DEVICE, {}))


@pytest.fixture
def box(tmp_path: Path) -> Box:
    """Return an appliance without a configuration yet."""
    return Box(tmp_path)


def version(number: int, more: str = "") -> str:
    """Return a live configuration of a version."""
    return f"[device]\nversion_count = {number}\n{LIVE}\n{more}"


def test_versions_go_up_and_never_down(box: Box) -> None:
    """Shows that a properly sealed older file is refused after a newer one ran; fails when nothing is remembered."""
    for number in (3, 3, 5):
        box.install(version(number))
        assert load_for_trading(box.config, box.sealing).device.version_count == number
    box.install(version(4))
    with pytest.raises(SealError, match="older than 5"):
        load_for_trading(box.config, box.sealing)
    box.install(version(5, "# other bytes"))
    with pytest.raises(SealError, match="other contents"):
        load_for_trading(box.config, box.sealing)


def test_live_trading_needs_a_seal(box: Box) -> None:
    """Shows that without a seal only paper trades; fails when a live file is loaded unverified."""
    box.config.write_text(version(1))
    with pytest.raises(SealError, match="without a seal"):
        load_for_trading(box.config, None)
    box.config.write_text("")
    assert load_for_trading(box.config, None).trading.mode == "paper"


def test_taking_the_seal_away_is_refused_even_for_paper(box: Box) -> None:
    """Shows that where a key is installed an unsealed file is refused; fails when it turns the box into a paper one."""
    box.config.write_text("")
    with pytest.raises(SealError, match="cannot be read"):
        load_for_trading(box.config, box.sealing)


def test_nothing_is_parsed_before_it_is_verified(box: Box) -> None:
    """Shows that changed bytes are refused for their seal although they are no TOML; fails when the parser is first."""
    box.install(version(1))
    box.config.write_bytes(b"[[[ \xff \0")
    with pytest.raises(SealError):
        load_for_trading(box.config, box.sealing)


def test_a_refused_file_is_not_remembered(box: Box) -> None:
    """Shows that only what was accepted counts; fails when a forged version locks the owner's own file out."""
    box.install(version(9))
    box.config.write_text(version(9, "# changed"))
    with pytest.raises(SealError):
        load_for_trading(box.config, box.sealing)
    assert last_accepted(box.state) is None


TWICE = b'{"config_sha256": "%s", "version_count": 3, "version_count": 1}\n' % (b"a" * 64)


@pytest.mark.parametrize(
    "data",
    [b"", b"{}", b"null", b"\xff", b"[" * 1_000, b"x" * 5_000, b'{"config_sha256": "", "version_count": 1}\n', TWICE],
)
def test_a_damaged_memory_is_refused_not_forgotten(box: Box, data: bytes) -> None:
    """Shows that a damaged record of the last version stops; fails when it counts as a first start."""
    remember(box.state, Accepted(3, "a" * 64))
    (record,) = box.state.iterdir()
    record.write_bytes(data)
    with pytest.raises(SealError, match="damaged"):
        last_accepted(box.state)


def test_any_flipped_bit_of_the_memory_is_seen_or_changes_only_its_own_number(box: Box) -> None:
    """Shows that a flipped bit is refused or another version, never an absent one; fails when it reads as none."""
    remember(box.state, Accepted(3, "a" * 64))
    (record,) = box.state.iterdir()
    good = record.read_bytes()
    for place in range(len(good)):
        record.write_bytes(good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :])
        try:
            found = last_accepted(box.state)
        except SealError:
            continue
        assert found is not None
        assert found != Accepted(3, "a" * 64)


def test_memory_that_cannot_be_kept_stops(box: Box) -> None:
    """Shows that an unwritable state folder refuses to trade; fails when the version is lost without a word."""
    box.install(version(1))
    box.state.rmdir()
    with pytest.raises(SealError, match="cannot be written"):
        load_for_trading(box.config, box.sealing)


@pytest.mark.parametrize("change", [b"\n", b" ", b"x"])
def test_a_public_key_file_has_one_spelling(box: Box, change: bytes) -> None:
    """Shows that anything added to the key file refuses; fails when the key is searched for in a text."""
    box.install(version(1))
    box.sealing.public_key.write_bytes(box.sealing.public_key.read_bytes() + change)
    with pytest.raises(SealError, match="damaged"):
        load_for_trading(box.config, box.sealing)


@pytest.mark.parametrize(
    ("data", "error", "words"),
    [
        (b"[risk]\nheat_percent_max = 101\n", ConfigError, "found 101"),
        (b"[device]\nversion_count = 2\n", SealError, "says version 2, its seal 1"),
    ],
)
def test_a_true_signature_does_not_replace_checking(box: Box, data: bytes, error: type[Exception], words: str) -> None:
    """Shows that bytes signed by other means are still checked, and their version compared; fails when the owner's
    signature lets a wrong value or another version through.
    """
    statement = Statement(DEVICE, 1, hashlib.sha256(data).hexdigest(), len(data), {})
    private = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(box.keys.private.reveal()))
    signature = private.sign(seal._DOMAIN + seal._canonical(statement.fields())).hex()
    box.config.write_bytes(data)
    box.sealing.seal.write_bytes(seal._encoded(statement, signature))
    with pytest.raises(error, match=words):
        load_for_trading(box.config, box.sealing)
    assert last_accepted(box.state) is None


def manifest(folder: Path, *models: tuple[str, str]) -> Path:
    """Write a manifest naming these files and hashes."""
    path = folder / "manifest.toml"
    path.write_text("".join(f'[[model]]\nfile = "{file}"\nsha256 = "{promised}"\n' for file, promised in models))
    return path


EMPTY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_model_hashes_are_of_the_files_themselves(tmp_path: Path) -> None:
    """Shows that hashes come from the files and cover the manifest; fails when the manifest's word is taken."""
    (tmp_path / "a.onnx").touch()
    path = manifest(tmp_path, ("a.onnx", EMPTY_SHA256))
    hashes = model_hashes(path)
    assert hashes["a.onnx"] == EMPTY_SHA256
    assert hashes.keys() == {"manifest.toml", "a.onnx"}
    (tmp_path / "a.onnx").write_bytes(b"changed")
    with pytest.raises(SealError, match="is not the file"):
        model_hashes(path)


@pytest.mark.parametrize("file", ["../a.onnx", "/etc/passwd", "", ".hidden", "absent.onnx", "a/b"])
def test_a_manifest_names_only_files_beside_it(tmp_path: Path, file: str) -> None:
    """Shows that a manifest cannot reach out of its folder or name nothing; fails when its paths are followed."""
    folder = tmp_path / "models"
    (folder / "a").mkdir(parents=True)
    for reached in (tmp_path / "a.onnx", folder / ".hidden", folder / "a" / "b"):
        reached.touch()
    with pytest.raises(SealError):
        model_hashes(manifest(folder, (file, EMPTY_SHA256)))


@pytest.mark.parametrize("text", ["model = 1", "model = [1]", "[model]\na = 1", "= ", "a = " + "[" * 10_000, "\0"])
def test_a_manifest_that_is_something_else_is_refused(tmp_path: Path, text: str) -> None:
    """Shows that a broken manifest is a clear refusal; fails with any other error."""
    path = tmp_path / "manifest.toml"
    path.write_text(text)
    with pytest.raises(SealError):
        model_hashes(path)
