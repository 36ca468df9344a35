"""What a person sees in every mode, light and dark, on a desk and on a phone; and that buttons work on a bench only."""

import base64
import json
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest

from appliance.safety.modes import Mode
from tests.integration.reporting.browser import BROWSER, Page, page_of
from tests.integration.reporting.fed_reporter import Fed, ReporterProcess, fed_reporter

pytestmark = [
    pytest.mark.serial,
    pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine: the page is not tried in a browser"),
]
PICTURES = Path("var/screenshots")
DESK, PHONE = (1280, 1500), (390, 844)
SHIFT_MAX = 0.1
# Names as a screen reader gets them, from the browser's own tree.
NAMED = {"Equity and drawdown", "Use of limits", "Positions", "Activity", "Machine", "Health", "Audit log"}


@pytest.fixture
def fed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fed]:
    """Return a scripted trader in a thread of its own and the folder where a reporter finds it."""
    yield from fed_reporter(tmp_path_factory.mktemp("l"))


class Telling:
    """Publish telemetry of one mode again and again, so that the page is never stale."""

    def __init__(self, fed: Fed) -> None:
        """Tell through this trader."""
        self.mode = "NORMAL"
        self._fed = fed
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End."""
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(0.3):
            self._fed.publish_telemetry(self.mode)


def sized(page: Page, size: tuple[int, int], *, dark: bool) -> None:
    """Give the page a window and a colour scheme."""
    page.call(
        "Emulation.setDeviceMetricsOverride", width=size[0], height=size[1], deviceScaleFactor=1, mobile=size is PHONE
    )
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    page.call("Emulation.setEmulatedMedia", features=[scheme])


def picture(page: Page, name: str) -> None:
    """Keep what the window shows as an artefact."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    shown = page.call("Page.captureScreenshot", format="png")["data"]
    (PICTURES / f"{name}.png").write_bytes(base64.b64decode(shown))


def test_every_mode_is_shown_as_itself(fed: Fed, tmp_path: Path) -> None:
    """In each mode the page shows its name, its lamp's rhythm and its words, fits a phone without sideways scrolling,
    names its parts to a screen reader, moves nothing while it updates and complains of nothing; wrong if a mode looked
    like another one, or the page jumped under a finger.
    """
    fed.publish_notes(10)
    with (
        Telling(fed) as telling,
        ReporterProcess(fed.config) as reporter,
        page_of(reporter.url, tmp_path / "b") as page,
    ):
        sized(page, DESK, dark=False)
        page.until("document.body.dataset.lamp === 'normal'")
        page.value(
            "window.shift = 0; new PerformanceObserver((list) => { for (const one of list.getEntries()) "
            "if (!one.hadRecentInput) window.shift += one.value; }).observe({type: 'layout-shift', buffered: false}); 1"
        )
        picture(page, "scripted-light")
        for mode in Mode:
            telling.mode = mode.name
            page.until(f"document.getElementById('mode').textContent === '{mode.name}'")
            lamp = "boot" if mode is Mode.RECONCILING else mode.name.lower()
            page.until(f"document.body.dataset.lamp === '{lamp}'")
            assert page.value("document.getElementById('mode-text').textContent.length") > 10
            assert lamp in str(page.value("getComputedStyle(document.querySelector('.lamp-light')).animationName")) or (
                mode is Mode.PAUSED
            )
        assert page.value("window.shift") < SHIFT_MAX
        names = {
            node["name"].get("value") for node in page.call("Accessibility.getFullAXTree")["nodes"] if "name" in node
        }
        assert names >= NAMED
        sized(page, PHONE, dark=True)
        picture(page, "scripted-phone-dark")
        assert page.value("document.documentElement.scrollWidth <= innerWidth") is True
        assert page.value("[...document.querySelectorAll('button, a[href]')].every((one) => one.tabIndex >= 0)") is True
        assert page.complaints == []


def test_the_buttons_of_a_bench_stop_and_start_it(tmp_path_factory: pytest.TempPathFactory) -> None:
    """On simulated pins the drawn button stops the real processes, and releasing, holding reset and a short press start
    them again, all from the page; wrong if a press reached nothing, or a release alone had started it.
    """
    keep = tmp_path_factory.mktemp("p") / "run"
    words = ["run", "--json", "--keep", str(keep)]
    process = subprocess.Popen(
        [sys.executable, "-m", "appliance", *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        url = announced(keep)
        with page_of(url, keep.parent / "browser") as page:
            sized(page, DESK, dark=True)
            page.until("document.getElementById('mode').textContent === 'NORMAL'")
            page.until("document.querySelectorAll('#latencies figure').length >= 2")
            page.until("document.querySelectorAll('#audit time').length > 0")
            page.until("document.getElementById('relay').textContent === 'held by the pulse'")
            picture(page, "run-dark")
            page.value("document.querySelector('g.press[data-press=estop]').dispatchEvent(new MouseEvent('click'))")
            page.until("document.body.dataset.lamp === 'halted'")
            page.until("document.getElementById('estop').textContent === 'pressed or latched'")
            page.until("document.getElementById('relay').textContent.startsWith('dropped')")
            sized(page, DESK, dark=False)
            picture(page, "run-halted")
            for button, answer in (("release", "ok"), ("reset", "ok"), ("start", "ok")):
                page.value(f"document.querySelector('#bench [data-press={button}]').click()")
                page.until(f"document.getElementById('bench-answer').textContent.startsWith('{button}: {answer}')")
                # Only the last of the three may start it.
                assert button == "start" or page.value("document.getElementById('mode').textContent") != "NORMAL"
            page.until("document.getElementById('mode').textContent === 'NORMAL'")
            assert page.complaints == []
        assert status_of(url, {"Host": "localhost"}) == 405  # without the field that only our own page sends
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)


def announced(keep: Path) -> str:
    """Return the panel's address once it is told."""
    deadline_s = time.monotonic() + 60
    path = keep / "run" / "panel.json"
    while not path.exists():
        assert time.monotonic() < deadline_s
        time.sleep(0.05)
    url: str = json.loads(path.read_bytes())["url"]
    return url


def status_of(url: str, fields: dict[str, str]) -> int:
    """Press the stop button from outside a page and return the status."""
    request = urllib.request.Request(f"{url}bench/estop", method="POST", headers=fields)  # noqa: S310 - our own address
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - as above
            status: int = answer.status
            return status
    except urllib.error.HTTPError as refused:
        refused.close()
        return refused.code
