"""The last door before the socket.

It is asked twice. Once by the trader when an order's row is safe, with what the trader was told; and once by the
shell, with the lease read at that very moment, right before the first byte leaves. Only the second one counts for
safety; the first one spares the venue an order that would be stopped anyway.
"""

from appliance.core.commands import SendOrder, VenueCommand


def admits(command: VenueCommand, *, permitted: bool) -> bool:
    """Tell whether a command may leave: without permission, nothing that could add exposure."""
    return permitted or not isinstance(command, SendOrder) or command.reduce_only
