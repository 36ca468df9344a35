"""A socket for processes of this machine, open to one user."""

import os
import socket
import stat
from pathlib import Path
from typing import Final

from appliance.core.errors import HardwareError

_PATH_BYTES_MAX: Final = 107  # sun_path, unix(7)


def listen_at(path: Path, connections_count_max: int) -> socket.socket:
    """Listen at a path for processes of our own user; what an earlier process left there is replaced."""
    if len(os.fsencode(path)) > _PATH_BYTES_MAX:
        raise HardwareError(f"{path} is too long for a socket: choose a shorter paths.runtime")
    if path.exists() and stat.S_ISSOCK(path.lstat().st_mode):
        path.unlink()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    mask = os.umask(0o177)
    try:
        listener.bind(os.fspath(path))
    except OSError as error:
        listener.close()
        raise HardwareError(f"nothing can listen at {path}: {error.strerror}") from error
    finally:
        os.umask(mask)
    listener.listen(connections_count_max)
    return listener
