"""The settings of the box itself: stopping, pins, storage, reporting; lines of the same table as the trading ones."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from appliance.core.settings.kinds import Address, Choice, Folder, OrNothing, Switch, Text, VerifyingKey, Whole

# 0 and 1 identify expansion boards, and 27 is the last pin on the header.
_PIN = Whole(2, 27)


@dataclass(frozen=True, slots=True)
class Safety:
    """Set how the appliance stops, and what counts as silence."""

    lease_expiry_ms: Annotated[
        int, Whole(60, 2_000), "Permission to trade ends this long after the guardian last renewed it."
    ] = 250
    lease_renew_ms: Annotated[int, Whole(5, 500), "How often the guardian renews permission."] = 20
    stop_policy: Annotated[
        str,
        Choice(("cancel", "cancel_all", "flatten")),
        "On stop: cancel entries and keep protective stops; cancel every order; or close positions as well.",
    ] = "cancel"
    acknowledge_ms_max: Annotated[
        int, Whole(100, 10_000), "A trader that has not confirmed a stop after this is killed."
    ] = 1_000
    heartbeat_ms_max: Annotated[int, Whole(200, 60_000), "A trader silent for longer counts as hung."] = 2_000
    reset_hold_ms: Annotated[int, Whole(1_000, 30_000), "How long reset is held to make a stopped box ready."] = 3_000
    start_window_s: Annotated[int, Whole(5, 600), "A ready box not started within this is stopped again."] = 60
    glitch_us: Annotated[
        int, Whole(0, 20_000), "A break of the stop contact shorter than this is counted as a glitch, not a press."
    ] = 2_000
    bounce_ms: Annotated[int, Whole(0, 200), "The reset button's contact must rest this long to count."] = 20
    # A start waits as long for the card, and systemd gives a start ten seconds.
    disk_ms_max: Annotated[
        int,
        Whole(100, 8_000),
        "A card that keeps nothing of the guardian's record for longer counts as failed: stopped, with a fault shown.",
    ] = 5_000
    tamper_policy: Annotated[
        str, Choice(("stop", "report")), "Opening the case stops the box, or is only recorded and shown."
    ] = "stop"
    lamp_test: Annotated[bool, Switch(), "Show every lamp once at start."] = True
    remote_stop_key: Annotated[
        str | None,
        OrNothing(VerifyingKey()),
        "Public key of who may stop this box over MQTT, and do nothing else; none takes no remote stop.",
    ] = None
    clock_unsynced_allowed: Annotated[
        bool, Switch(), "Open positions although the clock was never set; only for benches without a network."
    ] = False


@dataclass(frozen=True, slots=True)
class Pins:
    """Say which wire is where, in BCM numbers."""

    factory: Annotated[str, Choice(("lgpio", "simulated")), "lgpio drives real pins; simulated has none."] = "lgpio"
    estop: Annotated[int, _PIN, "Stop button: normally-closed contact to 3V3."] = 17
    reset: Annotated[int, _PIN, "Reset and start button."] = 5
    tamper: Annotated[int, _PIN, "Case switch."] = 6
    relay: Annotated[int, _PIN, "Heartbeat pulse for an external watchdog relay."] = 25
    red: Annotated[int, _PIN, "Red lamp; config.txt lights the same pin from power-on."] = 24
    green: Annotated[int, _PIN, "Green lamp."] = 22
    blue: Annotated[int, _PIN, "Blue lamp."] = 27
    yellow: Annotated[int, _PIN, "Yellow lamp of a lamp tower."] = 23
    tamper_fitted: Annotated[bool, Switch(), "A case switch is wired."] = False
    lamp_brightness_percent: Annotated[
        int, Whole(1, 100), "How bright the lamps are; below 100 they are dimmed by switching them fast."
    ] = 100
    relay_fitted: Annotated[bool, Switch(), "A watchdog relay is wired."] = False
    yellow_fitted: Annotated[bool, Switch(), "A yellow lamp is wired; if not, yellow is red and green."] = False


@dataclass(frozen=True, slots=True)
class Journal:
    """Bound the record of money: every intent and fill, synced before it counts."""

    queue_rows_max: Annotated[
        int, Whole(100, 1_000_000), "Rows that may wait for the disk; a full queue halts trading."
    ] = 10_000
    wal_pages_max: Annotated[int, Whole(100, 100_000), "The write-ahead log is folded back at this length."] = 1_000
    reserve_bytes: Annotated[
        int, Whole(1_000_000, 1_000_000_000), "Disk kept free so that a full card can still record a stop."
    ] = 16_000_000


@dataclass(frozen=True, slots=True)
class Health:
    """Set when the machine itself is not well enough to open positions."""

    temperature_celsius_max: Annotated[
        int, Whole(50, 100), "A hotter processor opens nothing; from 10 degrees below, it is an alarm."
    ] = 85
    disk_free_bytes_min: Annotated[
        int, Whole(1_000_000, 1_000_000_000_000), "Less room for the journal opens nothing; below twice that, an alarm."
    ] = 200_000_000
    disk_writes_megabytes_per_day_max: Annotated[
        int, Whole(1, 1_000_000), "More writing than this is an alarm: cards wear out by it."
    ] = 2_000
    memory_free_bytes_min: Annotated[
        int, Whole(1_000_000, 1_000_000_000_000), "Less memory opens nothing; below twice that, an alarm."
    ] = 64_000_000
    journal_ms_max: Annotated[
        int,
        Whole(10, 60_000),
        "A journal slower than this to keep a row opens nothing; from a quarter of it, an alarm.",
    ] = 2_000


@dataclass(frozen=True, slots=True)
class Backups:
    """Set how many copies of the journal are kept."""

    hourly_count: Annotated[int, Whole(0, 168), "Hourly copies kept."] = 24
    daily_count: Annotated[int, Whole(0, 366), "Daily copies kept."] = 7
    weekly_count: Annotated[int, Whole(0, 104), "Weekly copies kept."] = 4
    monthly_count: Annotated[int, Whole(0, 120), "Monthly copies kept."] = 12


@dataclass(frozen=True, slots=True)
class Reporter:
    """Set up the read-only view from outside."""

    panel_host: Annotated[str, Address(), "Address the panel listens on."] = "127.0.0.1"
    panel_port: Annotated[int, Whole(0, 65_535), "Port the panel listens on; 0 takes any free one."] = 8_470
    retain_events_count: Annotated[int, Whole(100, 10_000_000), "Events kept for the panel."] = 100_000


# The host is a name or an address; a password in an address would end up wherever addresses are shown.
_BROKER = Text(
    r"mqtts?://(\[[0-9a-f:.]{2,45}\]|[A-Za-z0-9][A-Za-z0-9.-]{0,99})(:[1-9][0-9]{0,4})?",
    'a broker such as "mqtt://192.168.1.5:1883" or "mqtts://broker.example:8883" (encrypted)',
)
_LEVELS = Text(
    r"[A-Za-z0-9_-]{1,32}(/[A-Za-z0-9_-]{1,32}){0,3}", "1 to 4 levels of letters, digits, - and _, parted by /"
)


@dataclass(frozen=True, slots=True)
class Mqtt:
    """Publish what happens to a broker; all that is taken from there is a stop signed for safety.remote_stop_key."""

    broker: Annotated[str | None, OrNothing(_BROKER), "The broker; none switches MQTT off."] = None
    username: Annotated[
        str | None, OrNothing(Text(r"[!-~]{1,64}", "1 to 64 plain characters")), "Name to log in with."
    ] = None
    password_file: Annotated[
        Path | None, OrNothing(Folder()), "File that holds the password alone, readable by the reporter only."
    ] = None
    ca_file: Annotated[
        Path | None, OrNothing(Folder()), "The one authority trusted to sign the broker's certificate (PEM)."
    ] = None
    certificate_file: Annotated[Path | None, OrNothing(Folder()), "Certificate to log in with (PEM)."] = None
    key_file: Annotated[Path | None, OrNothing(Folder()), "The certificate's private key (PEM)."] = None
    base_topic: Annotated[str, _LEVELS, "Topics begin with it, then comes the device's name."] = "bot4-edge"
    discovery: Annotated[bool, Switch(), "Announce the appliance to Home Assistant."] = True
    discovery_prefix: Annotated[str, _LEVELS, "Where Home Assistant looks for announcements."] = "homeassistant"
    state_interval_s: Annotated[int, Whole(1, 300), "The state is published this often, and when it changes."] = 5
    keepalive_s: Annotated[int, Whole(5, 600), "A broker silent for longer is given up and called again."] = 30
    outbox_rows_max: Annotated[
        int, Whole(100, 1_000_000), "Messages kept while the broker is away; the rest waits in the trader's journal."
    ] = 50_000


@dataclass(frozen=True, slots=True)
class Paths:
    """Say where the appliance keeps its things."""

    state: Annotated[Path, Folder(), "What must survive power loss: journal, latch, backups, recordings."] = Path(
        "/var/lib/bot4-edge"
    )
    runtime: Annotated[Path, Folder(), "What must not survive it: shared pages and sockets, in memory."] = Path(
        "/run/bot4-edge"
    )


@dataclass(frozen=True, slots=True)
class Log:
    """Set how much is written to the system's log."""

    level: Annotated[str, Choice(("debug", "info", "warning", "error")), "The least important message written."] = (
        "info"
    )
