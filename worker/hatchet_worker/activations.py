"""Where the workflow tasks of jobs are worked on: most on the event loop, others in threads."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any, Final, ParamSpec, TypeVar

from temporalio.bridge.proto.workflow_activation import WorkflowActivation

__all__ = ["ActivationExecutor"]

_MAX_THREADS: Final = 500  # as the SDK has by default
_SHORT_BYTES: Final = 32 * 1024

P = ParamSpec("P")
T = TypeVar("T")


class ActivationExecutor(ThreadPoolExecutor):
    """Runs what it is given on the event loop that gives it, or in a thread where it may take long.

    Temporal's SDK takes threads, so that it can tell where a workflow hangs. Ours does not, and to
    hand a step over to a thread and back costs more than the step. What may take long enough to
    hold up the loop is large, or repeats a history: that goes to a thread.
    """

    def __init__(self) -> None:
        super().__init__(_MAX_THREADS, thread_name_prefix="hatchet-job")

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run ``fn`` soon; its first argument is an activation of a workflow."""
        if not _is_short(args[0] if args else None):
            return super().submit(fn, *args, **kwargs)
        loop = asyncio.get_running_loop()
        future: Future[T] = Future()
        # Not at once: Python 3.14 lets no task run within another. Without the variables of the
        # task that hands it over, as in a thread.
        loop.call_soon(
            _run, loop, future, partial(fn, *args, **kwargs), context=contextvars.Context()
        )
        return future


def _is_short(given: object) -> bool:
    return (
        isinstance(given, WorkflowActivation)
        and not given.is_replaying
        and given.ByteSize() <= _SHORT_BYTES
    )


def _run(loop: asyncio.AbstractEventLoop, future: Future[Any], function: Callable[[], Any]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    # A workflow is an event loop of its own, and leaves none behind when it pauses.
    asyncio._set_running_loop(None)  # noqa: SLF001 - asyncio exports it, for event loops
    try:
        result = function()
    except BaseException as error:  # noqa: BLE001 - as an executor does
        future.set_exception(error)
    else:
        future.set_result(result)
    finally:
        asyncio._set_running_loop(loop)  # noqa: SLF001 - likewise
