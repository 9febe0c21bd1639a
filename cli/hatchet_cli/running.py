"""Long-running commands: an event loop, and the signals that end it."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from hatchet_cli.exiting import ExitCode, exit_process

__all__ = ["first_of", "run_until_signalled"]

Main = Callable[[asyncio.Event], Awaitable[int]]


def run_until_signalled(main: Main) -> int:
    """Run ``main``, which ends soon after the event it is given is set; return the exit code.

    SIGTERM sets the event and does not change the code; Ctrl-C sets it and makes the code 130. A
    second signal ends the process at once.
    """
    return asyncio.run(_run(main))


async def _run(main: Main) -> int:
    stop = asyncio.Event()
    received: list[signal.Signals] = []

    def on_signal(number: signal.Signals) -> None:
        if received:
            exit_process(128 + number)
        received.append(number)
        stop.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, on_signal, number)
    code = await main(stop)
    return ExitCode.INTERRUPTED if received[:1] == [signal.SIGINT] else code


async def first_of(*coroutines: Coroutine[Any, Any, Any]) -> Any:
    """Run all at once; return, or raise, what the first to end does, and cancel the others."""
    tasks = [asyncio.ensure_future(coroutine) for coroutine in coroutines]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        return next(task for task in tasks if task in done).result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
