"""A secret shows itself to nobody who did not ask for it by name."""

import copy
import dataclasses
import io
import json
import logging
import pickle
import traceback
from pathlib import Path

import pytest

from appliance.core.errors import ConfigError
from appliance.core.secret import SECRET_BYTES_MAX, Secret, read_secret

CANARY = "canary-4f1d9b"


@dataclasses.dataclass(frozen=True)
class Holder:
    """Hold a secret as a message would."""

    key: Secret


def failing(key: Secret) -> None:
    """Fail with a secret among the local variables."""
    raise ValueError(f"cannot sign with {key}")


def everything_printed(secret: Secret) -> str:
    """Return what each ordinary way of printing a secret gives."""
    log = io.StringIO()
    logger = logging.getLogger("canary")
    logger.propagate = False
    logger.addHandler(logging.StreamHandler(log))
    logger.error("key %s %r", secret, secret)
    with pytest.raises(ValueError, match="cannot sign") as caught:
        failing(secret)
    shown = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    holder = Holder(secret)
    return "".join(
        (
            *(str(secret), repr(secret), f"{secret}", f"{secret!r:>40}", f"{secret:s}", "{}".format(secret)),  # noqa: UP032
            *("%s" % secret, str([secret]), str({"a": secret}), repr(holder), str(dataclasses.asdict(holder))),  # noqa: UP031
            *(str(copy.copy(secret)), str(copy.deepcopy(holder)), json.dumps({"a": secret}, default=str)),
            *(log.getvalue(), shown, str(dir(secret))),
        )
    )


def test_no_ordinary_way_of_printing_shows_it() -> None:
    """Shows that the text appears in no print, log, record or traceback; fails when one of them reaches the text."""
    printed = everything_printed(Secret(CANARY))
    assert CANARY not in printed
    assert "Secret(hidden)" in printed


def test_it_refuses_to_be_written_or_counted() -> None:
    """Shows that pickling, plain JSON, bytes and hashing are errors; fails when one quietly works."""
    secret = Secret(CANARY)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError):
            pickle.dumps(secret, protocol)
    with pytest.raises(TypeError):
        json.dumps(secret)
    with pytest.raises(TypeError):
        hash(secret)
    with pytest.raises(TypeError):
        bytes(secret)  # type: ignore[call-overload]
    with pytest.raises(TypeError):
        vars(secret)


def test_it_is_revealed_and_compared_on_purpose() -> None:
    """Shows that the text is there for who asks, and only a secret equals a secret; fails if a copy loses it."""
    assert copy.deepcopy(Secret(CANARY)).reveal() == CANARY
    assert Secret("é") == Secret("é")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"


@pytest.mark.parametrize(
    ("mode", "allowed"), [(0o600, True), (0o400, True), (0o644, False), (0o602, False), (0o620, False)]
)
def test_only_a_file_closed_to_others_is_read(tmp_path: Path, mode: int, allowed: bool) -> None:
    """Shows that a key readable or writable by others is refused; fails when the mode is not looked at."""
    path = tmp_path / "key"
    path.write_text(CANARY + "\n")
    path.chmod(mode)
    if allowed:
        assert read_secret(path).reveal() == CANARY
    else:
        with pytest.raises(ConfigError, match="chmod 600") as caught:
            read_secret(path)
        assert CANARY not in str(caught.value)


@pytest.mark.parametrize("data", [b"", b"\n", b"\xff\xfe", b"canary-4f1d9b\nsecond", b"x" * (SECRET_BYTES_MAX + 1)])
def test_a_file_that_holds_something_else_is_refused_without_showing_it(tmp_path: Path, data: bytes) -> None:
    """Shows that empty, binary, long or several-line files are refused in silence; fails when contents are quoted."""
    path = tmp_path / "key"
    path.write_bytes(data)
    path.chmod(0o600)
    with pytest.raises(ConfigError) as caught:
        read_secret(path)
    assert "canary" not in str(caught.value)
