"""The note that the routers of a queue share: one message, in a queue of its own on the broker.

Who changes it holds a lock. A change is published before the old message is acknowledged: whoever
is killed in between leaves two, of which the later revision counts.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Final

import aio_pika
import structlog
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractIncomingMessage
from aio_pika.exceptions import ChannelNotFoundEntity
from pydantic import ValidationError

from hatchet_router.amqp import CONNECTION_ERRORS, closing_is_an_error, open_channel
from hatchet_router.confirming import ConfirmingChannel
from hatchet_router.file_sets import FileSets
from hatchet_router.locks import locked
from hatchet_router.topology import Topology

__all__ = ["Change", "SharedNote"]

_log: structlog.stdlib.BoundLogger = structlog.get_logger("hatchet.router")

_LOCK_SECONDS: Final = 20.0
_READ_SECONDS: Final = 5.0
_EMPTY_SECONDS: Final = 10.0
_READ_POLL_SECONDS: Final = 0.005
_PAUSE_SECONDS: Final = 0.02
_PUBLISH_SECONDS: Final = 5.0


class Change:
    """A change under way: nobody else makes one meanwhile.

    ``channel`` is for what has to be done between two versions; ``note`` is the version of now.
    """

    def __init__(
        self, channel: AbstractChannel, queue: str, held: list[AbstractIncomingMessage]
    ) -> None:
        self.channel = channel
        self.note = _newest(held)
        self._queue = queue
        self._held = held

    async def write(self, note: FileSets) -> None:
        """Store ``note`` in the place of all there were."""
        self._held += await _taken(self.channel, self._queue)
        await self.channel.default_exchange.publish(
            aio_pika.Message(
                note.model_dump_json().encode(),
                content_type="application/json",
                delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
            ),
            routing_key=self._queue,
            timeout=_PUBLISH_SECONDS,
        )
        self.note = note
        held, self._held = self._held, []
        if held:
            await held[-1].ack(multiple=True)  # nothing else comes on this channel


class SharedNote:
    """Reads and changes the note; ``connection`` is the one that is used for both."""

    def __init__(self, connection: AbstractConnection, topology: Topology) -> None:
        self._connection = connection
        self._topology = topology
        self._changing = asyncio.Lock()
        self._reading = asyncio.Lock()
        self._next: asyncio.Task[FileSets] | None = None
        self._reader = ConfirmingChannel(self._open_channel)

    async def read(self) -> FileSets:
        """Return a version that is not older than this call.

        However many ask at once, the broker is asked once for all that have come meanwhile.

        Raises:
            ConnectionError: and the others of `CONNECTION_ERRORS`: it cannot be read.

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
        async with self._changing:
            with closing_is_an_error():
                is_new = await self._is_missing()
                channel = await locked(
                    self._connection,
                    self._topology.lock_queue,
                    seconds=_LOCK_SECONDS,
                    confirms=True,
                )
            try:
                with closing_is_an_error():
                    name = self._topology.note_queue
                    await channel.declare_queue(
                        name, durable=True, arguments=self._topology.note_arguments
                    )
                    seconds = 0.0 if is_new else _EMPTY_SECONDS
                    held = await _taken_within(channel, name, seconds)
                    if not held and not is_new:
                        _log.warning("files_note.missing", queue=name)
                    yield Change(channel, name, held)
            finally:
                # Closing gives back what was taken and not replaced.
                with suppress(*CONNECTION_ERRORS), closing_is_an_error():
                    if not channel.is_closed:
                        await channel.queue_delete(self._topology.lock_queue)
                        await channel.close()

    async def _read_after_others(self) -> FileSets:
        await asyncio.sleep(_PAUSE_SECONDS)
        async with self._reading:
            self._next = None  # who comes from now on needs a later one
            with closing_is_an_error():
                channel = await self._reader.channel()
                held = await _taken_within(channel, self._topology.note_queue, _READ_SECONDS)
                for message in held:
                    await message.nack(requeue=True)
            if not held:
                raise ConnectionError("the note of the routers' files cannot be read")
            return _newest(held)

    async def _is_missing(self) -> bool:
        channel = await self._open_channel()
        try:
            await channel.declare_queue(self._topology.note_queue, passive=True)
        except ChannelNotFoundEntity:
            return True
        await channel.close()
        return False

    async def _open_channel(self) -> AbstractChannel:
        return await open_channel(self._connection, confirms=True)


async def _taken_within(
    channel: AbstractChannel, name: str, seconds: float
) -> list[AbstractIncomingMessage]:
    """Take all there is; while another router has it in hand, wait for it."""
    clock = asyncio.get_running_loop().time
    deadline = clock() + seconds
    while True:
        held = await _taken(channel, name)
        if held or clock() >= deadline:
            return held
        await asyncio.sleep(_READ_POLL_SECONDS)


async def _taken(channel: AbstractChannel, name: str) -> list[AbstractIncomingMessage]:
    queue = await channel.get_queue(name, ensure=False)
    held: list[AbstractIncomingMessage] = []
    while (message := await queue.get(fail=False)) is not None:
        held.append(message)
        if not message.message_count:  # how many are left
            break
    return held


def _newest(held: list[AbstractIncomingMessage]) -> FileSets:
    notes = [note for message in held if (note := _note(message.body)) is not None]
    return max(notes, key=lambda note: note.revision, default=FileSets())


def _note(body: bytes) -> FileSets | None:
    try:
        return FileSets.model_validate_json(body)
    except ValidationError as error:
        _log.warning("files_note.unreadable", reason=str(error.errors()[0]["msg"]))
        return None
