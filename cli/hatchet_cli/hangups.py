"""SIGHUP, which asks a service to load its files anew."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable

__all__ = ["Hangups"]


class Hangups:
    """The SIGHUPs of this process, from the moment that this is made until its end.

    None of them ends the process, whether it starts, runs or stops. Those that come before
    somebody listens are told then, as one. When it is the terminal that hangs up, the process ends
    as by SIGTERM, unless it was started by `nohup`.
    """

    def __init__(self) -> None:
        self._heard = False
        self._tell: Callable[[], None] | None = None
        # A handler of the event loop would be gone before the process is.
        stays = signal.signal(signal.SIGHUP, self._on_signal) is signal.SIG_IGN
        self._ends_with_terminal = not stays and _has_terminal()

    def listen(self, tell: Callable[[], None]) -> None:
        """Have ``tell`` called in the running event loop, for each SIGHUP from now on."""
        loop = asyncio.get_running_loop()

        def tell_loop() -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(tell)

        self._tell = tell_loop
        if self._heard:
            tell_loop()

    def ignore(self) -> None:
        """Do nothing at a SIGHUP from now on, as there is nobody left to listen."""
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    def _on_signal(self, _number: int, _frame: object) -> None:
        if self._ends_with_terminal and not _has_terminal():
            os.kill(os.getpid(), signal.SIGTERM)
            return
        self._heard = True
        if self._tell is not None:
            self._tell()


def _has_terminal() -> bool:
    """Return whether the process has a terminal, which it loses when that hangs up."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True
