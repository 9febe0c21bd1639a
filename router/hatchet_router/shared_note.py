"""The note that the routers of a queue share: one message, in a queue of its own on the broker.

Who changes it holds a lock. A change is published before the old message is acknowledged: whoever
is killed in between leaves two, of which the later revision counts. It goes to a fanout exchange,
and so at the same time into the queue of copies that each router has for itself: once a change is
confirmed, each router that looks into its copies knows it.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

import aio_pika
import structlog
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractIncomingMessage, AbstractQueue
from aio_pika.exceptions import ChannelNotFoundEntity
from pydantic import ValidationError

from hatchet_router.amqp import CONNECTION_ERRORS, closing_is_an_error, open_channel
from hatchet_router.file_sets import FileSets
from hatchet_router.locks import locked
from hatchet_router.topology import Topology
from hatchet_router.waiters import Waiters

__all__ = ["Change", "SharedNote"]

_log: structlog.stdlib.BoundLogger = structlog.get_logger("hatchet.router")

_LOCK_SECONDS: Final = 20.0
_PAUSE_SECONDS: Final = 0.002
_PUBLISH_SECONDS: Final = 5.0
_LATE_SECONDS: Final = 0.02
_EMPTY_SECONDS: Final = 2.0
_UNLOCK_SECONDS: Final = 2.0

OnLost = Callable[[Any, BaseException | None], Any]


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
    """Reads and changes the note.

    It is changed on ``publishing`` and read on ``consuming``, which the broker does not stop when
    it is short of memory. ``on_lost`` is called when it cannot be read any more.
    """

    def __init__(
        self,
        publishing: AbstractConnection,
        consuming: AbstractConnection,
        topology: Topology,
        on_lost: OnLost,
    ) -> None:
        self._connection = publishing
        self._consuming = consuming
        self._topology = topology
        self._on_lost = on_lost
        self._copies_name = f"{topology.note_queue}.{uuid.uuid4().hex}"
        self._latest = FileSets()
        self._copies: AbstractQueue | None = None
        self._changing = asyncio.Lock()
        self._read_at = 0.0
        self._readers = Waiters[FileSets]()
        self._serving: asyncio.Task[None] | None = None

    async def read(self) -> FileSets:
        """Return a version that is not older than this call.

        However many ask at once, the broker is asked once for all that have come meanwhile.

        Raises:
            ConnectionError: and the others of `CONNECTION_ERRORS`: it cannot be read any more.

        """
        reading = self._readers.one_more()
        if self._serving is None:
            self._serving = asyncio.create_task(self._serve_readers())
        return await reading

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
                    await self.declare(channel)
                    queue = await channel.declare_queue(
                        self._topology.note_queue,
                        durable=True,
                        arguments=self._topology.note_arguments,
                    )
                    await queue.bind(self._topology.note_queue)
                    held = await _taken(queue)
                    if is_joining:
                        held += await _late(queue, _LATE_SECONDS if held else _EMPTY_SECONDS)
                    note = _newest(held, await self.read())
                    yield Change(channel, queue.name, note, held)
            finally:
                await self._unlock(channel)

    async def declare(self, channel: AbstractChannel) -> None:
        """Declare the exchange, and bind this router's copies to it."""
        name = self._topology.note_queue
        # It vanishes with the last queue that is bound to it.
        await channel.declare_exchange(
            name, aio_pika.ExchangeType.FANOUT, durable=True, auto_delete=True
        )
        if self._copies is None:
            own = await open_channel(self._consuming, confirms=False)
            own.close_callbacks.add(self._on_lost)
            self._copies = await own.declare_queue(
                self._copies_name, exclusive=True, arguments={"x-max-length": 1}
            )
        await self._copies.bind(name)

    async def _unlock(self, channel: AbstractChannel) -> None:
        """Give up the lock, and with the channel what was taken and not replaced."""
        with suppress(*CONNECTION_ERRORS), closing_is_an_error():
            async with asyncio.timeout(_UNLOCK_SECONDS):
                if channel.is_closed:  # the lock is the connection's
                    channel = await open_channel(self._connection, confirms=False)
                await channel.queue_delete(self._topology.lock_queue)
                await channel.close()

    async def _is_missing(self) -> bool:
        channel = await open_channel(self._connection, confirms=False)
        try:
            await channel.declare_queue(self._topology.note_queue, passive=True)
        except ChannelNotFoundEntity:
            return True
        await channel.close()
        return False

    async def _serve_readers(self) -> None:
        """Ask the broker for all who wait, then for those who have come meanwhile."""
        clock = asyncio.get_running_loop().time
        while self._readers:
            await asyncio.sleep(self._read_at - clock())
            self._read_at = clock() + _PAUSE_SECONDS
            readers, self._readers = self._readers, Waiters()
            try:
                note = await self._read_now()
            except Exception as error:  # noqa: BLE001 - told to all who wait for it
                readers.fail(error)
            else:
                readers.tell(note)
        self._serving = None

    async def _read_now(self) -> FileSets:
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
