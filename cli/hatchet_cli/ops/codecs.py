"""What a codec server tells operators."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from hatchet_cli.codec_counts import CodecCounts
from hatchet_cli.ops.address import OpsAddress
from hatchet_cli.ops.health import Health, health_pages
from hatchet_cli.ops.server import serving

if TYPE_CHECKING:
    from prometheus_client.core import Metric

__all__ = ["codec_metrics", "codec_ops"]


@asynccontextmanager
async def codec_ops(
    address: OpsAddress | None, counts: CodecCounts, stop: asyncio.Event
) -> AsyncGenerator[None]:
    """Serve the pages of a codec server that answers, for the time of the block.

    It depends on no other server, so it is ready until it is to ``stop``.

    Raises:
        CommandError: nothing can listen at ``address``.

    """
    if address is None:
        yield
        return
    from hatchet_cli.ops.metrics import metrics_page

    def health() -> Health:
        return Health("stopping" if stop.is_set() else "running")

    metrics = metrics_page(lambda: codec_metrics(counts, health()), None)
    async with serving(address, {**health_pages(health), "/metrics": metrics}):
        yield


def codec_metrics(counts: CodecCounts, health: Health) -> Iterator[Metric]:
    """Yield the metrics of a codec server."""
    from prometheus_client.core import CounterMetricFamily

    from hatchet_cli.ops.metrics import health_metrics

    yield from health_metrics("codec", health, ())
    requests = CounterMetricFamily(
        "hatchet_codec_requests",
        "Requests to encode or decode, by what became of them.",
        labels=("operation", "outcome"),
    )
    for (operation, outcome), count in counts.requests.items():
        requests.add_metric([operation, outcome], count)
    yield requests
