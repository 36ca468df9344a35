"""The small parts under the connections: addresses, answers, counters, keys and clocks."""

import contextlib
from decimal import Decimal
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import given

from appliance.core.clock import VirtualClock
from appliance.core.errors import ConfigError, StoreFailure, WireError
from appliance.venues.kraken.clock_offset import ClockOffset
from appliance.venues.kraken.endpoint import endpoint, tls
from appliance.venues.kraken.http import ANSWER_BYTES_MAX, AnswerReader, get, post
from appliance.venues.kraken.keys import key_path, read_key
from appliance.venues.kraken.nonce import BLOCK, NonceCounter
from appliance.wire.kraken.names import Names, asset
from appliance.wire.kraken.refusals import Refused
from appliance.wire.kraken.rest import BALANCES, PAIRS, Failed, PairInfo, result
from tests.integration.kraken.scripted import PAIR


def read(pieces: list[bytes]) -> None:
    """Feed the pieces of an answer to a reader."""
    reader = AnswerReader()
    for piece in pieces:
        reader.feed(piece)


PLACE = endpoint("http://127.0.0.1:8471", plain_loopback=True)


@pytest.mark.parametrize(
    "url",
    [
        "ws://api.kraken.com/v2",
        "http://192.0.2.1",
        "ws://localhost:8471/v2",
        "ftp://127.0.0.1",
        "wss://",
        "kraken",
        "ws://127.0.0.1:99999",
        "ws://127.0.0.1.example.org",
    ],
)
def test_what_would_leave_this_machine_unencrypted_is_refused(url: str) -> None:
    """Shows that plain speech needs a loopback address; fails when a name or another host passes."""
    with pytest.raises(ConfigError):
        endpoint(url, plain_loopback=True)


def test_plain_loopback_needs_the_setting_and_everything_else_is_verified() -> None:
    """Shows the setting from both sides and that TLS verifies; fails when either is taken for granted."""
    with pytest.raises(ConfigError, match="not encrypted"):
        endpoint("ws://127.0.0.1:8471/v2", plain_loopback=False)
    assert tls(PLACE) is None
    context = tls(endpoint("wss://ws.kraken.com/v2", plain_loopback=True))
    assert context is not None
    assert context.check_hostname
    assert context.verify_mode.name == "CERT_REQUIRED"


def test_requests_are_spelled_as_http_has_them() -> None:
    """Shows both requests byte for byte; fails when a length or a line end is wrong."""
    assert get(PLACE, "/0/public/Time") == (
        b"GET /0/public/Time HTTP/1.1\r\nHost: 127.0.0.1:8471\r\nUser-Agent: bot4-edge\r\nConnection: close\r\n\r\n"
    )
    assert post(PLACE, "/x", b"ab", (("API-Key", "k"),)).endswith(b"API-Key: k\r\nContent-Length: 2\r\n\r\nab")


@given(st.integers(1, 400))
def test_an_answer_is_read_in_any_pieces(size: int) -> None:
    """Shows a chunked and a plain answer whole however they are cut; fails when a piece's edge matters."""
    for answer in (
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\nhello",
    ):
        reader, body = AnswerReader(), None
        for begin in range(0, len(answer), size):
            body = reader.feed(answer[begin : begin + size])
        assert (body if body is not None else reader.feed(b"")) == b"hello"


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"SSH-2.0\r\n",
        b"x" * 20_000,
        b"",
    ],
)
def test_what_is_no_answer_is_refused(answer: bytes) -> None:
    """Shows that errors, lengths, cuts and strangers are told as such; fails when one hangs or passes."""
    with pytest.raises(WireError):
        read([answer, b""] if answer else [b""])


def test_an_endless_answer_is_cut_off() -> None:
    """Shows the limit on what one answer may take; fails when memory is the limit."""
    chunk = b"3e8\r\n" + b"x" * 1_000 + b"\r\n"
    with pytest.raises(WireError):
        read([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", *[chunk] * (ANSWER_BYTES_MAX // 1_000)])


@given(data=st.binary(max_size=300))
def test_no_bytes_crash_the_reader(data: bytes) -> None:
    """Shows that any bytes are an answer or a refusal; fails on any other exception."""
    reader = AnswerReader()
    with contextlib.suppress(WireError):
        if reader.feed(data) is None:
            reader.feed(b"")


def test_a_counter_rises_over_restarts_and_clocks_that_step_back(tmp_path: Path) -> None:
    """Shows numbers rising over restarts, a clock that fell back and a used-up block; fails on one repeated."""
    path, clock = tmp_path / "nonce", VirtualClock(0, 5_000_000_000_000)
    taken = [NonceCounter(path, clock).next() for _ in range(3)]
    backward = NonceCounter(path, VirtualClock(0, 1_000))
    taken += [backward.next() for _ in range(3)]
    backward._next = backward._reserved  # a block is a million numbers
    taken.append(backward.next())
    assert taken == sorted(set(taken))
    assert taken[0] == 5_000_000_001
    assert taken[-1] - taken[-2] >= BLOCK - 3


@pytest.mark.parametrize("text", ["", "abc", "-1", "9" * 21, "\xff"])
def test_a_counter_that_cannot_be_read_is_no_counter(tmp_path: Path, text: str) -> None:
    """Shows that a damaged file is refused; fails when it silently begins again below what was used."""
    path = tmp_path / "nonce"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(StoreFailure):
        NonceCounter(path, VirtualClock(0, 0)).next()


@pytest.mark.parametrize(("text", "good"), [("a:b", True), ("ab", False), (":b", False), ("a:", False)])
def test_a_key_has_two_halves(tmp_path: Path, text: str, good: bool) -> None:
    """Shows the one form of a key file; fails when half a key passes."""
    path = tmp_path / "venue.key"
    path.write_text(text)
    path.chmod(0o600)
    if good:
        assert read_key(path).name == "a"
        assert "b" not in str(read_key(path))
    else:
        with pytest.raises(ConfigError, match="one line"):
            read_key(path)


@given(st.integers(-(10**12), 10**12), st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 10**9)), min_size=1))
def test_the_offset_is_no_further_off_than_half_the_quickest_way(offset: int, ways: list[tuple[int, int]]) -> None:
    """Shows the bound for any delays there and back; fails when a slow exchange outweighs a quick one."""
    clock = ClockOffset()
    for there, back in ways:
        clock.note(1_000, 1_000 + there + offset, 1_000 + there + offset, 1_000 + there + back)
    found, recent = clock.offset_ns, ways[-8:]
    assert found is not None
    assert abs(found - offset) <= min(there + back for there, back in recent) // 2 + 1


def test_old_names_are_present_ones() -> None:
    """Shows the venue's older names translated and no other touched; fails when a coin is taken for another."""
    assert [asset(name) for name in ("XXBT", "ZUSD", "XETH", "XBT.F", "ZETA", "XDG", "SOL")] == [
        "BTC",
        "USD",
        "ETH",
        "BTC",
        "ZETA",
        "DOGE",
        "SOL",
    ]
    names = Names({"as asked": PAIR}, ["BTC/USD"])
    assert {names.find(name) for name in ("XXBTZUSD", "XBTUSD", "XBT/USD", "BTC/USD", "as asked")} == {
        names.instruments["BTC/USD"]
    }
    assert names.find("ETHUSD") is None
    assert (names.instruments["BTC/USD"].taker_fee_ppm, names.instruments["BTC/USD"].size_lots_min) == (2_600, 10_000)


@pytest.mark.parametrize(("wanted", "more"), [(["ETH/USD"], {}), (["BTC/USD", "BTC/EUR"], {"wsname": "XBT/EUR"})])
def test_instruments_that_one_account_cannot_tell_apart_are_refused(wanted: list[str], more: dict[str, str]) -> None:
    """Shows that a missing one, a second currency, a shared base are refused; fails when it is guessed."""
    fields = {name: getattr(PAIR, name) for name in PAIR.__struct_fields__}
    with pytest.raises(ConfigError):
        Names({"XXBTZUSD": PAIR, "OTHER": type(PAIR)(**(fields | more))}, wanted)


def test_terms_that_cannot_be_traded_exactly_are_refused() -> None:
    """Shows that steps of half a digit are refused; fails when orders were rounded to another grid."""
    fields = {name: getattr(PAIR, name) for name in PAIR.__struct_fields__} | {"tick_size": Decimal("0.5")}
    with pytest.raises(ConfigError, match="steps"):
        Names({"XXBTZUSD": type(PAIR)(**fields)}, ["BTC/USD"])


def test_rest_answers_are_results_errors_or_refusals() -> None:
    """Shows each of the three; fails when an error passes for a result or a bomb is parsed."""
    assert told(b'{"error":[],"result":{"ZUSD":"1.5"}}') == {"ZUSD": Decimal("1.5")}
    assert told(b'{"error":["EAPI:Invalid nonce"]}') == Failed(("EAPI:Invalid nonce",))
    for bad in (b"", b"[]", b'{"error":[]}', b'{"error":[],"result":{"ZUSD":"1e99"}}', b"[" * 5_000, b'{"error":"x"}'):
        assert isinstance(told(bad), Refused), bad
    pairs: dict[str, PairInfo] | Failed | Refused = result(PAIRS, b'{"error":[],"result":{"X":{}}}')
    assert isinstance(pairs, Refused)


def told(body: bytes) -> dict[str, Decimal] | Failed | Refused:
    """Return what a body says of balances."""
    found: dict[str, Decimal] | Failed | Refused = result(BALANCES, body)
    return found


def test_a_key_handed_to_the_service_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Shows a credential before the state folder, and that paper money never opens with the owner's key; fails when
    another's key is read.
    """
    handed = tmp_path / "credentials"
    handed.mkdir()
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(handed))
    assert key_path("venue.key", tmp_path, "live") == tmp_path / "venue.key"
    (handed / "venue.key").write_text("a:b")
    assert key_path("venue.key", tmp_path, "live") == handed / "venue.key"
    assert key_path("venue.key", tmp_path, "paper") == tmp_path / "venue.key"
    (handed / "paper-venue.key").write_text("c:d")
    assert key_path("venue.key", tmp_path, "paper") == handed / "paper-venue.key"
    monkeypatch.delenv("CREDENTIALS_DIRECTORY")
    assert key_path("venue.key", tmp_path, "live") == tmp_path / "venue.key"
