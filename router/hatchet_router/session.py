"""One life of the router's connections to RabbitMQ: from declaring until something is lost."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager, AsyncExitStack, suppress
from types import TracebackType
from typing import Any, Final, Self

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractIncomingMessage, AbstractQueue

from hatchet_router.acknowledging import Acknowledgements
from hatchet_router.amqp import CONNECTION_ERRORS, closing_is_an_error, connected, open_channel
from hatchet_router.confirming import ConfirmingChannel
from hatchet_router.errors import BrokerError
from hatchet_router.file_sets import FileSet, Membership
from hatchet_router.preparing import preparing
from hatchet_router.queue_bindings import bind_all
from hatchet_router.receiving import OnMessage, consume
from hatchet_router.replays import declare_replay
from hatchet_router.shared_note import SharedNote
from hatchet_router.topology import Topology
from hatchet_router.undecodable import tolerate_undecodable

__all__ = ["Session"]

_LEAVE_SECONDS: Final = 2.0
_PUBLISH_SECONDS: Final = 5.0
_ACKNOWLEDGED_SECONDS: Final = 1.0
_ACKNOWLEDGED_POLL_SECONDS: Final = 0.01


class Session:
    """Two connections, a channel that consumes, and what must exist on the broker.

    It never mends itself: whatever is lost sets ``ended``, and a new one is opened. So a message is
    acknowledged on the channel that delivered it, or not at all. Leaving the ``async with`` ends
    the handlers under way, and gives their messages back. ``waiting`` is how many messages lay in
    the router's queue, and in that of dead letters, when they were declared last.
    """

    def __init__(self, url: str, topology: Topology, membership: Membership) -> None:
        self.ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.waiting: dict[str, int] = {}
        self._url = url
        self._topology = topology
        self._membership = membership
        self._closing = AsyncExitStack()
        self._publishing: AbstractConnection | None = None
        self._channel: AbstractChannel | None = None
        self._outgoing = ConfirmingChannel(self._open_outgoing_channel)
        self._queue: AbstractQueue | None = None
        self._note: SharedNote | None = None
        self._noted: FileSet | None = None
        self._upkeep = asyncio.Lock()
        self._consumer_tag: str | None = None
        self._acknowledgements = Acknowledgements()
        self._changing = asyncio.Lock()

    async def __aenter__(self) -> Self:
        """Connect and declare.

        Raises:
            BrokerUnreachable: RabbitMQ does not answer.
            BrokerError: it has other things under our names, or does not let us.

        """
        tolerate_undecodable()
        try:
            consuming = await self._connected("hatchet-router")
            # A broker under memory alarm stalls publishers, and would stall consuming with them.
            self._publishing = await self._connected("hatchet-router-publishing")
            # The note is read beside what is consumed, so that an alarm does not stop that either.
            self._note = SharedNote(self._publishing, consuming, self._topology, self._on_closed)
            self._membership.look_anew()
            await self.declare()
            await self.adopt()
            await self._outgoing.channel()
            self._channel = await open_channel(consuming, confirms=False)
            self._channel.close_callbacks.add(self._on_closed)
            underlay = await self._channel.get_underlay_channel()
            underlay.on_consumer_cancel_callbacks.add(self._on_cancelled)
            self._queue = await self._channel.get_queue(self._topology.queue, ensure=False)
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close both connections, within a bounded time even if the broker is frozen."""
        self._end("closed")
        await self._closing.aclose()

    @property
    def queue(self) -> str:
        """The name of the routers' queue."""
        return self._topology.queue

    @property
    def is_up_to_date(self) -> bool:
        """Whether the note says of this router which files it has."""
        return self._noted == self._membership.files

    async def declare(self) -> None:
        """Declare exchanges and queues; what is there already stays as it is.

        Raises:
            BrokerError: something of our names has other arguments, or is not ours to declare.
            ConnectionError: the connection was lost meanwhile.

        """
        async with self._preparing() as channel:
            await self._declare_on(channel)

    async def mend(self) -> None:
        """Declare and bind again what somebody may have deleted.

        Raises:
            BrokerError: as `declare`.
            ConnectionError: the connection was lost meanwhile.

        """
        async with self._upkeep:
            await self.declare()
            async with self._preparing() as channel:
                await self._shared_note().declare(channel)
            await self._bind()

    async def adopt(self) -> None:
        """Let the broker bring what this router's files want, and no more what nobody wants.

        It is noted before it is bound, and unbound before it is forgotten: whoever is killed in
        between leaves nothing that the next one would not mend. What was bound before goes last,
        and no other router removes it earlier: the note says that it is needed.

        Raises:
            BrokerError: an exchange does not exist, or is not ours to bind.
            ConnectionError: the connection was lost meanwhile.

        """
        async with self._upkeep:
            files = self._membership.files
            async with self._preparing(), self._shared_note().changing() as change:
                await change.write(self._membership.joined(change.note))
            self._noted = files
            await self._bind()
            self._membership.bound = files
            await self._tidy()

    async def tidy(self) -> None:
        """Give a sign of life, and remove the bindings that only routers wanted which are gone.

        Raises:
            BrokerError: it is not ours to unbind.
            ConnectionError: the connection was lost meanwhile.

        """
        async with self._upkeep:
            await self._tidy()

    async def _bind(self) -> None:
        """Make the bindings that are noted; what is there already stays as it is."""
        noted = self._noted or FileSet()
        await bind_all(self._preparing, self._topology.queue, sorted(noted.bindings))

    async def _tidy(self) -> None:
        async with self._preparing() as channel, self._shared_note().changing() as change:
            note = self._membership.joined(change.note)
            tidied = self._membership.tidied(note)
            stale = sorted(note.bindings - tidied.bindings)
            if stale:
                await change.write(note)  # unbinding may take longer than others wait for a sign
                queue = await channel.get_queue(self._topology.queue, ensure=False)
                for exchange, key in stale:
                    await queue.unbind(exchange, routing_key=key)
            await change.write(tidied)

    async def leave(self) -> None:
        """Tell the others that this router goes; its files' events go on coming to the queue."""
        with suppress(BrokerError, *CONNECTION_ERRORS):
            async with asyncio.timeout(_LEAVE_SECONDS), self._shared_note().changing() as change:
                await change.write(self._membership.left(change.note))

    async def is_wanted_by_others(self, key: str) -> bool:
        """Return whether the files of another router want the event of ``key``.

        Raises:
            ConnectionError: and the others of `CONNECTION_ERRORS`: nobody knows.

        """
        return self._membership.is_wanted_by_others(await self._shared_note().read(), key)

    async def consume(self, prefetch: int, on_message: OnMessage) -> None:
        """Take messages, at most ``prefetch`` at once, instead of as before."""
        async with self._changing:
            channel, queue = self._opened()
            with closing_is_an_error():
                await self._cancel(queue)
                # What is set holds for the consumers that come after it on this channel.
                await channel.set_qos(prefetch_count=prefetch)
                self._consumer_tag = await consume(channel, queue.name, on_message)

    async def stop_consuming(self) -> None:
        """Take no more messages; those taken can still be acknowledged."""
        async with self._changing:
            _, queue = self._opened()
            with closing_is_an_error():
                await self._cancel(queue)

    def arrived(self, message: AbstractIncomingMessage) -> None:
        """Take note of a delivery, each as it comes."""
        self._acknowledgements.arrived(message)

    async def acknowledge(self, message: AbstractIncomingMessage) -> None:
        """Acknowledge a delivery of this session.

        Raises:
            ConnectionError: and the others of `CONNECTION_ERRORS`: RabbitMQ delivers it again.

        """
        await self._acknowledgements.acknowledge(message)

    async def publish(self, message: aio_pika.Message, exchange: str, routing_key: str) -> None:
        """Return when the broker has stored ``message``: a dead letter, or what is passed on.

        Raises:
            ConnectionError: and the others of `CONNECTION_ERRORS`: it was not stored, or nobody
                knows.

        """
        # aio-pika's own timeout does not cover waiting for a channel.
        async with asyncio.timeout(_PUBLISH_SECONDS + 1):
            await self._outgoing.publish(message, exchange, routing_key, seconds=_PUBLISH_SECONDS)

    async def consumers(self) -> int:
        """Return how many consumers the queue has, ours included."""
        channel, _ = self._opened()
        with closing_is_an_error():
            declared = await channel.declare_queue(self._topology.queue, passive=True)
        return declared.declaration_result.consumer_count or 0

    async def acknowledged(self, consumers: int) -> None:
        """Wait until fewer than ``consumers`` are left: ours goes when its last message is settled.

        A quorum queue that is busy keeps acknowledgements back for a moment. When the channel
        closes before, it forgets them and delivers the messages again. Where other routers come
        and go meanwhile, the count says less, and no harm is done.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(_ACKNOWLEDGED_SECONDS):
                while await self.consumers() >= consumers:  # noqa: ASYNC110 - the broker tells only when asked
                    await asyncio.sleep(_ACKNOWLEDGED_POLL_SECONDS)

    async def _open_outgoing_channel(self) -> AbstractChannel:
        return await open_channel(self._publisher(), confirms=True)

    async def _declare_on(self, channel: AbstractChannel) -> None:
        topology = self._topology
        dead_letters = await channel.declare_exchange(
            topology.dead_letters, aio_pika.ExchangeType.FANOUT, durable=True
        )
        letters = await channel.declare_queue(
            topology.dead_letters, durable=True, arguments=topology.dead_letter_arguments
        )
        await letters.bind(dead_letters)
        await channel.declare_exchange(topology.exchange, aio_pika.ExchangeType.TOPIC, durable=True)
        queue = await channel.declare_queue(
            topology.queue, durable=True, arguments=topology.queue_arguments
        )
        for declared in (queue, letters):
            self.waiting[declared.name] = declared.declaration_result.message_count or 0
        await declare_replay(channel, topology.queue)

    def _preparing(self) -> AbstractAsyncContextManager[AbstractChannel]:
        return preparing(self._publisher())

    def _publisher(self) -> AbstractConnection:
        if self._publishing is None:
            raise ConnectionError("not connected")
        return self._publishing

    def _shared_note(self) -> SharedNote:
        if self._note is None:
            raise ConnectionError("not connected")
        return self._note

    async def _connected(self, name: str) -> AbstractConnection:
        connection = await self._closing.enter_async_context(connected(self._url, name))
        connection.close_callbacks.add(self._on_closed)
        return connection

    def _opened(self) -> tuple[AbstractChannel, AbstractQueue]:
        if self._channel is None or self._queue is None or self.ended.done():
            raise ConnectionError("the connection was closed")
        return self._channel, self._queue

    async def _cancel(self, queue: AbstractQueue) -> None:
        tag, self._consumer_tag = self._consumer_tag, None
        if tag is not None:
            await queue.cancel(tag)

    def _on_closed(self, _what: Any, error: BaseException | None) -> None:
        self._end(str(error) if error else "the connection was closed")

    def _on_cancelled(self, _frame: Any) -> None:
        self._end("the broker cancelled the consumer: was the queue deleted?")

    def _end(self, reason: str) -> None:
        if not self.ended.done():
            self.ended.set_result(reason)
