"""The router as a running service: workflow files, RabbitMQ and Temporal joined."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import structlog
from temporalio.client import Client

from hatchet_router.rabbitmq import Consumer
from hatchet_router.router import Router
from hatchet_router.routing import RoutingTable
from hatchet_router.schedules import ScheduleKeeper
from hatchet_router.settings import RouterSettings
from hatchet_router.temporal import TemporalStarter, register_search_attributes
from hatchet_schemas import Definition

__all__ = ["serve"]

_log: structlog.stdlib.BoundLogger = structlog.get_logger("hatchet.router")


async def serve(
    settings: RouterSettings,
    definitions: Iterable[Definition],
    client: Client,
    stop: asyncio.Event,
) -> None:
    """Route events until ``stop`` is set, then finish what is in hand.

    Raises:
        BrokerUnreachable: RabbitMQ did not answer at the start.
        BrokerError: RabbitMQ has queues or exchanges of our names with other properties.

    """
    definitions = tuple(definitions)
    table = RoutingTable(definitions)
    search_attributes = await register_search_attributes(client)
    starter = TemporalStarter(
        client,
        search_attributes=search_attributes,
        max_input_bytes=settings.max_input_bytes,
    )
    router = Router(table, starter, variables=settings.vars, max_body_bytes=settings.max_body_bytes)
    keeper = ScheduleKeeper(
        client,
        settings.deployment,
        variables=settings.vars,
        search_attributes=search_attributes,
        max_input_bytes=settings.max_input_bytes,
    )
    async with (
        Consumer(
            settings.amqp_url,
            settings.topology,
            table.triggers,
            router.handle,
            prefetch=settings.prefetch,
            grace_seconds=settings.grace_seconds,
            hold_seconds=settings.hold_seconds,
            available=starter.available,
        ),
        keeper,
    ):
        await keeper.follow(definitions)
        _log.info(
            "router.ready",
            workflows=len(table.workflows),
            triggers=list(table.triggers),
            exchange=settings.exchange,
            queue=settings.queue,
        )
        await stop.wait()
        _log.info("router.stopping")
    _log.info("router.stopped")
