"""The Dispatcher for programs without an event loop: Django, Flask, scripts."""

from __future__ import annotations

import asyncio
import concurrent.futures
import os
import threading
from collections.abc import Coroutine, Mapping
from datetime import datetime
from types import TracebackType
from typing import Any, Self
from weakref import WeakSet

from hatchet_router.decoding import DEFAULT_MAX_BODY_BYTES
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
        max_body_bytes: int = DEFAULT_MAX_BODY_BYTES,
    ) -> None:
        self._url = url
        self._exchange = exchange
        self._timeout = timeout
        self._max_body_bytes = max_body_bytes
        self._own = _OfProcess()

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
        source: str | None = None,
        hops: int = 0,
    ) -> str:
        """Publish an event and return its id once RabbitMQ has stored it.

        Arguments and errors are those of `Dispatcher.trigger`.
        """
        with self._own.guard:
            if self._own.running is None:
                self._own.running = _Running(
                    Dispatcher(
                        self._url,
                        exchange=self._exchange,
                        timeout=self._timeout,
                        max_body_bytes=self._max_body_bytes,
                    )
                )
            running = self._own.running
            call = running.begin(
                running.dispatcher.trigger(key, data, id=id, time=time, source=source, hops=hops)
            )
        try:
            return call.result()
        except BaseException:
            call.cancel()  # Ctrl-C: nobody waits for it any more
            raise

    def close(self) -> None:
        """Close the connection and end the thread; the next event would begin anew.

        Events that other threads are publishing are finished first.
        """
        with self._own.guard:
            running, self._own.running = self._own.running, None
        if running is not None:
            running.stop()


class _OfProcess:
    """What a dispatcher has in this process, and no process forked from it may touch."""

    def __init__(self) -> None:
        self.guard = threading.Lock()
        self.running: _Running | None = None
        self._of_parents: list[_Running] = []
        _all_of_process.add(self)

    def begin_anew(self) -> None:
        self.guard = threading.Lock()  # another thread of the parent may have held it
        if self.running is not None:
            # Kept, since deleting it would tell the parent's event loop about closed sockets.
            self._of_parents.append(self.running)
            self.running = None


_all_of_process: WeakSet[_OfProcess] = WeakSet()


def _begin_anew() -> None:
    for own in tuple(_all_of_process):
        own.begin_anew()


os.register_at_fork(after_in_child=_begin_anew)


class _Running:
    """A Dispatcher on an event loop in a thread of this process."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self.dispatcher = dispatcher
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self.loop.run_forever, name="hatchet-dispatcher", daemon=True
        )
        self._thread.start()
        self._calls: set[concurrent.futures.Future[str]] = set()

    def begin(self, trigger: Coroutine[Any, Any, str]) -> concurrent.futures.Future[str]:
        call = asyncio.run_coroutine_threadsafe(trigger, self.loop)
        self._calls.add(call)
        call.add_done_callback(self._calls.discard)
        return call

    def stop(self) -> None:
        concurrent.futures.wait(tuple(self._calls))
        asyncio.run_coroutine_threadsafe(self.dispatcher.close(), self.loop).result()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()
