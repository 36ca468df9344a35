"""What the process was told that forbids an entry, kept apart from its own notes of it."""

import json
from collections import deque
from collections.abc import Mapping
from decimal import Decimal

from appliance.core.clock import NANOSECONDS_PER_SECOND
from appliance.core.commands import SendOrder
from appliance.core.instruments import Instrument
from appliance.trading.restraint import WAIT_NS_MIN

STORM_INTENTS = 12
_STORM_NS = NANOSECONDS_PER_SECOND


class Told:
    """Follow the words of one life of the process."""

    def __init__(self, instruments: Mapping[str, Instrument]) -> None:
        """Begin told of nothing; the instruments are what it trades on."""
        self._instruments = instruments
        self._online = True
        self._smallest: dict[str, Decimal] = {}
        self._refused_ns: dict[tuple[str, str], int] = {}
        self._refused_ids: set[str] = set()
        self._planned_ns: dict[str, deque[int]] = {}

    def frame(self, text: str) -> None:
        """Take what the venue said of itself or of an instrument."""
        message = json.loads(text, parse_float=Decimal)
        if message["channel"] == "status":
            self._online = message["data"][0]["system"] == "online"
        elif message["channel"] == "instrument":
            for pair in message["data"]["pairs"]:
                self._smallest[pair["symbol"]] = Decimal(pair["qty_min"])

    def refused(self, client_id: str, who: tuple[str, str] | None, now_ns: int) -> None:
        """Take that an entry was refused; a word that comes again is no other refusal."""
        if who is not None and client_id not in self._refused_ids:
            self._refused_ids.add(client_id)
            self._refused_ns[who] = now_ns

    def planned(self, instrument: str, now_ns: int) -> str:
        """Take an intent, and say when so many of one instrument came within a second that it is a storm."""
        times = self._planned_ns.setdefault(instrument, deque(maxlen=STORM_INTENTS))
        times.append(now_ns)
        stormy = len(times) == STORM_INTENTS and now_ns - times[0] < _STORM_NS
        return f"{STORM_INTENTS} orders in {instrument} were planned within a second" if stormy else ""

    def forbids(self, command: SendOrder, who: tuple[str, str] | None, now_ns: int) -> str:
        """Say why this entry must not leave, if it must not."""
        if not self._online:
            return f"order {command.client_id} opens although the venue said that it is not online"
        size = self._instruments[command.instrument].lots_to_size(command.size_lots)
        if size < self._smallest.get(command.instrument, 0):
            return f"order {command.client_id} opens with less than the venue said it takes"
        refused_ns = self._refused_ns.get(who) if who is not None else None
        if refused_ns is not None and now_ns - refused_ns < WAIT_NS_MIN:
            return f"order {command.client_id} opens {(now_ns - refused_ns) // 1_000_000} ms after a refusal"
        return ""
