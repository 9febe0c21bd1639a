"""Who runs a command, for the records of what was done."""

from __future__ import annotations

import getpass
import os
import socket

__all__ = ["operator_name"]


def operator_name() -> str:
    """Return who runs this, on which machine."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError):  # a container's user may have no name
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"
