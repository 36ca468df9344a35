"""Events, commands and journal records travel as bytes and come back the same."""

from typing import get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.core.commands import AnyCommand, WriteRow
from appliance.core.errors import JournalDamaged
from appliance.core.events import AnyEvent
from appliance.core.records import Row
from appliance.trading import records

# The words of JSON and MessagePack end at 64 bits, and so do our integers.
INTEGERS = st.integers(-(2**63), 2**63 - 1)
st.register_type_strategy(int, INTEGERS)

MESSAGES = [*get_args(AnyEvent), *get_args(AnyCommand)]
UNIONS = {kind: AnyEvent if kind in get_args(AnyEvent) else AnyCommand for kind in MESSAGES}


@pytest.mark.parametrize("kind", MESSAGES, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("form", [msgspec.msgpack, msgspec.json], ids=["msgpack", "json"])
@given(data=st.data())
def test_a_message_survives_its_encoding(kind: type, form: object, data: st.DataObject) -> None:
    """Shows that every event and command decodes to itself by its tag; fails when a field or a tag is lost."""
    message = data.draw(st.from_type(kind))
    codec = msgspec.msgpack if form is msgspec.msgpack else msgspec.json
    encoded = codec.encode(message)
    decoded = codec.decode(encoded, type=UNIONS[kind])
    assert decoded == message
    assert type(decoded) is kind
    assert codec.encode(decoded) == encoded


@pytest.mark.parametrize("kind", MESSAGES, ids=lambda kind: kind.__name__)
@given(data=st.data())
def test_a_message_is_frozen(kind: type[msgspec.Struct], data: st.DataObject) -> None:
    """Shows that no field of a message can be changed; fails when a struct is not frozen."""
    message = data.draw(st.from_type(kind))
    for name in kind.__struct_fields__:
        with pytest.raises(AttributeError):
            setattr(message, name, getattr(message, name))


def test_the_unions_name_every_message() -> None:
    """Shows that nothing derived from a message is left out of its union; fails when a new one is forgotten."""
    for union in (AnyEvent, AnyCommand):
        listed = set(get_args(union))
        assert set(next(iter(listed)).__mro__[1].__subclasses__()) == listed


@pytest.mark.parametrize("kind", get_args(records.AnyRecord), ids=lambda kind: kind.__name__)
@given(data=st.data())
def test_a_record_survives_the_journal(kind: type[records.AnyRecord], data: st.DataObject) -> None:
    """Shows that every record reads back from its row by its own payload; fails when a kind or a field is lost."""
    record = data.draw(st.from_type(kind))
    row = Row(1, 0, 0, records.kind_of(record), records.encode(record))
    assert records.decode(row) == record
    assert records.plain(record)["kind"] == row.kind
    assert msgspec.json.decode(msgspec.json.encode(WriteRow(row)), type=WriteRow).row == row


@given(st.binary(max_size=60))
def test_bytes_that_are_no_record_are_refused(payload: bytes) -> None:
    """Shows that noise in a row is refused by its number; fails with any error but the one that stops the start."""
    with pytest.raises(JournalDamaged, match="row 7"):
        records.decode(Row(7, 0, 0, "fill", payload))


@pytest.mark.parametrize(
    "payload", [b'{"kind":"fill"}', b'{"kind":"unheard"}', b'{"kind":"account","cash_quanta":"1"}', b"\xff"]
)
def test_a_record_with_a_hole_is_refused(payload: bytes) -> None:
    """Shows that a record of another shape is refused; fails when a missing field is made up."""
    with pytest.raises(JournalDamaged, match="row 7"):
        records.decode(Row(7, 0, 0, "fill", payload))
