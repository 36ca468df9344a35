"""The report of a run: every card with its figures and histogram, as JSON that is signed, and as a page to read.

The signature is the bench's own (Ed25519, RFC 8032): it shows that a report was not changed since the bench wrote it.
"""

import html
import json
import os
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from appliance.core.secret import Secret, read_secret
from hil_tests.result import Card, Result

DOMAIN = b"bot4-edge bench report 1\0"
BINS = 10
_STYLE = (
    "body{font:15px sans-serif;max-width:60em;margin:2em auto}td,th{text-align:left;padding:.2em .6em}"
    ".passed{color:#070}.failed{color:#a00}.run{color:#850}pre{margin:0}"
)


def outcome(result: Result) -> str:
    """Return the one word for a result: what went wrong weighs more than what was not carried out."""
    if result.wrong:
        return "FAILED"
    return "NOT RUN" if result.not_run else "passed"


def exit_code(outcomes: list[str]) -> int:
    """Return 0 when every card passed, 1 when one failed, 3 when none failed but one was not run."""
    if "FAILED" in outcomes:
        return 1
    return 3 if "NOT RUN" in outcomes or not outcomes else 0


def histogram(samples: list[float], bins: int = BINS) -> list[tuple[float, float, int]]:
    """Return lower edge, upper edge and count of equal bins over all samples; the last bin has its upper edge too."""
    low, high = min(samples), max(samples)
    if low == high:
        return [(low, high, len(samples))]
    width = (high - low) / bins
    counts = [0] * bins
    for one in samples:
        counts[min(bins - 1, int((one - low) / width))] += 1
    return [(low + place * width, low + (place + 1) * width, count) for place, count in enumerate(counts)]


def entry(card: Card, result: Result) -> dict[str, Any]:
    """Return what is written of one card."""
    return {
        **{name: getattr(card, name) for name in ("number", "title", "purpose", "wiring", "procedure", "limit")},
        "outcome": outcome(result),
        "reason": result.wrong or result.not_run,
        "measured_s": result.measured_s,
        "histograms": {name: histogram(samples) for name, samples in result.measured_s.items() if samples},
    }


def write(folder: Path, document: dict[str, Any]) -> Path:
    """Write report.json, its signature, the bench's public key, and report.html."""
    folder.mkdir(parents=True, exist_ok=True)
    key = _key(folder / "bench.key")
    data = json.dumps(document, indent=1).encode() + b"\n"
    (folder / "report.json").write_bytes(data)
    (folder / "report.json.sig").write_text(key.sign(DOMAIN + data).hex() + "\n")
    (folder / "bench.pub").write_text(key.public_key().public_bytes_raw().hex() + "\n")
    (folder / "report.html").write_text(page(document))
    return folder / "report.json"


def is_signed(folder: Path) -> bool:
    """Tell whether the report in a folder is what the bench with the key beside it wrote."""
    try:
        public = Ed25519PublicKey.from_public_bytes(bytes.fromhex((folder / "bench.pub").read_text().strip()))
        signature = bytes.fromhex((folder / "report.json.sig").read_text().strip())
        public.verify(signature, DOMAIN + (folder / "report.json").read_bytes())
    except (OSError, ValueError, InvalidSignature):
        return False
    return True


def page(document: dict[str, Any]) -> str:
    """Return the report as one page."""
    rows = "".join(_row(card) for card in document["cards"])
    about = "".join(f"<li>{html.escape(f'{name}: {value}')}</li>" for name, value in document["about"].items())
    return (
        f"<!doctype html><meta charset=utf-8><title>Bench report</title><style>{_STYLE}</style>"
        f"<h1>Bench report: {html.escape(document['rig'])} rig</h1><ul>{about}</ul>"
        f"<table><tr><th>card<th>outcome<th>limit<th>figures</tr>{rows}</table>\n"
    )


def _row(card: dict[str, Any]) -> str:
    word = card["outcome"]
    figures = "".join(_figures(name, bins) for name, bins in card["histograms"].items())
    said = f"<br>{html.escape(card['reason'])}" if card["reason"] else ""
    name = html.escape(f"{card['number']} {card['title']}")
    told = html.escape(f"{card['purpose']}. Wiring: {card['wiring']}. Procedure: {card['procedure']}.")
    return (
        f"<tr><td>{name}<br><small>{told}</small><td class={word.lower().split()[-1]}>{word}{said}"
        f"<td>{html.escape(card['limit'])}<td>{figures}</tr>\n"
    )


def _figures(name: str, bins: list[tuple[float, float, int]]) -> str:
    lines = (f"{low:9.4f} - {high:9.4f} s {'#' * count} {count}" for low, high, count in bins)
    return f"{html.escape(name.replace('_', ' '))}<pre>{html.escape(chr(10).join(lines))}</pre>"


def _key(path: Path) -> Ed25519PrivateKey:
    if not path.exists():
        fresh = Secret(Ed25519PrivateKey.generate().private_bytes_raw().hex())
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(fresh.reveal() + "\n")
    return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(read_secret(path).reveal()))
