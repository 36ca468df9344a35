"""What one run of the process knows of an order on its way, and nothing needs to outlive it."""


class Flight:
    """Hold what this run of the process knows of an order beyond its records."""

    __slots__ = ("amended_ns", "asked_ns", "cancel_ns", "cancel_wanted", "change_row", "planned_ns", "sent_ns")

    def __init__(self, planned_ns: int, sent_ns: int | None) -> None:
        """Begin when the order was planned, or taken over as sent."""
        self.planned_ns = planned_ns
        self.sent_ns = sent_ns
        self.asked_ns: int | None = None
        self.amended_ns: int | None = None
        self.cancel_ns: int | None = None
        # The row that must be safe before the change is said.
        self.change_row: int | None = None
        self.cancel_wanted = False


def due(last_ns: int | None, now_ns: int, interval_ns: int) -> bool:
    """Tell whether something is to be done again."""
    return last_ns is None or now_ns - last_ns >= interval_ns
