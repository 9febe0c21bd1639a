"""What a receiver of webhooks tells operators."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Final

from hatchet_cli.ops.address import OpsAddress
from hatchet_cli.ops.health import Health
from hatchet_cli.ops.telling import telling
from hatchet_router.webhooks.status import WebhookStatus

if TYPE_CHECKING:
    from prometheus_client.core import Metric

__all__ = ["webhook_metrics", "webhook_ops"]

_PLACES: Final = ("rabbitmq", "queues")


def webhook_ops(
    address: OpsAddress | None, status: WebhookStatus
) -> AbstractAsyncContextManager[None]:
    """Return what serves the pages of the receiver that keeps ``status``, as `telling` does."""
    return telling(
        address,
        lambda: Health(status.phase, status.readiness.report()),
        lambda health: webhook_metrics(status, health),
        look=status.look,
    )


def webhook_metrics(status: WebhookStatus, health: Health) -> Iterator[Metric]:
    """Yield the metrics of a receiver."""
    from hatchet_cli.ops.metrics import counter, gauge, health_metrics, histogram

    counts = status.counts
    yield from health_metrics("webhooks", health, _PLACES)
    yield counter(
        "hatchet_webhooks_requests",
        "Requests to providers' paths, by what became of them.",
        {
            (provider, outcome): count
            for provider, outcomes in counts.by_provider.items()
            for outcome, count in outcomes.items()
        },
        label=("provider", "outcome"),
    )
    yield gauge("hatchet_webhooks_in_hand", "Requests that are not answered yet.", counts.in_hand)
    yield histogram(
        "hatchet_webhooks_answer_seconds",
        "From a request's headers to its answer.",
        counts.seconds,
    )
