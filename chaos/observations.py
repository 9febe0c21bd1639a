"""What RabbitMQ and Temporal have, asked by clients that know nothing of ours."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Final

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage
from aio_pika.exceptions import AMQPError, ChannelNotFoundEntity
from temporalio.client import Client
from temporalio.service import RPCError

from chaos.facts import Letter, Run
from chaos.projects import event_of

__all__ = ["DEAD_LETTERS", "Observer"]

DEAD_LETTERS: Final = "hatchet.dead-letters"

_ANSWER_SECONDS: Final = 5.0
_POLL_SECONDS: Final = 0.2  # each time on a connection of its own
_PAUSED_SECONDS: Final = 30.0  # a router asks every few seconds whether it can go on
_PATIENCE_SECONDS: Final = 120.0
_UNREACHABLE: Final = (AMQPError, OSError, asyncio.CancelledError)


class Observer:
    """Looks at what belongs to one scenario: its queue, and the runs whose ids begin with ``own``.

    What a server does not answer for is None, as faults may be under way.
    """

    def __init__(self, amqp_url: str, temporal: Client, own: str, queue: str) -> None:
        self._amqp_url = amqp_url
        self._temporal = temporal
        self._own = own
        self._queue = queue

    async def waiting(self, queue: str | None = None) -> int | None:
        """Return how many messages wait in the router's queue, which nobody has in hand."""
        async with self._channel() as channel:
            if channel is not None:
                with suppress(ChannelNotFoundEntity, *_UNREACHABLE):
                    async with asyncio.timeout(_ANSWER_SECONDS):
                        declared = await channel.declare_queue(queue or self._queue, passive=True)
                    return declared.declaration_result.message_count or 0
        return None

    async def letters_waiting(self) -> int | None:
        """Return how many dead letters there are."""
        return await self.waiting(DEAD_LETTERS)

    async def started(self, status: str | None = None) -> int | None:
        """Return how many runs there are, or how many have this status."""
        query = f'WorkflowId STARTS_WITH "{self._own}."'
        if status is not None:
            query += f' AND ExecutionStatus = "{status}"'
        with suppress(RPCError, TimeoutError):
            async with asyncio.timeout(_ANSWER_SECONDS):
                return (await self._temporal.count_workflows(query)).count
        return None

    async def runs(self) -> list[Run]:
        """Return all runs, of finished ones those that are older than the last, too."""
        runs: list[Run] = []
        async for found in self._temporal.list_workflows(f'WorkflowId STARTS_WITH "{self._own}."'):
            key, job, event_id = event_of(found.id)
            status = found.status.name if found.status else "UNKNOWN"
            started = found.start_time.timestamp()
            runs.append(Run(key, job, event_id, found.run_id, status, started))
        return runs

    async def until_quiet(self, done: Callable[[], Awaitable[bool]], seconds: float) -> None:
        """Return when ``done``, or when nothing has changed for so many ``seconds``.

        While messages wait that a router could take it takes longer, and while a server does not
        answer.
        """
        last: tuple[int | None, ...] = ()
        changed_at = time.monotonic()
        while not await done():
            state = await self.waiting(), await self.started(), await self.started("Running")
            if state != last:
                last, changed_at = state, time.monotonic()
            enough = seconds
            if state[0]:
                enough = _PAUSED_SECONDS
            if None in state:
                enough = _PATIENCE_SECONDS
            if time.monotonic() - changed_at > enough:
                return
            await asyncio.sleep(_POLL_SECONDS)

    async def take_letters(self) -> list[Letter]:
        """Return all dead letters and leave none."""
        letters: list[Letter] = []
        async with self._channel() as channel:
            if channel is None:
                raise ConnectionError("RabbitMQ does not answer")
            with suppress(ChannelNotFoundEntity):
                queue = await channel.declare_queue(DEAD_LETTERS, passive=True)
                while (message := await queue.get(fail=False, no_ack=True)) is not None:
                    reason = message.headers.get("hatchet-reason")
                    letters.append(Letter(message.message_id, str(reason) if reason else None))
        return letters

    async def delete(
        self, *, queues: tuple[str, ...] = (), exchanges: tuple[str, ...] = ()
    ) -> None:
        """Delete queues and exchanges, as a careless operator would."""
        async with self._channel() as channel:
            if channel is None:
                raise ConnectionError("RabbitMQ does not answer")
            for queue in queues:
                await channel.queue_delete(queue)
            for exchange in exchanges:
                await channel.exchange_delete(exchange)

    async def unbind(self, exchange: str, key: str) -> None:
        """Remove a binding of the router's queue."""
        async with self._channel() as channel:
            if channel is None:
                raise ConnectionError("RabbitMQ does not answer")
            queue = await channel.get_queue(self._queue, ensure=False)
            await queue.unbind(exchange, key)

    @asynccontextmanager
    async def traced(self) -> AsyncGenerator[Counter[str]]:
        """Count the router queue's deliveries, ``first`` and ``redelivered``, by RabbitMQ's trace.

        ``rabbitmqctl trace_on`` turns the trace on.
        """
        counts: Counter[str] = Counter()

        async def count(message: AbstractIncomingMessage) -> None:
            counts["redelivered" if message.headers.get("redelivered") else "first"] += 1

        async with self._channel() as channel:
            if channel is None:
                raise ConnectionError("RabbitMQ does not answer")
            queue = await channel.declare_queue(exclusive=True)
            await queue.bind("amq.rabbitmq.trace", f"deliver.{self._queue}")
            await queue.consume(count, no_ack=True)
            yield counts

    @asynccontextmanager
    async def _channel(self) -> AsyncGenerator[AbstractChannel | None]:
        """Open a connection and a channel; None where RabbitMQ does not answer."""
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                connection = await aio_pika.connect(self._amqp_url)
        except (AMQPError, OSError):
            yield None
            return
        try:
            yield await connection.channel()
        finally:
            with suppress(*_UNREACHABLE):
                async with asyncio.timeout(_ANSWER_SECONDS):
                    await connection.close()
