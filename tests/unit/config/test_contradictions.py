"""Settings that are allowed alone and refused together."""

import itertools

import pytest

from appliance.core.config import loads
from appliance.core.errors import ConfigError
from appliance.core.settings.contradictions import CONTRADICTIONS
from appliance.core.settings.table import SETTINGS
from tests.live_settings import ACCOUNT, CONSENT, KRAKEN, LIVE

# One example for every contradiction of the table except the pins, which are enumerated below.
BENCH = KRAKEN.replace("ws.kraken.com", "127.0.0.1").replace("ws-auth.kraken.com", "127.0.0.1")
BENCH = BENCH.replace("api.kraken.com", "127.0.0.1")
EXAMPLES = {
    "risk.position_fraction_percent must": "[risk]\nposition_fraction_percent = 2.0001",
    "risk.position_percent_max must": "[risk]\nposition_percent_max = 5.0001",
    "risk.symbol_percent_max must not be greater than risk.venue": "[risk]\nvenue_percent_max = 4",
    "risk.symbol_percent_max must not be greater than risk.strategy": "[risk]\nstrategy_percent_max = 4",
    "risk.symbol_percent_max must not be greater than risk.sector": "[risk]\nsector_percent_max = 4",
    "risk.symbol_percent_max must not be greater than risk.heat": "[risk]\nheat_percent_max = 4",
    "risk.daily_loss_percent_max must": "[risk]\ndaily_loss_percent_max = 16",
    "risk.order_quote_min must": "[risk]\norder_quote_min = 50\norder_quote_max = 49.99",
    "recorder.file_bytes_max must": "[recorder]\nfile_bytes_max = 100_000_000\ntotal_bytes_max = 99_999_999",
    "orders.query_interval_ms must": "[orders]\nquery_interval_ms = 3001",
    "safety.lease_expiry_ms must": "[safety]\nlease_expiry_ms = 2000\nheartbeat_ms_max = 1999",
    "lease_expiry_ms must be": "[safety]\nlease_renew_ms = 84",
    "start_window_s must be": "[safety]\nreset_hold_ms = 5000\nstart_window_s = 5",
    "dead_man_s must be": "[orders]\ndead_man_s = 10\ndeadline_ms = 7000",
    "cancel_reserve_count must be": "[orders]\nrate_burst_count = 4",
    "position_fraction_percent of": "[trading]\ncapital_quote = 999.99",
    "paper trading needs the": '[venue]\nrest_url = "https://api.kraken.com"',
    "an address must begin": "[venue]\nplain_loopback_allowed = false",
    "live trading is always": LIVE.replace(KRAKEN, ""),
    "live trading knows one venue": LIVE.replace("ws-auth.kraken.com", "ws-auth.kraken.com.example"),
    "an authority of your own": f'{KRAKEN}\nca_file = "/ca"\n{LIVE.replace(KRAKEN, "")}',
    "an authority only vouches": '[venue]\nca_file = "/ca"',
    "live trading needs your consent": LIVE.replace("bot4-edge trades", "bot4-other trades"),
    "consent to live trading": f"[trading]\n{CONSENT}",
    "live trading needs a real stop": f'{LIVE}\n[pins]\nfactory = "simulated"',
    "live trading needs a set clock": f"{LIVE}\n[safety]\nclock_unsynced_allowed = true",
    "username and password_file": '[mqtt]\nusername = "me"',
    "certificate_file and key_file": '[mqtt]\nkey_file = "/k"',
    "certificates are only": '[mqtt]\nbroker = "mqtt://b"\nca_file = "/c"',
    "the venue's own timer": LIVE.replace(ACCOUNT, ""),
    "live trading gives models": f'{LIVE}\n[models]\nweight = "trial"',
    "models.bar_s must be": "[market]\nbar_s = 900",
    "state must survive": '[paths]\nruntime = "/var/lib/bot4-edge"',
}
PINS = ("estop", "reset", "red", "green", "blue", "yellow", "tamper", "relay")


def test_every_contradiction_has_an_example() -> None:
    """Shows that the examples below cover the whole table; fails when a row is added without one."""
    sentences = [one.sentence for one in CONTRADICTIONS if not one.settings[0].startswith("pins.")]
    assert [[start for start in EXAMPLES if sentence.startswith(start)] for sentence in sentences] == [
        [start] for start in EXAMPLES
    ]


@pytest.mark.parametrize("start", EXAMPLES)
def test_a_contradiction_is_refused_and_explained(start: str) -> None:
    """Shows that each pair of good values is refused together; fails when a row compares the wrong way round."""
    with pytest.raises(ConfigError) as caught:
        loads(EXAMPLES[start], "f")
    assert [line for line in str(caught.value).splitlines() if f": {start}" in line], str(caught.value)
    lines = EXAMPLES[start].splitlines()
    assert all(lines[int(line.split(":")[1]) - 1].strip() for line in str(caught.value).splitlines())


@pytest.mark.parametrize(
    "text",
    [
        "[risk]\nposition_percent_max = 5\nsymbol_percent_max = 5\nvenue_percent_max = 5\nheat_percent_max = 5",
        "[risk]\norder_quote_min = 50\norder_quote_max = 50",
        "[safety]\nlease_renew_ms = 83",
        "[orders]\ndead_man_s = 10\ndeadline_ms = 6999",
        "[trading]\ncapital_quote = 1000",
        f"{LIVE}\ncapital_quote = 0.01",
        LIVE.replace('"shared"', '"dedicated"'),
        f'{LIVE.replace(KRAKEN, BENCH)}\n[pins]\nfactory = "simulated"'.replace("[venue]", '[venue]\nca_file = "/ca"'),
    ],
)
def test_the_edge_of_a_contradiction_is_allowed(text: str) -> None:
    """Shows that equal limits and the last good value pass; fails when a comparison refuses one step too much."""
    loads(text)


@pytest.mark.parametrize(("one", "other"), list(itertools.combinations(PINS, 2)))
def test_a_pin_used_twice_is_refused(one: str, other: str) -> None:
    """Shows that no two fitted parts share a wire, whichever they are; fails for a pair that is not compared."""
    fitted = "".join(f"{pin}_fitted = true\n" for pin in (one, other) if f"pins.{pin}_fitted" in SETTINGS)
    same = f"[pins]\n{fitted}{one} = 12\n{other} = 12\n"
    with pytest.raises(ConfigError, match=f"({one} and {other}|{other} and {one}) use the same pin"):
        loads(same)
    if fitted:
        loads(same.replace("true", "false"))


def test_a_value_that_is_itself_wrong_starts_no_second_complaint() -> None:
    """Shows that only the cause is named; fails when a refused value is also compared with its neighbours."""
    with pytest.raises(ConfigError) as caught:
        loads("[risk]\nposition_percent_max = 200\nsymbol_percent_max = 1.5\nposition_fraction_percent = 1.5")
    assert len(str(caught.value).splitlines()) == 1
