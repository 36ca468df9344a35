"""The owner's signed stop latches as the button does; nothing else that comes that way does anything."""

import os
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.guardian.remote_stop import RemoteStopWatch
from appliance.hardware.pins import Contact
from appliance.safety.lease import LatchCause, LatchState
from appliance.safety.page import header
from appliance.safety.remote_stop import AGE_MS_MAX, FUTURE_MS_MAX, Refusal, fingerprint, message_of, words_of
from appliance.safety.stop_page import BODY_BYTES, HEAD, STOP_HEADER, StopPageReader, StopPageWriter, stop_page_path
from tests.unit.guardian.bench_parts import BOOT, DEVICE, MS, Bench

OWNER = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
STRANGER = Ed25519PrivateKey.from_private_bytes(bytes(32))
PUBLIC = OWNER.public_key().public_bytes_raw()
SEEN_MS = 1_500


def signed(wall_ms: int, device: str = DEVICE, key: Ed25519PrivateKey = OWNER) -> bytes:
    """Return a message."""
    words = words_of(device, wall_ms)
    return message_of(words, key.sign(words))


def wall_ms(bench: Bench) -> int:
    """Return the bench's date."""
    return bench.clock.wall_ns() // MS


@pytest.fixture
def bench(start: Callable[..., Bench]) -> Bench:
    """Return a guardian that trades and takes remote stops."""
    bench = start(remote_key=PUBLIC)
    bench.run(100)
    assert bench.permits()
    return bench


def restart_by_hand(bench: Bench) -> None:
    """Reset and start as a person at the box does."""
    bench.hold_reset(3_100)
    bench.hold_reset(200)
    bench.run(100)
    assert bench.permits()


def test_the_owner_s_stop_latches_and_is_recorded(bench: Bench) -> None:
    """Permission goes, the latch says why, the log names the key; wrong if any of it were missing."""
    moment = wall_ms(bench)
    bench.page.leave(signed(moment))
    bench.run(SEEN_MS)
    assert not bench.permits()
    assert bench.told().latch_state is LatchState.LATCHED
    assert bench.told().latch_cause is LatchCause.REMOTE_STOP
    assert bench.latch.load(0).remote_ms == moment
    (line,) = [one for one in bench.audit_lines() if one["event"] == "remote-stop"]
    assert line["detail"] == {"key": fingerprint(PUBLIC), "signed_wall_ms": moment}


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (lambda now: signed(now, "bot4-other"), Refusal.OTHER_DEVICE),
        (lambda now: signed(now, key=STRANGER), Refusal.WRONG_SIGNATURE),
        (lambda now: signed(now - AGE_MS_MAX - 100), Refusal.TOO_OLD),
        (lambda now: signed(now + FUTURE_MS_MAX + 1_000), Refusal.FROM_FUTURE),
        (lambda now: signed(now).replace(b"%d" % now, b"%d" % (now + 1)), Refusal.WRONG_SIGNATURE),
        (lambda now: signed(now)[:-1], Refusal.MALFORMED),
        (lambda now: signed(now) + b"\n", Refusal.MALFORMED),
        (lambda now: signed(now).replace(b"stop", b"start"), Refusal.MALFORMED),
        (lambda _now: b"", Refusal.MALFORMED),
        (lambda _now: bytes(range(256)), Refusal.MALFORMED),
    ],
)
def test_what_is_not_the_owner_s_fresh_word_is_refused(
    bench: Bench, message: Callable[[int], bytes], reason: Refusal
) -> None:
    """A message of another device, key, time or form changes nothing and is named once in the log; wrong if it
    stopped the box, or could fill the log by coming again and again.
    """
    for _ in range(5):
        bench.page.leave(message(wall_ms(bench)))
        bench.run(SEEN_MS)
    assert bench.permits()
    refused = [one["detail"]["explanation"] for one in bench.audit_lines() if one["event"] == "remote-stop-refused"]
    assert refused == [reason.value]
    bench.page.leave(signed(wall_ms(bench)))
    bench.run(SEEN_MS)
    assert not bench.permits()


@pytest.mark.parametrize("latched_before", [False, True])
def test_a_repetition_never_counts_again(start: Callable[..., Bench], bench: Bench, latched_before: bool) -> None:
    """After reset and start, and after a restart of the guardian, the same message is refused, also when it had found
    the box stopped already; wrong if who kept it could stop the box once more.
    """
    if latched_before:
        bench.press(50 * MS)
        bench.run(100)
    moment = wall_ms(bench)
    message = signed(moment)
    bench.page.leave(message)
    bench.run(SEEN_MS)
    assert bench.latch.load(0).remote_ms == moment
    restart_by_hand(bench)
    bench.page.leave(message)
    bench.run(SEEN_MS)
    assert bench.permits()
    again = start(remote_key=PUBLIC)
    again.run(100)
    assert again.permits()
    # The other bench began at the same virtual date, so the message is as fresh as it was.
    again.page.leave(message)
    again.run(SEEN_MS)
    assert again.permits()


def test_it_ends_a_reset_and_starts_nothing(bench: Bench) -> None:
    """A stop that comes while the box is ready takes readiness away; wrong if any message let it start."""
    bench.press(50 * MS)
    bench.run(100)
    bench.hold_reset(3_100)
    assert bench.told().latch_state is LatchState.READY
    bench.page.leave(signed(wall_ms(bench)))
    bench.run(SEEN_MS)
    assert bench.told().latch_state is LatchState.LATCHED
    bench.hold_reset(200)
    bench.run(100)
    assert not bench.permits()


def test_without_a_key_nobody_reads_the_page(start: Callable[..., Bench]) -> None:
    """Off by default: a good message lies there and nothing happens; wrong if the page counted without a key."""
    bench = start(remote_key=PUBLIC)
    bench.page.leave(signed(wall_ms(bench)))
    other = start()
    other.run(SEEN_MS)
    assert other.permits()


def test_a_check_is_spread_over_turns_and_there_is_one_a_second() -> None:
    """One turn does a small part, and messages as fast as they can come cost one check a second; wrong if a turn did
    it all, or a flood of forgeries kept the guardian busy.
    """
    now_ms = 1_700_000_000_000
    begun = 0

    def page(_now_ns: int) -> bytes:
        nonlocal begun
        begun += 1
        return signed(now_ms, key=STRANGER)

    watch = RemoteStopWatch(page, PUBLIC, DEVICE, lambda: now_ms)
    answers = [watch.look(turn * MS, 0) for turn in range(3_000)]
    assert answers.count(Refusal.WRONG_SIGNATURE) == begun == 3
    # 253 bits, sixteen in each turn after the one that began.
    assert answers.index(Refusal.WRONG_SIGNATURE) == 16


def torn(path: Path) -> None:
    """Damage one byte of the message."""
    with path.open("r+b") as file:
        file.seek(60)
        file.write(b"\xff")


def cut(path: Path) -> None:
    """Leave less than a page."""
    os.truncate(path, 100)


def pipe(path: Path) -> None:
    """Put a pipe in its place, which would make a careless reader wait for ever."""
    path.unlink()
    os.mkfifo(path)


def pointer(path: Path) -> None:
    """Put a link in its place."""
    path.rename(path.with_name("elsewhere"))
    path.symlink_to(path.with_name("elsewhere"))


@pytest.mark.parametrize(("harm", "replaced"), [(torn, False), (cut, False), (pipe, True), (pointer, True)])
def test_a_page_that_is_not_whole_is_no_message(bench: Bench, harm: Callable[[Path], None], replaced: bool) -> None:
    """Whatever a broken reporter leaves there, the guardian goes on; wrong if it believed it, waited or died."""
    if replaced:
        harm(stop_page_path(bench.runtime))
        # Within a second the guardian looks for another file in its place.
        bench.run(1_100)
    bench.page.leave(signed(wall_ms(bench)))
    if not replaced:
        harm(stop_page_path(bench.runtime))
    bench.run(3_000)
    assert bench.permits()
    bench.hands.turn(Contact.ESTOP, asserted=False)
    bench.run(100)
    assert not bench.permits()


def test_a_page_read_while_it_is_written_is_read_again(bench: Bench) -> None:
    """A message of which one byte is not there yet counts once it is; wrong if a half were taken for the whole, and
    the owner's stop lost by it.
    """
    path = stop_page_path(bench.runtime)
    bench.page.leave(signed(wall_ms(bench)))
    whole = path.read_bytes()
    torn(path)
    bench.run(100)
    assert bench.permits()
    assert not [one for one in bench.audit_lines() if one["event"] == "remote-stop-refused"]
    with path.open("r+b") as file:
        file.write(whole)
    bench.run(SEEN_MS)
    assert not bench.permits()


def test_a_reporter_that_started_again_is_heard(bench: Bench) -> None:
    """The first message of another reporter counts as that of the first did; wrong if both looked like the same."""
    for _ in range(2):
        bench.page.leave(signed(wall_ms(bench)))
        bench.run(SEEN_MS)
        assert not bench.permits()
        restart_by_hand(bench)
        bench.page = StopPageWriter(stop_page_path(bench.runtime), BOOT)


@pytest.mark.parametrize(
    ("word", "boot", "read"),
    [
        (STOP_HEADER, BOOT, b"message"),
        (STOP_HEADER, (9, 9), None),
        (header(b"B4STOP", 2), BOOT, None),
        (STOP_HEADER ^ 1, BOOT, None),
    ],
)
def test_a_page_of_another_boot_or_form_is_no_message(
    tmp_path: Path, word: int, boot: tuple[int, int], read: bytes | None
) -> None:
    """What another boot or another version of the program left is not read; wrong if its sum were enough."""
    body = (HEAD.pack(word, *boot, 7) + b"message").ljust(BODY_BYTES, b"\0")
    path = tmp_path / "page"
    path.write_bytes(body + zlib.crc32(body).to_bytes(8, "little"))
    reader = StopPageReader(path, BOOT)
    assert reader.read(1) == read
    reader.close()
