"""The settings that decide what is traded, how, and within which limits: one line of a table each.

The annotation holds what is accepted and a sentence for the owner; the value is the default. The reader, the
explanations and the first-boot file are all made from these lines.
"""

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Annotated

from appliance.core.settings.kinds import Choice, Exact, Folder, OrNothing, Several, Switch, Text, Whole

# Shares are kept as whole parts per million, of which a percent has 10,000.
_PERCENT = Exact(Decimal("0.01"), Decimal(100), places=4)
_QUOTE = Exact(Decimal("0.01"), Decimal(1_000_000_000), places=8)
_NAME = Text(r"[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?", "1 to 32 of a-z, 0-9 and -, not starting or ending with -")
# The sentence names the box, so that a file that was copied to another one does not carry the consent along.
CONSENT = "trades real money and may lose all of it"
_CONSENT = Text(rf"[a-z0-9-]{{1,32}} {CONSENT}", f'device.name and then "{CONSENT}"')
_INSTRUMENT = Text(r"[A-Z0-9]{2,12}/[A-Z0-9]{2,12}", 'a pair in capitals such as "BTC/USD"')
_BAR = Text(r"[1-9][0-9]{0,8}(?:s|m|h| trades| lots| value)", "5s, 15m, 1h, 500 trades, 10 lots, 250000 value or so")
_HOST = r"([A-Za-z0-9.-]{1,100}|\[[0-9a-f:]{2,40}\])(:[0-9]{1,5})?(/[A-Za-z0-9/_-]{0,60})?"
_WEBSOCKET = Text(rf"wss?://{_HOST}", 'an address such as "wss://ws.kraken.com/v2"')
_WEB = Text(rf"https?://{_HOST}", 'an address such as "https://api.kraken.com"')
_BUILT_IN_WEBSOCKET = "ws://127.0.0.1:8471/v2"
_BUILT_IN_WEB = "http://127.0.0.1:8471"
_STRATEGIES = ("trend", "reversion", "breakout", "momentum", "cross", "timeframes", "candlesticks", "shapes", "models")


@dataclass(frozen=True, slots=True)
class Device:
    """Say which appliance this is."""

    name: Annotated[str, _NAME, "Name of this appliance in logs, topics and on the panel."] = "bot4-edge"
    version_count: Annotated[
        int, Whole(1, 2_000_000_000), "Counts up with every change of this file; an older one is refused."
    ] = 1


@dataclass(frozen=True, slots=True)
class Trading:
    """Choose what trades, and with whose money."""

    mode: Annotated[
        str, Choice(("paper", "live")), "paper trades on the built-in venue; live needs a sealed file and real pins."
    ] = "paper"
    live_consent: Annotated[
        str | None,
        OrNothing(_CONSENT),
        "Live trading only: your consent, a sentence that begins with this appliance's device.name.",
    ] = None
    strategies: Annotated[
        tuple[str, ...],
        Several(Choice(_STRATEGIES), len(_STRATEGIES)),
        "The strategies that may open positions.",
    ] = ("trend", "reversion")
    capital_quote: Annotated[Decimal, _QUOTE, "Cash that paper trading starts with."] = Decimal(10_000)


@dataclass(frozen=True, slots=True)
class Venue:
    """Say where the venue answers, which speaks Kraken's protocols."""

    market_url: Annotated[str, _WEBSOCKET, "Market data; the default is the built-in venue's."] = _BUILT_IN_WEBSOCKET
    orders_url: Annotated[str, _WEBSOCKET, "Orders and what becomes of them."] = _BUILT_IN_WEBSOCKET
    rest_url: Annotated[str, _WEB, "Questions about the account, and the last resort."] = _BUILT_IN_WEB
    plain_loopback_allowed: Annotated[
        bool, Switch(), "Speak to a venue on this very machine without encryption; elsewhere never."
    ] = True
    ca_file: Annotated[
        Path | None,
        OrNothing(Folder()),
        "The one authority (PEM) that vouches for a venue on this very machine, on a bench; Kraken needs none.",
    ] = None
    clock_offset_ms_max: Annotated[
        int,
        Whole(50, 5_000),
        "With the venue's clock further from ours nothing opens and no order leaves: deadlines would mean nothing.",
    ] = 1_000


@dataclass(frozen=True, slots=True)
class Market:
    """Choose what is watched, and when its data is too old or too odd to act on."""

    instruments: Annotated[tuple[str, ...], Several(_INSTRUMENT, 10), "The pairs to watch and trade."] = ("BTC/USD",)
    bar_s: Annotated[int, Choice((1, 5, 60, 300, 900, 3600)), "Length of the bars that strategies see."] = 60
    more_bars: Annotated[
        tuple[str, ...],
        Several(_BAR, 15),
        "Bars built beside those: of time, of trades, of whole units of the base (lots) or of the quote (value).",
    ] = ("1s", "5s", "1m", "5m", "15m", "1h", "500 trades", "10 lots", "250000 value")
    feed_age_ms_max: Annotated[
        int, Whole(250, 60_000), "Older market data opens nothing; it usually means a silent connection."
    ] = 5_000
    price_band_percent_max: Annotated[
        Decimal, Exact(Decimal("0.1"), Decimal(100), places=4), "A trade further than this from the last is an outlier."
    ] = Decimal(20)
    seed: Annotated[
        int, Whole(0, 2**63 - 1), "The built-in venue's synthetic market starts from this; same seed, same day."
    ] = 1
    trades_per_second: Annotated[int, Whole(1, 1_000), "Trades a second in the built-in venue's synthetic market."] = 5


@dataclass(frozen=True, slots=True)
class Orders:
    """Set how orders travel, and what silence means."""

    deadline_ms: Annotated[
        int, Whole(500, 60_000), "The venue must refuse an order that reaches it later than this."
    ] = 2_000
    query_interval_ms: Annotated[int, Whole(100, 10_000), "How often an order without an answer is asked about."] = 500
    unknown_grace_ms: Annotated[
        int, Whole(500, 60_000), "How long past its deadline an unanswered order still counts as exposure."
    ] = 3_000
    reconcile_interval_s: Annotated[
        int, Whole(5, 3_600), "How often balances and orders are compared with the venue's."
    ] = 60
    account: Annotated[
        str,
        Choice(("unstated", "dedicated", "shared")),
        "The venue's timer cancels all of an account's orders: dedicated to this appliance, or shared with others.",
    ] = "unstated"
    dead_man_s: Annotated[
        int, Whole(10, 600), "The venue cancels everything when it has not heard from us for this long."
    ] = 60
    rate_per_s_max: Annotated[int, Whole(1, 100), "Requests a second sent to a venue in the long run."] = 5
    rate_burst_count: Annotated[int, Whole(2, 1_000), "Requests that may be sent at once before the rate applies."] = 10
    cancel_reserve_count: Annotated[int, Whole(1, 500), "Requests of the burst that only cancels may use."] = 4


@dataclass(frozen=True, slots=True)
class Risk:
    """Set the limits that no decision can pass."""

    position_percent_max: Annotated[Decimal, _PERCENT, "Largest single position, of equity."] = Decimal(2)
    positions_count_max: Annotated[int, Whole(1, 100), "Most positions open at once."] = 10
    symbol_percent_max: Annotated[Decimal, _PERCENT, "Most exposure to one instrument, of equity."] = Decimal(5)
    venue_percent_max: Annotated[Decimal, _PERCENT, "Most exposure at one venue, of equity."] = Decimal(20)
    strategy_percent_max: Annotated[Decimal, _PERCENT, "Most exposure by one strategy, of equity."] = Decimal(30)
    sector_percent_max: Annotated[Decimal, _PERCENT, "Most exposure to one sector, of equity."] = Decimal(40)
    correlation_percent_max: Annotated[
        Decimal, _PERCENT, "Instruments correlated more than this count as one position; 70 is a correlation of 0.7."
    ] = Decimal(70)
    heat_percent_max: Annotated[Decimal, _PERCENT, "Most exposure of all positions together, of equity."] = Decimal(25)
    daily_loss_percent_max: Annotated[
        Decimal, _PERCENT, "A loss since midnight UTC, of equity, that ends opening for the day."
    ] = Decimal(3)
    drawdown_percent_max: Annotated[
        Decimal, _PERCENT, "A fall from the highest equity that ends opening until a person looks."
    ] = Decimal(15)
    order_quote_max: Annotated[Decimal, _QUOTE, "Largest single order."] = Decimal(1_000)
    order_quote_min: Annotated[Decimal, _QUOTE, "Smallest order worth its fees."] = Decimal(10)
    orders_per_minute_max: Annotated[int, Whole(1, 6_000), "Most entries in any minute."] = 30
    minimum_hold_s: Annotated[
        int, Whole(0, 86_400), "A strategy may not close a position sooner; stops and limits always may."
    ] = 300
    position_fraction_percent: Annotated[Decimal, _PERCENT, "Size of a new position, of equity."] = Decimal(1)
    stop_loss_percent: Annotated[
        Decimal, Exact(Decimal("0.1"), Decimal(50), places=4), "A position that lost this much of its entry is closed."
    ] = Decimal(5)
    stop_slippage_percent_max: Annotated[
        Decimal,
        Exact(Decimal(0), Decimal(50), places=4),
        "The venue's stop sells no further below its trigger than this; 0 sells at any price.",
    ] = Decimal(0)


@dataclass(frozen=True, slots=True)
class Models:
    """Choose what the models may do."""

    enabled: Annotated[bool, Switch(), "Ask the models, and write down what they say with each decision."] = True
    weight: Annotated[
        str,
        Choice(("earned", "trial")),
        "earned is the weight that their evaluation allows: none where it found no edge; trial is 20 percent or more.",
    ] = "earned"
    missing: Annotated[
        str, Choice(("without", "refuse")), "Models that cannot be trusted: trade without them, or not at all."
    ] = "without"
    bar_s: Annotated[
        int,
        Choice((1, 5, 60, 300)),
        "Length of the bars they read. They learned from 300; any other length is for demonstrations.",
    ] = 300
    budget_ms: Annotated[int, Whole(10, 60_000), "An answer that takes longer is not waited for."] = 1_000
    cache_s: Annotated[
        int, Whole(10, 86_400), "How long an answer counts; less when the market is wilder than usual."
    ] = 300
    canary_percent: Annotated[
        Decimal, Exact(Decimal("0.01"), Decimal(100), places=4), "Size of their entries while they are on probation."
    ] = Decimal(1)


@dataclass(frozen=True, slots=True)
class Breakers:
    """Set when entries are held back for a while; cancels and reductions never are."""

    hold_open: Annotated[bool, Switch(), "Open nothing at all, and only look after what is held."] = False
    cool_down_s: Annotated[
        int,
        Whole(5, 3_600),
        "Calm time before a tripped breaker lets trials pass; repeated trips wait up to 4 times that.",
    ] = 20
    trials_count: Annotated[
        int, Whole(1, 20), "Entries that must go well after a cool-down before all may pass again."
    ] = 3
    error_percent_max: Annotated[
        Decimal, _PERCENT, "More of the last 20 orders refused or unanswered than this trips the venue's breaker."
    ] = Decimal(50)
    latency_ms_max: Annotated[
        int, Whole(10, 60_000), "Half of the last 20 orders answered later than this trips the venue's breaker."
    ] = 1_000
    connection_losses_count_max: Annotated[
        int, Whole(1, 100), "More lost connections in a minute than this trips the venue's breaker."
    ] = 10
    toxicity_percent_max: Annotated[
        Decimal,
        Exact(Decimal(30), Decimal(100), places=4),
        "Trading more one-sided than this, of its volume, trips the instrument's breaker.",
    ] = Decimal(80)
    spread_percent_max: Annotated[
        Decimal, Exact(Decimal("0.01"), Decimal(50), places=4), "A spread wider than this trips it as well."
    ] = Decimal(1)
    spread_of_usual_percent_max: Annotated[
        int, Whole(200, 100_000), "So does one wider than this, of the usual spread, if it is also wider than 0.1 %."
    ] = 2_000
    volume_of_usual_percent_max: Annotated[
        int, Whole(200, 100_000), "So does more volume in ten seconds than this, of the usual."
    ] = 5_000


@dataclass(frozen=True, slots=True)
class Recorder:
    """Record every input the trader saw, so that a day can be replayed."""

    enabled: Annotated[bool, Switch(), "Record every input."] = True
    file_bytes_max: Annotated[
        int, Whole(1_000_000, 1_000_000_000), "A recording this long continues in a new file."
    ] = 32_000_000
    total_bytes_max: Annotated[
        int, Whole(10_000_000, 1_000_000_000_000), "The oldest recordings are deleted beyond this."
    ] = 4_000_000_000
    megabytes_per_day_max: Annotated[
        int, Whole(1, 100_000), "Beyond it recording stops until the trader starts anew: cards wear out."
    ] = 300
