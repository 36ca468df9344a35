"""The server side writes what the venue was recorded writing: answers, frames, and a book with all its checksums."""

import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import pytest

from appliance.wire.kraken.numbers import Grid, moment_ns
from appliance.wire.kraken.serving import answers, market
from tests.recorded.kraken_data import book_messages, literals

GRID = Grid("BTC/USD", 1, 8)
PARTS = ("kraken_wss_client", "wss_messages", "base_messages")


def read(raw: bytes) -> Any:  # noqa: ANN401 - whatever was recorded
    """Read JSON with exact numbers."""
    return json.loads(raw, parse_float=Decimal)


def moment(text: str) -> int:
    """Return a recorded time."""
    found = moment_ns(text)
    assert isinstance(found, int)
    return found


def written_again(literal: Mapping[str, Any]) -> bytes | None:
    """Return what our server writes for the facts of a recorded message, or None where it has no such message."""
    if literal.get("channel") == "heartbeat":
        return market.HEARTBEAT
    if literal.get("channel") == "status":
        return market.status(literal["data"][0]["system"], literal["data"][0].get("connection_id", 0))
    if "time_in" not in literal or "status" in literal:
        return None
    times = moment(literal["time_in"]), moment(literal["time_out"])
    number = literal.get("req_id")
    if literal["method"] == "pong":
        return answers.pong(number, *times)
    if not literal["success"]:
        return answers.failure(literal["error"], literal["method"], number, *times, literal.get("symbol", ""))
    result = literal.get("result", {"orders_cancelled": literal.get("orders_cancelled")})
    return answers.success(literal["method"], number, result, *times)


def compared() -> list[tuple[Any, Any]]:
    """Return every recorded answer beside our spelling of it."""
    found = [read(raw) for part in PARTS for raw in literals(part)]
    pairs = [(literal, written_again(literal)) for literal in found if isinstance(literal, dict)]
    return [(literal, read(ours)) for literal, ours in pairs if ours is not None]


def test_recorded_answers_are_written_the_same() -> None:
    """Shows that successes, errors, pongs, status and heartbeat have the recorded fields and no others;
    fails when a client of the venue would read ours in another way.
    """
    pairs = compared()
    assert len(pairs) > 20
    for literal, ours in pairs:
        if literal.get("channel") == "status":
            # The version is the venue's own, and an unnumbered connection is numbered here.
            assert set(literal["data"][0]) <= set(ours["data"][0])
            assert literal["data"][0]["system"] == ours["data"][0]["system"]
            continue
        assert ours == literal


def test_a_recorded_book_is_written_the_same_with_its_checksums() -> None:
    """Shows that the recorded snapshot and all updates come out of our encoder as they were, and that our checksum
    over the book they make is the recorded one every time; fails on one digit.
    """
    messages = [read(json.dumps(message).encode()) for message in book_messages()]
    sides: dict[str, dict[int, int]] = {"bids": {}, "asks": {}}
    for message in messages:
        data = message["data"][0]
        changes = {name: [steps(level) for level in data[name]] for name in sides}
        for name, side in sides.items():
            side.update(changes[name])
            kept = sorted(((price, lots) for price, lots in side.items() if lots), reverse=name == "bids")[:10]
            sides[name] = dict(kept)
        crc = market.checksum(list(sides["asks"].items()), list(sides["bids"].items()))
        assert crc == data["checksum"]
        dated = moment(data["timestamp"]) if "timestamp" in data else 0
        snapshot = message["type"] == "snapshot"
        ours = read(market.book(GRID, changes["bids"], changes["asks"], crc, dated, snapshot=snapshot))
        if snapshot:
            ours["data"][0].pop("timestamp", None)
            data.pop("timestamp", None)
        assert ours == message


def steps(level: Mapping[str, Any]) -> tuple[int, int]:
    """Return a level in ticks and lots."""
    return int(Decimal(str(level["price"])).scaleb(1)), int(Decimal(str(level["qty"])).scaleb(8))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda levels: [(ticks + 1, lots) for ticks, lots in levels],
        lambda levels: [(ticks, lots + 1) for ticks, lots in levels],
        lambda levels: levels[::-1],
    ],
)
def test_the_checksum_sees_every_digit(spoil: Callable[[list[tuple[int, int]]], list[tuple[int, int]]]) -> None:
    """Shows that price, size and order of levels are all in the checksum; fails when one does not count."""
    asks, bids = [(101, 5), (102, 6)], [(100, 7), (99, 8)]
    assert market.checksum(asks, bids) != market.checksum(spoil(asks), bids)
    assert market.checksum(asks, bids) != market.checksum(asks, spoil(bids))
