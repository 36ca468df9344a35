"""Every reader holds against the corpus that fuzzers grew, against its seeds, and for a moment against a fuzzer."""

import importlib.util
import subprocess
import sys

import pytest

from tests.property.fuzz import CORPUS
from tests.property.fuzz.targets import TARGETS, Target

SECONDS = 1
SOME = ("configuration", "latch", "panel", "kraken_account")


@pytest.mark.parametrize("name", TARGETS)
def test_the_corpus_finds_nothing(name: str) -> None:
    """Show that what once reached a new place, and each seed cut and doubled, is read or refused by name; it fails with
    any other error, and when a target has no corpus.
    """
    target: Target = TARGETS[name]
    kept = [path.read_bytes() for path in sorted((CORPUS / name).iterdir())]
    assert kept
    for data in (*kept, *target.seeds):
        target.read(data)
        target.read(data[: len(data) // 2])
        target.read(data + data)


@pytest.mark.skipif(importlib.util.find_spec("atheris") is None, reason="atheris has wheels for x86-64 only")
@pytest.mark.timeout(240)
def test_a_moment_of_fuzzing_finds_nothing() -> None:
    """Show that a guided fuzzer runs from the corpus and finds nothing within a second each; it fails on a finding."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.property.fuzz", *SOME, "--seconds", str(SECONDS)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("nothing found") == len(SOME)


@pytest.mark.skipif(importlib.util.find_spec("atheris") is None, reason="atheris has wheels for x86-64 only")
def test_an_unknown_target_is_named() -> None:
    """Show that a wrong name is refused with the right ones; it fails when it were silently left out."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.property.fuzz", "nothing"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "there are: kraken_frames" in done.stderr
