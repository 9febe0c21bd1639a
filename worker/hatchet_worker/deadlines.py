"""How long a call to a service may take, so that it ends before its step does."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from hatchet_worker.context import Context

__all__ = ["seconds_for_call"]

_MARGIN_SECONDS: Final = 0.5  # so that the step tells the provider's timeout, not its own
_LEAST_SECONDS: Final = 0.1


def seconds_for_call(context: Context, most: float) -> float:
    """Return ``most``, or the seconds until shortly before the deadline of ``context``."""
    if context.deadline is None:
        return most
    left = (context.deadline - datetime.now(UTC)).total_seconds() - _MARGIN_SECONDS
    return max(min(most, left), _LEAST_SECONDS)
