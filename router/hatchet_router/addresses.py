"""Broker addresses, fit to be shown."""

from __future__ import annotations

from urllib.parse import urlsplit

__all__ = ["without_credentials"]


def without_credentials(url: str) -> str:
    """Return ``url`` as scheme, host, port and path: no user, no password, no query."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or "localhost"
        port = parts.port
    except ValueError:
        return "an address that is not a URL"
    if ":" in host:
        host = f"[{host}]"
    port = port or (5671 if parts.scheme == "amqps" else 5672)
    return f"{parts.scheme}://{host}:{port}{parts.path}"
