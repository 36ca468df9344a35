"""The whole appliance as `make run` starts it: memory of its processes, and what they write to the card.

Memory is the proportional share (PSS) once it has traded for a while. Written is what the kernel counts as dirtied on
a block device by guardian, trader and reporter (`write_bytes` in /proc/PID/io), after the start, scaled to a day. It
counts pages, so that a short line synced each second is what the card has to write for it. The folder lies under
`var/bench`, because a memory disk is no card. The demonstration's bars of one second make more of it than an owner's
settings do; what is to be reached is set for those, so no figure to reach stands here.
"""

import asyncio
import sys
import tempfile
import time
from pathlib import Path

from appliance.core.config import DEMO_PATH, load, read
from appliance.engine.command_run import own_places
from appliance.engine.together import Together, with_settings
from tests.bench.figures import Figure, figure, show

WARM_S = 30.0
MEASURED_S = 120.0
NORMAL_S_MAX = 300.0
SECONDS_PER_DAY = 86_400
MEBIBYTE, MEGABYTE = 1 << 20, 10**6
WRITERS = ("guardian", "trader", "reporter")
MEMORY_MIB_REACH = {"guardian": 30, "trader": 220, "reporter": None}


def told_by_kernel(pid: int, file: str, name: str) -> int:
    """Return one number of a process."""
    for line in Path(f"/proc/{pid}/{file}").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    raise RuntimeError(f"/proc/{pid}/{file} names no {name}")


def writers_of(together: Together) -> dict[str, int]:
    """Return the processes that write to the card, all of which must be there."""
    pids = {name: pid for name in WRITERS if (pid := together._children[name].pid) is not None}
    if len(pids) < len(WRITERS):
        raise SystemExit(f"only {', '.join(pids) or 'nothing'} is running")
    return pids


async def watched(together: Together) -> tuple[dict[str, float], dict[str, float]]:
    """Run, and return each process's memory in bytes and what it wrote a second."""
    running = asyncio.create_task(together.run(None, lambda: None))
    try:
        async with asyncio.timeout(NORMAL_S_MAX):
            await together._normal.wait()
        await asyncio.sleep(WARM_S)
        pids = writers_of(together)
        before = {name: told_by_kernel(pid, "io", "write_bytes") for name, pid in pids.items()}
        began_s = time.monotonic()
        await asyncio.sleep(MEASURED_S)
        took_s = time.monotonic() - began_s
        if writers_of(together) != pids:
            raise SystemExit("a process was started again meanwhile, so there is no figure; is the machine too busy?")
        wrote = {name: (told_by_kernel(pid, "io", "write_bytes") - before[name]) / took_s for name, pid in pids.items()}
        memory = {name: told_by_kernel(pid, "smaps_rollup", "Pss") * 1024.0 for name, pid in pids.items()}
        return memory, wrote
    finally:
        together._stop.set()
        await running


def measure() -> list[Figure]:
    """Return the figures."""
    parent = Path("var/bench")
    parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=parent) as name:
        folder = Path(name).resolve()
        path = folder / "appliance.toml"
        path.write_text(with_settings(read(DEMO_PATH).decode(), own_places(folder, 0)))
        together = Together(load(path), path, lambda line: print(line, file=sys.stderr, flush=True))
        memory, wrote = asyncio.run(watched(together))
    megabytes = {name: per_s * SECONDS_PER_DAY / MEGABYTE for name, per_s in wrote.items()}
    return [
        *(figure(f"{name}: memory, PSS", memory[name] / MEBIBYTE, "MiB", MEMORY_MIB_REACH[name]) for name in WRITERS),
        *(figure(f"{name}: written to the card", megabytes[name], "MB/day") for name in WRITERS),
        figure("all three: written to the card", sum(megabytes.values()), "MB/day"),
    ]


if __name__ == "__main__":
    show(measure())
