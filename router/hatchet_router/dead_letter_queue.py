"""Reading the queue of dead letters without losing any, and removing some.

A letter can be looked at only by taking it, and comes back when its channel is closed, or when its
reader dies. A quorum queue then puts the letters of a consumer back to its head in their order, and
those of up to 32 consumers of one channel in the order of their tags; given back by ``basic.nack``
they would come in any order. What comes back gets behind what came back before: so after a look at
some, all the others are taken too, for a moment (all measured with RabbitMQ 3.10).
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Final, Self

from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractQueue
from aio_pika.abc import AbstractIncomingMessage as Message

from hatchet_router.amqp import CONNECTION_ERRORS, closing_is_an_error, connected
from hatchet_router.errors import BrokerError, BrokerUnreachable
from hatchet_router.letters import DeadLetter, read_letter
from hatchet_router.readers import become_reader, letters_waiting
from hatchet_router.topology import Topology
from hatchet_router.undecodable import tolerate_undecodable

__all__ = ["DeadLetterQueue", "HeldLetter"]

_BATCH: Final = 200
_SKIMMED: Final = 10_000  # letters of a consumer whose bodies are dropped at once
_CONSUMERS_OF_CHANNEL: Final = 30
_QUIET_SECONDS: Final = 0.25
_STALLED_SECONDS: Final = 10.0
_POLL_SECONDS: Final = 0.02


@dataclass(eq=False, slots=True)
class _Taken:
    """A channel, how many consumers it had, and how many letters it holds."""

    channel: AbstractChannel
    consumers: int = 0
    held: int = 0


@dataclass(frozen=True, slots=True)
class HeldLetter:
    """A letter that has been taken, and goes back to its queue unless it is removed."""

    letter: DeadLetter
    _message: Message = field(repr=False)
    _taken: _Taken = field(repr=False)

    async def acknowledge(self) -> None:
        """Remove it."""
        await self._message.ack()
        self._taken.held -= 1


class DeadLetterQueue:
    """The dead letters, for one reader at a time.

        async with DeadLetterQueue(url, topology) as letters:
            while batch := await letters.next_batch():
                await letters.remove([held for held in batch if ...])

    All that is not removed goes back when the context is left, also if the process dies; so letters
    that were read cannot be read by another meanwhile, and a second reader is turned away. Memory
    is bounded by 200 letters as long as nobody keeps more.
    """

    def __init__(self, url: str, topology: Topology) -> None:
        self._url = url
        self._topology = topology
        self._closing = AsyncExitStack()
        self._connection: AbstractConnection | None = None
        self._control: AbstractChannel | None = None
        self._inbox: asyncio.Queue[Message | None] = asyncio.Queue()
        self._taken: list[_Taken] = []
        self._left = 0
        self._lost = False
        self._removed = False
        self._skimmed = 0
        self._consuming: tuple[AbstractQueue, str] | None = None

    async def __aenter__(self) -> Self:
        """Connect, and see how many letters there are: those that come later are not read.

        Raises:
            BrokerUnreachable: RabbitMQ does not answer.
            BrokerError: another one is reading, or the queue is not as we need it.

        """
        tolerate_undecodable()
        try:
            self._connection = await self._closing.enter_async_context(
                connected(self._url, "hatchet-dead")
            )
            await become_reader(self._connection, self._topology.dead_letters)
            self._control = await self._channel(self._connection)
            self._left = await letters_waiting(self._control, self._topology)
        except BaseException as error:
            await self._closing.aclose()
            if isinstance(error, CONNECTION_ERRORS) and not isinstance(error, BrokerError):
                raise BrokerUnreachable(self._url, f"while connecting: {error!r}") from error
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Give back what was not removed; in order, unless there is no time for that."""
        try:
            if not self._lost:
                with suppress(*CONNECTION_ERRORS), closing_is_an_error():
                    if kind is None:
                        await self._skim()
                    await self._give_back()
        finally:
            await self._closing.aclose()

    async def next_batch(self) -> list[HeldLetter]:
        """Take and return the next letters, at most 200; none after the last.

        Raises:
            BrokerError: the connection was lost, or RabbitMQ stopped sending.

        """
        if not self._left:
            return []
        try:
            with closing_is_an_error():
                return await self._take(min(_BATCH, self._left))
        except CONNECTION_ERRORS as error:
            raise BrokerUnreachable(self._url, f"while reading dead letters: {error!r}") from error

    async def remove(self, letters: Sequence[HeldLetter]) -> None:
        """Remove letters for good.

        Raises:
            BrokerUnreachable: the connection was lost, and those that were not removed are back.

        """
        try:
            with closing_is_an_error():
                for held in letters:
                    await held.acknowledge()
        except CONNECTION_ERRORS as error:
            raise BrokerUnreachable(self._url, f"while removing letters: {error!r}") from error
        self._removed = self._removed or bool(letters)

    async def _channel(self, connection: AbstractConnection, **options: bool) -> AbstractChannel:
        channel = connection.channel(**{"publisher_confirms": False, **options})
        await channel.initialize()
        channel.close_callbacks.add(self._on_closed)
        return channel

    async def _take(self, count: int) -> list[HeldLetter]:
        messages: list[Message] = []
        taken = await self._consume(count, self._inbox.put_nowait)
        while len(messages) < count and (message := await self._next()) is not None:
            messages.append(message)
        self._left = self._left - count if len(messages) == count else 0
        await self._stop_consuming()
        return [
            HeldLetter(read_letter(message, self._topology.queue), message, taken)
            for message in messages
        ]

    async def _skim(self) -> None:
        """Take all that is left without looking at it, if any was taken."""
        while self._taken and self._left > 0 and await self._waiting():
            count, before = min(self._left, _SKIMMED), self._skimmed
            await self._consume(count, self._skim_one)
            await _grown(self._skimmed_or_all, before + count)
            await self._stop_consuming()
            self._left -= count

    def _skim_one(self, _: Message) -> None:
        self._skimmed += 1

    async def _skimmed_or_all(self) -> float:
        return self._skimmed if await self._waiting() else math.inf

    async def _consume(self, count: int, on_message: Callable[[Message], None]) -> _Taken:
        """Begin to take ``count`` letters; return the channel that has them."""
        if self._connection is None:
            raise ConnectionError("not connected")
        if not self._taken or self._taken[-1].consumers == _CONSUMERS_OF_CHANNEL:
            self._taken.append(_Taken(await self._channel(self._connection)))
        taken = self._taken[-1]
        taken.consumers += 1
        # What is set holds for the consumers that come after it on this channel.
        await taken.channel.set_qos(prefetch_count=count)
        queue = await taken.channel.get_queue(self._topology.dead_letters, ensure=False)

        async def callback(message: Message) -> None:
            taken.held += 1
            on_message(message)

        self._consuming = queue, f"{taken.consumers:02}"
        await queue.consume(callback, consumer_tag=self._consuming[1])
        return taken

    async def _stop_consuming(self) -> None:
        if self._consuming is not None:
            queue, tag = self._consuming
            self._consuming = None
            await queue.cancel(tag)

    async def _next(self) -> Message | None:
        """Return the next letter, None where there is no other."""
        clock = asyncio.get_running_loop().time
        deadline = clock() + _STALLED_SECONDS
        while True:
            try:
                async with asyncio.timeout(_QUIET_SECONDS):
                    message = await self._inbox.get()
            except TimeoutError:
                if not await self._waiting():
                    return None
                if clock() > deadline:
                    raise BrokerError("RabbitMQ has dead letters, and does not send them") from None
                continue
            if message is None:
                raise ConnectionError("the connection was closed")
            return message

    async def _waiting(self) -> int:
        """Return how many letters nobody has taken."""
        if self._control is None:
            raise ConnectionError("not connected")
        queue = await self._control.declare_queue(self._topology.dead_letters, passive=True)
        return queue.declaration_result.message_count or 0

    async def _give_back(self) -> None:
        """Close the channels in their order, each when the letters of the one before are back."""
        await self._stop_consuming()
        if self._removed:
            # A busy queue keeps acknowledgements back for a moment, and forgets them when their
            # channel closes; nothing tells when it has them.
            for _ in range(10):
                await self._waiting()
                await asyncio.sleep(_POLL_SECONDS)
        for taken in self._taken:
            expected = await self._waiting() + taken.held
            await taken.channel.close()
            await _grown(self._waiting, expected)

    def _on_closed(self, _what: Any, _error: BaseException | None) -> None:
        self._lost = True
        self._inbox.put_nowait(None)


async def _grown(count: Callable[[], Awaitable[float]], enough: float) -> None:
    """Return when ``count`` is ``enough``, or has not grown for a while."""
    clock = asyncio.get_running_loop().time
    most, since = -1.0, clock()
    while (found := await count()) < enough and clock() - since < _STALLED_SECONDS:
        if found > most:
            most, since = found, clock()
        await asyncio.sleep(_POLL_SECONDS)
