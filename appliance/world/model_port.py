"""What the process asks beside orders: its models, and what bars the venue remembers; and a world that has neither."""

from collections.abc import Callable
from typing import Protocol

from appliance.core.commands import AskHistory, AskModels
from appliance.core.events import AnyEvent, HistoryTold
from appliance.engine.model_voices import silent

Post = Callable[[AnyEvent], None]


class ModelPort(Protocol):
    """Answer what the process asks its models, and what the venue remembers."""

    def start(self, post: Post) -> None:
        """Begin with the process."""
        ...

    def end(self) -> None:
        """Be gone with the process."""
        ...

    def hang(self) -> None:
        """Stand still with the process."""
        ...

    def resume(self) -> None:
        """Go on with the process."""
        ...

    def ask(self, command: AskModels) -> None:
        """Take an ask."""
        ...

    def recall(self, command: AskHistory) -> None:
        """Take that bars are asked for."""
        ...


class NoModels(ModelPort):
    """Answer at once that there is nothing."""

    def start(self, post: Post) -> None:
        """Know whom to answer."""
        self._post = post

    def end(self) -> None:
        """Have nothing that could go on."""

    def hang(self) -> None:
        """Have nothing that could hang."""

    def resume(self) -> None:
        """Have nothing that waited."""

    def ask(self, command: AskModels) -> None:
        """Say that there are no models."""
        self._post(silent(command, "absent", "the world has no models", "", 0))

    def recall(self, command: AskHistory) -> None:
        """Say that there are no bars."""
        self._post(HistoryTold(command.instrument, command.bar_s, (), 0, "the world remembers nothing"))
