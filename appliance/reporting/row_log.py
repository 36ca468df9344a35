"""Every row of the journal as a line of the system's log, with the fields that find it again.

The reporter writes these and not the trader, because a log that stands still must not hold up an order. Where there is
no journal of systemd's the lines are of the least importance, so that a terminal is not flooded.
"""

import logging
import os

from appliance.core.records import Row
from appliance.hardware.journald import FIELDS
from appliance.reporting.mqtt.payloads import THINNED_KIND, trace_text
from appliance.reporting.story import Entry

_log = logging.getLogger(__name__)


class RowLog:
    """Write rows as lines."""

    __slots__ = ("_device", "_level")

    def __init__(self, device: str) -> None:
        """Write rows of this device."""
        self._device = device
        self._level = logging.INFO if "JOURNAL_STREAM" in os.environ else logging.DEBUG

    def write(self, row: Row, entry: Entry) -> None:
        """Write one row; the equity of every minute is left to the metrics."""
        if row.kind == THINNED_KIND or not _log.isEnabledFor(self._level):
            return
        fields = {
            "BOT4_DEVICE": self._device,
            "BOT4_TRACE": trace_text(row.trace),
            "BOT4_SEQUENCE": row.sequence,
            "BOT4_WALL_NS": row.wall_ns,
            "BOT4_KIND": row.kind,
            "BOT4_DETAIL": entry.detail,
        }
        _log.log(self._level, "%s", entry.title, extra={FIELDS: fields})
