"""What a codec server tells operators."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

from hatchet_cli.codec_counts import CodecCounts
from hatchet_cli.ops.address import OpsAddress
from hatchet_cli.ops.health import Health
from hatchet_cli.ops.telling import telling

if TYPE_CHECKING:
    from prometheus_client.core import Metric

__all__ = ["codec_metrics", "codec_ops"]


def codec_ops(
    address: OpsAddress | None, counts: CodecCounts, stop: asyncio.Event
) -> AbstractAsyncContextManager[None]:
    """Return what serves the pages of a codec server that answers, as `telling` does.

    It depends on no other server, so it is ready until it is to ``stop``.
    """
    return telling(
        address,
        lambda: Health("stopping" if stop.is_set() else "running"),
        lambda health: codec_metrics(counts, health),
    )


def codec_metrics(counts: CodecCounts, health: Health) -> Iterator[Metric]:
    """Yield the metrics of a codec server."""
    from hatchet_cli.ops.metrics import counter, health_metrics

    yield from health_metrics("codec", health, ())
    yield counter(
        "hatchet_codec_requests",
        "Requests to encode or decode, by what became of them.",
        counts.requests,
        label=("operation", "outcome"),
    )
