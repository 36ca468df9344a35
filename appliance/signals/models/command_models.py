"""`appliance models`: list what is installed, verify it, or run its self-tests."""

import argparse
import json
from pathlib import Path
from typing import Any

from appliance.core import seal
from appliance.signals.models.installed import models_folder, trusted_key
from appliance.signals.models.onnx_model import ModelRefused
from appliance.signals.models.registry import ModelsRefused, Registry, load, self_test


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of the verb."""
    parser.add_argument("action", choices=("list", "verify", "self-test"), help="what to do")
    parser.add_argument("--models", type=Path, metavar="DIR", help="another folder than the installed one")
    parser.add_argument(
        "--public-key", type=Path, metavar="FILE", help="another key than the one this appliance trusts"
    )
    parser.add_argument("--json", action="store_true", help="print the result as one JSON document")


def run(arguments: argparse.Namespace) -> int:
    """Load the models, which verifies and tests each, and tell what was found."""
    folder = arguments.models or models_folder()
    key = trusted_key() if arguments.public_key is None else seal.read_public_key(arguments.public_key)
    try:
        registry = load(folder, key)
    except ModelsRefused as problem:
        if arguments.json:
            print(json.dumps({"good": False, "problem": str(problem), "models": []}))
        else:
            print(f"REFUSED all: {problem}")
        return 1
    lines = [_line(registry, name, arguments.action) for name in _names(registry)]
    good = all(line["good"] for line in lines)
    if arguments.json:
        weight = registry.described.weight_percent
        document = {"good": good, "manifest": registry.fingerprint, "weight_percent": weight, "models": lines}
        print(json.dumps(document))
    else:
        _print(registry, lines)
    return 0 if good else 1


def _names(registry: Registry) -> list[str]:
    return [entry.name for entry in registry.described.models]


def _line(registry: Registry, name: str, action: str) -> dict[str, Any]:
    entry = next(one for one in registry.described.models if one.name == name)
    line: dict[str, Any] = {
        "name": name,
        "file": entry.file,
        "role": entry.role + (f" for {entry.stands_in_for}" if entry.stands_in_for else ""),
        "sha256": entry.sha256,
        "good": name in registry.models,
        "detail": registry.refused.get(name, ""),
    }
    if action == "self-test" and name in registry.models:
        try:
            distance = self_test(registry.models[name], registry.folder)
            line["detail"] = f"answers within {distance:.1e} of the recorded ones ({entry.tolerance:g} allowed)"
        except (ModelRefused, ModelsRefused) as problem:
            line |= {"good": False, "detail": str(problem)}
    return line


def _print(registry: Registry, lines: list[dict[str, Any]]) -> None:
    print(f"manifest {registry.fingerprint}, signed; weight in decisions {registry.described.weight_percent} %")
    for line in lines:
        state = "good" if line["good"] else "REFUSED"
        print(f"{state:<8} {line['name']:<16} {line['role']:<20} {line['sha256'][:12]}  {line['detail']}".rstrip())
