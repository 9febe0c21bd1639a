"""The note that the routers of a queue share: one message, in a queue of its own on the broker.

Who changes it holds a lock. A change is published before the old message is acknowledged: whoever
is killed in between leaves two, of which the later revision counts. It goes to a fanout exchange,
and so at the same time into the queue of copies that each router has for itself: once a change is
confirmed, each router that looks into its copies knows it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Final

import aio_pika
import structlog
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractIncomingMessage, AbstractQueue
from aio_pika.exceptions import ChannelNotFoundEntity
from pydantic import ValidationError

from hatchet_router.amqp import CONNECTION_ERRORS, closing_is_an_error, open_channel
from hatchet_router.file_sets import FileSets
from hatchet_router.locks import locked
from hatchet_router.topology import Topology

__all__ = ["Change", "SharedNote"]

_log: structlog.stdlib.BoundLogger = structlog.get_logger("hatchet.router")

_LOCK_SECONDS: Final = 20.0
_PAUSE_SECONDS: Final = 0.005
_PUBLISH_SECONDS: Final = 5.0
_LATE_SECONDS: Final = 0.02
_EMPTY_SECONDS: Final = 2.0


class Change:
    """A change under way: nobody else makes one meanwhile. ``note`` is the version of now."""

    def __init__(
        self,
        channel: AbstractChannel,
        name: str,
        note: FileSets,
        held: list[AbstractIncomingMessage],
    ) -> None:
        self.note = note
        self._channel = channel
        self._name = name
        self._held = held

    async def write(self, note: FileSets) -> None:
        """Store ``note`` in the place of all there were."""
        self._held += await _taken(await self._channel.get_queue(self._name, ensure=False))
        exchange = await self._channel.get_exchange(self._name, ensure=False)
        message = aio_pika.Message(
            note.model_dump_json().encode(),
            content_type="application/json",
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
        )
        await exchange.publish(message, routing_key="", timeout=_PUBLISH_SECONDS)
        self.note = note
        if self._held:
            await self._held[-1].ack(multiple=True)  # nothing else comes on this channel
            self._held.clear()


class SharedNote:
    """Reads and changes the note; ``connection`` is the one that is used for both."""

    def __init__(self, connection: AbstractConnection, topology: Topology) -> None:
        self._connection = connection
        self._topology = topology
        self._latest = FileSets()
        self._copies: AbstractQueue | None = None
        self._changing = asyncio.Lock()
        self._reading = asyncio.Lock()
        self._read_at = 0.0
        self._next: asyncio.Task[FileSets] | None = None

    async def read(self) -> FileSets:
        """Return a version that is not older than this call.

        However many ask at once, the broker is asked once for all that have come meanwhile.

        Raises:
            ConnectionError: and the others of `CONNECTION_ERRORS`: it cannot be read any more.

        """
        if self._next is None:
            self._next = asyncio.create_task(self._read_after_others())
        return await asyncio.shield(self._next)

    @asynccontextmanager
    async def changing(self) -> AsyncGenerator[Change]:
        """Hold the lock; what was not written stays as it was.

        Raises:
            ConnectionError: and the others of `CONNECTION_ERRORS`: the lock was not to be had, or
                the connection was lost.

        """
        lock = self._topology.lock_queue
        async with self._changing:
            with closing_is_an_error():
                channel = await locked(self._connection, lock, seconds=_LOCK_SECONDS, confirms=True)
                is_joining = self._copies is None and not await self._is_missing()
            try:
                with closing_is_an_error():
                    queue = await self._declared(channel)
                    held = await _taken(queue)
                    if is_joining:
                        held += await _late(queue, _LATE_SECONDS if held else _EMPTY_SECONDS)
                    note = _newest(held, await self.read())
                    yield Change(channel, queue.name, note, held)
            finally:
                # Closing gives back what was taken and not replaced.
                with suppress(*CONNECTION_ERRORS), closing_is_an_error():
                    if not channel.is_closed:
                        await channel.queue_delete(lock)
                        await channel.close()

    async def _declared(self, channel: AbstractChannel) -> AbstractQueue:
        name = self._topology.note_queue
        exchange = await channel.declare_exchange(name, aio_pika.ExchangeType.FANOUT, durable=True)
        queue = await channel.declare_queue(
            name, durable=True, arguments=self._topology.note_arguments
        )
        await queue.bind(exchange)
        if self._copies is None:
            own = await open_channel(self._connection, confirms=False)
            self._copies = await own.declare_queue(exclusive=True)
        await self._copies.bind(exchange)
        return queue

    async def _is_missing(self) -> bool:
        channel = await open_channel(self._connection, confirms=False)
        try:
            await channel.declare_queue(self._topology.note_queue, passive=True)
        except ChannelNotFoundEntity:
            return True
        await channel.close()
        return False

    async def _read_after_others(self) -> FileSets:
        async with self._reading:
            clock = asyncio.get_running_loop().time
            await asyncio.sleep(self._read_at - clock())
            self._read_at = clock() + _PAUSE_SECONDS
            self._next = None  # who comes from now on needs a later one
            if self._copies is None:
                raise ConnectionError("this router has not joined the others yet")
            with closing_is_an_error():
                self._latest = _newest(await _taken(self._copies, no_ack=True), self._latest)
            return self._latest


async def _taken(queue: AbstractQueue, *, no_ack: bool = False) -> list[AbstractIncomingMessage]:
    """Take all there is."""
    held: list[AbstractIncomingMessage] = []
    while (message := await queue.get(fail=False, no_ack=no_ack)) is not None:
        held.append(message)
    return held


async def _late(queue: AbstractQueue, seconds: float) -> list[AbstractIncomingMessage]:
    """Take what a router had in hand that was killed a moment ago."""
    clock = asyncio.get_running_loop().time
    deadline = clock() + seconds
    while True:
        await asyncio.sleep(_LATE_SECONDS)
        held = await _taken(queue)
        if held or clock() >= deadline:
            return held


def _newest(held: list[AbstractIncomingMessage], known: FileSets) -> FileSets:
    notes = [note for message in held if (note := _note(message.body)) is not None]
    return max([known, *notes], key=lambda note: note.revision)


def _note(body: bytes) -> FileSets | None:
    try:
        return FileSets.model_validate_json(body)
    except ValidationError as error:
        _log.warning("files_note.unreadable", reason=str(error.errors()[0]["msg"]))
        return None
