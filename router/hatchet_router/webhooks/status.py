"""What can be seen of a receiver of webhooks from outside while it runs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from hatchet_router.readiness import Readiness
from hatchet_router.status import Phase
from hatchet_router.webhooks.counts import WebhookCounts

__all__ = ["WebhookStatus"]


async def _nothing_yet() -> bool:
    return False


@dataclass(slots=True)
class WebhookStatus:
    """The state of one receiver, kept by `service.serve_webhooks` and read by whoever asks.

    ``readiness`` is as of the last ``look`` at RabbitMQ, which nobody takes unless he is asked.
    """

    phase: Phase = Phase.STARTING
    readiness: Readiness = field(default_factory=lambda: Readiness(process="webhooks"))
    counts: WebhookCounts = field(default_factory=WebhookCounts)
    look: Callable[[], Awaitable[bool]] = _nothing_yet
