"""Exercise every binary wheel and every shipped model, on whatever processor this runs: the board's, under emulation.

A wheel that was built for a newer processor imports well and stops with an illegal instruction later, so each is made
to compute something. Prints one line for each and ends with 1 at the first that fails.
"""

import importlib
import importlib.metadata
import platform
import re
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# How a module of machine code is named, as against a library that such a module brings along.
MACHINE_CODE = re.compile(r"\.(cpython-|abi3\.)")
# Their own tests, a graphics card's part, and two pools of threads over libraries that the image has not: never loaded.
SET_ASIDE = frozenset({"tests", "cuda", "omppool", "tbbpool"})


def import_all(site: str) -> None:
    """Import every wheel in a folder, and every module of machine code in it, whose loading runs code already."""
    wheels = {wheel.name: wheel for wheel in importlib.metadata.distributions(path=[site])}
    for wheel in wheels.values():
        names = {module for file in wheel.files or () if (module := module_of(file))}
        for name in sorted(names):
            importlib.import_module(name)
        print(f"imported {wheel.name} {wheel.version}: {len(names)} modules", flush=True)


def module_of(file: importlib.metadata.PackagePath) -> str:
    """Return the module that a wheel's file is, if it is a package's first file or machine code of Python's."""
    stem = file.name.partition(".")[0]
    parts = [*file.parts[:-1]] if stem == "__init__" else [*file.parts[:-1], stem]
    machine_code = file.suffix == ".so" and MACHINE_CODE.search(file.name)
    first = file.suffix == ".py" and len(parts) == 1
    named = all(part.isidentifier() for part in parts) and not SET_ASIDE & set(parts)
    return ".".join(parts) if named and (machine_code or first) else ""


def compute() -> None:
    """Multiply matrices and take logarithms, in every type the kernels use."""
    numpy = importlib.import_module("numpy")
    draw = numpy.random.default_rng(1)
    for kind in ("float32", "float64"):
        matrix = draw.normal(size=(64, 64)).astype(kind)
        if not numpy.isfinite(numpy.linalg.inv(matrix @ matrix.T + numpy.eye(64, dtype=kind))).all():
            sys.exit("numpy computes nonsense")
    numpy.log(draw.integers(1, 2**40, 1000)).sum()


def pack() -> None:
    """Compress, encode and mask what is sent."""
    zstandard, msgspec = importlib.import_module("zstandard"), importlib.import_module("msgspec")
    data = msgspec.json.encode({"bars": list(range(2_000))})
    if zstandard.ZstdDecompressor().decompress(zstandard.ZstdCompressor().compress(data)) != data:
        sys.exit("zstandard loses bytes")
    importlib.import_module("websockets.speedups").apply_mask(data, b"mask")


def sign() -> None:
    """Sign and verify."""
    ed25519 = importlib.import_module("cryptography.hazmat.primitives.asymmetric.ed25519")
    key = ed25519.Ed25519PrivateKey.generate()
    key.public_key().verify(key.sign(b"board"), b"board")


def run_kernel() -> None:
    """Compile a kernel for this processor and run it."""
    numpy, states = importlib.import_module("numpy"), importlib.import_module("appliance.kernels.hidden_states")
    belief = numpy.full(2, 0.5)
    states.filter_step(belief, numpy.eye(2), numpy.zeros((2, 1)), numpy.ones((2, 1)), numpy.zeros(1), belief)
    if not numpy.allclose(belief.sum(), 1.0):
        sys.exit("the kernel computes nonsense")


def infer() -> None:
    """Verify every shipped model and compare its answers with the recorded ones."""
    registry = importlib.import_module("appliance.signals.models.registry")
    seal = importlib.import_module("appliance.core.seal")
    key = seal.read_public_key(ROOT / "appliance" / "signals" / "models" / "trusted.pub")
    loaded = registry.load(ROOT / "models", key)
    for name, reason in loaded.refused.items():
        sys.exit(f"{name} is refused: {reason}")
    for name, model in loaded.models.items():
        print(f"  {name}: {registry.self_test(model, loaded.folder):.1e} from the recorded answers")


EXERCISES: tuple[tuple[str, Callable[[], None]], ...] = (
    ("numpy", compute),
    ("msgspec, zstandard, websockets", pack),
    ("cryptography", sign),
    ("onnxruntime and every shipped model", infer),
    ("numba and one kernel", run_kernel),
)


def main() -> int:
    """Exercise everything."""
    print(f"{platform.machine()}, Python {platform.python_version()}", flush=True)
    import_all(sys.argv[1])
    for name, exercise in EXERCISES:
        exercise()
        print(f"exercised {name}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
