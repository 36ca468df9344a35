"""The models in the checkout: whole, signed, small, described honestly, and given only the weight they earned."""

import json
import re
import shutil
from pathlib import Path

import pytest

from appliance.__main__ import main
from appliance.core.model_hashes import model_hashes
from appliance.signals.models.installed import models_folder, trusted_key
from appliance.signals.models.registry import Registry, load, self_test

BYTES_MAX = 12_000_000
MEMBERS = {"trees", "lstm", "gru", "tcn", "transformer", "ar"}


@pytest.fixture(scope="module")
def registry() -> Registry:
    """Return the shipped models."""
    return load(models_folder(), trusted_key())


def test_every_shipped_model_is_good(registry: Registry) -> None:
    """Shows all members, regime models and the stand-in verified and equal to their recorded answers; fails when a file
    was changed without training anew.
    """
    assert registry.refused == {}
    assert set(registry.joined.members) == MEMBERS
    assert set(registry.models) == MEMBERS | {"regime-trees", "regime-sequence", "lstm-int8"}
    for loaded in registry.models.values():
        assert self_test(loaded, registry.folder) <= loaded.entry.tolerance


def test_the_folder_stays_small() -> None:
    """Shows that what is shipped fits a card and a clone; fails when a model or a plot grows out of bounds."""
    assert sum(path.stat().st_size for path in models_folder().rglob("*") if path.is_file()) < BYTES_MAX


def test_a_seal_covers_the_manifest_and_every_model() -> None:
    """Shows that sealing a configuration seals these models; fails when the two read the manifest differently."""
    hashes = model_hashes(models_folder() / "manifest.toml")
    assert {"manifest.toml", "trees.onnx", "lstm-int8.onnx"} <= set(hashes)


def test_every_model_has_a_card_whose_first_line_is_its_verdict(registry: Registry) -> None:
    """Shows that each card begins with what the model is worth and shows its plots; fails when a claim is buried or a
    card is missing.
    """
    cards = models_folder() / "cards"
    for name in [*registry.models, "stack"]:
        text = (cards / f"{name}.md").read_text()
        assert re.match(
            r"(Alone, this model shows|The ensemble shows|This model forecasts no|This file stands in)", text
        )
        for plot in re.findall(r"\]\(([^)]+\.svg)\)", text):
            assert (cards / plot).read_text().startswith("<svg"), plot


def test_the_weight_is_what_the_verdict_allows(registry: Registry) -> None:
    """Shows that no edge means no weight, by the card's own figures; fails when a manifest claims more than that."""
    first = (models_folder() / "cards" / "stack.md").read_text().splitlines()[0]
    figures = json.loads((models_folder() / "cards" / "figures.json").read_text())
    mine, base = figures["forecast"]["stack"], figures["forecast"]["base rate"]
    surely = figures["trading"]["stack"]["sharpe_deflated_probability"] >= 0.95
    edge = surely and mine["brier"] < base["brier"] and figures["trading"]["stack"]["net_return_sum"] > 0
    assert ("shows an edge" in first) is edge
    assert (registry.described.weight_percent > 0) is edge


def test_the_commands_say_what_is_installed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Shows list, verify and self-test on good models, and a flipped bit named with exit code 1; fails when damage
    passes.
    """
    for action in ("list", "verify", "self-test"):
        assert main(["models", action, "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["good"] is True
    copy = tmp_path / "models"
    shutil.copytree(models_folder(), copy, ignore=shutil.ignore_patterns("cards", "training"))
    damaged = bytearray((copy / "gru.onnx").read_bytes())
    damaged[500] ^= 4
    (copy / "gru.onnx").write_bytes(damaged)
    assert main(["models", "verify", "--models", str(copy)]) == 1
    told = capsys.readouterr().out
    assert "REFUSED  gru" in told
    assert "good     lstm" in told
    (copy / "manifest.sig").write_text("00" * 64)
    assert main(["models", "verify", "--models", str(copy), "--json"]) == 1
    assert "not signed" in json.loads(capsys.readouterr().out)["problem"]
