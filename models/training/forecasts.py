"""Every judged sample's chance by every member, learned only from what came well before it; kept as it goes along."""

import hashlib
import json
import sys
import time
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from appliance.signals.feature_table import schema_hash
from models.training import members, plan
from models.training.data import Fold, Market, Samples

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
HERE: Final = Path(__file__).parent


class Shelf:
    """Keep finished arrays on disk under a name that changes with everything that decides them."""

    def __init__(self, folder: Path, markets: list[Market], size: plan.Size) -> None:
        """Open the shelf of one plan over one set of data."""
        sources = b"".join(path.read_bytes() for path in sorted(HERE.glob("*.py")) if path.stem in _DECIDING)
        whole = [schema_hash(), [m.sha256 for m in markets], list(size), hashlib.sha256(sources).hexdigest()]
        self.key = hashlib.sha256(json.dumps(whole).encode()).hexdigest()
        self._folder = folder / self.key[:16]
        self._folder.mkdir(parents=True, exist_ok=True)

    def get(self, name: str) -> Floats | None:
        """Return what was kept, if it was."""
        path = self._folder / f"{name}.npy"
        return np.asarray(np.load(path)) if path.exists() else None

    def put(self, name: str, array: Floats) -> None:
        """Keep an array; a run that is cut off leaves no half of one."""
        unfinished = self._folder / f"{name}.unfinished.npy"
        np.save(unfinished, array)
        unfinished.replace(self._folder / f"{name}.npy")


_DECIDING: Final = frozenset({"plan", "data", "trees", "nets", "members"})


def tell(text: str) -> None:
    """Tell a person how far it is."""
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {text}\n")
    sys.stderr.flush()


def out_of_fold(samples: Samples, folds: list[Fold], size: plan.Size, shelf: Shelf) -> dict[str, Floats]:
    """Return the chances of each member and of the logistic baseline; NaN where nothing was judged."""
    found = {name: np.full(samples.won.size, np.nan) for name in (*members.MEMBERS, "logistic")}
    for number, fold in enumerate(folds):
        for name, chances in found.items():
            kept = shelf.get(f"{name}-{number}")
            if kept is None:
                began = time.monotonic()
                kept = _chances(name, samples, fold, samples.won[fold.train], size)
                shelf.put(f"{name}-{number}", kept)
                tell(f"fold {number + 1}/{len(folds)} {name}: {time.monotonic() - began:.0f} s")
            chances[fold.test] = kept
    return found


def _chances(name: str, samples: Samples, fold: Fold, target: Floats, size: plan.Size) -> Floats:
    if name == "logistic":
        return members.logistic(samples, fold.train, fold.test, target)
    trained = members.train(name, samples, fold.train, target, size)
    return trained.predict(samples.vectors[fold.test], samples.sequences[fold.test])
