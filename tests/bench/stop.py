"""The stop, measured: press the button of a running appliance many times at random moments.

The legs. The press is the moment the contact opened, and the latch the moment it was set, both as the guardian recorded
them; between them lies the time a glitch may last. The gate refuses from the moment a reader of the lease saw that it
would, which is as a rule before the latch: permission goes at the edge already. The trader has acknowledged when its
heartbeat said so, and the venue has confirmed when the lamp did: it was asked until no order to buy was left.

Whether anything that adds exposure left after a press is read from the venue's own log of arrivals, whose times are on
the same CLOCK_MONOTONIC as the bench's. It counts as sent after the latch if it was sent past the moment the hand's
answer or the guardian's record gives for it, whichever is earlier.

    make kernels && .venv/bin/python -m tests.bench.stop --presses 1000 [--appliances 2] [--json FILE]

Several appliances run side by side to use the time the gesture takes; each leg's times are those of a machine that
busy. Ctrl-C ends it early and tells what was measured until then.
"""

import argparse
import json
import random
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from appliance.guardian.selftest import latching
from appliance.safety.lamps import Lamp
from appliance.safety.modes import Mode
from tests.bench.figures import Figure, figure
from tests.integration.defence.box import Box

RUN_SEED = 20240808
PRESSES_COUNT = 50
APPLIANCES_MAX = 16
PROGRESS_S = 10.0
LEGS = (
    "press_to_permission_gone",
    "press_to_latch",
    "press_to_gate_refuses",
    "latch_to_gate_refuses",
    "press_to_acknowledged",
    "latch_to_venue_confirmed",
    "press_to_venue_confirmed",
)


class Presser:
    """Press one appliance's button over and over."""

    def __init__(self, folder: Path, seed: int, presses_count: int) -> None:
        """Prepare an appliance in a folder of its own."""
        folder.mkdir()
        # Entries as often as the strategies allow, and no last resort that hides a slow trader.
        self.box = Box(
            folder, seed=seed, minimum_hold_s=0, acknowledge_ms=5_000, heartbeat_ms=10_000, deadline_ms=2_000
        )
        self.legs: dict[str, list[int]] = {leg: [] for leg in LEGS}
        self.latched_spans: list[tuple[int, int]] = []
        self.problem = ""
        self.ending = threading.Event()
        self._moments = random.Random(seed)
        self._presses_count = presses_count

    def run(self) -> None:
        """Press until done; a problem ends it and is told."""
        try:
            self.box.start_trading()
            for _ in range(self._presses_count):
                if self.ending.is_set():
                    return
                self._press()
        except (AssertionError, OSError) as problem:
            self.problem = f"{type(problem).__name__}: {problem}"
        finally:
            self.box.end()

    def _press(self) -> None:
        box = self.box
        box.until(lambda: box.mode() is Mode.NORMAL and box.permits())
        time.sleep(self._moments.uniform(0.0, 0.6))
        latch = box.latch_sequence() + 1
        refused_ns: list[int] = []
        gone_ns = int(box.press("press estop", lambda: refused_ns.append(box.until(self._refuses, 0.0002))).split()[1])
        acknowledged_ns = box.until(lambda: box.acknowledged() == latch, step_s=0.0005)
        confirmed_ns = box.until(lambda: box.lamp() is Lamp.HALTED, step_s=0.0005)
        box.press("release estop")
        box.press("reset")
        box.until(lambda: box.lamp() is Lamp.READY)
        started_ns = time.monotonic_ns()
        box.press("start")
        recorded = latching(box.state, latch)
        assert recorded is not None, f"the guardian's record does not hold latch {latch}"
        pressed_ns, latched_ns = int(recorded["detail"]["opened_ns"]), int(recorded["monotonic_ns"])
        spans = (
            (pressed_ns, int(recorded["detail"]["withdrawn_ns"])),
            (pressed_ns, latched_ns),
            (pressed_ns, refused_ns[0]),
            (latched_ns, max(latched_ns, refused_ns[0])),
            (pressed_ns, acknowledged_ns),
            (latched_ns, confirmed_ns),
            (pressed_ns, confirmed_ns),
        )
        for leg, (from_ns, to_ns) in zip(LEGS, spans, strict=True):
            self.legs[leg].append(to_ns - from_ns)
        self.latched_spans.append((min(gone_ns, latched_ns), started_ns))

    def _refuses(self) -> bool:
        return not self.box.permits()

    def sent_while_latched(self) -> list[dict[str, object]]:
        """Return every order that added exposure and left between a press and the start after it."""
        return [
            order
            for order in self.box.orders_sent()
            if order["side"] == "buy"
            for gone_ns, started_ns in self.latched_spans
            if gone_ns < order["sent_ns"] <= started_ns
        ]

    def closest_before_ns(self) -> list[int]:
        """Return how long before the next press each order that added exposure was sent."""
        sent = [one["sent_ns"] for one in self.box.orders_sent() if one["side"] == "buy"]
        gaps = [[gone - at for gone, _ in self.latched_spans if gone >= at] for at in sent]
        return [min(each) for each in gaps if each]


def percentile(values: list[int], percent: int) -> float:
    """Return a percentile in milliseconds."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)] / 1e6


def report(pressers: list[Presser]) -> dict[str, object]:
    """Return the figures of all appliances together."""
    legs = {leg: [took for one in pressers for took in one.legs[leg]] for leg in LEGS}
    gaps = [gap for one in pressers for gap in one.closest_before_ns()]
    return {
        "presses": sum(len(one.latched_spans) for one in pressers),
        "appliances": len(pressers),
        "orders_that_add": sum(order["side"] == "buy" for one in pressers for order in one.box.orders_sent()),
        "sent_after_the_latch": sum(len(one.sent_while_latched()) for one in pressers),
        "closest_order_before_a_press_ms": min(gaps) / 1e6 if gaps else None,
        "last_resort_runs": sum(len(one.box.events("last-resort-started")) for one in pressers),
        "problems": [one.problem for one in pressers if one.problem],
        "milliseconds": {
            leg: {"p50": percentile(took, 50), "p99": percentile(took, 99), "max": max(took) / 1e6}
            for leg, took in legs.items()
            if took
        },
    }


def press_many(
    folder: Path, presses_count: int, appliances_count: int, say: Callable[[str], None] = lambda _: None
) -> dict[str, object]:
    """Press so often in all and return the figures."""
    share, rest = divmod(presses_count, appliances_count)
    shares = [share + (number < rest) for number in range(appliances_count)]
    pressers = [Presser(folder / str(number), RUN_SEED + number, count) for number, count in enumerate(shares)]
    threads = [threading.Thread(target=one.run) for one in pressers]
    for thread in threads:
        thread.start()
    try:
        _wait(threads, pressers, presses_count, say)
    except KeyboardInterrupt:
        say("ending: every appliance finishes the press it is at")
    finally:
        for one in pressers:
            one.ending.set()
        for thread in threads:
            thread.join()
    return report(pressers)


def _wait(
    threads: list[threading.Thread], pressers: list[Presser], presses_count: int, say: Callable[[str], None]
) -> None:
    """Wait for the last press, and say from time to time how far it is."""
    began_s = said_s = first_s = time.monotonic()
    while any(thread.is_alive() for thread in threads):
        time.sleep(0.05)
        now_s = time.monotonic()
        done = sum(len(one.latched_spans) for one in pressers)
        if not done:
            first_s = now_s
        if now_s - said_s < PROGRESS_S:
            continue
        said_s = now_s
        left = f"about {(now_s - first_s) / done * (presses_count - done):.0f} s left" if done else "starting"
        stopped = sum(bool(one.problem) for one in pressers)
        trouble = f", {stopped} appliances ended with a problem" if stopped else ""
        say(f"{done}/{presses_count} presses in {now_s - began_s:.0f} s, {left}{trouble}")


def measure() -> list[Figure]:
    """Return the figures of a short run; `main` makes the long one."""
    with tempfile.TemporaryDirectory(prefix="b4") as folder:
        told = press_many(Path(folder), PRESSES_COUNT, 1)
    legs = told["milliseconds"]
    if told["problems"] or told["presses"] != PRESSES_COUNT or not isinstance(legs, dict):
        raise RuntimeError(f"{told['presses']} of {PRESSES_COUNT} presses were measured: {told['problems']}")
    return [
        figure(f"{leg}, {point}", took[point], "ms") for leg, took in legs.items() for point in ("p50", "p99", "max")
    ]


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def main() -> int:
    """Measure and print; anything that left after a latch is a failure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--presses", type=int, default=PRESSES_COUNT)
    parser.add_argument("--appliances", type=int, default=1, choices=range(1, APPLIANCES_MAX + 1), metavar="N")
    parser.add_argument("--json", type=Path, metavar="FILE")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="b4") as folder:
        figures = press_many(Path(folder), arguments.presses, arguments.appliances, _say)
    text = json.dumps(figures, indent=2)
    print(text)
    if arguments.json is not None:
        arguments.json.write_text(text + "\n", encoding="ascii")
    short = figures["presses"] != arguments.presses
    return 1 if short or figures["sent_after_the_latch"] or figures["problems"] else 0


if __name__ == "__main__":
    sys.exit(main())
