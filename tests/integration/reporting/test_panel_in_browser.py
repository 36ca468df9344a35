"""The page in a real browser, where there is one."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.core.values import OrderKind, Side
from appliance.trading.records import Intent, Mode
from tests.integration.reporting.browser import BROWSER, page_of
from tests.integration.reporting.fed_reporter import Fed, ReporterProcess, fed_reporter

pytestmark = [
    pytest.mark.serial,
    pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine: the page is not tried in a browser"),
]
HOSTILE = "<img src=x onerror=\"document.body.dataset.broken='yes'\">"


@pytest.fixture
def fed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fed]:
    """Return a scripted trader in a thread of its own and the folder where a reporter finds it."""
    yield from fed_reporter(tmp_path_factory.mktemp("b"))


def test_the_page_draws_the_state_and_treats_text_as_text(fed: Fed, tmp_path: Path) -> None:
    """Mode, lamp, money, chart and a decision appear, markup inside a reason stays text, and silence is said; wrong if
    the script broke under its own policy, or old figures looked like the present.
    """
    fed.publish(
        Intent(
            client_id="b4abc12-00000001",
            instrument="BTC/USD",
            strategy="trend",
            side=Side.BUY,
            order_kind=OrderKind.LIMIT,
            price_ticks=640_000,
            size_lots=100_000,
            reduce_only=False,
            reason=HOSTILE,
        )
    )
    fed.publish(Mode("BOOT", "RECONCILING", "the journal is replayed", "trader", 0, 0))
    ended = threading.Event()

    def keep_telling() -> None:
        while not ended.wait(0.4):
            fed.publish_telemetry()

    telling = threading.Thread(target=keep_telling)
    telling.start()
    try:
        with ReporterProcess(fed.config) as reporter, page_of(reporter.url, tmp_path / "browser") as page:
            page.until("document.body.dataset.lamp === 'normal' && document.querySelector('.line') !== null")
            assert page.value("document.getElementById('mode').textContent") == "NORMAL"
            assert page.value("document.getElementById('equity').textContent") == "10,000.00"
            assert page.value("document.getElementById('stale').hidden") is True
            assert page.value("document.querySelectorAll('#entries li').length") == 2
            assert page.value("getComputedStyle(document.querySelector('.lamp-light')).animationName") == "lamp-normal"
            text = page.value("document.getElementById('entries').textContent")
            assert "Buy 0.001 BTC/USD at 64,000.0" in text
            assert HOSTILE in text
            page.value(
                "[...document.querySelectorAll('#filters button')].find((b) => b.textContent === 'Modes').click()"
            )
            assert page.value("document.querySelectorAll('#entries li').length") == 1
            page.value("document.getElementById('chart').dispatchEvent(new KeyboardEvent('keydown', {key: 'Home'}))")
            assert "below highest" in page.value("document.getElementById('chart-reading').textContent")
            ended.set()
            page.until("document.body.dataset.lamp === 'unknown' && !document.getElementById('stale').hidden")
            assert page.value("document.body.dataset.broken") is None
            assert page.complaints == []
    finally:
        ended.set()
        telling.join()
