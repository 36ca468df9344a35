"""The search for secrets at the end of a session finds them, wherever and however they lie."""

import base64
import gzip
import io
import lzma
import shutil
import sqlite3
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from tests.secret_search import leaks_in, search

PRIVATE = base64.b64encode(bytes(range(40, 100))).decode()
# Long enough to reach over the end of a database's page.
PADDING = "x" * 4090


def database(value: object) -> bytes:
    """Return a database that holds one value between others."""
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE row (payload)")
    connection.executemany("INSERT INTO row VALUES (?)", [("nothing",), (value,), (b"",)])
    return bytes(connection.serialize())


def archive(data: bytes) -> bytes:
    """Return a packed archive with one file."""
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w:gz") as tar:
        information = tarfile.TarInfo("status")
        information.size = len(data)
        tar.addfile(information, io.BytesIO(data))
    return held.getvalue()


DRESSES: dict[str, Callable[[str], bytes]] = {
    "a log": lambda secret: f"the venue refused {secret}".encode(),
    "what it encodes": lambda secret: b"\0" + base64.b64decode(secret),
    "hex": lambda secret: secret.encode().hex().encode(),
    "basic authorization": lambda secret: base64.b64encode(f"edge:{secret}".encode()),
    "another place in base 64": lambda secret: base64.b64encode(f"edges:{secret}!".encode()),
    "a third place in base 64": lambda secret: base64.b64encode(f"edged::{secret}".encode()),
    "a recording": lambda secret: b"head" + zstandard.compress(b"one") + zstandard.compress(secret.encode()),
    "a recording that was cut": lambda secret: zstandard.compress(secret.encode() + bytes(range(256)) * 99)[:-3],
    "gzip": lambda secret: gzip.compress(secret.encode()),
    "xz": lambda secret: lzma.compress(secret.encode()),
    "an archive": lambda secret: archive(secret.encode()),
    "a database": lambda secret: database(PADDING + secret),
    "a packed value of a database": lambda secret: database(zstandard.compress((PADDING + secret).encode())),
    "a backup of a database": lambda secret: zstandard.compress(database(PADDING + secret)),
}


@pytest.mark.parametrize("dress", DRESSES)
def test_a_secret_is_found_in_every_dress(tmp_path: Path, dress: str) -> None:
    """A venue's private key is found in logs, recordings, archives and databases; wrong if one of them hid it."""
    key = tmp_path / "state" / "venue.key"
    key.parent.mkdir()
    key.write_text(f"name-of-the-key:{PRIVATE}\n")
    assert leaks_in(tmp_path) == []
    left = tmp_path / "state" / "left"
    left.write_bytes(DRESSES[dress](PRIVATE))
    assert leaks_in(tmp_path) == [f"{left} holds a secret"]
    left.unlink()


def test_what_is_no_secret_is_none(tmp_path: Path) -> None:
    """A key's name and a certificate's public half may be anywhere; wrong if they were taken for secrets."""
    (tmp_path / "venue.key").write_text(f"name-of-the-key:{PRIVATE}\n")
    public, private = "P" * 64, "K" * 64
    (tmp_path / "panel.pem").write_text(
        f"-----BEGIN CERTIFICATE-----\n{public}\n-----END CERTIFICATE-----\n"
        f"-----BEGIN PRIVATE KEY-----\n{private}\n-----END PRIVATE KEY-----\n"
    )
    left = tmp_path / "log"
    left.write_text(f"name-of-the-key {public}")
    assert leaks_in(tmp_path) == []
    left.write_text(private)
    assert len(leaks_in(tmp_path)) == 1
    left.unlink()


def test_a_hole_is_not_read_and_what_lies_behind_it_is(tmp_path: Path) -> None:
    """A secret behind a hole of eight gigabytes is found at once; wrong if it were passed over as too large."""
    (tmp_path / "venue.key").write_text(f"name:{PRIVATE}\n")
    left = tmp_path / "large"
    with left.open("wb") as file:
        file.truncate(8 << 30)
        assert leaks_in(tmp_path) == []
        file.seek(8 << 30)
        file.write(PRIVATE.encode())
    assert leaks_in(tmp_path) == [f"{left} holds a secret"]
    left.unlink()


def test_folders_of_parallel_workers_and_prints_are_searched(tmp_path: Path) -> None:
    """Each worker's tests are looked at with their own secrets, and prints with all; wrong if one were passed over."""
    for worker in ("popen-gw0", "popen-gw1"):
        folder = tmp_path / worker / "test0"
        folder.mkdir(parents=True)
        (folder / "panel.token").write_text(f"{worker}-" + "t" * 40)
    assert search(tmp_path, ["popen-gw0", "t" * 40]) == []
    (tmp_path / "popen-gw1" / "test0" / "page.html").write_text("popen-gw1-" + "t" * 40)
    assert len(search(tmp_path, [])) == 1
    assert len(search(tmp_path, ["popen-gw0-" + "t" * 40])) == 2
    (tmp_path / "popen-gw1" / "test0" / "page.html").unlink()


LEAKING = """
import tempfile
from pathlib import Path

def test_leak(tmp_path):
    (tmp_path / "venue.key").write_text("name:" + SECRET)
    {where}.write_text({text})
"""
REMOVED = """
import tempfile
from pathlib import Path

def test_leak():
    with tempfile.TemporaryDirectory() as name:
        Path(name, "venue.key").write_text("name:" + SECRET)
        Path(name, "log").write_text({text})
"""
PLACES = {
    "the test's folder": (LEAKING, '(tmp_path / "log")'),
    "a plain temporary folder": (LEAKING, 'Path(tempfile.mkdtemp(), "log")'),
    "a plain temporary file": (LEAKING, "Path(tempfile.mkstemp()[1])"),
    "what tests leave for people": (LEAKING, "Path(__file__).with_name('var').joinpath('page.html')"),
    "a folder that is gone by then": (REMOVED, ""),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(("letters", "code"), [(40, 1), (39, 0)])
def test_a_session_fails_by_a_secret_left_behind(tmp_path: Path, place: str, letters: int, code: int) -> None:
    """A session whose tests all pass fails when one left its key in a log, wherever it lies; wrong if the search ran
    and nobody heard of what it found.
    """
    source, where = PLACES[place]
    text = source.format(where=where, text=f'"s" * {letters}').replace("SECRET", '"s" * 40')
    (tmp_path / "var").mkdir()
    (tmp_path / "test_leak.py").write_text(text)
    words = ["-q", "-p", "tests.conftest", "-p", "no:cacheprovider", f"--basetemp={tmp_path}/base", "--rootdir"]
    result = subprocess.run(
        [sys.executable, "-m", "pytest", *words, str(tmp_path), str(tmp_path / "test_leak.py")],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert result.returncode == code, result.stdout + result.stderr
    assert ("SECRET LEFT BEHIND" in result.stdout) == (code == 1)
    # The session that runs this test searches its folder too.
    shutil.rmtree(tmp_path / "base", ignore_errors=True)
    shutil.rmtree(tmp_path / "var")
