"""All that the paper venue knows, joined: floor, desk, published books and tapes, what the account is told."""

from appliance.core.values import Side
from appliance.venues.simulator.floor import Floor
from appliance.venues.simulator.kraken.books import BookView
from appliance.venues.simulator.kraken.desk import Desk
from appliance.venues.simulator.kraken.names import Catalogue
from appliance.venues.simulator.kraken.rates import PRO, RateTier
from appliance.venues.simulator.kraken.tape import Tape
from appliance.venues.simulator.kraken.told import Teller
from appliance.venues.simulator.terms import Step
from appliance.wire.kraken.messages import TradePrint
from appliance.wire.kraken.serving.market import TickerFigures


class VenueState:
    """Hold the venue's parts and keep its public record."""

    def __init__(self, floor: Floor, tier: RateTier = PRO) -> None:
        """Open on a floor."""
        self.floor = floor
        self.catalogue = Catalogue(floor.instruments.values())
        self.desk = Desk(floor, self.catalogue, tier)
        self.teller = Teller(floor, self.catalogue)
        self.tapes = {symbol: Tape() for symbol in floor.instruments}
        self.books = {
            symbol: BookView(floor.listings[symbol], listed.grid) for symbol, listed in self.catalogue.listed.items()
        }

    def drain(self) -> tuple[list[Step], dict[str, list[TradePrint]]]:
        """Take in what happened on the floor and return it, trades by instrument."""
        steps, prints = self.floor.drain()
        told: dict[str, list[TradePrint]] = {}
        for each in prints:
            made = TradePrint(
                each.instrument, each.taker_side, each.price_ticks, each.size_lots, each.trade_number, each.venue_ns
            )
            self.tapes[each.instrument].add(made)
            told.setdefault(each.instrument, []).append(made)
        return steps, told

    def figures(self, symbol: str) -> TickerFigures:
        """Return an instrument's ticker."""
        book = self.books[symbol]
        bid, ask = book.levels(Side.BUY, 1)[0], book.levels(Side.SELL, 1)[0]
        return self.tapes[symbol].figures(bid, ask, self.floor.venue_ns)
