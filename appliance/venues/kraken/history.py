"""Ask the venue for the bars it remembers, so that the models need not wait two days for theirs.

From a minute on the venue keeps bars itself, at most 720 of a length: enough, because the models read the shortest of
their frames only and build the slower ones of it. Shorter bars, which only a demonstration uses, are made of trades.
One request is carried out at a time and within a limit; whatever goes wrong is the answer.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from appliance.core.clock import NANOSECONDS_PER_SECOND, Clock
from appliance.core.commands import AskHistory
from appliance.core.errors import ApplianceError, WireError
from appliance.core.events import AnyEvent, HistoryTold
from appliance.venues.kraken.account import understood
from appliance.venues.kraken.rest import RestClient
from appliance.wire.kraken import history, rest
from appliance.wire.kraken.names import Names
from appliance.wire.kraken.refusals import Refused

DEADLINE_S: Final = 20.0
WAITING_MAX: Final = 64
PAGES_MAX: Final = 64
PAGE_TRADES: Final = 1_000
SPARE_BARS: Final = 2
_MINUTE_S: Final = 60
_LAST: Final = "last"


class KrakenHistory:
    """Answer what the step asks about the past."""

    def __init__(
        self,
        client: RestClient,
        names: Names,
        clock: Clock,
        post: Callable[[AnyEvent], None],
        say: Callable[[str], None],
        deadline_s: float = DEADLINE_S,
    ) -> None:
        """Ask through a REST client; what came of it is said when it is news."""
        self._client, self._names, self._clock, self._post, self._say = client, names, clock, post, say
        self._deadline_s = deadline_s
        self._waiting: dict[str, AskHistory] = {}
        self._asked = asyncio.Event()
        self._said: dict[str, str] = {}

    def ask(self, command: AskHistory) -> None:
        """Take an ask without waiting; a newer one of the same instrument takes an older one's place."""
        if command.instrument in self._waiting or len(self._waiting) < WAITING_MAX:
            self._waiting[command.instrument] = command
            self._asked.set()

    async def run(self) -> None:
        """Answer until canceled."""
        while True:
            await self._asked.wait()
            self._asked.clear()
            waiting, self._waiting = list(self._waiting.values()), {}
            for command in waiting:
                self._post(await self._answer(command))

    async def _answer(self, command: AskHistory) -> HistoryTold:
        name = command.instrument
        try:
            async with asyncio.timeout(self._deadline_s):
                told = await self._told(command)
        except TimeoutError:
            told = _nothing(command, f"no history within {self._deadline_s:g} s")
        except ApplianceError as problem:
            told = _nothing(command, str(problem))
        news = told.problem or "remembered"
        if self._said.get(name) != news:
            self._said[name] = news
            found = f"{len(told.bars):,} bars of {command.bar_s} s from the venue"
            self._say(f"models: {name}: {found if not told.problem else f'cold, without history: {told.problem}'}")
        return told

    async def _told(self, command: AskHistory) -> HistoryTold:
        instrument = self._names.find(command.instrument)
        if instrument is None:
            raise WireError(f"{command.instrument} is none of the instruments")
        if command.bar_s % _MINUTE_S == 0:
            fields = {"pair": command.instrument, "interval": str(command.bar_s // _MINUTE_S)}
            body = await self._client.public("OHLC", fields)
            told: rest.BarsAnswer | rest.Failed | Refused = rest.result(rest.BARS, body)
            rows = next((part for part in understood(told, "OHLC").values() if isinstance(part, tuple)), ())
            found = history.from_bars(instrument, command.bar_s, rows)
        else:
            found = history.from_prints(instrument, command.bar_s, await self._prints(command))
        if isinstance(found, Refused):
            raise WireError(f"the venue's history cannot be told in our terms: {found.reason} ({found.detail})")
        return found

    async def _prints(self, command: AskHistory) -> list[rest.PrintRow]:
        """Return every trade of the time that is asked about, page by page."""
        length_ns = (command.bars_count + SPARE_BARS) * command.bar_s * NANOSECONDS_PER_SECOND
        since = str(self._clock.wall_ns() - length_ns)
        found: list[rest.PrintRow] = []
        for _ in range(PAGES_MAX):
            fields = {"pair": command.instrument, "since": since, "count": str(PAGE_TRADES)}
            body = await self._client.public("Trades", fields)
            told: rest.PrintsAnswer | rest.Failed | Refused = rest.result(rest.PRINTS, body)
            answer = understood(told, "Trades")
            page = next((part for part in answer.values() if isinstance(part, tuple)), ())
            last = str(answer.get(_LAST, since))
            found += page
            if len(page) < PAGE_TRADES or last == since:
                return found
            since = last
        raise WireError(f"more than {PAGES_MAX * PAGE_TRADES:,} trades; ask for longer bars")


def _nothing(command: AskHistory, problem: str) -> HistoryTold:
    return HistoryTold(command.instrument, command.bar_s, (), 0, problem)
