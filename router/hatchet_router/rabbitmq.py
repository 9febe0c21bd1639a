"""The router's side of RabbitMQ: take, settle, dead-letter; begin anew when something is lost."""

from __future__ import annotations

import asyncio
import random
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Final, Self

import structlog
from aio_pika.abc import AbstractIncomingMessage

from hatchet_router.amqp import CONNECTION_ERRORS
from hatchet_router.errors import BrokerError, BrokerUnreachable
from hatchet_router.file_sets import FileSet, Membership
from hatchet_router.in_hand import DeliveriesInHand, GiveBack
from hatchet_router.session import Session
from hatchet_router.settling import Handler, Settler
from hatchet_router.status import RouterStatus
from hatchet_router.topology import Topology
from hatchet_router.upkeep import Upkeep

__all__ = ["Consumer"]

_log: structlog.stdlib.BoundLogger = structlog.get_logger("hatchet.router")

_FIRST_WAIT_SECONDS: Final = 0.2
_LONGEST_WAIT_SECONDS: Final = 2.0
_LONGEST_WAIT_FOR_OPERATOR_SECONDS: Final = 15.0
_TICK_SECONDS: Final = 1.0


async def _at_once() -> None:
    """Be available."""


class Consumer:
    """Takes deliveries from the router's queue and gives each to ``handle``.

    A delivery is acknowledged after ``handle`` has returned, and dead-lettered first if it was
    rejected. What is in hand when the connection is lost comes back from RabbitMQ. Whatever is lost
    or deleted on the broker is opened and declared anew, after a few seconds; ``readiness`` says so
    meanwhile. ``prefetch`` is how many deliveries are in hand at once.

    No delivery stays in hand for longer than ``hold_seconds``, or RabbitMQ would end the channel
    (its ``consumer_timeout``, 30 minutes where none is set), nor after `TemporalUnavailable`: then
    all are given back, and no more are taken until ``available`` returns.

    Used as ``async with``: entering declares everything and begins to consume; leaving stops
    taking, finishes what is in hand within ``grace_seconds``, and closes.
    """

    def __init__(  # noqa: PLR0913 - most have defaults
        self,
        url: str,
        topology: Topology,
        triggers: Iterable[str],
        handle: Handler,
        *,
        prefetch: int = 64,
        grace_seconds: float = 20.0,
        hold_seconds: float = 600.0,
        available: Callable[[], Awaitable[None]] = _at_once,
        status: RouterStatus | None = None,
    ) -> None:
        self._status = status or RouterStatus()
        self.readiness = self._status.readiness
        self._url = url
        self._topology = topology
        self._membership = Membership(uuid.uuid4().hex, self._files(triggers))
        self._settler = Settler(handle, topology, self._status)
        self._upkeep: Upkeep | None = None
        self._prefetch = prefetch
        self._grace_seconds = grace_seconds
        self._hold_seconds = hold_seconds
        self._available = available
        self._stopping = asyncio.Event()
        self._consuming = asyncio.Event()
        self._serving: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Declare everything and begin to consume.

        Raises:
            BrokerUnreachable: RabbitMQ does not answer.
            BrokerError: it has other things under our names, or does not let us.

        """
        self._serving = asyncio.create_task(self._serve())
        consuming = asyncio.create_task(self._consuming.wait())
        try:
            await asyncio.wait({self._serving, consuming}, return_when=asyncio.FIRST_COMPLETED)
        except BaseException:
            self._serving.cancel()
            raise
        finally:
            consuming.cancel()
        if self._serving.done():
            self._serving.result()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stopping.set()
        if self._serving is not None:
            await self._serving

    async def rebind(self, triggers: Iterable[str]) -> None:
        """Let RabbitMQ bring what ``triggers`` want, and no more what was wanted before.

        Returns when it does. While a connection is being opened, and where RabbitMQ refuses, this
        returns before: it is tried again and again, and ``readiness`` says why.
        """
        self._membership.files = self._files(triggers)
        if self._upkeep is not None:
            await self._upkeep.adopt()

    def _files(self, triggers: Iterable[str]) -> FileSet:
        exchanges = (self._topology.exchange, *self._topology.more_exchanges)
        return FileSet(exchanges=exchanges, triggers=tuple(triggers))

    async def _serve(self) -> None:
        """Open one session after the other, until told to stop."""
        failures = 0
        while not self._stopping.is_set():
            try:
                await self._serve_session()
                failures = 0
            except Exception as error:
                if not self._consuming.is_set():
                    raise
                failures += 1
                await self._wait_to_try_again(error, failures)

    async def _serve_session(self) -> None:
        """Consume until something is lost, or the deliveries in hand have to be given back."""
        async with Session(self._url, self._topology, self._membership) as session:

            async def settle(message: AbstractIncomingMessage, times: int) -> None:
                await self._settler.settle(session, message, times)

            self._status.waiting = session.waiting
            hand = DeliveriesInHand(session, settle, self._prefetch)
            await hand.begin()
            self._begun()
            async with self._kept_up(session):
                await self._until_disturbed(session, hand)
            if self._stopping.is_set():
                await hand.drain(self._grace_seconds)
                await session.leave()
                return
            if not hand.give_back.done():
                reason = session.ended.result()
                _log.warning("rabbitmq.connection_lost", reason=reason, in_hand=hand.count)
                self.readiness.trouble("rabbitmq", reason)
                return
            cause, reason = hand.give_back.result()
            _log.warning("deliveries.given_back", reason=reason, in_hand=hand.count)
            if cause is GiveBack.UNAVAILABLE:
                self.readiness.trouble("temporal", reason)
            await hand.let_go(wait=cause is GiveBack.SUSPECT)
        if cause is GiveBack.UNAVAILABLE:
            await self._pause()
            self.readiness.mended("temporal")

    async def _pause(self) -> None:
        """Take nothing until Temporal is available, but stay one of the queue's routers."""
        available = asyncio.ensure_future(self._available())
        stopping = asyncio.create_task(self._stopping.wait())
        failures = 0
        try:
            while not available.done() and not self._stopping.is_set():
                try:
                    async with (
                        Session(self._url, self._topology, self._membership) as session,
                        self._kept_up(session),
                    ):
                        failures = 0
                        self._status.waiting = session.waiting
                        waited_for: set[asyncio.Future[Any]] = {available, stopping, session.ended}
                        await asyncio.wait(waited_for, return_when=asyncio.FIRST_COMPLETED)
                        if self._stopping.is_set():
                            await session.leave()
                except (BrokerError, *CONNECTION_ERRORS) as error:
                    failures += 1
                    await self._wait_to_try_again(error, failures)
        finally:
            for task in (available, stopping):
                task.cancel()

    @asynccontextmanager
    async def _kept_up(self, session: Session) -> AsyncGenerator[None]:
        """Look after the session's things on the broker for the time of the block."""
        upkeep = Upkeep(session, self.readiness)
        task = asyncio.create_task(upkeep.run())
        self._upkeep = upkeep
        try:
            yield
        finally:
            self._upkeep = None
            task.cancel()
            await asyncio.wait([task])

    def _begun(self) -> None:
        if self._consuming.is_set():
            _log.info("rabbitmq.reconnected")
        self._consuming.set()
        self.readiness.mended("rabbitmq")
        self.readiness.mended("queues")

    async def _until_disturbed(self, session: Session, hand: DeliveriesInHand) -> None:
        """Return when to stop, when something is lost, or when deliveries are to be given back."""
        stopping = asyncio.create_task(self._stopping.wait())
        waited_for: set[asyncio.Future[Any]] = {session.ended, hand.give_back, stopping}
        try:
            while True:
                done, _ = await asyncio.wait(
                    waited_for, timeout=_TICK_SECONDS, return_when=asyncio.FIRST_COMPLETED
                )
                if done:
                    return
                if hand.oldest_seconds() > self._hold_seconds:
                    seconds = f"{self._hold_seconds:g}"
                    reason = f"a delivery could not be settled in {seconds} s"
                    hand.ask_to_give_back(GiveBack.UNAVAILABLE, reason)
        finally:
            stopping.cancel()

    async def _wait_to_try_again(self, error: Exception, failures: int) -> None:
        if not isinstance(error, (BrokerError, *CONNECTION_ERRORS)):
            _log.error("router.session_failed", exc_info=error)
        if isinstance(error, BrokerError) and not isinstance(error, BrokerUnreachable):
            self.readiness.trouble("queues", str(error))
            seconds = min(2.0**failures, _LONGEST_WAIT_FOR_OPERATOR_SECONDS)
        else:
            self.readiness.trouble("rabbitmq", str(error))
            seconds = min(_FIRST_WAIT_SECONDS * 2**failures, _LONGEST_WAIT_SECONDS)
        seconds *= random.uniform(0.5, 1.0)  # noqa: S311 - jitter
        await self._unless_stopping(asyncio.sleep(seconds))

    async def _unless_stopping(self, waiting: Awaitable[object]) -> None:
        """Wait for ``waiting``, but no longer than until told to stop."""
        tasks: set[asyncio.Future[Any]] = {
            asyncio.ensure_future(waiting),
            asyncio.create_task(self._stopping.wait()),
        }
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
