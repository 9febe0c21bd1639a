"""The Dispatcher for programs without an event loop: Django, Flask, scripts."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Mapping
from datetime import datetime
from types import TracebackType
from typing import Any, Self

from hatchet_router.dispatcher import Dispatcher
from hatchet_schemas.names import EVENTS_EXCHANGE

__all__ = ["BlockingDispatcher"]


class BlockingDispatcher:
    """A `Dispatcher` whose methods block; any number of threads may share one.

        dispatcher = BlockingDispatcher()
        dispatcher.trigger("user:create", {"username": "ada"})

    It runs an event loop in a thread of its own, begun at the first event. A process that was
    forked, as web servers do, begins its own.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        exchange: str = EVENTS_EXCHANGE,
        timeout: float = 30.0,
    ) -> None:
        self._url = url
        self._exchange = exchange
        self._timeout = timeout
        self._guard = threading.Lock()
        self._running: _Running | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def trigger(
        self,
        key: str,
        data: Mapping[str, Any],
        *,
        id: str | None = None,  # noqa: A002 - the event's field of this name
        time: datetime | None = None,
    ) -> str:
        """Publish an event and return its id once RabbitMQ has stored it.

        Arguments and errors are those of `Dispatcher.trigger`.
        """
        running = self._started()
        call = running.dispatcher.trigger(key, data, id=id, time=time)
        return asyncio.run_coroutine_threadsafe(call, running.loop).result()

    def close(self) -> None:
        """Close the connection and end the thread; the next event would begin anew."""
        with self._guard:
            running, self._running = self._running, None
        if running is not None and running.pid == os.getpid():
            running.stop()

    def _started(self) -> _Running:
        with self._guard:
            if self._running is None or self._running.pid != os.getpid():
                self._running = _Running(self._url, self._exchange, self._timeout)
            return self._running


class _Running:
    """A Dispatcher on an event loop in a thread of this process."""

    def __init__(self, url: str | None, exchange: str, timeout: float) -> None:
        self.pid = os.getpid()
        self.dispatcher = Dispatcher(url, exchange=exchange, timeout=timeout)
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self.loop.run_forever, name="hatchet-dispatcher", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self.dispatcher.close(), self.loop).result()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()
