"""What is known of each appliance from its messages alone: pure, bounded, and suspicious.

Whatever arrives is only believed if it decodes and names the device its topic names. A retained message tells a state
but proves no life, so only fresh ones count as heard. Heads of chains are remembered: a journal whose published length
shrinks, or whose row at a known place has another hash than before, was cut or rewritten, and stays accused.
"""

from collections import deque
from dataclasses import dataclass, field

import msgspec

from appliance.reporting.mqtt.payloads import Birth, Chain, Event, Recent, RecentEntry, State, Summary
from appliance.reporting.mqtt.topics import ONLINE

APPLIANCES_MAX = 10_000
PAYLOAD_BYTES_MAX = 64 << 10
ENTRIES_MAX = 20
POINTS_MAX = 60
JOURNALS_MAX = 8
_JOURNAL = "journal "
_CUT_MARK = "~"
_STOPPED = frozenset({"EMERGENCY", "HALTED", "FAULT"})
_decoders: dict[str, msgspec.json.Decoder[State | Birth | Chain | Recent | Event | Summary]] = {
    "state": msgspec.json.Decoder(State),
    "birth": msgspec.json.Decoder(Birth),
    "chain": msgspec.json.Decoder(Chain),
    "recent": msgspec.json.Decoder(Recent),
    "event": msgspec.json.Decoder(Event),
    "summary": msgspec.json.Decoder(Summary),
}


class KnownHead(msgspec.Struct, frozen=True, gc=False):
    """Remember the furthest head seen of one chain."""

    sequence: int
    digest: str


@dataclass(slots=True)
class Appliance:
    """Hold what is known of one appliance."""

    device: str
    online: bool | None = None
    heard_ns: int | None = None
    first_ns: int = 0
    state: State | None = None
    birth: Birth | None = None
    entries: deque[RecentEntry] = field(default_factory=lambda: deque(maxlen=ENTRIES_MAX))
    points: deque[tuple[int, float]] = field(default_factory=lambda: deque(maxlen=POINTS_MAX))
    heads: dict[str, KnownHead] = field(default_factory=dict)
    accusations: list[str] = field(default_factory=list)
    events_count: int = 0
    duplicates_count: int = 0
    journal: str | None = None
    last_sequence: int | None = None

    def silent_s(self, now_ns: int) -> float:
        """Return how long nothing fresh was heard."""
        return (now_ns - (self.heard_ns if self.heard_ns is not None else self.first_ns)) / 1e9

    def alarms(self, now_ns: int, quiet_after_s: float) -> list[str]:
        """Return everything a person should know about at once."""
        found = list(self.accusations)
        if self.online is False:
            found.append("offline")
        elif (silent_s := self.silent_s(now_ns)) > quiet_after_s:
            found.append(f"quiet for {silent_s:.0f} s")
        if self.state is not None:
            found += _alarms_of(self.state)
        return found

    def compare(self, chain: str | None, head: str | None) -> None:
        """Hold a published head against the furthest one known of its chain."""
        if chain is None or head is None:
            return
        text, _, digest = head.partition(":")
        if not (text.isascii() and text.isdecimal() and digest):
            return
        sequence = int(text)
        known = self.heads.get(chain)
        if known is None:
            self._meet(chain)
        if known is not None and sequence < known.sequence:
            self._accuse(f"{chain} went back from row {known.sequence} to {sequence}: it was cut")
        elif known is not None and sequence == known.sequence and digest != known.digest:
            self._accuse(f"{chain} has another row {sequence} than before: it was rewritten")
        else:
            if known is None and len(self.heads) >= JOURNALS_MAX:
                del self.heads[next(iter(self.heads))]
            self.heads[chain] = KnownHead(sequence, digest)

    def _meet(self, chain: str) -> None:
        """Say when a chain is new although another one was known: a journal was replaced, or lost published rows."""
        others = [name for name in self.heads if name.startswith(_JOURNAL) and chain.startswith(_JOURNAL)]
        if others:
            self._accuse(f"{chain} has taken the place of {others[-1]}")
        elif _CUT_MARK in chain:
            self._accuse(f"{chain}: rows that were published are missing from it")

    def _accuse(self, accusation: str) -> None:
        if accusation not in self.accusations and len(self.accusations) < JOURNALS_MAX:
            self.accusations.append(accusation)


class Fleet:
    """Take messages and keep what they tell."""

    def __init__(self, base: str) -> None:
        """Believe topics below this base only."""
        self._base = f"{base}/"
        self.appliances: dict[str, Appliance] = {}
        self.ignored = 0

    def take(self, topic: str, payload: bytes, *, retained: bool, now_ns: int) -> None:
        """Take one message, or ignore it, counted, if it is none of ours."""
        device, _, rest = topic.removeprefix(self._base).partition("/")
        leaf = rest.partition("/")[0]
        known = leaf == "availability" or leaf in _decoders
        if not topic.startswith(self._base) or not device or not known or len(payload) > PAYLOAD_BYTES_MAX:
            self.ignored += 1
            return
        document = None
        if leaf != "availability":
            try:
                document = _decoders[leaf].decode(payload)
            except (ValueError, RecursionError):
                self.ignored += 1
                return
            if document.device != device:
                self.ignored += 1
                return
        one = self._appliance(device, now_ns)
        if one is None:
            self.ignored += 1
            return
        if document is None:
            one.online = payload == ONLINE
        else:
            _keep(one, document, retained=retained)
        if not retained:
            one.heard_ns = now_ns

    def _appliance(self, device: str, now_ns: int) -> Appliance | None:
        if device not in self.appliances:
            if len(self.appliances) >= APPLIANCES_MAX:
                return None
            self.appliances[device] = Appliance(device, first_ns=now_ns)
        return self.appliances[device]


def _alarms_of(state: State) -> list[str]:
    found = []
    if state.mode in _STOPPED:
        found.append(f"mode {state.mode}")
    if state.estop:
        found.append("stop latched")
    if state.case_open:
        found.append("case open")
    if state.stale:
        found.append("its trader is silent")
    return found + [f"check: {check}" for check in state.bad_checks]


def _keep(one: Appliance, document: State | Birth | Chain | Recent | Event | Summary, *, retained: bool) -> None:
    match document:
        case State():
            one.state = document
            if document.equity is not None and not retained:
                one.points.append((document.wall_ms, float(document.equity)))
        case Birth():
            one.birth = document
            one.journal = document.journal
        case Chain():
            one.journal = document.journal or one.journal
            one.compare(f"{_JOURNAL}{document.journal}" if document.journal else None, document.head)
            one.compare("audit log", document.audit_head)
        case Recent():
            if not one.entries:
                one.entries.extend(document.entries[-ENTRIES_MAX:])
            if not one.points:
                one.points.extend((wall_ms, float(equity)) for wall_ms, equity in document.equity[-POINTS_MAX:])
        case Event():
            _count(one, document.journal, document.sequence, document.sequence)
            text = RecentEntry(
                document.sequence, document.wall_ns // 1_000_000, document.kind, document.title, document.tone
            )
            one.entries.append(text)
        case Summary():
            _count(one, document.journal, document.sequence_first, document.sequence)


def _count(one: Appliance, journal: str, first: int, last: int) -> None:
    if one.journal == journal and one.last_sequence is not None and last <= one.last_sequence and first == last:
        one.duplicates_count += 1
        return
    one.events_count += 1
    one.last_sequence = last if one.journal != journal else max(one.last_sequence or 0, last)
    one.journal = journal
