"""Where the inputs that reached something new are kept."""

from pathlib import Path

CORPUS = Path(__file__).parent / "corpus"
