"""Asks the process of this container whether it lives; without a port for operators it does."""

from __future__ import annotations

import http.client
import os
import sys
import urllib.request
from typing import Final

_SECONDS: Final = 3


def is_alive(address: str) -> bool:
    """Tell whether the process with this ``HATCHET_OPS_ADDRESS`` answers ``/livez`` with 200."""
    if not address:
        return True
    host, _, port = address.rpartition(":")
    if host in {"", "0.0.0.0", "[::]"}:  # noqa: S104 - where it listens, not where we do
        host = "127.0.0.1"
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(f"http://{host}:{port}/livez", timeout=_SECONDS) as answer:
            return bool(answer.status == 200)  # noqa: PLR2004 - HTTP's OK
    except (OSError, ValueError, http.client.HTTPException):
        return False


if __name__ == "__main__":
    sys.exit(0 if is_alive(os.environ.get("HATCHET_OPS_ADDRESS", "").strip()) else 1)
