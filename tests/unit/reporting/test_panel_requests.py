"""The request parser and the fixed routes."""

import re
from pathlib import Path

import msgspec
import pytest

from appliance.core.clock import VirtualClock
from appliance.reporting.main import allowed_hosts
from appliance.reporting.model import Model
from appliance.reporting.panel.lamp_style import lamp_code, lamp_text, style_sheet
from appliance.reporting.panel.request import FIELDS_MAX, Door, Refusal, Request, parse
from appliance.reporting.panel.response import encode_response, refusal_response
from appliance.reporting.panel.routes import routes
from appliance.safety.lamps import PATTERNS, Colour, Lamp
from tests.integration.reporting.scripted_trader import hello, telemetry

HOSTS = allowed_hosts("127.0.0.1", "bot4-demo")


def head(line: str, *fields: str, host: str | None = "localhost:8470") -> bytes:
    """Return a request's head."""
    named = [] if host is None else [f"Host: {host}"]
    return ("\r\n".join([line, *named, *fields]) + "\r\n\r\n").encode("latin-1")


@pytest.mark.parametrize(
    ("request_head", "status"),
    [
        (head("POST / HTTP/1.1"), 405),
        (head("POST / HTTP/1.1", "Content-Length: 5"), 405),
        (head("DELETE /events HTTP/1.1"), 405),
        (head("HEAD / HTTP/1.1"), 405),
        (head("OPTIONS * HTTP/1.1"), 405),
        (head("GET / HTTP/1.1", host=None), 400),
        (head("GET / HTTP/1.1", "Host: localhost"), 400),
        (head("GET / HTTP/1.1", host="evil.example"), 421),
        (head("GET / HTTP/1.1", host="localhost.evil.example"), 421),
        (head("GET / HTTP/1.1", host="evil@localhost"), 421),
        (head("GET / HTTP/1.0", host="evil.example"), 421),
        (head("GET / HTTP/1.1", "Content-Length: 5"), 400),
        (head("GET / HTTP/1.1", "Transfer-Encoding: chunked"), 400),
        (head("GET http://localhost/ HTTP/1.1"), 400),
        (head("GET / HTTP/2.0"), 505),
        (head("GET  / HTTP/1.1"), 400),
        (head("GET / HTTP/1.1", "Bad Name: 1"), 400),
        (head("GET / HTTP/1.1", "Name : 1"), 400),
        (head("GET / HTTP/1.1", " folded"), 400),
        (head("GET / HTTP/1.1", "A: b\nInjected: c"), 400),
        (head("GET / HTTP/1.1", "A: b\x00"), 400),
        (head("GET /" + "a" * 1100 + " HTTP/1.1"), 414),
        (head("GET / HTTP/1.1", *["A: b"] * FIELDS_MAX), 431),
        (head("GET / HTTP/1.1", "A: " + "b" * 9000), 431),
        (b"\x16\x03\x01\x02\x00\r\n\r\n", 400),
        (b"\r\n\r\n", 400),
    ],
)
def test_what_a_read_only_page_does_not_need_is_refused(request_head: bytes, status: int) -> None:
    """Each refusal has its status; wrong if a write method, a foreign host or a smuggled field came through."""
    refused = parse(request_head, Door(HOSTS))
    assert isinstance(refused, Refusal)
    assert refused.status == status


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:1", "127.0.0.1:8470", "[::1]:8470", "bot4-demo", "bot4-demo.local:80"]
)
def test_the_appliance_answers_to_its_own_names(host: str) -> None:
    """A browser on the box, on the network by name, or through a tunnel is served; wrong if a port mattered."""
    assert parse(head("GET /metrics HTTP/1.1", host=host), Door(HOSTS)) == Request("/metrics")


def test_listening_everywhere_allows_no_host_everywhere() -> None:
    """The wildcard address is not a name; wrong if 0.0.0.0 became an allowed host."""
    assert allowed_hosts("0.0.0.0", "box") == {"localhost", "127.0.0.1", "[::1]", "box", "box.local"}  # noqa: S104
    assert "[fd00::1]" in allowed_hosts("fd00::1", "box")


def test_only_the_table_is_served() -> None:
    """The routes are a closed list and nothing in them writes; wrong if a path were added without being seen here."""
    table = routes(Model(10), VirtualClock())
    assert set(table) == {
        "/", "/panel.css", "/panel.js", "/chart.js", "/icon.svg", "/lamp.css", "/state.json", "/metrics", "/healthz",
    }  # fmt: skip


def test_health_follows_the_telemetry() -> None:
    """The check fails while nothing or only old things are known; wrong if a dead trader looked well."""
    model, clock = Model(10), VirtualClock()
    table = routes(model, clock)
    assert table["/healthz"]().status == 503
    model.take_telemetry(telemetry(), clock.monotonic_ns())
    assert table["/healthz"]().status == 200
    clock.advance_to(4_000_000_000)
    assert table["/healthz"]().status == 503


def test_every_answer_carries_the_strict_policy() -> None:
    """No answer may be framed, sniffed or stored, and no inline script may run; wrong if an error page went without."""
    for status in (200, 404, 405, 503):
        answer = encode_response(refusal_response(Refusal(status, "why")))
        assert b"default-src 'none'; script-src 'self'" in answer
        assert b"X-Content-Type-Options: nosniff" in answer
        assert b"Connection: close" in answer
        assert (b"Allow: GET" in answer) == (status == 405)


def test_the_page_asks_for_nothing_from_elsewhere_and_runs_nothing_inline() -> None:
    """The page works under its own policy; wrong if a file named another origin or used inline code or style."""
    folder = Path(routes.__code__.co_filename).parent
    page = (folder / "page.html").read_text()
    assert not re.search(r"\sstyle=|\son[a-z]+=|<script>|<style|javascript:", page)
    for name in ("page.html", "panel.css", "panel.js", "chart.js"):
        text = (folder / name).read_text().replace("http://www.w3.org/2000/svg", "")
        assert "//" not in re.sub(r"^\s*//.*$", "", text, flags=re.MULTILINE), name
        assert "innerHTML" not in text, name


def test_the_drawn_lamp_has_the_rhythm_of_the_real_one() -> None:
    """Key frames switch exactly where the real pattern does; wrong if the page kept a rhythm of its own."""
    sheet = style_sheet()
    for lamp in Lamp:
        pattern = PATTERNS[lamp]
        if len(pattern.phases) == 1:
            continue
        frames = re.search(rf"@keyframes lamp-{lamp.name.lower()} {{(.*?)\n}}", sheet, re.DOTALL)
        assert frames is not None
        stops = re.findall(r"([\d.]+)% { color: (?:var\(--lamp-(\w+)\)|(transparent));", frames[1])
        for percent, colour, dark in stops:
            start_ms = round(float(percent) * pattern.period_ms / 100)
            assert pattern.colour(start_ms) is (Colour.DARK if dark else Colour(colour)), lamp
        assert len(stops) == len(pattern.phases)
        assert f"lamp-{lamp.name.lower()} {pattern.period_ms}ms step-end infinite" in sheet


def test_a_lamp_nobody_knows_is_not_drawn_lit() -> None:
    """An unknown name leads to the unknown lamp; wrong if it fell back to green."""
    assert lamp_code("sparkling") == "unknown"
    assert "look at the box" in lamp_text("sparkling")
    assert lamp_code("NORMAL") == "normal"


def test_metrics_name_their_units_and_read_back() -> None:
    """The exposition holds the model's numbers under names with units; wrong if a value were scaled twice."""
    model, clock = Model(10), VirtualClock()
    model.greet(hello(0))
    model.take_telemetry(telemetry(equity_quanta=10**14), clock.monotonic_ns())
    lines = routes(model, clock)["/metrics"]().body.decode().splitlines()
    values = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    assert float(values["bot4_equity_quote"]) == 10_000
    assert float(values["bot4_journal_latency_seconds"]) == 0.00412
    assert float(values['bot4_tick_to_order_seconds{quantile="0.999"}']) == 0.000402
    assert float(values['bot4_mode{mode="NORMAL"}']) == 1
    assert float(values['bot4_mode{mode="HALTED"}']) == 0
    assert float(values['bot4_dropped_total{queue="quotes"}']) == 17
    assert float(values["bot4_telemetry_stale"]) == 0


def test_the_state_is_readable_before_anything_is_known() -> None:
    """A page opened before the trader lives gets a whole document; wrong if it got an error."""
    document = msgspec.json.decode(routes(Model(10), VirtualClock())["/state.json"]().body)
    assert (document["entries_all"], document["points_all"]) == ([], [])
    assert (document["state"]["stale"], document["state"]["lamp"]) == (True, "unknown")


def test_a_press_needs_a_bench_and_our_own_field() -> None:
    """A POST passes on a bench's own paths with the field that only our page sends; wrong if a form of another site, a
    real box or another path could press anything.
    """
    bench = Door(HOSTS, presses=frozenset({"/bench/estop"}))
    said = ("POST /bench/estop HTTP/1.1", "X-Bot4-Press: 1", "Content-Length: 0")
    assert parse(press(*said), bench) == Request("/bench/estop", press=True)
    for door, lines in (
        (Door(HOSTS), said),
        (bench, ("POST /bench/estop HTTP/1.1",)),
        (bench, ("POST /bench/estop HTTP/1.1", "X-Bot4-Press: 2")),
        (bench, ("POST /state.json HTTP/1.1", "X-Bot4-Press: 1")),
        (bench, ("PUT /bench/estop HTTP/1.1", "X-Bot4-Press: 1")),
        (bench, ("OPTIONS /bench/estop HTTP/1.1", "X-Bot4-Press: 1")),
    ):
        outcome = parse(press(*lines), door)
        assert isinstance(outcome, Refusal)
        assert outcome.status == 405


def press(*lines: str) -> bytes:
    """Return a head of these lines for this machine."""
    return "\r\n".join((lines[0], "Host: localhost", *lines[1:], "", "")).encode()
