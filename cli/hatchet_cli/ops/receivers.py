"""What a receiver of webhooks tells operators."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from hatchet_cli.ops.address import OpsAddress
from hatchet_cli.ops.health import Health, health_pages
from hatchet_cli.ops.server import Page, Response, serving
from hatchet_router.webhooks.status import WebhookStatus

if TYPE_CHECKING:
    from prometheus_client.core import Metric

__all__ = ["webhook_metrics", "webhook_ops"]

_PLACES: Final = ("rabbitmq", "queues")


@asynccontextmanager
async def webhook_ops(address: OpsAddress | None, status: WebhookStatus) -> AsyncGenerator[None]:
    """Serve the pages of the receiver that keeps ``status`` for the time of the block.

    Raises:
        CommandError: nothing can listen at ``address``.

    """
    if address is None:
        yield
        return
    from hatchet_cli.ops.metrics import metrics_page

    def health() -> Health:
        return Health(status.phase, status.readiness.report())

    def after_a_look(page: Page) -> Page:
        async def looked() -> Response:
            await status.look()
            return await page()

        return looked

    pages = health_pages(health)
    pages["/readyz"] = after_a_look(pages["/readyz"])
    pages["/metrics"] = after_a_look(metrics_page(lambda: webhook_metrics(status, health()), None))
    async with serving(address, pages):
        yield


def webhook_metrics(status: WebhookStatus, health: Health) -> Iterator[Metric]:
    """Yield the metrics of a receiver."""
    from prometheus_client.core import CounterMetricFamily

    from hatchet_cli.ops.metrics import gauge, health_metrics, histogram

    counts = status.counts
    yield from health_metrics("webhooks", health, _PLACES)
    requests = CounterMetricFamily(
        "hatchet_webhooks_requests",
        "Requests to providers' paths, by what became of them.",
        labels=("provider", "outcome"),
    )
    for provider, outcomes in counts.by_provider.items():
        for outcome, count in outcomes.items():
            requests.add_metric([provider, outcome], count)
    yield requests
    yield gauge("hatchet_webhooks_in_hand", "Requests that are not answered yet.", counts.in_hand)
    yield histogram(
        "hatchet_webhooks_answer_seconds",
        "From a request's headers to its answer.",
        counts.seconds,
    )
