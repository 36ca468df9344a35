"""The lease page: permission is there only while the guardian says so, and nothing broken reads as permission."""

from pathlib import Path

import pytest

from appliance.safety.lease import (
    HORIZON_NS,
    LatchCause,
    LatchState,
    LeaseInformation,
    LeaseReader,
    LeaseWord,
    LeaseWriter,
    RelayState,
    lease_path,
)
from appliance.safety.page import PAGE_BYTES, WORD_MASK, boot_identity

BOOT = (0x1234, 0x5678)
NOW_NS = 50_000_000_000
EXPIRY_NS = 250_000_000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the page is."""
    return lease_path(tmp_path)


@pytest.fixture
def writer(path: Path) -> LeaseWriter:
    """Return a writer that has granted permission."""
    writer = LeaseWriter(path, BOOT, pid=77)
    assert writer.renew(NOW_NS + EXPIRY_NS, writer.ticket())
    return writer


def _poke(path: Path, word: int, value: int) -> None:
    with path.open("r+b") as file:
        file.seek(8 * word)
        file.write(value.to_bytes(8, "little"))


def test_granted_permission_reads_as_such_until_it_expires(path: Path, writer: LeaseWriter) -> None:
    """Permission holds to the last nanosecond and not one longer; it fails if expiry were off by one or ignored."""
    reader = LeaseReader(path, BOOT)
    assert reader.permits(NOW_NS)
    assert reader.permits(NOW_NS + EXPIRY_NS - 1)
    assert not reader.permits(NOW_NS + EXPIRY_NS)


def test_withdrawal_is_seen_at_once_by_a_reader_that_is_already_mapped(path: Path, writer: LeaseWriter) -> None:
    """A withdrawal needs no new mapping; it fails if readers kept a copy."""
    reader = LeaseReader(path, BOOT)
    writer.withdraw()
    assert not reader.permits(NOW_NS)


def test_a_ticket_drawn_before_a_withdrawal_cannot_renew(path: Path, writer: LeaseWriter) -> None:
    """A renewal decided on old inputs cannot undo a withdrawal; it fails if renewing ignored its ticket."""
    ticket = writer.ticket()
    writer.withdraw()
    assert not writer.renew(NOW_NS + EXPIRY_NS, ticket)
    assert not LeaseReader(path, BOOT).permits(NOW_NS)
    assert writer.renew(NOW_NS + EXPIRY_NS, writer.ticket())


def test_every_state_between_two_stores_reads_as_no(path: Path, writer: LeaseWriter) -> None:
    """Old and new halves never match; it fails if permission did not depend on the complement."""
    first, second = NOW_NS + EXPIRY_NS, NOW_NS + 2 * EXPIRY_NS
    reader = LeaseReader(path, BOOT)
    for valid_until_ns, complement in (
        (first, second ^ WORD_MASK),
        (second, first ^ WORD_MASK),
        (0, first ^ WORD_MASK),
        (first, WORD_MASK),
        (0, WORD_MASK),
        (0, 0),
    ):
        _poke(path, LeaseWord.VALID_UNTIL_NS, valid_until_ns)
        _poke(path, LeaseWord.VALID_UNTIL_COMPLEMENT, complement)
        assert not reader.permits(NOW_NS)


def test_permission_further_ahead_than_the_horizon_is_none(path: Path, writer: LeaseWriter) -> None:
    """A moment absurdly far ahead is damage, not generosity; it fails without the horizon."""
    reader = LeaseReader(path, BOOT)
    writer.renew(NOW_NS + HORIZON_NS, writer.ticket())
    assert reader.permits(NOW_NS)
    writer.renew(NOW_NS + HORIZON_NS + 1, writer.ticket())
    assert not reader.permits(NOW_NS)


def test_a_page_of_another_boot_is_none(path: Path, writer: LeaseWriter) -> None:
    """A page left by another boot is foreign; it fails if the boot id were not compared."""
    assert not LeaseReader(path, (BOOT[0], BOOT[1] + 1)).permits(NOW_NS)
    assert not LeaseReader(path, (BOOT[0] + 1, BOOT[1])).permits(NOW_NS)


def test_a_page_of_another_layout_is_none_even_for_a_mapped_reader(path: Path, writer: LeaseWriter) -> None:
    """A header that is not ours ends permission at once; it fails if the header were only checked when mapping."""
    reader = LeaseReader(path, BOOT)
    _poke(path, LeaseWord.HEADER, 0)
    assert not reader.permits(NOW_NS)
    assert reader.information() is None


@pytest.mark.parametrize("size_bytes", [0, 8, 128, PAGE_BYTES - 1, PAGE_BYTES + 1])
def test_a_page_of_another_size_is_none(path: Path, writer: LeaseWriter, size_bytes: int) -> None:
    """A truncated or grown file is not mapped at all; it fails if the size were not checked first."""
    content = path.read_bytes().ljust(PAGE_BYTES + 1, b"\0")[:size_bytes]
    path.unlink()
    path.write_bytes(content)
    assert not LeaseReader(path, BOOT).permits(NOW_NS)


def test_zeroes_noise_a_folder_and_nothing_are_none(tmp_path: Path) -> None:
    """Whatever else stands in the page's place permits nothing; it fails if a reader raised or believed it."""
    zeroes, noise, folder = tmp_path / "zeroes", tmp_path / "noise", tmp_path / "folder"
    zeroes.write_bytes(bytes(PAGE_BYTES))
    noise.write_bytes(bytes(range(256)) * (PAGE_BYTES // 256))
    folder.mkdir()
    for path in (zeroes, noise, folder, tmp_path / "absent"):
        reader = LeaseReader(path, BOOT)
        assert not reader.permits(NOW_NS)
        assert reader.information() is None


def test_a_link_in_the_page_s_place_is_none(tmp_path: Path, path: Path, writer: LeaseWriter) -> None:
    """A symbolic link is not followed; it fails if the page were opened without O_NOFOLLOW."""
    link = tmp_path / "link"
    link.symlink_to(path)
    assert not LeaseReader(link, BOOT).permits(NOW_NS)


def test_a_new_writer_begins_withdrawn_on_the_page_the_reader_has_mapped(path: Path, writer: LeaseWriter) -> None:
    """A restarted guardian takes permission away in place; it fails if it made a new file or kept the old grant."""
    reader = LeaseReader(path, BOOT)
    again = LeaseWriter(path, BOOT, pid=78)
    assert not reader.permits(NOW_NS)
    assert reader.guardian_pid() == 78
    again.renew(NOW_NS + EXPIRY_NS, again.ticket())
    assert reader.permits(NOW_NS)


def test_a_file_that_is_no_page_is_replaced_and_never_resized(path: Path) -> None:
    """Whoever has a damaged file mapped keeps his mapping; it fails if the file were shortened under him."""
    path.parent.mkdir(parents=True)
    path.write_bytes(b"x" * 10)
    with path.open("rb") as damaged:
        LeaseWriter(path, BOOT, pid=1)
        assert damaged.read() == b"x" * 10
    assert path.stat().st_size == PAGE_BYTES


def test_the_reader_cannot_write(path: Path, writer: LeaseWriter) -> None:
    """No bug of the trader can grant itself permission; it fails if the page were mapped writable."""
    with pytest.raises(TypeError):
        LeaseReader(path, BOOT).words[LeaseWord.VALID_UNTIL_NS] = 1


def test_information_comes_back_as_published(path: Path, writer: LeaseWriter) -> None:
    """Every information word has its own place; it fails if two shared one."""
    told = LeaseInformation(
        latch_state=LatchState.READY,
        latch_cause=LatchCause.CASE_OPENED,
        latch_sequence=11,
        start_sequence=12,
        lamp=13,
        case_open=True,
        glitch_count=14,
        wiring_alarm=True,
        relay=RelayState.DROPPED,
    )
    writer.publish(told)
    writer.beat(15)
    reader = LeaseReader(path, BOOT)
    assert reader.information() == told
    assert reader.beat_ns() == 15


@pytest.mark.parametrize("word", [LeaseWord.LATCH_STATE, LeaseWord.LATCH_CAUSE, LeaseWord.RELAY])
def test_an_unknown_state_is_no_information(path: Path, writer: LeaseWriter, word: LeaseWord) -> None:
    """A state nobody defined is not guessed at; it fails if unknown codes were passed on."""
    _poke(path, word, 99)
    assert LeaseReader(path, BOOT).information() is None


def test_the_running_kernel_has_a_boot_identity() -> None:
    """The boot id is read whole; it fails if half of it were constant."""
    high, low = boot_identity()
    assert 0 < high <= WORD_MASK
    assert 0 < low <= WORD_MASK
    assert boot_identity() == (high, low)
