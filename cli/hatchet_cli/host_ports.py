"""Hosts and TCP ports, as addresses of servers name them."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

__all__ = ["host_and_port"]


def host_and_port(address: str, default: int | Mapping[str, int]) -> tuple[str, int] | None:
    """Return where the server at ``address`` is: a URL, or ``host:port``.

    ``default`` is the port where it names none, by the URL's scheme or for all. None where it
    names something that is no port.
    """
    try:
        parts = urlsplit(address if "://" in address else f"//{address}")
        port = parts.port
    except ValueError:
        return None
    if port is None:
        port = default if isinstance(default, int) else default.get(parts.scheme)
    return None if port is None else (parts.hostname or "localhost", port)
