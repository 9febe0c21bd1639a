"""The deliveries that a session has in hand: taken from RabbitMQ, and not yet settled."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from enum import Enum, auto
from typing import Final

import structlog
from aio_pika.abc import AbstractIncomingMessage

from hatchet_router.amqp import CONNECTION_ERRORS
from hatchet_router.dead_letters import returned_before
from hatchet_router.errors import TemporalUnavailable
from hatchet_router.quarantine import is_suspect, times_returned
from hatchet_router.session import Session

__all__ = ["DeliveriesInHand", "GiveBack"]

_log: structlog.stdlib.BoundLogger = structlog.get_logger("hatchet.router")

_ONE: Final = 1
_FINISH_SECONDS: Final = 5.0


class GiveBack(Enum):
    """Why deliveries in hand are given back, though nothing was lost."""

    UNAVAILABLE = auto()
    """They cannot be settled for now."""
    SUSPECT = auto()
    """One has come back so often that it shall be handled alone."""


class DeliveriesInHand:
    """Takes deliveries and lets ``settle`` see to each: several at once, or one.

    It begins with one at a time, until one comes that is new: a message that kills its router is
    among those that come back first, and shall take no other along. (Beside the first new one,
    ``prefetch`` others may be in hand: RabbitMQ counts by consumer.) ``give_back`` is set when all
    that is in hand has to be given back, by closing the session.
    """

    def __init__(
        self,
        session: Session,
        settle: Callable[[AbstractIncomingMessage, int], Awaitable[None]],
        prefetch: int,
    ) -> None:
        self.give_back: asyncio.Future[tuple[GiveBack, str]] = (
            asyncio.get_running_loop().create_future()
        )
        self._session = session
        self._settle = settle
        self._prefetch = prefetch
        self._is_wide = prefetch == _ONE
        self._since: dict[int, float] = {}
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def count(self) -> int:
        """How many are in hand."""
        return len(self._since)

    def oldest_seconds(self) -> float:
        """Return how long the oldest has been in hand; 0 where there is none."""
        now = asyncio.get_running_loop().time()
        return max((now - since for since in self._since.values()), default=0.0)

    def ask_to_give_back(self, cause: GiveBack, reason: str) -> None:
        """Set `give_back`; the first cause counts."""
        if not self.give_back.done():
            self.give_back.set_result((cause, reason))

    async def begin(self) -> None:
        """Take the first one."""
        await self._session.consume(_ONE, self._on_message)

    async def let_go(self, *, wait: bool) -> None:
        """Take no more before all are given back; ``wait`` a moment for those under way.

        Closed while it still consumes, a channel may be given back its own messages, and RabbitMQ
        counts them twice.
        """
        if wait:
            await self.drain(_FINISH_SECONDS)
            return
        try:
            async with asyncio.timeout(_FINISH_SECONDS):
                await self._session.stop_consuming()
        except CONNECTION_ERRORS as error:
            _log.warning("router.drain_incomplete", in_hand=self.count, reason=str(error))

    async def drain(self, grace_seconds: float) -> None:
        """Take no more, and wait until all in hand are settled, so long as that may take."""
        try:
            async with asyncio.timeout(grace_seconds):
                consumers = await self._session.consumers()
                await self._session.stop_consuming()
                await self._idle.wait()
                await self._session.acknowledged(consumers)
        except CONNECTION_ERRORS:
            _log.warning("router.drain_incomplete", in_hand=self.count)

    async def _on_message(self, message: AbstractIncomingMessage) -> None:
        self._session.arrived(message)
        times = times_returned(message.headers, redelivered=bool(message.redelivered))
        times += returned_before(message, self._session.queue)
        if self._is_wide and self._prefetch > _ONE and is_suspect(times):
            self.ask_to_give_back(GiveBack.SUSPECT, f"a message came back {times} times")
            await _until_given_back()
        tag = message.delivery_tag or 0
        self._since[tag] = asyncio.get_running_loop().time()
        self._idle.clear()
        try:
            if not times:
                await self._widen()
            await self._settle(message, times)
        except TemporalUnavailable as error:
            self.ask_to_give_back(GiveBack.UNAVAILABLE, str(error))
            await _until_given_back()
        except CONNECTION_ERRORS as error:
            # Its channel is gone, and RabbitMQ delivers it again; ids make that harmless.
            _log.warning(
                "event.to_be_redelivered", event_key=message.routing_key, reason=str(error)
            )
        except Exception as error:  # noqa: BLE001 - a fault of ours: it is not to stay in hand
            _log.exception("event.not_settled", event_key=message.routing_key)
            self.ask_to_give_back(GiveBack.SUSPECT, f"{type(error).__name__}: {error}")
        finally:
            del self._since[tag]
            if not self._since:
                self._idle.set()

    async def _widen(self) -> None:
        """Take as many at once as may be, from now on."""
        if not self._is_wide:
            self._is_wide = True
            await self._session.consume(self._prefetch, self._on_message)


async def _until_given_back() -> None:
    """Hold a message until its channel is closed, which cancels its handler."""
    await asyncio.Event().wait()
