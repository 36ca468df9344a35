"""How large a world is, and the configuration it draws for its trader."""

import random
from typing import NamedTuple

from appliance.core.clock import NANOSECONDS_PER_SECOND
from appliance.core.config import Config, loads

_NANOSECONDS_PER_MINUTE = 60 * NANOSECONDS_PER_SECOND


class Scale(NamedTuple):
    """Bound one world; a reporter runs, the journal is damaged, a later kind strikes in one of so many (0: in none)."""

    duration_ns: int
    faults_count: int
    trade_interval_ms: tuple[int, int]
    tick_ms: tuple[int, int]
    instruments: tuple[str, ...]
    reporter_in: int = 4
    damage_in: int = 4
    later_in: int = 3


# Dense: a fault every half minute or so, most of them while an order is on its way.
SHORT = Scale(5 * _NANOSECONDS_PER_MINUTE, 20, (200, 800), (200, 1_000), ("BTC/USD", "ETH/USD"))


def long_days(days: int) -> Scale:
    """Return a world of whole days at one market event a second, with a fault every twenty minutes."""
    minutes = days * 1_440
    return Scale(minutes * _NANOSECONDS_PER_MINUTE, minutes // 20, (2_000, 2_000), (5_000, 5_000), ("BTC/USD",))


def draw_config(dice: random.Random, scale: Scale, models: random.Random | None = None) -> Config:
    """Draw settings that make limits, stops and waits bite within minutes; other dice for models that act."""
    names = ", ".join(f'"{name}"' for name in scale.instruments)
    deadline_ms = dice.choice((500, 1_000, 2_000))
    interval_ms = dice.choice((100, 250, 500))
    feed_age_ms = dice.choice((2_000, 3_000, 5_000))
    quiet = scale.trade_interval_ms[0] >= 2 * 1_000
    strategies, about_models = ("", "") if models is None else _model_settings(models, 60 if quiet else 1)
    return loads(
        f"""
[device]
name = "world"
[trading]
capital_quote = {dice.choice((10_000, 1_000_000, 20_000_000))}{strategies}
[market]
instruments = [{names}]
bar_s = {60 if quiet else 1}
feed_age_ms_max = {60_000 if quiet else feed_age_ms}
[orders]
deadline_ms = {deadline_ms}
unknown_grace_ms = {dice.choice((500, 1_000, 2_500))}
query_interval_ms = {interval_ms}
reconcile_interval_s = {60 if quiet else dice.choice((5, 10, 20))}
dead_man_s = 10
[risk]
position_fraction_percent = 1
position_percent_max = 1.5
symbol_percent_max = 2.5
order_quote_max = 1000000
orders_per_minute_max = {dice.choice((5, 30, 120))}
minimum_hold_s = {dice.choice((0, 2, 10))}
stop_loss_percent = {dice.choice(("0.1", "0.5", "5"))}
[safety]
stop_policy = "{dice.choice(("cancel", "cancel_all", "flatten"))}"
clock_unsynced_allowed = false
[pins]
factory = "simulated"
{about_models}""",
        "the world's configuration",
    )


def _model_settings(dice: random.Random, bar_s: int) -> tuple[str, str]:
    """Return that models act beside others, and how long they may take and count: a step is twelve bars."""
    strategies = '\nstrategies = ["trend", "reversion", "models"]'
    return (
        strategies,
        f"""[models]
bar_s = {bar_s}
budget_ms = {dice.choice((50, 250, 1_000))}
cache_s = {dice.choice((10, 20, 60)) * bar_s}
""",
    )
