"""Lines with fields for systemd's journal, read back from a socket of our own."""

import logging
import socket
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.hardware.journald import FIELDS, VALUE_BYTES_MAX, Journald, JournaldHandler, encode


def parsed(datagram: bytes) -> dict[str, bytes]:
    """Read a datagram as systemd does."""
    fields = {}
    while datagram:
        line, _, rest = datagram.partition(b"\n")
        name, equals, value = line.partition(b"=")
        if equals:
            fields[name.decode()], datagram = value, rest
        else:
            (length,) = struct.unpack("<Q", rest[:8])
            fields[name.decode()], datagram = rest[8 : 8 + length], rest[9 + length :]
    return fields


@given(st.dictionaries(st.from_regex(r"[A-Z][A-Z0-9_]{0,10}", fullmatch=True), st.text(max_size=60), max_size=6))
def test_whatever_is_said_reads_back(fields: dict[str, str]) -> None:
    """Any text comes back whole under its name, newlines and signs too; wrong if a value could make up a field."""
    assert parsed(encode(fields)) == {name: value.encode(errors="replace") for name, value in fields.items()}


def test_names_and_lengths_are_bounded() -> None:
    """A name the journal would refuse is left out and a long value cut; wrong if one broke the whole datagram."""
    said = parsed(encode({"lower": "x", "": "x", "A B": "x", "GOOD": "y" * (VALUE_BYTES_MAX + 9)}))
    assert said == {"GOOD": b"y" * VALUE_BYTES_MAX}


def test_a_log_record_carries_its_fields(tmp_path: Path) -> None:
    """A record of the standard library arrives with message, priority, name and fields; wrong if any were lost."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journal:
        journal.bind(str(tmp_path / "j"))
        journald = Journald("tester", {"JOURNAL_STREAM": "1:2"}, tmp_path / "j")
        logger = logging.getLogger("a.name")
        logger.addHandler(JournaldHandler(journald))
        logger.warning("hello %s", "there", extra={FIELDS: {"BOT4_TRACE": "00ff"}})
        assert parsed(journal.recv(1 << 16)) == {
            "MESSAGE": b"hello there",
            "PRIORITY": b"4",
            "SYSLOG_IDENTIFIER": b"tester",
            "LOGGER": b"a.name",
            "BOT4_TRACE": b"00ff",
        }
        journald.close()


@pytest.mark.parametrize("environment", [{}, {"JOURNAL_STREAM": "1:2"}])
def test_without_a_journal_lines_are_plain(
    environment: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where no journal reads us, or it has gone, lines go to standard error; wrong if they went nowhere."""
    journald = Journald("tester", environment, tmp_path / "absent")
    assert not journald.connected
    journald.tell("a line")
    assert capsys.readouterr().err == "a line\n"


def test_a_journal_that_takes_nothing_costs_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A full socket is not waited for: the line goes to standard error; wrong if logging could stop the caller."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journal:
        journal.bind(str(tmp_path / "j"))
        journald = Journald("tester", {"JOURNAL_STREAM": "1:2"}, tmp_path / "j")
        for number in range(2000):
            journald.tell(f"line {number}")
        assert journald.failed_count > 0
        assert "line 1999" in capsys.readouterr().err
        journald.close()
