"""What becomes of a request: verified, read and published, or refused."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Protocol

import structlog

from hatchet_router.errors import BrokerError, EventUnroutable, InvalidEvent
from hatchet_router.refusals import Refusal
from hatchet_router.webhooks.counts import WebhookOutcome
from hatchet_router.webhooks.providers import Provider
from hatchet_router.webhooks.requests import Answer, WebhookEvent, WebhookRequest
from hatchet_router.webhooks.signatures import BadSignature, check
from hatchet_router.webhooks.signing_secrets import SigningSecrets

__all__ = ["RETRY_LATER", "Bus", "Receiver", "Reply"]

_log: structlog.stdlib.BoundLogger = structlog.get_logger("hatchet.webhooks")

_ON_THE_WAY_SECONDS: Final = 0.5  # of a provider's patience, for the request and the answer
_RETRY_AFTER_SECONDS: Final = 10


class Bus(Protocol):
    """Where events go: a `Dispatcher`."""

    async def trigger(
        self,
        key: str,
        data: Mapping[str, Any],
        *,
        id: str | None = None,  # noqa: A002 - the event's field of this name
        time: datetime | None = None,
        source: str | None = None,
    ) -> str:
        """Return when the event is stored."""
        ...

    async def has_queue(self, name: str) -> bool:
        """Return whether the broker has a queue of that name."""
        ...


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer in terms of HTTP; ``text`` is plain, unless it is said to be JSON.

    ``outcome`` is what has become of the request, for whoever counts them.
    """

    status: int
    text: str = ""
    content_type: str = "text/plain"
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    outcome: WebhookOutcome = "answered"


RETRY_LATER: Final = Reply(
    503,
    "try again later\n",
    headers={"Retry-After": str(_RETRY_AFTER_SECONDS)},
    outcome="unavailable",
)
"""What tells a provider that it is not its fault, and to send the request again."""

_FORBIDDEN: Final = Reply(403, "forbidden\n", outcome="refused")


class Receiver:
    """Publishes what the providers post, to a bus whose routers take from ``queue``.

    ``tolerance_seconds`` is how far the time of signing may be from that of ``clock``.
    """

    def __init__(
        self,
        bus: Bus,
        queue: str,
        secrets: SigningSecrets,
        *,
        tolerance_seconds: float,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._bus = bus
        self._queue = queue
        self._secrets = secrets
        self._tolerance_seconds = tolerance_seconds
        self._clock = clock

    async def receive(self, provider: Provider, request: WebhookRequest) -> Reply:
        """Return what to answer, which is 200 only for an event that is stored, or unwanted."""
        log = _log.bind(provider=provider.name)
        now = self._clock()
        keys = await asyncio.to_thread(self._secrets.keys, provider)
        try:
            claim = provider.claim(request)
            check(
                claim,
                keys,
                digest=provider.digest,
                now=now,
                tolerance_seconds=self._tolerance_seconds,
            )
        except BadSignature as error:
            log.warning("webhook.refused", reason=error.reason, detail=str(error))
            return _FORBIDDEN
        try:
            read = provider.read(provider.name, request, claim)
            if isinstance(read, Answer):
                log.info("webhook.answered")
                return Reply(200, json.dumps(read.data), "application/json")
            return await self._publish(provider, read)
        except (Refusal, InvalidEvent) as error:
            log.warning("webhook.malformed", reason=str(error))
            return Reply(400, f"{error}\n", outcome="malformed")

    async def _publish(self, provider: Provider, event: WebhookEvent) -> Reply:
        log = _log.bind(provider=provider.name, key=event.key, event_id=event.id)
        try:
            async with asyncio.timeout(provider.patience_seconds - _ON_THE_WAY_SECONDS):
                wanted = await self._is_stored(provider, event)
        except (BrokerError, TimeoutError) as error:
            log.warning("webhook.unavailable", reason=str(error) or "RabbitMQ took too long")
            return RETRY_LATER
        if wanted:
            log.info("webhook.published")
            return Reply(200, outcome="published")
        log.info("webhook.unmatched")
        return Reply(200, outcome="unmatched")

    async def _is_stored(self, provider: Provider, event: WebhookEvent) -> bool:
        """Publish ``event``; return False if no workflow wants it.

        Raises:
            BrokerError: it is not stored, and nobody knows whether it is wanted.

        """
        try:
            await self._bus.trigger(
                event.key, event.data, id=event.id, time=event.time, source=provider.source
            )
        except EventUnroutable:
            if await self._bus.has_queue(self._queue):
                return False
            raise BrokerError(
                f"there is no queue {self._queue!r}, so nobody knows which events are wanted; "
                "a router declares it when it starts"
            ) from None
        return True
