"""The webhook receiver as a running service."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Final

import structlog

from hatchet_router.dispatcher import Dispatcher
from hatchet_router.settings import RouterSettings
from hatchet_router.status import Phase
from hatchet_router.webhooks.providers import Provider
from hatchet_router.webhooks.receiving import Receiver
from hatchet_router.webhooks.server import Limits, ReadinessOfBus, WebhookServer, listening
from hatchet_router.webhooks.signing_secrets import FindSecret, SigningSecrets
from hatchet_router.webhooks.status import WebhookStatus

__all__ = ["serve_webhooks"]

_log: structlog.stdlib.BoundLogger = structlog.get_logger("hatchet.webhooks")

_PUBLISH_SECONDS: Final = 10.0


async def serve_webhooks(
    settings: RouterSettings,
    providers: Iterable[Provider],
    find_secret: FindSecret,
    stop: asyncio.Event,
    status: WebhookStatus | None = None,
) -> None:
    """Publish what ``providers`` post until ``stop`` is set, then finish what is in hand.

    ``status`` is told how it goes.

    Raises:
        NoSigningSecret: a provider has none.
        UnusableSecret: a provider cannot have signed with what it has.
        BrokerUnreachable: RabbitMQ did not answer at the start.
        AddressInUse: the server cannot listen where the settings say.

    """
    status = status or WebhookStatus()
    named = {provider.name: provider for provider in providers}
    secrets = SigningSecrets(find_secret)
    for provider in named.values():
        secrets.keys(provider)
    limits = Limits(settings.max_body_bytes)
    async with Dispatcher.of(settings, timeout=_PUBLISH_SECONDS) as bus:
        if not await bus.has_queue(settings.queue):
            _log.warning(
                "webhooks.no_router",
                queue=settings.queue,
                reason="no router has declared its queue: providers are told to try again later",
            )
        receiver = Receiver(
            bus, settings.queue, secrets, tolerance_seconds=settings.webhooks_tolerance_seconds
        )
        readiness = ReadinessOfBus(bus, settings.queue, status.readiness)
        server = WebhookServer(receiver, named, readiness, limits, status.counts)
        async with listening(
            server,
            settings.webhooks_host,
            settings.webhooks_port,
            limits,
            grace_seconds=settings.grace_seconds,
        ) as address:
            status.phase, status.look = Phase.RUNNING, readiness.is_ready
            _log.info(
                "webhooks.ready",
                paths=[f"{address}/webhooks/{name}" for name in sorted(named)],
                exchange=settings.exchange,
            )
            await stop.wait()
            status.phase = Phase.STOPPING
            _log.info("webhooks.stopping")
    _log.info("webhooks.stopped")
