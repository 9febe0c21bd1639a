"""How many steps led to an event, as the header that `Dispatcher.trigger` writes says it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from hatchet_schemas.events import MAX_HOPS

__all__ = ["HOPS", "hops_in"]

HOPS: Final = "hatchet-hops"
"""An integer; a message without it was published by no step."""


def hops_in(headers: Mapping[str, Any]) -> int:
    """Return how many hops ``headers`` tell of, from 0 to `MAX_HOPS`.

    Anybody can write the header. What is no count is none, and what is too large is the most, so
    that no event is refused for it; all that a forger gains is that steps publish nothing more.
    """
    hops = headers.get(HOPS)
    if not isinstance(hops, int) or isinstance(hops, bool):
        return 0
    return min(max(hops, 0), MAX_HOPS)
