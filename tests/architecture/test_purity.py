"""Time, chance and identity are handed in; the inside of the machine does no input or output.

Two rings. Everything but the shells: no clock, no random number, no identifier out of the air. The pure rooms: besides,
nothing that waits, talks, starts or opens. An exception is a line in a table here, with its reason.
"""

import ast
from collections.abc import Iterator
from pathlib import PurePosixPath

import pytest

from tests.architecture.source import PACKAGE, Source, dotted, imports, origins, parse, references, sources

SHELL_ROOMS = frozenset({"guardian", "venues", "store", "reporting", "hardware"})
SEEDED_ROOMS = frozenset({"world", "lab"})
PURE_ROOMS = frozenset(
    {"core", "kernels", "wire", "safety", "market", "signals", "risk", "strategies", "trading", "engine"}
)
SHELL_FILES = (
    "command_*.py",
    # The live shell around the step, and what runs beside it.
    "engine/backup_task.py",
    "engine/children.py",
    "engine/health_task.py",
    "engine/mailbox.py",
    "engine/model_desk.py",
    "engine/report_server.py",
    "engine/runner.py",
    "engine/shell_layers.py",
    "engine/together.py",
    "__main__.py",
    "bootstrap.py",
)

CHANCE_AND_TIME = frozenset(
    {
        "time",
        "random",
        "secrets",
        "numpy.random",
        "os.urandom",
        "os.getrandom",
        "uuid.getnode",
        "uuid.uuid1",
        "uuid.uuid4",
        "datetime.date.today",
        "datetime.datetime.now",
        "datetime.datetime.today",
        "datetime.datetime.utcnow",
    }
)
SEEDED = frozenset({"random.Random", "numpy.random.Generator", "numpy.random.SeedSequence", "numpy.random.default_rng"})
OUTSIDE = frozenset(
    {
        "aiosqlite",
        "asyncio",
        "concurrent",
        "http.client",
        "http.server",
        "mmap",
        "multiprocessing",
        "select",
        "selectors",
        "shutil",
        "signal",
        "socket",
        "sqlite3",
        "ssl",
        "subprocess",
        "tempfile",
        "threading",
        "urllib.request",
        "websockets",
        "builtins.open",
        "io.open",
        "os.open",
    }
)
# A path is a value; these do something with the file it names.
FILE_METHODS = frozenset(
    {
        "exists",
        "glob",
        "is_dir",
        "is_file",
        "iterdir",
        "mkdir",
        "read_bytes",
        "read_text",
        "rename",
        "rglob",
        "rmdir",
        "touch",
        "unlink",
        "write_bytes",
        "write_text",
    }
)
FILES = "files"

# What a file may use in spite of its room, and why.
EXCEPTIONS: dict[str, frozenset[str]] = {
    "core/clock.py": frozenset({"time"}),  # the one place where the machine's clocks are read
    "core/bounded_file.py": frozenset({"os.open"}),  # the one way in which configuration and secrets are read
    "core/key_files.py": frozenset({"os.open", FILES}),  # writes a new pair of keys, never over another
    "core/sealed.py": frozenset({"os.open"}),  # keeps what was sealed last, so that an older seal is refused
    "kernels/compiling.py": frozenset({FILES}),  # reads the kernels' own sources, to know what compiled code is of
    "safety/heartbeat.py": frozenset({"os.open"}),  # is a page of shared memory
    "safety/lease.py": frozenset({"threading"}),  # the button's edge arrives on a thread of its own
    "safety/page.py": frozenset({"mmap", "os.open", FILES}),  # is shared memory: a mapped file
    "safety/stop_page.py": frozenset({"os.open"}),  # is a page of shared memory
}


def is_shell(path: str) -> bool:
    """Tell whether a file stands at the edge, where clocks and sockets are read."""
    pure_path = PurePosixPath(path)
    return pure_path.parts[0] in SHELL_ROOMS or any(pure_path.match(pattern) for pattern in SHELL_FILES)


def banned_in(path: str) -> frozenset[str]:
    """Return the names that a file at this path may not use."""
    if is_shell(path):
        return frozenset()
    pure = OUTSIDE if PurePosixPath(path).parts[0] in PURE_ROOMS else frozenset()
    return (CHANCE_AND_TIME | pure) - EXCEPTIONS.get(path, frozenset())


def is_under(name: str, banned: frozenset[str]) -> bool:
    """Tell whether a full name is one of the banned or inside one."""
    return any(name == ban or name.startswith(f"{ban}.") for ban in banned)


def impurities(source: Source) -> Iterator[str]:
    """Yield a sentence for every use of something that the file's place does not allow."""
    banned = banned_in(source.path)
    seeded = PurePosixPath(source.path).parts[0] in SEEDED_ROOMS
    for line, name in sorted({*imports(source), *references(source)}):
        allowed = seeded and (name in SEEDED or any(name in known.rsplit(".", 1)[0] for known in SEEDED))
        if is_under(name, banned) and not allowed:
            yield f"{source.path}:{line} uses {name}"
    if OUTSIDE & banned and FILES not in EXCEPTIONS.get(source.path, ()):
        yield from file_work(source)
    if seeded:
        yield from unseeded(source)


def file_work(source: Source) -> Iterator[str]:
    """Yield a sentence for every call that does something with a file."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in FILE_METHODS:
            yield f"{source.path}:{node.lineno} calls {node.func.attr}()"


def unseeded(source: Source) -> Iterator[str]:
    """Yield a sentence for every generator of random numbers that is made without a seed."""
    known = origins(source)
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and not node.args and not node.keywords:
            head, _, rest = (dotted(node.func) or "").partition(".")
            if f"{known.get(head, head)}.{rest}".rstrip(".") in SEEDED:
                yield f"{source.path}:{node.lineno} makes a generator without a seed"


def test_nothing_reads_clocks_or_chance_but_the_shells() -> None:
    """Shows that the rooms get time, chance and identity handed in; fails when a file takes them itself."""
    assert [sentence for source in sources(PACKAGE) for sentence in impurities(source)] == []


def test_every_exception_is_used() -> None:
    """Shows that no exception outlives its reason; fails when a file is gone or no longer needs what it was allowed."""
    for path, allowed in EXCEPTIONS.items():
        source = parse(path, (PACKAGE / path).read_text())
        names = [name for _, name in [*imports(source), *references(source)]]
        used = {ban for ban in allowed if any(is_under(name, frozenset({ban})) for name in names)}
        if list(file_work(source)):
            used.add(FILES)
        assert allowed - used == set(), path


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("risk/limits.py", "import time\ntime.time()\n"),
        ("risk/limits.py", "from time import monotonic_ns as now\nstart(now)\n"),
        ("core/values.py", "import datetime\ndatetime.datetime.now()\n"),
        ("core/values.py", "from datetime import datetime, UTC\ndatetime.now(UTC)\n"),
        ("trading/orders.py", "import uuid\nuuid.uuid4()\n"),
        ("signals/models.py", "import numpy as np\nnp.random.default_rng(1)\n"),
        ("signals/models.py", "from random import Random\nRandom(1)\n"),
        ("wire/kraken/codec.py", "import asyncio\n"),
        ("wire/kraken/codec.py", "import urllib.request\n"),
        ("engine/trader.py", "open('x')\n"),
        ("engine/trader.py", "def step():\n    import socket\n"),
        ("market/recorder.py", "from pathlib import Path\nPath('x').read_bytes()\n"),
        ("signals/models.py", "def load(path):\n    return path.read_bytes()\n"),
        ("world/links.py", "import random\nrandom.random()\n"),
        ("world/links.py", "import random\nrandom.Random()\n"),
        ("world/links.py", "import time\ntime.sleep(1)\n"),
        ("lab/sweeps.py", "import numpy as np\nnp.random.default_rng()\n"),
        ("lab/sweeps.py", "import numpy as np\nnp.random.seed(1)\n"),
    ],
)
def test_the_bans_bite(path: str, text: str) -> None:
    """Shows each way of taking time, chance or the outside that the rules know; fails when one would pass."""
    assert list(impurities(parse(path, text))) != []


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("core/clock.py", "import time\ntime.monotonic_ns()\n"),
        ("engine/runner.py", "import asyncio, time\ntime.time()\n"),
        ("store/command_verify.py", "open('x')\n"),
        ("core/command_config.py", "open('x')\n"),
        ("core/values.py", "from datetime import datetime, UTC\ndatetime.fromtimestamp(0, UTC)\n"),
        ("wire/signing.py", "from urllib.parse import urlencode\nurlencode({})\n"),
        ("trading/orders.py", "def f(time):\n    return time.age\n"),
        ("world/links.py", "import random\ndraw = random.Random(7)\n"),
        ("lab/sweeps.py", "import numpy as np\ndraw = np.random.default_rng(seed=7)\n"),
    ],
)
def test_what_is_allowed_passes(path: str, text: str) -> None:
    """Shows that the shells, a seed and a conversion are allowed; fails when the rules refuse honest code."""
    assert list(impurities(parse(path, text))) == []
