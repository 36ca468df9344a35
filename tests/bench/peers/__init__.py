"""Programs that other trading systems run in, each under the peers' own interpreter (`make bench` installs them)."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).parent
PYTHON = HERE.parents[2] / ".venv-peers" / "bin" / "python"


class Peer:
    """Hold a running peer that measures one round whenever it is asked."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        """Take a process that answers each line with numbers."""
        self._process = process

    def round(self) -> list[int]:
        """Let it measure once and return its nanoseconds."""
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError("the peer has no pipes")
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"the peer ended with {self._process.wait()}")
        return [int(number) for number in answer.split()]


@contextmanager
def peer(script: str, *words: object) -> Iterator[Peer]:
    """Start a peer's script, refusing to go on without it."""
    if not PYTHON.exists():
        raise RuntimeError("the peers are not installed: make peers (x86-64 and Python 3.11 only)")
    command = [str(PYTHON), str(HERE / script), *map(str, words)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Peer(process)
        finally:
            process.kill()
