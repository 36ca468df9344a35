"""The bounds of the journal, in one place."""

import msgspec


class JournalLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Bound what may wait, what one commit holds and how far the log may grow.

    The reserve covers what the fullest queue still needs once it is written as refusals (about 120 bytes each).
    """

    rows_waiting_max: int = 65_536
    bytes_waiting_max: int = 64 * 1024 * 1024
    rows_per_commit_max: int = 4_096
    wal_pages_max: int = 4_096
    reserve_bytes: int = 16 * 1024 * 1024
    copy_pages_per_step: int = 64


DEFAULT_LIMITS = JournalLimits()
