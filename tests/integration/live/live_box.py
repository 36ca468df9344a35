"""An appliance in live mode on a bench: sealed settings, an encrypted venue on this machine, every process its own."""

from pathlib import Path

from appliance.core.seal import KeyPair, generate, key_line, sign
from appliance.engine.together import with_settings
from appliance.venues.kraken.endpoint import endpoint
from tests.integration.defence.box import START_S, Box

DEVICE = "bench-1"
CONSENT = 'live_consent = "bot4-demo trades real money and may lose all of it"'
ACCOUNT = 'account = "dedicated"'


class LiveBox(Box):
    """Hold one such appliance in one folder."""

    def __init__(self, folder: Path, *, faults: str = "", clock_set: bool = True) -> None:
        """Write and seal the configuration; nothing runs yet."""
        # How fast a hung trader is noticed is others' business; a busy machine must not look like one.
        super().__init__(folder, faults=faults, acknowledge_ms=5_000, heartbeat_ms=5_000)
        self.tls, self.clock, self.seal = folder / "tls", folder / "clock-is-set", folder / "appliance.toml.seal"
        self.owner: KeyPair = generate()
        if clock_set:
            self.clock.touch()
        text = self.config.read_text(encoding="utf-8")
        live = {
            "mode": f'"live"\n{CONSENT}',
            "rest_url": f'"https://{self.place.authority}"\nca_file = "{self.tls / "venue.crt"}"',
            "weight": '"earned"\nenabled = false',
            "clock_unsynced_allowed": "false",
            "reconcile_interval_s": f"5\n{ACCOUNT}",
        }
        head, models, tail = with_settings(text, live).replace("ws://", "wss://").partition("[models]\n")
        self.install(head + models + tail.replace("bar_s = 1\n", "bar_s = 300\n", 1))
        self.place = endpoint(f"https://{self.place.authority}", plain_loopback=False, ca_file=self.tls / "venue.crt")

    def start_all(self) -> None:
        """Start every process, the others once the venue has its keys and its certificate."""
        self.start("venue")
        self.until(self.venue_answers, limit_s=START_S)
        self.start("last-resort", "guardian", "reporter", "trader")

    def install(self, text: str, *, sealed: bool = True) -> None:
        """Put a configuration in place, with the owner's key and, if wanted, a seal of its own."""
        self.config.write_text(text, encoding="utf-8")
        self.config.with_name("seal.pub").write_text(key_line("public", self.owner.public.hex()), encoding="ascii")
        if sealed:
            self.seal.write_bytes(sign(text.encode(), self.owner.private, DEVICE, {}))

    def text(self) -> str:
        """Return the configuration."""
        return self.config.read_text(encoding="utf-8")

    def words(self, name: str) -> tuple[str, ...]:
        """Return module and words that a process is started with."""
        if name == "trader":
            clock = ("--clock", str(self.clock), "--device", DEVICE)
            return ("tests.integration.live.trader", *clock, "--config", str(self.config))
        more = ("--tls", str(self.tls)) if name == "venue" else ()
        return (*super().words(name), *more)
