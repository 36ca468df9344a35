"""A card, a vault and places that are folders of a test."""

from pathlib import Path

from appliance.core.secret import Secret
from appliance.hardware.setup.apply import Applied, Places, apply
from appliance.hardware.setup.card import Card

ROOT = Path(__file__).resolve().parents[3]


class OpenVault:
    """Keep secrets in memory, and say what happened in which order."""

    def __init__(self) -> None:
        self.kept: dict[str, Secret] = {}

    def put(self, name: str, secret: Secret) -> None:
        """Keep one."""
        self.kept[name] = secret

    def get(self, name: str) -> Secret | None:
        """Return one."""
        return self.kept.get(name)

    def names(self) -> list[str]:
        """Return what is kept."""
        return sorted(self.kept)


class FakeBox:
    """Hold everything that a start needs, below one folder."""

    def __init__(self, folder: Path) -> None:
        self.card_folder = folder / "card"
        self.card_folder.mkdir()
        self.places = Places(folder / "run", folder / "state")
        self.vault = OpenVault()
        self.remounts: list[str] = []
        self.card = Card(self.card_folder, self.remounts.append)
        self.host_names: list[str] = []
        self.write("appliance.toml", (ROOT / "firmware_config/appliance.toml").read_text())

    def write(self, name: str, text: str) -> None:
        """Put a file on the card, as the owner does."""
        (self.card_folder / name).write_text(text)

    def start(self) -> Applied:
        """Do what every start does."""
        return apply(self.card, self.vault, self.places, self.host_names.append)

    def runtime(self, name: str) -> str:
        """Return what a service reads."""
        return (self.places.runtime / name).read_text()

    @property
    def may_run(self) -> bool:
        """Tell whether the appliance has settings to start with."""
        return (self.places.runtime / "appliance" / "appliance.toml").exists()
