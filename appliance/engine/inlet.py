"""Where the raw frames of the market enter the step: read, checked, and handed on as quotes and trades.

A book that may not be believed ends its instrument's quote in the same step, and a fresh snapshot is asked for. That a
checksum fails again and again is a fault, which waits for a person.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from appliance.core.commands import SubscribeMarket
from appliance.core.events import FeedChanged, MarketFrame, QuoteChanged, TradePrinted
from appliance.core.instruments import Instrument
from appliance.engine.conduct import Conduct
from appliance.engine.watch import Watch
from appliance.market.intake import STEPS_CHANGED, BookLost, Intake, TermsTold
from appliance.trading.scribe import Scribe
from appliance.wire.kraken.messages import VenueStatus


class Inlet:
    """Take frames in and keep the subscriptions alive."""

    __slots__ = ("_conduct", "_handlers", "_instruments", "_intake", "_on_connected", "_scribe", "_watch")

    def __init__(
        self,
        intake: Intake,
        instruments: dict[str, Instrument],
        scribe: Scribe,
        watch: Watch,
        conduct: Conduct,
        on_quote: Callable[[QuoteChanged], None],
        on_trade: Callable[[TradePrinted], None],
        on_connected: Callable[[], None],
    ) -> None:
        """Hand quotes and trades on as if a feed had told them one by one, and tell of each new connection."""
        self._intake = intake
        self._instruments = instruments
        self._scribe = scribe
        self._watch = watch
        self._conduct = conduct
        self._on_connected = on_connected
        self._handlers: dict[type, Callable[[Any], None]] = {
            QuoteChanged: on_quote,
            TradePrinted: on_trade,
            BookLost: self._book_lost,
            TermsTold: self._terms_told,
            VenueStatus: self._venue_said,
        }

    @property
    def intake(self) -> Intake:
        """Return what reads the frames."""
        return self._intake

    def frame(self, event: MarketFrame) -> None:
        """Take one frame in."""
        for told in self._intake.take(event.text.encode("latin-1", "replace")):
            if isinstance(told, QuoteChanged):
                self._watch.look_at_book(told.instrument, *self._intake.place_of(told.instrument))
            self._handlers[type(told)](told)

    def feed_changed(self, event: FeedChanged) -> None:
        """Forget every book whenever the connection changes, and subscribe on a new one."""
        self._intake.lost()
        if event.connected:
            self._subscribe(self._intake.connected(self._scribe.now_ns), trades=True)
            self._on_connected()
        self._conduct.feed_changed(event)

    def on_time(self) -> None:
        """Ask for the snapshots that are due."""
        self._subscribe(self._intake.due(self._scribe.now_ns), trades=False)

    def _subscribe(self, names: tuple[str, ...], *, trades: bool) -> None:
        if names:
            self._scribe.ask(SubscribeMarket(names, trades))

    def _book_lost(self, lost: BookLost) -> None:
        self._watch.book_lost(lost.instrument)
        # In other steps every checksum is another: that is no contradiction, and ends with a new start.
        if lost.fault and not self._watch.steps_changed:
            self._conduct.market_failed(f"{lost.instrument}: {lost.reason} again and again")
        self.on_time()
        self._conduct.review()

    def _terms_told(self, told: TermsTold) -> None:
        news = self._watch.terms_told(told.instrument, told.reason)
        known = self._instruments[told.instrument]
        if told.size_lots_min != known.size_lots_min:
            # Everybody counts with the new one from here on; what was planned on the old one is given up.
            self._instruments[told.instrument] = msgspec.structs.replace(known, size_lots_min=told.size_lots_min)
            self._conduct.terms_changed(told.instrument)
        elif news and told.reason == STEPS_CHANGED:
            self._conduct.terms_changed(told.instrument)
        elif news:
            self._conduct.review()

    def _venue_said(self, status: VenueStatus) -> None:
        if self._watch.venue_says(status.system):
            self._conduct.review()
