"""Pages filled with anything: a reader answers "no" and never raises."""

from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.safety.heartbeat import HeartbeatReader
from appliance.safety.lease import LEASE_HEADER, LeaseReader, LeaseWord
from appliance.safety.page import PAGE_BYTES, WORD_MASK

BOOT = (1, 2)
WORDS = st.integers(0, WORD_MASK)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=PAGE_BYTES + 8), st.integers(0, 1 << 62))
def test_no_bytes_without_our_header_permit(tmp_path: Path, content: bytes, now_ns: int) -> None:
    """Arbitrary files are no permission and no heartbeat; it fails if one were believed or raised."""
    path = tmp_path / "page"
    path.write_bytes(content)
    assert not LeaseReader(path, BOOT).permits(now_ns)
    reader = HeartbeatReader(path, BOOT)
    reader.refresh()
    assert reader.read(now_ns) is None
    reader.close()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(WORDS, WORDS, st.integers(0, 1 << 62))
def test_two_words_permit_only_as_a_matching_pair_in_time(
    tmp_path: Path, valid_until_ns: int, complement: int, now_ns: int
) -> None:
    """On a page of ours, a pair permits only if it matches and lies ahead; it fails for any other pair that permits."""
    words = {
        LeaseWord.HEADER: LEASE_HEADER,
        LeaseWord.BOOT_HIGH: BOOT[0],
        LeaseWord.BOOT_LOW: BOOT[1],
        LeaseWord.VALID_UNTIL_NS: valid_until_ns,
        LeaseWord.VALID_UNTIL_COMPLEMENT: complement,
    }
    content = bytearray(PAGE_BYTES)
    for word, value in words.items():
        content[8 * word : 8 * word + 8] = value.to_bytes(8, "little")
    path = tmp_path / "page"
    path.write_bytes(content)
    matches = valid_until_ns ^ complement == WORD_MASK and now_ns < valid_until_ns <= now_ns + 10_000_000_000
    assert LeaseReader(path, BOOT).permits(now_ns) == matches
