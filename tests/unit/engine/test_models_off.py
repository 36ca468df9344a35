"""Models that are switched off: nothing of theirs is read."""

import json
import subprocess
import sys

import pytest

SCRIPT = """
import json, sys
from appliance import bootstrap
from appliance.core.clock import SystemClock
from appliance.core.config import loads
opened = []
sys.addaudithook(lambda event, facts: opened.append(str(facts[0])) if event == "open" else None)
config = loads("[models]\\nenabled = " + sys.argv[1], "a test")
models = bootstrap._models(config, SystemClock(), print, lambda text: None)
print(json.dumps([name for name in opened if name.endswith((".onnx", ".toml", ".json", ".npz", ".pub"))]))
"""


@pytest.mark.parametrize(("enabled", "reads"), [("false", False), ("true", True)])
def test_models_that_are_off_are_not_read(enabled: str, *, reads: bool) -> None:
    """Shows no manifest, key or model opened when models are off, and all of them when they are on; fails when a switch
    that says off still loads.
    """
    told = subprocess.run(
        [sys.executable, "-c", SCRIPT, enabled], check=True, capture_output=True, text=True, timeout=120
    )
    assert bool(json.loads(told.stdout)) is reads
