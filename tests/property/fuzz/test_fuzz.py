"""Every reader holds against the corpus that fuzzers grew, against its seeds, and for a moment against a fuzzer."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from tests.property.fuzz import CORPUS, __main__
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


@pytest.mark.skipif(importlib.util.find_spec("atheris") is None, reason="atheris has wheels for x86-64 only")
def test_a_target_that_is_not_over_in_time_is_ended_and_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Show that a slow reader costs its own time only: it is named, the next one is begun, and the exit code is 1. It
    fails when the run ends in a traceback at the first, or passes.
    """
    # A fuzzer that is given a second needs more than that in all.
    monkeypatch.setattr(__main__, "STARTING_S_MAX", 0)
    monkeypatch.setattr(__main__, "FINDINGS", tmp_path)
    monkeypatch.setattr(sys, "argv", ["fuzz", "--seconds", "1", *SOME[:2]])
    assert __main__.main() == 1
    assert [line for line in capsys.readouterr().out.splitlines() if "NOT OVER" in line] == [
        f"{name}: NOT OVER 0 s after its 1 s, so it was ended" for name in SOME[:2]
    ]
