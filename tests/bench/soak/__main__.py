"""Run the appliance on a synthetic market at a high rate, with connections that break at random, and judge the end.

    python -m tests.bench.soak --minutes 30 --rate 1000

Guardian, trader, reporter and paper venue run as they do in `make run`. Market data and orders pass through a program
that, by a seed, cuts a connection, lets it hang half-open, or spoils a checksum. The last seconds are calm: then the
books must be live again, the journal whole, position and cash the venue's own to the last unit. What the memory of each
process did is told sample by sample; the slope is of the second half of the trading, when everything is warm.
"""

import argparse
import asyncio
import contextlib
import itertools
import json
import os
import random
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import msgspec

from appliance.core.config import DEMO_PATH, load, read
from appliance.core.errors import WireError
from appliance.engine.command_run import own_places
from appliance.engine.run_summary import summarize
from appliance.engine.together import Together, with_settings
from appliance.hardware.demo_folder import fresh_demo_folder
from appliance.store.paths import journal_in
from appliance.venues.kraken.endpoint import endpoint
from appliance.venues.simulator.kraken.operator import Books
from appliance.venues.simulator.ledger import ask_books
from tests.bench.soak.cutter import Cutter

RESULT = Path("var/bench/soak.json")
SAMPLE_S = 5.0
CALM_S = 20.0
BREAKS_PER_S = 1 / 12
# What one trade a second on each of the two markets makes of messages.
MESSAGES_PER_TRADE = 2.0
_TRADING = {"NORMAL", "REDUCED"}
PAGE_KIB = os.sysconf("SC_PAGE_SIZE") // 1024


def resident_kib(pid: int) -> int | None:
    """Return a process's resident memory, or nothing when it is gone."""
    with contextlib.suppress(OSError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE_KIB
    return None


async def sample(together: Together, market: Cutter, samples: list[dict[str, Any]], began_s: float) -> None:
    """Note the memory of every process again and again."""
    while True:
        await asyncio.sleep(SAMPLE_S)
        memory = {
            name: kib
            for name, child in together._children.items()
            if child.pid is not None and (kib := resident_kib(child.pid)) is not None
        }
        telemetry = together.telemetry
        samples.append(
            {
                "s": round(time.monotonic() - began_s, 1),
                "resident_kib": memory,
                "mode": telemetry.mode if telemetry else "",
                "restarts": sum(together.restarts.values()),
                "messages": market.counts["messages"],
                "events": telemetry.events_count if telemetry else 0,
            }
        )


async def disturb(together: Together, market: Cutter, orders: Cutter, for_s: float, seed: int) -> None:
    """Break something every few seconds, from the first trading moment until the calm at the end."""
    draw = random.Random(seed)
    await together._normal.wait()
    until_s = time.monotonic() + for_s - CALM_S
    breaks = (market.cut, market.cut, market.hang, market.lie, market.lie, orders.cut, orders.hang)
    while (wait_s := 2.0 + draw.expovariate(BREAKS_PER_S)) < until_s - time.monotonic():
        await asyncio.sleep(wait_s)
        draw.choice(breaks)()


def traded(samples: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the samples from the first trading moment on."""
    return list(itertools.dropwhile(lambda each: each["mode"] not in _TRADING, samples))


def messages_per_s(samples: list[dict[str, Any]]) -> int:
    """Return the rate of market messages from the first trading moment to the end, breaks included."""
    if len(trading := traded(samples)) <= 1:
        return 0
    first, last = trading[0], trading[-1]
    rate: float = (last["messages"] - first["messages"]) / (last["s"] - first["s"])
    return round(rate)


def slope_kib_per_hour(samples: list[dict[str, Any]], name: str) -> float | None:
    """Return how fast a process grew over the second half of its samples."""
    points = [(each["s"], each["resident_kib"][name]) for each in samples if name in each["resident_kib"]]
    points = points[len(points) // 2 :]
    if len(points) < 3:
        return None
    times, kibs = zip(*points, strict=True)
    return statistics.linear_regression(times, kibs).slope * 3_600


async def soak(folder: Path, minutes: float, rate: int, seed: int) -> dict[str, Any]:
    """Run, and return what came of it."""
    values = own_places(folder, 0)
    venue_port = endpoint(values["rest_url"].strip('"'), plain_loopback=True).port
    market, orders = Cutter(venue_port), Cutter(venue_port)
    await market.start()
    await orders.start()
    values["market_url"] = f'"ws://127.0.0.1:{market.port}/v2"'
    values["orders_url"] = f'"ws://127.0.0.1:{orders.port}/v2"'
    values["trades_per_second"] = str(max(1, round(rate / MESSAGES_PER_TRADE)))
    path = folder / "appliance.toml"
    path.write_text(with_settings(read(DEMO_PATH).decode(), values))
    config = load(path)
    together = Together(config, path, lambda line: print(line, file=sys.stderr, flush=True))
    books: list[Books] = []

    def ask_venue() -> None:
        with contextlib.suppress(WireError):
            books.append(ask_books(config.venue.rest_url))

    samples: list[dict[str, Any]] = []
    began_s, for_s = time.monotonic(), minutes * 60
    beside = [
        asyncio.create_task(sample(together, market, samples, began_s)),
        asyncio.create_task(disturb(together, market, orders, for_s, seed)),
    ]
    try:
        await together.run(for_s, ask_venue)
    finally:
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
        await market.close()
        await orders.close()
    if not books:
        raise SystemExit(f"the venue could not be asked for its books: {together.failed or 'it was gone'}")
    summary = summarize(
        journal_in(config.paths.state), books[0], together.telemetry, together.restarts, together.failed
    )
    names = list(together._children)
    return {
        "minutes": minutes,
        "seed": seed,
        "messages_per_s": messages_per_s(samples),
        "market": dict(market.counts),
        "orders": dict(orders.counts),
        "mode_before_the_end": samples[-1]["mode"] if samples else "",
        # A trader that was up before its venue starts again until that answers, which is no fault of either.
        "restarts": samples[-1]["restarts"] - traded(samples)[0]["restarts"] if traded(samples) else None,
        "mismatches_unresolved": sorted(market.unhealed),
        "resident_kib_first": {name: _first(samples, name) for name in names},
        "resident_kib_last": {name: _first(samples[::-1], name) for name in names},
        "slope_kib_per_hour": {name: slope_kib_per_hour(traded(samples), name) for name in names},
        "load": os.getloadavg(),
        "run": msgspec.to_builtins(summary),
        "samples": samples,
    }


def _first(samples: list[dict[str, Any]], name: str) -> int | None:
    return next((each["resident_kib"][name] for each in samples if name in each["resident_kib"]), None)


def good(result: dict[str, Any]) -> bool:
    """Tell whether nothing was left wrong: of memory a person must judge."""
    run = result["run"]
    healed = not result["mismatches_unresolved"] and result["mode_before_the_end"] in _TRADING
    return healed and run["agreed"] and run["journal_good"] and not run["failed"] and result["restarts"] == 0


def main() -> int:
    """Run, print the summary without its samples, and write all of it."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0, metavar="N", help="how long (default: %(default)s)")
    parser.add_argument("--rate", type=int, default=1_000, metavar="N", help="messages a second (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of what breaks when (default: %(default)s)")
    arguments = parser.parse_args()
    with fresh_demo_folder() as folder:
        result = asyncio.run(soak(folder, arguments.minutes, arguments.rate, arguments.seed))
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps({name: value for name, value in result.items() if name != "samples"}, indent=1))
    print(f"written to {RESULT}: {'nothing was left wrong' if good(result) else 'SOMETHING WAS LEFT WRONG'}")
    return 0 if good(result) else 1


if __name__ == "__main__":
    sys.exit(main())
