"""What is fed with any bytes: every place where the appliance reads something that somebody else wrote.

A target takes bytes and returns quietly, whatever they are: a refusal by name is as good as a message. Anything else
that leaves it is a finding. `SEEDS` give a fuzzer something to start from.
"""

import os
import tempfile
import zlib
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np

from appliance.core.config import parse
from appliance.core.ed25519 import PublicKey
from appliance.core.errors import ApplianceError, ConfigError, JournalDamaged, WireError
from appliance.core.records import Row
from appliance.core.seal import generate, sign
from appliance.core.seal import verify as verify_seal
from appliance.core.secret import Secret
from appliance.core.settings.explain import template
from appliance.core.values import Side
from appliance.guardian import latch
from appliance.kernels import book
from appliance.market.recording import file_items
from appliance.reporting.command_logs import line_of, parsed
from appliance.reporting.monitor.fleet import Fleet
from appliance.reporting.monitor.screen import lines
from appliance.reporting.mqtt.payloads import State
from appliance.reporting.mqtt.payloads import encode as encode_payload
from appliance.reporting.panel.request import Door, Refusal
from appliance.reporting.panel.request import parse as parse_request
from appliance.reporting.panel.response import encode_response, refusal_response
from appliance.safety import remote_stop, stop_page
from appliance.safety.audit_chain import Head, entry, follow
from appliance.safety.lease import LatchCause
from appliance.trading import records
from appliance.venues.simulator.kraken.http import HttpReader
from appliance.wire.kraken.account import AccountDecoder
from appliance.wire.kraken.answers import AnswerDecoder
from appliance.wire.kraken.numbers import Grid
from appliance.wire.kraken.reader import FrameReader
from appliance.wire.kraken.requests import AddOrder
from appliance.wire.kraken.requests import encode as encode_request
from appliance.wire.kraken.serving import rest
from appliance.wire.kraken.serving.requests import Asked, OrderParams, RequestDecoder
from appliance.wire.link import encode
from appliance.wire.report import Subscribe, reporter_decoder, trader_decoder

GRIDS = (Grid("BTC/USD", 1, 8), Grid("ETH/USD", 2, 8))
CHUNK_BYTES = 7
SNAPSHOT = (
    b'{"channel":"book","type":"snapshot","data":[{"symbol":"BTC/USD","bids":[{"price":29430.2,"qty":0.18967538}],'
    b'"asks":[{"price":29430.3,"qty":8.25215653}],"checksum":1,"timestamp":"2023-10-04T16:25:01.123456Z"}]}'
)
TRADE = (
    b'{"channel":"trade","type":"update","data":[{"symbol":"ETH/USD","side":"sell","price":1800.01,"qty":0.5,'
    b'"ord_type":"market","trade_id":7,"timestamp":"2023-10-04T16:25:01.123456Z"}]}'
)
EXECUTION = (
    b'{"channel":"executions","type":"update","data":[{"order_id":"OK4GJX-KSTLS-7DZZO5","exec_id":"T1","exec_type":'
    b'"trade","trade_id":1,"symbol":"BTC/USD","side":"buy","last_qty":0.1,"last_price":26500.1,"liquidity_ind":"t",'
    b'"cost":2650.01,"order_status":"filled","order_type":"limit","fees":[{"asset":"USD","qty":4.2}],'
    b'"timestamp":"2023-10-04T16:25:01.123456Z"}],"sequence":3}'
)
ANSWER = (
    b'{"method":"add_order","req_id":12,"result":{"order_id":"AA5JGQ-SBMRC-SCJ7J7","cl_ord_id":"x"},"success":true,'
    b'"time_in":"2023-10-04T16:25:01.123456Z","time_out":"2023-10-04T16:25:01.123466Z"}'
)
HEAD = b"GET /events HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n"
PRESS = (
    b"POST /bench/estop HTTP/1.1\r\nHost: localhost\r\nX-Bot4-Press: 1\r\nContent-Length: 0\r\n"
    b"Authorization: Basic YTp0dHR0\r\n\r\n"
)
PUBLISHED = encode_payload(State(device="a", wall_ms=1, stale=False, mode="NORMAL", lamp="NORMAL"))
EXPORTED = b'{"BOT4_TRACE":"00ff","BOT4_WALL_NS":"5","BOT4_SEQUENCE":"1","BOT4_KIND":"fill","MESSAGE":"m"}\n'
STRANGER = generate()
STOP = remote_stop.message_of(remote_stop.words_of("a", 1_790_000_000_000), bytes(range(64)))
PAGE_BOOT = (1, 2)


class Target(NamedTuple):
    """Name what reads, and give it bytes that it knows."""

    read: Callable[[bytes], None]
    seeds: tuple[bytes, ...]


def _frames() -> Callable[[bytes], None]:
    readers = [FrameReader(GRIDS, 10, fast=fast) for fast in (True, False)]

    def read(data: bytes) -> None:
        """Take a frame both ways onto books that wait for a snapshot, and compare every number."""
        for reader in readers:
            reader.rows[:-1, book.PHASE] = book.AWAITING
        fast, slow = (reader.read(data) for reader in readers)
        if fast != slow or not np.array_equal(readers[0].rows[:-1], readers[1].rows[:-1]):
            raise AssertionError(f"read as {fast} by the kernel, as {slow} by the library")

    return read


def _account(data: bytes) -> None:
    AccountDecoder().decode(data)


def _answers(data: bytes) -> None:
    AnswerDecoder().decode(data)


def _report_link(data: bytes) -> None:
    for decoder in (trader_decoder(), reporter_decoder()):
        try:
            for begin in range(0, len(data), CHUNK_BYTES):
                decoder.feed(data[begin : begin + CHUNK_BYTES])
        except WireError:
            pass


def _configuration(data: bytes) -> None:
    try:
        parse(data, "f")
    except ConfigError as problem:
        if not str(problem).startswith("f:"):
            raise AssertionError(f"a refusal without its file: {problem}") from problem


def _journal(data: bytes) -> None:
    row = Row(sequence=1, wall_ns=0, trace=0, kind="intent", payload=data)
    try:
        record = records.decode(row)
    except JournalDamaged:
        return
    if records.decode(msgspec.structs.replace(row, payload=records.encode(record))) != record:
        raise AssertionError("a record does not come back as it was written")


def _recording(data: bytes) -> None:
    try:
        for _ in file_items([data]):
            pass
    except ApplianceError:
        pass


def _seal(data: bytes) -> None:
    if verify_seal(CONFIGURATION, data, STRANGER.public, "d", {}, None).good:
        raise AssertionError("a seal that nobody made was accepted")


def _audit(data: bytes) -> None:
    follow(data.splitlines(keepends=True), None)
    follow(data.splitlines(keepends=True), Head())


def _latch(data: bytes) -> None:
    record = latch._decode(data)
    if record is not None and latch._encode(record) != data:
        raise AssertionError("another spelling of a record was believed")


def _remote_stop() -> Callable[[bytes], None]:
    key = PublicKey(STRANGER.public)

    def read(data: bytes) -> None:
        stop = remote_stop.read(data)
        if isinstance(stop, remote_stop.Refusal):
            return
        if remote_stop.message_of(remote_stop.words_of(stop.device, stop.wall_ms), stop.signature) != data:
            raise AssertionError("another spelling of a stop was read")
        if key.begin(stop.signature, stop.signed).step():
            raise AssertionError("a stop that nobody signed was believed")

    return read


def _stop_page() -> Callable[[bytes], None]:
    """Return what reads bytes as the page, as they are and with the right sum below them."""
    descriptor, name = tempfile.mkstemp()
    reader = stop_page.StopPageReader(Path(name), PAGE_BOOT)
    reader.read(0)
    Path(name).unlink()

    def read(data: bytes) -> None:
        body = (stop_page.HEAD.pack(stop_page.STOP_HEADER, *PAGE_BOOT, len(data)) + data)[: stop_page.BODY_BYTES]
        body = body.ljust(stop_page.BODY_BYTES, b"\0")
        for page in (data, body + zlib.crc32(body).to_bytes(8, "little")):
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, page, 0)
            message = reader.read(0)
            if message is not None and (page is data or message != data[: remote_stop.MESSAGE_BYTES_MAX]):
                raise AssertionError(f"the page was read as {message!r}")

    return read


def _panel(data: bytes) -> None:
    hosts = frozenset({"localhost"})
    for door in (Door(hosts), Door(hosts, presses=frozenset({"/bench/estop"})), Door(hosts, token=Secret("t" * 32))):
        outcome = parse_request(data, door)
        if isinstance(outcome, Refusal):
            encode_response(refusal_response(outcome))
        elif not outcome.path.startswith("/") or (outcome.press and outcome.path not in door.presses):
            raise AssertionError(f"a strange request passed: {outcome}")
        elif door.token is not None and b"t" * 32 not in data and b"dHR0" not in data:
            raise AssertionError("a request without the token passed")


def _monitor(data: bytes) -> None:
    fleet = Fleet("b")
    for leaf in ("state", "birth", "chain", "recent", "event/fill", "summary/equity", "availability"):
        fleet.take(f"b/a/{leaf}", data, retained=False, now_ns=0)
        fleet.take(data.decode(errors="replace"), data, retained=True, now_ns=0)
    lines(fleet, 1, 1.0, 80, colour=True)


def _log_export(data: bytes) -> None:
    for told in parsed(data.splitlines(keepends=True), None):
        line_of(told, 0, alone=True)


def _venue_request(data: bytes) -> None:
    asked = RequestDecoder().decode(data)
    if isinstance(asked, Asked) and isinstance(asked.params, OrderParams):
        asked.params.asked()


def _venue_form(data: bytes) -> None:
    for content_type in ("application/json", "application/x-www-form-urlencoded"):
        found = rest.fields(data, content_type) or {}
        rest.nonce_of(found)
        rest.new_order(found, 0)
        rest.named(found, "txid", "orders")


def _venue_stream(data: bytes) -> None:
    reader = HttpReader()
    try:
        for begin in range(0, len(data), CHUNK_BYTES):
            reader.feed(data[begin : begin + CHUNK_BYTES])
            reader.next()
    except WireError:
        pass


CONFIGURATION = b'[device]\nname = "box"\nversion_count = 7\n'
_LINE = entry(Head(), "latched", {"cause": "BUTTON"}, wall_ns=1, monotonic_ns=1)[0]
_LATCHED = latch._encode(latch.LatchRecord.lost(LatchCause.BUTTON, 7))
_ORDER = AddOrder(order_type="market", side=Side.BUY, order_qty=Decimal(1), symbol="BTC/USD")
_MODE = records.Mode("BOOT", "NORMAL", "good", "trader", 0, 0)

TARGETS: dict[str, Target] = {
    "kraken_frames": Target(_frames(), (SNAPSHOT, TRADE)),
    "kraken_account": Target(_account, (EXECUTION,)),
    "kraken_answers": Target(_answers, (ANSWER,)),
    "report_link": Target(_report_link, (encode(Subscribe(4)),)),
    "configuration": Target(_configuration, (template().encode()[:2_000], b'[device]\nname = "a"\n')),
    "journal": Target(_journal, (records.encode(_MODE), records.encode(records.Account(5)))),
    "recording": Target(_recording, (bytes.fromhex("28b52ffd"),)),
    "seal": Target(_seal, (sign(CONFIGURATION, generate().private, "d", {}),)),
    "audit": Target(_audit, (_LINE,)),
    "latch": Target(_latch, (_LATCHED,)),
    "remote_stop": Target(_remote_stop(), (STOP,)),
    "stop_page": Target(_stop_page(), (STOP,)),
    "panel": Target(_panel, (HEAD, PRESS)),
    "monitor": Target(_monitor, (PUBLISHED,)),
    "log_export": Target(_log_export, (EXPORTED,)),
    "venue_request": Target(_venue_request, (encode_request(_ORDER, 1), b'{"method":"ping"}')),
    "venue_form": Target(_venue_form, (b"nonce=1&pair=X&type=buy&ordertype=limit&volume=1&price=2", b'{"nonce":1}')),
    "venue_stream": Target(_venue_stream, (b"POST /0 HTTP/1.1\r\nContent-Length: 3\r\n\r\na=b",)),
}
