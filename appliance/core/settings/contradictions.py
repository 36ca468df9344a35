"""Settings that are each allowed but not together: one table, checked once every value involved is itself good."""

import itertools
import re
from collections.abc import Callable
from typing import NamedTuple

from appliance.core.settings.table import Config
from appliance.core.settings.trading import CONSENT

_MILLISECONDS_PER_SECOND = 1_000
_PERCENT_OF_ONE = 100
_MODEL_BAR_S = 300
# Two renewals may be lost to a busy moment; the third must still arrive in time.
_RENEWALS_PER_EXPIRY_MIN = 3


# Kraken's own, its guide "WebSocket v2: introduction" and its REST reference; a beta or a look-alike is another.
KRAKEN_URLS = ("wss://ws.kraken.com/v2", "wss://ws-auth.kraken.com/v2", "https://api.kraken.com")


class Contradiction(NamedTuple):
    """Name the settings involved, when they contradict each other, and what to do about it."""

    settings: tuple[str, ...]
    found: Callable[[Config], bool]
    sentence: str


# A pin counts as used unless a switch says that nothing is fitted to it.
_ALWAYS_FITTED = ("estop", "reset", "red", "green", "blue")
_FITTED_BY_SWITCH = ("yellow", "tamper", "relay")


def _fitted(config: Config, pin: str) -> bool:
    return pin in _ALWAYS_FITTED or getattr(config.pins, f"{pin}_fitted") is True


def _shared_pin(one: str, other: str) -> Contradiction:
    def found(config: Config) -> bool:
        same = getattr(config.pins, one) == getattr(config.pins, other)
        return same and _fitted(config, one) and _fitted(config, other)

    switches = tuple(f"pins.{pin}_fitted" for pin in (one, other) if pin in _FITTED_BY_SWITCH)
    return Contradiction(
        (f"pins.{one}", f"pins.{other}", *switches), found, f"{one} and {other} use the same pin; give each its own"
    )


def _at_most(smaller: str, larger: str) -> Contradiction:
    def value(config: Config, name: str) -> int:
        section, key = name.split(".")
        number: int = getattr(getattr(config, section), key)
        return number

    return Contradiction(
        (smaller, larger),
        lambda config: value(config, smaller) > value(config, larger),
        f"{smaller} must not be greater than {larger}",
    )


def _venue_urls(config: Config) -> tuple[str, ...]:
    return config.venue.market_url, config.venue.orders_url, config.venue.rest_url


def _plain(url: str) -> bool:
    return url.startswith(("ws:", "http:"))


def _on_this_machine(url: str) -> bool:
    return re.match(r"[a-z]+://127\.[0-9.]+(:|/|$)", url) is not None


def venue_on_this_machine(config: Config) -> bool:
    """Tell whether the venue is on this very machine: paper money, or a bench that tries the live path."""
    return all(map(_on_this_machine, _venue_urls(config)))


_ORDERINGS = (
    ("risk.position_fraction_percent", "risk.position_percent_max"),
    ("risk.position_percent_max", "risk.symbol_percent_max"),
    ("risk.symbol_percent_max", "risk.venue_percent_max"),
    ("risk.symbol_percent_max", "risk.strategy_percent_max"),
    ("risk.symbol_percent_max", "risk.sector_percent_max"),
    ("risk.symbol_percent_max", "risk.heat_percent_max"),
    ("risk.daily_loss_percent_max", "risk.drawdown_percent_max"),
    ("risk.order_quote_min", "risk.order_quote_max"),
    ("recorder.file_bytes_max", "recorder.total_bytes_max"),
    ("orders.query_interval_ms", "orders.unknown_grace_ms"),
    ("safety.lease_expiry_ms", "safety.heartbeat_ms_max"),
)

CONTRADICTIONS: tuple[Contradiction, ...] = (
    *(_shared_pin(*pair) for pair in itertools.combinations((*_ALWAYS_FITTED, *_FITTED_BY_SWITCH), 2)),
    *(_at_most(*pair) for pair in _ORDERINGS),
    Contradiction(
        ("safety.lease_renew_ms", "safety.lease_expiry_ms"),
        lambda c: c.safety.lease_renew_ms * _RENEWALS_PER_EXPIRY_MIN > c.safety.lease_expiry_ms,
        f"lease_expiry_ms must be {_RENEWALS_PER_EXPIRY_MIN} times lease_renew_ms or more, or one delay stops trading",
    ),
    Contradiction(
        ("safety.reset_hold_ms", "safety.start_window_s"),
        lambda c: c.safety.reset_hold_ms >= c.safety.start_window_s * _MILLISECONDS_PER_SECOND,
        "start_window_s must be longer than reset_hold_ms",
    ),
    Contradiction(
        ("orders.dead_man_s", "orders.deadline_ms", "orders.unknown_grace_ms"),
        lambda c: c.orders.dead_man_s * _MILLISECONDS_PER_SECOND <= c.orders.deadline_ms + c.orders.unknown_grace_ms,
        "dead_man_s must be longer than deadline_ms and unknown_grace_ms together, or a slow answer cancels everything",
    ),
    Contradiction(
        ("orders.cancel_reserve_count", "orders.rate_burst_count"),
        lambda c: c.orders.cancel_reserve_count >= c.orders.rate_burst_count,
        "cancel_reserve_count must be smaller than rate_burst_count, or no entry could ever be sent",
    ),
    Contradiction(
        ("trading.mode", "trading.capital_quote", "risk.position_fraction_percent", "risk.order_quote_min"),
        lambda c: (
            c.trading.mode == "paper"
            and c.trading.capital_quote * c.risk.position_fraction_percent < c.risk.order_quote_min * _PERCENT_OF_ONE
        ),
        "position_fraction_percent of capital_quote is less than order_quote_min, so nothing could ever be bought",
    ),
    Contradiction(
        ("trading.mode", "venue.market_url", "venue.orders_url", "venue.rest_url"),
        lambda c: c.trading.mode == "paper" and not venue_on_this_machine(c),
        "paper trading needs the built-in venue: give addresses of 127.0.0.1, or real orders would be sent",
    ),
    Contradiction(
        ("venue.market_url", "venue.orders_url", "venue.rest_url", "venue.plain_loopback_allowed"),
        lambda c: any(
            _plain(url) and not (c.venue.plain_loopback_allowed and _on_this_machine(url)) for url in _venue_urls(c)
        ),
        "an address must begin with wss or https, unless it is one of 127.0.0.1 and plain_loopback_allowed is true",
    ),
    Contradiction(
        ("trading.mode", "venue.market_url", "venue.orders_url", "venue.rest_url"),
        lambda c: c.trading.mode == "live" and any(map(_plain, _venue_urls(c))),
        "live trading is always encrypted: addresses must begin with wss and https, those of a bench as well",
    ),
    Contradiction(
        ("trading.mode", "venue.market_url", "venue.orders_url", "venue.rest_url"),
        lambda c: c.trading.mode == "live" and not venue_on_this_machine(c) and _venue_urls(c) != KRAKEN_URLS,
        f"live trading knows one venue, and no address that only looks like it: write {', '.join(KRAKEN_URLS)}",
    ),
    Contradiction(
        ("venue.ca_file", "venue.market_url", "venue.orders_url", "venue.rest_url"),
        lambda c: c.venue.ca_file is not None and not venue_on_this_machine(c),
        "an authority of your own is for a venue on this very machine; the system's vouch for Kraken: leave it out",
    ),
    Contradiction(
        ("venue.ca_file", "venue.market_url", "venue.orders_url", "venue.rest_url"),
        lambda c: c.venue.ca_file is not None and any(map(_plain, _venue_urls(c))),
        "an authority only vouches for encrypted addresses: write wss and https, or leave it out",
    ),
    Contradiction(
        ("trading.mode", "trading.live_consent", "device.name"),
        lambda c: c.trading.mode == "live" and c.trading.live_consent != f"{c.device.name} {CONSENT}",
        f"live trading needs your consent: write live_consent = device.name and then {CONSENT!r}",
    ),
    Contradiction(
        ("trading.live_consent", "trading.mode"),
        lambda c: c.trading.mode == "paper" and c.trading.live_consent is not None,
        "consent to live trading stands in no paper configuration, or one changed word would be enough to go live",
    ),
    Contradiction(
        ("trading.mode", "pins.factory", "venue.ca_file"),
        # Only a venue on this machine has an authority of its own, and there is no real money there.
        lambda c: c.trading.mode == "live" and c.pins.factory != "lgpio" and c.venue.ca_file is None,
        'live trading needs a real stop button: pins.factory must be "lgpio"',
    ),
    Contradiction(
        ("trading.mode", "safety.clock_unsynced_allowed"),
        lambda c: c.trading.mode == "live" and c.safety.clock_unsynced_allowed,
        "live trading needs a set clock: clock_unsynced_allowed must be false",
    ),
    Contradiction(
        ("mqtt.username", "mqtt.password_file"),
        lambda c: (c.mqtt.username is None) != (c.mqtt.password_file is None),
        "username and password_file go together: set both or neither",
    ),
    Contradiction(
        ("mqtt.certificate_file", "mqtt.key_file"),
        lambda c: (c.mqtt.certificate_file is None) != (c.mqtt.key_file is None),
        "certificate_file and key_file go together: set both or neither",
    ),
    Contradiction(
        ("mqtt.broker", "mqtt.ca_file", "mqtt.certificate_file"),
        lambda c: (
            c.mqtt.broker is not None
            and c.mqtt.broker.startswith("mqtt://")
            and (c.mqtt.ca_file is not None or c.mqtt.certificate_file is not None)
        ),
        "certificates are only used with encryption: write mqtts:// instead of mqtt://",
    ),
    Contradiction(
        ("trading.mode", "orders.account"),
        lambda c: c.trading.mode == "live" and c.orders.account == "unstated",
        "the venue's own timer cancels every order of the account, protective stops and other people's too: "
        'say orders.account = "dedicated" for a sub-account of its own, or "shared" to accept that',
    ),
    Contradiction(
        ("trading.mode", "models.weight", "models.bar_s"),
        lambda c: c.trading.mode == "live" and (c.models.weight == "trial" or c.models.bar_s != _MODEL_BAR_S),
        'live trading gives models the weight they earned, on the bars they learned from: weight "earned", bar_s 300',
    ),
    Contradiction(
        ("models.bar_s", "market.bar_s", "models.enabled"),
        lambda c: c.models.enabled and c.models.bar_s % c.market.bar_s != 0,
        "models.bar_s must be a multiple of market.bar_s, or models.enabled false",
    ),
    Contradiction(
        ("paths.state", "paths.runtime"),
        lambda c: c.paths.state == c.paths.runtime,
        "state must survive a power cut and runtime must not: give them different folders",
    ),
)
