"""How large what travels may be."""

from __future__ import annotations

from typing import Final

__all__ = ["MAX_PAYLOAD_BYTES"]

MAX_PAYLOAD_BYTES: Final = 1_900_000
"""The largest input or output of a job or a step; Temporal refuses 2 MiB, as servers come."""
