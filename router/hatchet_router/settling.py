"""Settling one delivery: handled, a dead letter, or left to another router; then acknowledged."""

from __future__ import annotations

import asyncio
import random
import time
import uuid
from collections.abc import Awaitable, Callable
from typing import Final

import aio_pika
import structlog
from aio_pika.abc import AbstractIncomingMessage
from aio_pika.exceptions import DeliveryError, PublishError
from structlog.contextvars import bind_contextvars, reset_contextvars

from hatchet_router.amqp import CONNECTION_ERRORS
from hatchet_router.dead_letters import dead_letter, passed_on, source_of, times_passed
from hatchet_router.deliveries import Delivery, Outcome, PassedOn, Rejection, Unmatched
from hatchet_router.errors import TemporalUnavailable
from hatchet_router.quarantine import quarantined
from hatchet_router.reasons import ROUTER_ERROR, UNDECODABLE, UNMATCHED
from hatchet_router.session import Session
from hatchet_router.spans import processing
from hatchet_router.status import RouterStatus
from hatchet_router.topology import Topology, replay_exchange
from hatchet_router.undecodable import EscapedText, UnreadableProperties

__all__ = ["Handler", "Settler"]

_log: structlog.stdlib.BoundLogger = structlog.get_logger("hatchet.router")

_RETRY_SECONDS: Final = 1.0
_FIRST_PASS_SECONDS: Final = 0.02
_LONGEST_PASS_SECONDS: Final = 2.0

Handler = Callable[[Delivery], Awaitable[Outcome]]


class Settler:
    """Gives deliveries to ``handle``, and does with each what comes of it.

    An event that matches nothing here is left to another router where the files of one want it: it
    goes back to the queue, behind all others. ``status`` is told what keeps messages from being
    stored, and how many there were.
    """

    def __init__(self, handle: Handler, topology: Topology, status: RouterStatus) -> None:
        self._handle = handle
        self._topology = topology
        self._readiness = status.readiness
        self._counts = status.counts

    async def settle(self, session: Session, message: AbstractIncomingMessage, times: int) -> None:
        """Handle a delivery, and acknowledge it: on the channel that it came on, or not at all.

        ``times`` is how often RabbitMQ has taken the event back unsettled.

        Raises:
            TemporalUnavailable: it is not settled, and nothing can be started for now.
            ConnectionError: and the others of `CONNECTION_ERRORS`: it comes again.

        """
        self._counts.received += 1
        self._counts.in_hand += 1
        # For what others log meanwhile, such as that Temporal is away.
        bound = bind_contextvars(event_key=message.routing_key, event_id=message.message_id)
        try:
            with processing(message, session.queue) as tell:
                began = time.perf_counter()
                outcome = await self._see_to(session, message, times)
                self._counts.settled(outcome, time.perf_counter() - began)
                tell(outcome)
                await session.acknowledge(message)
        finally:
            reset_contextvars(**bound)
            self._counts.in_hand -= 1

    async def _see_to(
        self, session: Session, message: AbstractIncomingMessage, times: int
    ) -> Outcome:
        """Return what became of a message, which is to be acknowledged."""
        refused = _unreadable(message) or quarantined(times, message.message_id)
        outcome = refused or await self._handled(message)
        if isinstance(outcome, Unmatched):
            outcome = await self._unmatched(session, message, times)
        if isinstance(outcome, Rejection):
            await self._dead_letter(session, message, outcome)
        return outcome

    async def _handled(self, message: AbstractIncomingMessage) -> Outcome:
        try:
            return await self._handle(_delivery(message, self._topology.queue))
        except TemporalUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 - a fault of ours: the event is kept, we live on
            _log.exception("event.failed", event_key=message.routing_key)
            return Rejection(ROUTER_ERROR, f"{type(error).__name__}: {error}", message.message_id)

    async def _unmatched(
        self, session: Session, message: AbstractIncomingMessage, returned: int
    ) -> Unmatched | PassedOn | Rejection:
        """Leave an event to the router whose files want it; a rejection says that it is kept."""
        key = message.routing_key or ""
        if await self._is_wanted_by_others(session, key):
            await self._pass_on(session, message, returned)
            return PassedOn()
        if message.exchange == replay_exchange(self._topology.queue):
            # Somebody wanted it to be handled, so it is not to vanish.
            return Rejection(
                UNMATCHED,
                "it was replayed, or passed on by a router with other files, and no workflow has "
                "a trigger for it any more",
                message.message_id,
            )
        _log.info("event.unmatched", event_key=key, event_id=message.message_id)
        return Unmatched()

    async def _is_wanted_by_others(self, session: Session, key: str) -> bool:
        """Ask the note of the routers' files; goes on trying until it is there."""
        while True:
            try:
                wanted = await session.is_wanted_by_others(key)
            except CONNECTION_ERRORS as error:
                self._readiness.trouble("queues", f"{type(error).__name__}: {error}")
                await asyncio.sleep(_RETRY_SECONDS)
            else:
                self._readiness.mended("queues")
                return wanted

    async def _pass_on(
        self, session: Session, message: AbstractIncomingMessage, returned: int
    ) -> None:
        """Put the event back into the queue; the oftener it was, the later."""
        queue = self._topology.queue
        times = times_passed(message, queue)
        event = passed_on(message, queue=queue, new_id=uuid.uuid4().hex, returned=returned)
        log = _log.debug if times else _log.info
        log(
            "event.passed_on", event_key=message.routing_key, event_id=event.message_id, times=times
        )
        if times:
            # By chance, since RabbitMQ serves routers in turn: two that pass on their events at the
            # same time could get them back for ever.
            seconds = min(_FIRST_PASS_SECONDS * 2 ** min(times, 10), _LONGEST_PASS_SECONDS)
            await asyncio.sleep(seconds * random.random())  # noqa: S311 - jitter
        await self._store(session, event, replay_exchange(queue), message.routing_key, "queues")

    async def _dead_letter(
        self, session: Session, message: AbstractIncomingMessage, rejection: Rejection
    ) -> None:
        letter = dead_letter(message, rejection, queue=self._topology.queue)
        exchange = self._topology.dead_letters
        await self._store(session, letter, exchange, message.routing_key, "dead-letters")
        _log.warning(
            "event.dead_lettered",
            event_key=message.routing_key,
            event_id=rejection.event_id,
            reason=rejection.kind,
            detail=rejection.message,
        )

    async def _store(
        self,
        session: Session,
        message: aio_pika.Message,
        exchange: str,
        key: str | None,
        place: str,
    ) -> None:
        """Publish ``message``; goes on trying until the broker has it."""
        while True:
            try:
                await session.publish(message, exchange, key or "")
            except CONNECTION_ERRORS as error:
                self._readiness.trouble(place, _why_not_stored(error, exchange))
                await asyncio.sleep(_RETRY_SECONDS)
            else:
                self._readiness.mended(place)
                return


def _unreadable(message: AbstractIncomingMessage) -> Rejection | None:
    if isinstance(message.headers, UnreadableProperties):
        reason = message.headers.reason
        return Rejection(UNDECODABLE, f"the message's properties cannot be read: {reason}")
    if isinstance(message.routing_key, EscapedText):
        return Rejection(UNDECODABLE, "the routing key is not UTF-8", message.message_id)
    return None


def _why_not_stored(error: Exception, exchange: str) -> str:
    """Return a reason that is the same for every message, so that it is told once."""
    match error:
        case PublishError():
            return f"no queue is bound to exchange {exchange!r}"
        case DeliveryError():
            return f"RabbitMQ stores no more of what goes to exchange {exchange!r}: a full queue?"
        case _:
            return f"a message could not be stored: {type(error).__name__}: {error}"


def _delivery(message: AbstractIncomingMessage, queue: str) -> Delivery:
    return Delivery(
        body=message.body,
        routing_key=message.routing_key or "",
        message_id=message.message_id or None,
        timestamp=message.timestamp,
        user_id=source_of(message, queue),
        content_type=message.content_type or None,
        content_encoding=message.content_encoding or None,
        headers=message.headers,
        redelivered=bool(message.redelivered),
        correlation_id=message.correlation_id or None,
    )
