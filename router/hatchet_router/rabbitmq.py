"""The router's side of RabbitMQ: take, settle, dead-letter; begin anew when something is lost."""

from __future__ import annotations

import asyncio
import random
import uuid
from collections.abc import Awaitable, Callable, Iterable
from types import TracebackType
from typing import Any, Final, Self

import structlog
from aio_pika.abc import AbstractIncomingMessage

from hatchet_router.amqp import CONNECTION_ERRORS
from hatchet_router.errors import BrokerError, BrokerUnreachable
from hatchet_router.file_sets import FileSet, Membership
from hatchet_router.in_hand import DeliveriesInHand, GiveBack
from hatchet_router.readiness import Readiness
from hatchet_router.session import Session
from hatchet_router.settling import Handler, Settler
from hatchet_router.topology import Topology

__all__ = ["Consumer"]

_log: structlog.stdlib.BoundLogger = structlog.get_logger("hatchet.router")

_FIRST_WAIT_SECONDS: Final = 0.2
_LONGEST_WAIT_SECONDS: Final = 2.0
_LONGEST_WAIT_FOR_OPERATOR_SECONDS: Final = 15.0
_DECLARE_SECONDS: Final = 4.0
_DECLARE_SHARE: Final = 0.05
_DECLARE_LONGEST_SECONDS: Final = 25.0
_TIDY_SECONDS: Final = 15.0
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

    def __init__(
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
    ) -> None:
        self.readiness = Readiness()
        self._url = url
        self._topology = topology
        self._membership = Membership(uuid.uuid4().hex, self._files(triggers))
        self._settler = Settler(handle, topology, self.readiness)
        self._session: Session | None = None
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

        Returns when it does. While RabbitMQ is away this returns at once, and the next connection
        begins with the latest triggers; where it refuses, ``readiness`` says why, and it is asked
        again and again.
        """
        self._membership.files = self._files(triggers)
        if self._session is not None:
            await self._look_after(self._session.adopt())

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
            except (BrokerError, *CONNECTION_ERRORS) as error:
                if not self._consuming.is_set():
                    raise
                failures += 1
                await self._wait_to_try_again(error, failures)

    async def _serve_session(self) -> None:
        """Consume until something is lost, or the deliveries in hand have to be given back."""
        async with Session(self._url, self._topology, self._membership) as session:

            async def settle(message: AbstractIncomingMessage, times: int) -> None:
                await self._settler.settle(session, message, times)

            hand = DeliveriesInHand(session, settle, self._prefetch)
            await hand.begin()
            self._session = session
            self._begun()
            await self._until_disturbed(session, hand)
            self._session = None
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
            await hand.let_go(wait=cause is GiveBack.SUSPECT)
        if cause is GiveBack.UNAVAILABLE:
            self.readiness.trouble("temporal", reason)
            await self._unless_stopping(self._available())
            self.readiness.mended("temporal")

    def _begun(self) -> None:
        if self._consuming.is_set():
            _log.info("rabbitmq.reconnected")
        self._consuming.set()
        self.readiness.mended("rabbitmq")
        self.readiness.mended("queues")

    async def _until_disturbed(self, session: Session, hand: DeliveriesInHand) -> None:
        """Return when to stop, when something is lost, or when deliveries are to be given back."""
        clock = asyncio.get_running_loop().time
        declare_at = clock() + _DECLARE_SECONDS
        tidy_at = clock() + _TIDY_SECONDS
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
                if clock() >= declare_at:
                    began = clock()
                    await self._look_after(_declared_and_bound(session))
                    declare_at = clock() + _until_declared_again(clock() - began)
                if clock() >= tidy_at:
                    await self._look_after(session.tidy())
                    tidy_at = clock() + _TIDY_SECONDS
        finally:
            stopping.cancel()

    async def _look_after(self, preparing: Awaitable[None]) -> None:
        """Prepare the broker; say so if that cannot be done."""
        try:
            await preparing
        except BrokerError as error:
            self.readiness.trouble("queues", str(error))
        except CONNECTION_ERRORS as error:
            self.readiness.trouble("rabbitmq", str(error))
        else:
            self.readiness.mended("queues")
            self.readiness.mended("rabbitmq")

    async def _wait_to_try_again(self, error: Exception, failures: int) -> None:
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


async def _declared_and_bound(session: Session) -> None:
    """Mend what somebody has deleted on the broker."""
    await session.declare()
    await session.bind()


def _until_declared_again(took_seconds: float) -> float:
    """Return the seconds to wait, so that a broker with thousands of bindings has other work."""
    return min(max(took_seconds / _DECLARE_SHARE, _DECLARE_SECONDS), _DECLARE_LONGEST_SECONDS)
