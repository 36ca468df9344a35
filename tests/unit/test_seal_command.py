"""`appliance seal` and `appliance config check --seal` as an owner uses them."""

import stat
from pathlib import Path

import pytest

from appliance.__main__ import main


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """Return a folder with a key pair, a configuration and its seal."""
    (tmp_path / "appliance.toml").write_text("[device]\nversion_count = 2\n")
    (tmp_path / "state").mkdir()
    assert main(["seal", "keygen", "--out", str(tmp_path / "keys")]) == 0
    assert main(seal_words(tmp_path)) == 0
    capsys.readouterr()
    return tmp_path


def seal_words(desk: Path) -> list[str]:
    """Return the words that seal the configuration."""
    key, out = desk / "keys" / "seal-private.key", desk / "appliance.toml.seal"
    return ["seal", str(desk / "appliance.toml"), "--key", str(key), "--device", "pi-1", "--out", str(out)]


def check_words(desk: Path, device: str = "pi-1") -> list[str]:
    """Return the words that verify the configuration."""
    where = {"--seal": desk / "appliance.toml.seal", "--public-key": desk / "keys" / "seal-public.key"}
    options = [str(word) for pair in where.items() for word in pair]
    return [
        "config",
        "check",
        str(desk / "appliance.toml"),
        *options,
        "--device",
        device,
        "--state",
        str(desk / "state"),
    ]


def test_sealed_and_checked(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Shows the whole way from key to verdict, and that checking remembers nothing; fails when a step does not fit."""
    assert main(check_words(desk)) == 0
    assert "good and sealed for pi-1, version 2" in capsys.readouterr().out
    assert list((desk / "state").iterdir()) == []


def test_a_changed_file_and_another_device_are_refused(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Shows exit code 1 and the reason; fails when the verdict is lost on the way out."""
    assert main(check_words(desk, "pi-2")) == 1
    assert "the seal is for device pi-1, this is pi-2" in capsys.readouterr().out
    (desk / "appliance.toml").write_text("[device]\nversion_count = 3\n")
    assert main(check_words(desk)) == 1
    assert "changed after it was sealed" in capsys.readouterr().out


def test_the_private_key_is_the_owners_alone_and_never_printed(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Shows the key's mode and that no output holds it; fails when it is readable by others or shown."""
    private = desk / "keys" / "seal-private.key"
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    secret = private.read_text().split()[1]
    main(seal_words(desk))
    main(check_words(desk))
    main(["seal", "keygen", "--out", str(desk / "keys")])
    printed = capsys.readouterr()
    assert secret not in printed.out + printed.err
    assert secret.encode() not in b"".join(file.read_bytes() for file in desk.iterdir() if file.is_file())


def test_a_key_is_never_written_over(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Shows that making keys again is refused, with either file left; fails when a key is lost."""
    for name in ("seal-public.key", "seal-private.key"):
        before = (desk / "keys" / "seal-private.key").read_bytes()
        assert main(["seal", "keygen", "--out", str(desk / "keys")]) == 2
        assert "exists" in capsys.readouterr().err
        assert (desk / "keys" / "seal-private.key").read_bytes() == before
        (desk / "keys" / name).unlink()


def test_a_key_open_to_others_is_not_used(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Shows that a key others can read does not sign; fails when its mode is ignored."""
    (desk / "keys" / "seal-private.key").chmod(0o644)
    assert main(seal_words(desk)) == 2
    assert "chmod 600" in capsys.readouterr().err


def test_what_cannot_be_used_is_not_sealed(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Shows that a wrong configuration gives its problems, exit code 1 and no new seal; fails when it is signed."""
    before = (desk / "appliance.toml.seal").read_bytes()
    (desk / "appliance.toml").write_text("[risk]\nheat_percent_max = 101\n")
    assert main(seal_words(desk)) == 1
    assert "appliance.toml:2: risk.heat_percent_max: found 101" in capsys.readouterr().out
    assert (desk / "appliance.toml.seal").read_bytes() == before


@pytest.mark.parametrize(
    "words", [["appliance.toml", "--out", "x"], ["keygen", "--device", "a", "--out", "x"], ["absent", "--out", "x"]]
)
def test_a_forgotten_option_is_a_sentence(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Shows exit code 2 and what to give; fails with a traceback."""
    assert main(["seal", *words]) == 2
    assert capsys.readouterr().err.startswith("appliance: ")
