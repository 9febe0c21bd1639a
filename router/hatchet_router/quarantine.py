"""Messages that come back again and again: seldom are they to blame, but one may be.

RabbitMQ counts how often it had to take a message back unsettled (``x-delivery-count``, kept by
quorum queues). A router that is killed gives back all that it has in hand, so a count says little
until it is high. Then the message is handled alone, so that it takes no other along if it does kill
its router; and if it goes on like that, it is not handled any more.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from hatchet_router.deliveries import Rejection
from hatchet_router.letter_headers import RETURNS
from hatchet_router.reasons import QUARANTINED

__all__ = ["QUARANTINE_RETURNS", "SUSPECT_RETURNS", "is_suspect", "quarantined", "times_returned"]

SUSPECT_RETURNS: Final = 3
"""How often a message has come back that is handled alone."""

QUARANTINE_RETURNS: Final = 20
"""How often a message has come back that is not handled at all; well below the delivery limit."""


def times_returned(headers: Mapping[str, Any], *, redelivered: bool) -> int:
    """Return how often RabbitMQ took a message back; a publisher's own header says nothing."""
    count = headers.get(RETURNS)
    return count if redelivered and isinstance(count, int) and count > 0 else int(redelivered)


def is_suspect(times: int) -> bool:
    """Return whether a message that came back so often is handled alone."""
    return times >= SUSPECT_RETURNS


def quarantined(times: int, event_id: str | None) -> Rejection | None:
    """Return why a message that came back so often is not handled, None where it is."""
    if times < QUARANTINE_RETURNS:
        return None
    return Rejection(
        QUARANTINED,
        f"it came back {times} times unsettled, alone in the end: whoever handled it was stopped",
        event_id,
    )
