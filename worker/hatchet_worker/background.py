"""An asyncio service in a thread of its own, for programs that are not async."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import Any

__all__ = ["BackgroundService"]

Serve = Callable[[asyncio.Event, Callable[[], None]], Coroutine[Any, Any, None]]
"""Serves until the event is set; calls the function once it is ready."""


class BackgroundService:
    """Runs ``serve`` in a daemon thread with its own event loop, from `start` to `stop`."""

    def __init__(self, serve: Serve, name: str) -> None:
        self._serve = serve
        self._ready: Future[None] = Future()
        self._ended: Future[None] = Future()
        self._request_stop: Callable[[], object] = lambda: None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Return as soon as the service is ready; raise what kept it from becoming so."""
        self._thread.start()
        wait([self._ready, self._ended], return_when=FIRST_COMPLETED)
        if self._ended.done():
            self._ended.result()

    def stop(self) -> None:
        """Ask the service to end, wait until it has, and raise what ended it before that."""
        self._request_stop()
        self._thread.join()
        self._ended.result()

    def _run(self) -> None:
        try:
            asyncio.run(self._main())
        except BaseException as error:  # noqa: BLE001 - handed to the thread that asks
            self._ended.set_exception(error)
        else:
            self._ended.set_result(None)

    async def _main(self) -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()

        def request_stop() -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(stop.set)

        self._request_stop = request_stop
        await self._serve(stop, lambda: self._ready.set_result(None))
