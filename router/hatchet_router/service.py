"""The router as a running service: workflow files, RabbitMQ and Temporal joined."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager

import structlog
from temporalio.client import Client

from hatchet_router.rabbitmq import Consumer
from hatchet_router.reloading import Follower, Reloader, Reloads, WorkflowSet
from hatchet_router.router import Router
from hatchet_router.schedules import ScheduleKeeper
from hatchet_router.settings import RouterSettings
from hatchet_router.spans import is_traced
from hatchet_router.status import Phase, RouterStatus
from hatchet_router.temporal import TemporalStarter, register_search_attributes
from hatchet_router.watching import watch
from hatchet_schemas import Definition

__all__ = ["serve"]

_log: structlog.stdlib.BoundLogger = structlog.get_logger("hatchet.router")


async def serve(
    settings: RouterSettings,
    definitions: Iterable[Definition],
    client: Client,
    stop: asyncio.Event,
    reloads: Reloads | None = None,
    status: RouterStatus | None = None,
) -> None:
    """Route events until ``stop`` is set, then finish what is in hand.

    ``reloads`` has the folder that ``definitions`` come from. It is loaded again when somebody
    requests it, and where the settings say ``reload`` also when its files change. ``status`` is
    kept up to date meanwhile.

    Raises:
        BrokerUnreachable: RabbitMQ did not answer at the start.
        BrokerError: RabbitMQ has queues or exchanges of our names with other properties.

    """
    status = status or RouterStatus()
    loaded = WorkflowSet.of(definitions)
    table = loaded.table
    if is_traced():
        from hatchet_router.traced_starts import (  # noqa: PLC0415 - loaded where it is used
            with_traced_starts,
        )

        client = with_traced_starts(client)
    search_attributes = await register_search_attributes(client)
    starter = TemporalStarter(
        client,
        search_attributes=search_attributes,
        max_input_bytes=settings.max_input_bytes,
        readiness=status.readiness,
    )
    router = Router(
        table,
        starter,
        variables=settings.vars,
        max_body_bytes=settings.max_body_bytes,
        counts=status.counts,
    )
    async with (
        Consumer(
            settings.broker_url,
            settings.topology,
            table.triggers,
            router.handle,
            prefetch=settings.prefetch,
            grace_seconds=settings.grace_seconds,
            hold_seconds=settings.hold_seconds,
            available=starter.available,
            status=status,
        ) as consumer,
        ScheduleKeeper(
            client,
            settings.deployment,
            variables=settings.vars,
            search_attributes=search_attributes,
            max_input_bytes=settings.max_input_bytes,
            readiness=status.readiness,
        ) as keeper,
    ):

        async def rebind(loaded: WorkflowSet) -> None:
            await consumer.rebind(loaded.table.triggers)

        async def reschedule(loaded: WorkflowSet) -> None:
            await keeper.follow(loaded.definitions)

        await reschedule(loaded)
        # What follows the routing table when files change, in this order.
        followers: tuple[Follower, ...] = (rebind, reschedule)
        status.reloader = Reloader(router, status.readiness, followers)
        async with _reloading(status.reloader, reloads, watched=settings.reload):
            status.phase = Phase.RUNNING
            _log.info(
                "router.ready",
                workflows=len(table.workflows),
                triggers=list(table.triggers),
                exchange=settings.exchange,
                queue=settings.queue,
            )
            await stop.wait()
        status.phase = Phase.STOPPING
        _log.info("router.stopping")
    _log.info("router.stopped")


@asynccontextmanager
async def _reloading(
    reloader: Reloader, reloads: Reloads | None, *, watched: bool
) -> AsyncGenerator[None]:
    """Reload as requested for the time of the block; what is under way at its end is left."""
    async with asyncio.TaskGroup() as group:
        tasks: list[asyncio.Task[None]] = []
        if reloads is not None:
            tasks.append(group.create_task(reloader.run(reloads)))
            if watched:
                tasks.append(group.create_task(watch(reloads.folder.path, reloads.request)))
        yield
        for task in tasks:
            task.cancel()
