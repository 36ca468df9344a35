"""The topic tree, in one place; TOPICS.md tells it to people.

<base>/<device>/availability    retained: online, offline (the last will too)
<base>/<device>/birth           retained: which appliance, which journal, which schema
<base>/<device>/state           retained: the present, at most every few seconds
<base>/<device>/chain           retained: heads of the journal's and the audit log's chains
<base>/<device>/recent          retained: the last entries and the equity's course, for who comes late
<base>/<device>/event/<kind>    every journal row but equity, in order, at least once
<base>/<device>/summary/equity  equity rows, one or many in a message, in order, at least once

and, only where a key for it is configured, the one topic that is listened to:

<base>/<device>/stop            the owner's signed stop, never retained
"""

import msgspec

ONLINE = b"online"
OFFLINE = b"offline"


class Topics(msgspec.Struct, frozen=True, gc=False):
    """Name the topics of one appliance."""

    base: str
    device: str

    @property
    def root(self) -> str:
        """Return what every topic of this appliance begins with."""
        return f"{self.base}/{self.device}"

    @property
    def availability(self) -> str:
        """Return the topic of the last will."""
        return f"{self.root}/availability"

    @property
    def birth(self) -> str:
        """Return the topic that says which appliance this is."""
        return f"{self.root}/birth"

    @property
    def state(self) -> str:
        """Return the topic of the present."""
        return f"{self.root}/state"

    @property
    def chain(self) -> str:
        """Return the topic of the chains' heads."""
        return f"{self.root}/chain"

    @property
    def recent(self) -> str:
        """Return the topic of the recent past."""
        return f"{self.root}/recent"

    @property
    def summary(self) -> str:
        """Return the topic of equity rows."""
        return f"{self.root}/summary/equity"

    @property
    def stop(self) -> str:
        """Return the topic of the owner's signed stop."""
        return f"{self.root}/stop"

    def event(self, kind: str) -> str:
        """Return the topic of one kind of journal row."""
        return f"{self.root}/event/{kind if kind.isascii() and kind.isalnum() else 'other'}"
