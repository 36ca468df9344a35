"""Client ids: made from the journal, found again from the id alone."""

from hypothesis import example, given
from hypothesis import strategies as st

from appliance.core.identifiers import CLIENT_ID_LENGTH, client_id, journal_tag, sequence_of, trace_id

KRAKEN_LENGTH_MAX = 18
SEQUENCES = st.integers(0, 2**40 - 1)
TAGS = st.builds(journal_tag, st.text(max_size=32), st.integers(0, 2**63 - 1))


@given(TAGS, SEQUENCES)
@example("abcde", 2**40 - 1)
def test_an_id_leads_back_to_its_row(tag: str, sequence: int) -> None:
    """Shows that an id of the venue's length holds its row's number; fails when a digit is lost or the id too long."""
    identifier = client_id(tag, sequence)
    assert sequence_of(identifier, tag) == sequence
    assert len(identifier) == CLIENT_ID_LENGTH <= KRAKEN_LENGTH_MAX
    assert identifier.isascii()


@given(st.lists(st.tuples(TAGS, SEQUENCES), unique=True, min_size=2, max_size=30))
def test_no_two_rows_share_an_id(rows: list[tuple[str, int]]) -> None:
    """Shows that different rows or journals have different ids; fails when two collide."""
    assert len({client_id(tag, sequence) for tag, sequence in rows}) == len(rows)


@given(SEQUENCES, SEQUENCES)
def test_ids_sort_like_their_rows(one: int, other: int) -> None:
    """Shows that ids of one journal sort by age; fails when the alphabet is not in order."""
    assert (client_id("abcde", one) < client_id("abcde", other)) == (one < other)


@given(st.text(max_size=20))
@example("b4abcde-0000000")
@example("b4abcde-000000000")
@example("b4abcde-0000000i")
@example("b4abcdf-00000001")
@example("b4abcde-0000000A")
def test_only_our_own_ids_are_read(text: str) -> None:
    """Shows that a text is an id of ours only if we would write it so; fails when a stranger's id names a row."""
    sequence = sequence_of(text, "abcde")
    assert sequence is None or client_id("abcde", sequence) == text


@given(st.integers(0, 2**20), st.integers(0, 2**40 - 1))
def test_traces_are_unique_over_restarts(boot_count: int, event_count: int) -> None:
    """Shows that both numbers can be read out of a trace; fails when a restart repeats one."""
    assert divmod(trace_id(boot_count, event_count), 2**40) == (boot_count, event_count)
