"""What a router tells operators."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Final

from hatchet_cli.ops.address import OpsAddress
from hatchet_cli.ops.health import Health
from hatchet_cli.ops.telling import telling
from hatchet_router.status import RouterStatus

if TYPE_CHECKING:
    from prometheus_client.core import Metric

__all__ = ["router_metrics", "router_ops"]

_PLACES: Final = ("rabbitmq", "queues", "temporal", "dead-letters", "workflows", "schedules")


def router_ops(
    address: OpsAddress | None, status: RouterStatus
) -> AbstractAsyncContextManager[None]:
    """Return what serves the pages of the router that keeps ``status``, as `telling` does.

    It has to be entered before the process connects to Temporal, whose core is told to measure.
    """
    return telling(
        address,
        lambda: Health(status.phase, status.readiness.report()),
        lambda health: router_metrics(status, health),
        with_core=True,
    )


def router_metrics(status: RouterStatus, health: Health) -> Iterator[Metric]:
    """Yield the metrics of a router."""
    from hatchet_cli.ops.metrics import counter, gauge, health_metrics, histogram

    counts = status.counts
    yield from health_metrics("router", health, _PLACES)
    yield counter(
        "hatchet_router_deliveries", "Events taken from the router's queue.", counts.received
    )
    yield counter(
        "hatchet_router_events",
        "Events that were settled, by what became of them.",
        counts.outcomes,
        label="outcome",
    )
    yield counter(
        "hatchet_router_dead_letters",
        "Events that became dead letters, by reason.",
        counts.dead_letters,
        label="reason",
    )
    yield counter(
        "hatchet_router_jobs",
        "Jobs that Temporal has accepted, or had before.",
        {"started": counts.jobs_started, "duplicate": counts.jobs_duplicate},
        label="outcome",
    )
    yield gauge("hatchet_router_in_hand", "Events taken, and not yet settled.", counts.in_hand)
    yield gauge(
        "hatchet_router_queue_messages",
        "Messages that wait in a queue, as of the last look.",
        dict(status.waiting),
        label="queue",
    )
    yield histogram(
        "hatchet_router_routing_seconds",
        "From an event's delivery until Temporal had its jobs.",
        counts.routing,
    )
    yield histogram(
        "hatchet_router_event_lag_seconds",
        "How old events were when Temporal had their jobs.",
        counts.lag,
    )
    reloader = status.reloader
    yield counter(
        "hatchet_router_reloads",
        "Reloads of changed workflow files.",
        {
            "loaded": reloader.loads if reloader else 0,
            "failed": reloader.failed_loads if reloader else 0,
        },
        label="outcome",
    )
    yield gauge(
        "hatchet_router_workflows",
        "Workflows in force.",
        reloader.workflows if reloader else 0,
    )
    if reloader:
        yield gauge(
            "hatchet_router_loaded_timestamp_seconds",
            "When the workflow files in force were loaded.",
            reloader.loaded_at,
        )
