"""Where recorded Kraken data lies, beside the project or where an environment variable says; tests skip without it."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
import zstandard

VARIABLE = "RECORDED_DATA"
BESIDE = Path(__file__).resolve().parents[3] / "shared" / "data"


def recorded_file(name: str) -> Path:
    """Return a recorded file, or skip the test."""
    path = Path(os.environ.get(VARIABLE, BESIDE)) / name
    if not path.is_file():
        pytest.skip(f"no recorded data at {path}; set {VARIABLE} to its folder")
    return path


def book_messages() -> list[Any]:
    """Return the recorded book: a snapshot of BTC/USD, ten deep, and 300 updates."""
    packed = recorded_file("kraken_v2/orderbook-v2-first300.json.zst").read_bytes()
    recorded = json.loads(zstandard.ZstdDecompressor().decompress(packed, 10**8))
    return [recorded["init"], *recorded["updates"]]


def book_frames(*, spaced: bool = False) -> list[bytes]:
    """Return the recorded book as frames, spelled tightly or with spaces."""
    separators = (", ", ": ") if spaced else (",", ":")
    return [json.dumps(message, separators=separators).encode() for message in book_messages()]


def literals(part: str) -> list[bytes]:
    """Return the message literals from files whose name holds this part."""
    lines = recorded_file("literals/kraken-async-rs.jsonl").read_text().splitlines()
    return [entry["raw"].encode() for line in lines if part in (entry := json.loads(line))["file"]]
