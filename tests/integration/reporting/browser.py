"""A headless Chromium spoken to over its debugging socket, just enough to look at one page."""

import contextlib
import json
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
WAIT_S_MAX = 60.0
_QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage",
    "--no-first-run", "--disable-sync", "--disable-component-update", "--remote-debugging-port=0",
)  # fmt: skip


class Page:
    """Look at one page and remember what the browser complained about."""

    def __init__(self, channel: ClientConnection) -> None:
        """Speak over this channel."""
        self._channel = channel
        self._calls = 0
        self.complaints: list[str] = []

    def call(self, method: str, **parameters: object) -> dict[str, Any]:
        """Call one method of the debugging protocol and return its result."""
        self._calls += 1
        self._channel.send(json.dumps({"id": self._calls, "method": method, "params": parameters}))
        while True:
            message: dict[str, Any] = json.loads(self._channel.recv(timeout=WAIT_S_MAX))
            if message.get("id") == self._calls:
                result: dict[str, Any] = message["result"]
                return result
            if message.get("method") in {"Log.entryAdded", "Runtime.exceptionThrown"}:
                self.complaints.append(json.dumps(message["params"]))

    def value(self, expression: str) -> Any:  # noqa: ANN401 - whatever the page's script returns
        """Return the value of an expression in the page."""
        return self.call("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def until(self, expression: str) -> None:
        """Wait until an expression in the page is true."""
        deadline_s = time.monotonic() + WAIT_S_MAX
        while self.value(expression) is not True:
            assert time.monotonic() < deadline_s, f"never came to be: {expression}; complaints: {self.complaints}"
            time.sleep(0.1)


@contextlib.contextmanager
def page_of(url: str, folder: Path) -> Iterator[Page]:
    """Open a page in a browser with a profile of its own and close both afterwards."""
    command = [str(BROWSER), *_QUIET, f"--user-data-dir={folder}", "about:blank"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        with connect(_target(folder, process), max_size=1 << 24, proxy=None) as channel:
            page = Page(channel)
            page.call("Log.enable")
            page.call("Runtime.enable")
            page.call("Page.navigate", url=url)
            yield page
    finally:
        process.terminate()
        process.wait(WAIT_S_MAX)


def _target(folder: Path, process: subprocess.Popen[bytes]) -> str:
    announced = folder / "DevToolsActivePort"
    deadline_s = time.monotonic() + WAIT_S_MAX
    while time.monotonic() < deadline_s and process.poll() is None:
        with contextlib.suppress(OSError, IndexError, StopIteration):
            port = announced.read_text().split()[0]
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list", timeout=5) as answer:
                address: str = next(one["webSocketDebuggerUrl"] for one in json.load(answer) if one["type"] == "page")
            return address
        time.sleep(0.1)
    raise AssertionError("the browser did not start")
