"""SIGINT and SIGTERM, for the time that a worker runs in the main thread."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Final

__all__ = ["STOP_SIGNALS", "stop_signals"]

STOP_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
"""What asks a worker to stop: Ctrl-C, and what service managers send."""


@contextmanager
def stop_signals(on_first: Callable[[], object], on_next: Callable[[], object]) -> Generator[None]:
    """Call ``on_first`` on the first of `STOP_SIGNALS` and ``on_next`` on each one after it.

    Both are called on the running event loop. The handlers that were there before come back at the
    end. Outside the main thread, where Python allows no handlers, nothing is done.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    received = False

    def receive() -> None:
        nonlocal received
        (on_next if received else on_first)()
        received = True

    previous = {number: signal.getsignal(number) for number in STOP_SIGNALS}
    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, receive)
    try:
        yield
    finally:
        for number, handler in previous.items():
            loop.remove_signal_handler(number)
            if handler is not None:  # None: it was not set from Python, and cannot be set again
                signal.signal(number, handler)
