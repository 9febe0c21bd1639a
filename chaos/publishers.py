"""Events on their way to the bus, by our own Dispatcher and by pika, which knows nothing of us."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections import deque
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

import pika
import pika.exceptions
from pika.adapters.blocking_connection import BlockingChannel
from pika.adapters.utils.connection_workflow import AMQPConnectorException

from chaos.ledgers import Ledger
from hatchet_router import BrokerError, Dispatcher

__all__ = ["Load", "OutgoingEvent"]

_SENDERS: Final = 16
_WAIT_SECONDS: Final = 0.2
_HEARTBEAT_SECONDS: Final = 10
# What fails while connecting is no AMQPError.
_PIKA_ERRORS: Final = (pika.exceptions.AMQPError, AMQPConnectorException, OSError)


@dataclass(frozen=True, slots=True)
class OutgoingEvent:
    """An event to publish; one with a ``body`` goes out by pika, as it is."""

    id: str
    key: str
    data: Mapping[str, Any] = field(default_factory=dict[str, Any])
    body: bytes | None = None


class Load:
    """Publishes events under their ids until each is confirmed, however often that takes."""

    def __init__(
        self, amqp_url: str, exchange: str, ledger: Ledger, events: Iterable[OutgoingEvent]
    ) -> None:
        self._amqp_url = amqp_url
        self._exchange = exchange
        self._ledger = ledger
        self._events = deque(events)
        self._raw = deque(event for event in self._events if event.body is not None)
        self._events = deque(event for event in self._events if event.body is None)
        self.confirmed = 0
        self._advanced = asyncio.Condition()
        self._stopped = threading.Event()
        self._loop = asyncio.get_running_loop()

    async def run(self) -> None:
        """Publish all."""
        done: asyncio.Future[None] = self._loop.create_future()
        thread = threading.Thread(target=self._run_pika, args=(done,), daemon=True)
        thread.start()
        try:
            async with (
                Dispatcher(self._amqp_url, exchange=self._exchange) as dispatcher,
                asyncio.TaskGroup() as group,
            ):
                for _ in range(_SENDERS):
                    group.create_task(self._dispatch(dispatcher))
            await done
        finally:
            self._stopped.set()

    async def reached(self, confirmed: int) -> None:
        """Return when so many events are confirmed."""
        async with self._advanced:
            await self._advanced.wait_for(lambda: self.confirmed >= confirmed)

    def _next(self, *, raw: bool = False) -> OutgoingEvent | None:
        for events in (self._raw, self._events) if raw else (self._events,):
            with suppress(IndexError):
                return events.popleft()
        return None

    async def _dispatch(self, dispatcher: Dispatcher) -> None:
        while (event := self._next()) is not None:
            while True:
                try:
                    await dispatcher.trigger(event.key, event.data, id=event.id)
                except BrokerError as error:
                    self._ledger.refuse(event.id, "dispatcher", type(error).__name__)
                    await asyncio.sleep(_WAIT_SECONDS)
                else:
                    break
            self._ledger.confirm(event.id, event.key, "dispatcher")
            await self._advance()

    async def _advance(self) -> None:
        async with self._advanced:
            self.confirmed += 1
            self._advanced.notify_all()

    def _run_pika(self, done: asyncio.Future[None]) -> None:
        """Publish with pika, in a thread; the end or the failure goes to ``done``."""

        def finish(error: BaseException | None) -> None:
            if not done.done():
                if error is None:
                    done.set_result(None)
                else:
                    done.set_exception(error)

        failure: BaseException | None = None
        try:
            self._publish_with_pika()
        except Exception as error:  # noqa: BLE001 - it is raised where `done` is awaited
            failure = error
        with suppress(RuntimeError):  # the loop has ended, with the suite
            self._loop.call_soon_threadsafe(finish, failure)

    def _publish_with_pika(self) -> None:
        parameters = pika.URLParameters(self._amqp_url)
        parameters.heartbeat = _HEARTBEAT_SECONDS
        parameters.socket_timeout = 5
        connection: pika.BlockingConnection | None = None
        channel: BlockingChannel | None = None
        event = self._next(raw=True)
        while event is not None and not self._stopped.is_set():
            try:
                if channel is None or not channel.is_open:
                    if connection is None or not connection.is_open:
                        connection = pika.BlockingConnection(parameters)
                    channel = connection.channel()
                    channel.confirm_delivery()
                channel.basic_publish(
                    self._exchange,
                    event.key,
                    event.body if event.body is not None else json.dumps(event.data).encode(),
                    pika.BasicProperties(message_id=event.id, delivery_mode=2),
                    mandatory=True,
                )
            except _PIKA_ERRORS as error:
                self._ledger.refuse(event.id, "pika", type(error).__name__)
                time.sleep(_WAIT_SECONDS)
            else:
                self._ledger.confirm(event.id, event.key, "pika")
                asyncio.run_coroutine_threadsafe(self._advance(), self._loop)
                event = self._next(raw=True)
        if connection is not None and connection.is_open:
            with suppress(*_PIKA_ERRORS):
                connection.close()
