"""Acknowledging deliveries of one channel, as many at once as their order allows."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final

from aio_pika.abc import AbstractIncomingMessage

from hatchet_router.amqp import closing_is_an_error
from hatchet_router.waiters import Waiters

__all__ = ["Acknowledgements"]

_MANY: Final = 16
_MOMENT_SECONDS: Final = 0.02


class _Batch:
    """Messages to acknowledge together, and those who wait for that."""

    def __init__(self) -> None:
        self.messages: list[AbstractIncomingMessage] = []
        self.enough = asyncio.Event()
        self.waiters = Waiters[None]()


class Acknowledgements:
    """Acknowledges together what is settled within a moment.

    AMQP acknowledges a delivery alone, or with all that came before it on its channel (AMQP 0-9-1,
    basic.ack, ``multiple``). Deliveries that are settled go together as far as none that came
    before them is still unsettled; the others go alone. A batch is sent once it has 16 or all that
    is unsettled, and after 20 ms at the latest: what a quorum queue does for an acknowledgement
    costs more than the router's part of an event.

    Each delivery of the channel has to be told to `arrived`, in their order and before it is
    acknowledged; where one is missing, all go alone from then on.
    """

    def __init__(self) -> None:
        self._last = 0
        self._is_in_order = True
        self._unsettled: dict[int, None] = {}  # in the order in which they arrived
        self._next: _Batch | None = None
        self._sending: asyncio.Task[None] | None = None

    def arrived(self, message: AbstractIncomingMessage) -> None:
        """Take note of a delivery that is in hand from now on."""
        tag = _tag(message)
        if tag != self._last + 1:
            self._is_in_order = False
        self._last = tag
        self._unsettled[tag] = None

    async def acknowledge(self, message: AbstractIncomingMessage) -> None:
        """Return when ``message`` is acknowledged.

        Raises:
            ConnectionError: and the others of `CONNECTION_ERRORS`: the channel is gone, and
                RabbitMQ delivers the message again.

        """
        if self._next is None:
            self._next = _Batch()
        batch = self._next
        batch.messages.append(message)
        if len(batch.messages) >= min(_MANY, len(self._unsettled)):
            batch.enough.set()
        if self._sending is None:
            self._sending = asyncio.create_task(self._send())
        await batch.waiters.one_more()

    async def _send(self) -> None:
        """Send one batch after the other: two at once could acknowledge a delivery twice."""
        while (batch := self._next) is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(_MOMENT_SECONDS):
                    await batch.enough.wait()
            self._next = None
            try:
                with closing_is_an_error():
                    await self._send_batch(batch.messages)
            except Exception as error:  # noqa: BLE001 - told to all who wait for it
                batch.waiters.fail(error)
            else:
                batch.waiters.tell(None)
        self._sending = None

    async def _send_batch(self, messages: list[AbstractIncomingMessage]) -> None:
        for message in messages:
            self._unsettled.pop(_tag(message), None)
        first = next(iter(self._unsettled), self._last + 1) if self._is_in_order else 0
        messages.sort(key=_tag)
        together = [message for message in messages if _tag(message) < first]
        if together:
            await together[-1].ack(multiple=len(together) > 1)
        for message in messages[len(together) :]:
            await message.ack()


def _tag(message: AbstractIncomingMessage) -> int:
    return message.delivery_tag or 0
