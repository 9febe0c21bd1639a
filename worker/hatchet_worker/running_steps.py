"""The steps that a worker is at, and how they end when it stops."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from temporalio import activity
from temporalio.exceptions import ApplicationError

from hatchet_worker.failures import LOST

__all__ = ["RunningSteps", "worker_stopped"]


class RunningSteps:
    """Knows the running steps of a worker, and why one is cancelled."""

    def __init__(self) -> None:
        self._contexts: dict[asyncio.Task[Any], contextvars.Context] = {}
        self._all_interrupted = False
        self._local_interrupted = False

    @contextmanager
    def one_more(self) -> Generator[None]:
        """Count the activity of the current task as running.

        Raises:
            ApplicationError: it is a local step, and the worker begins no more of them.

        """
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("an activity always runs in a task")
        if activity.info().is_local and (self._all_interrupted or self._local_interrupted):
            raise worker_stopped()
        self._contexts[task] = contextvars.copy_context()  # Temporal knows an activity by it
        try:
            yield
        finally:
            del self._contexts[task]

    def interrupt(self) -> None:
        """End all now; their retry policies decide what becomes of them.

        Local steps are run again with their job, elsewhere.
        """
        self._all_interrupted = True
        for task in self._contexts:
            task.cancel()

    def interrupt_rest(self) -> None:
        """End now what Temporal's core does not end at a shutdown; begin no more local steps.

        It waits for local steps, and for those that were cancelled before and take their time.
        """
        self._local_interrupted = True
        for task, context in self._contexts.items():
            if context.run(_is_left_alone):
                task.cancel()

    def cancellation_reason(self) -> str | None:
        """Return why the current step is cancelled, None if nobody has cancelled it."""
        details = activity.cancellation_details()
        interrupted = self._all_interrupted or (
            self._local_interrupted and activity.info().is_local
        )
        if interrupted or (details is not None and details.worker_shutdown):
            return "worker-stopped"
        if details is None:
            return None
        # Temporal no longer knows the step when it has timed out or its job has ended.
        return "abandoned" if details.timed_out or details.not_found else "requested"


def worker_stopped() -> ApplicationError:
    """Return what the current step fails with when its worker stops."""
    is_local = activity.info().is_local
    return ApplicationError(
        "the worker stopped before the step was done",
        type=LOST if is_local else "WorkerStopped",
        # Temporal's core would try a local step again at once, in this worker.
        non_retryable=is_local,
    )


def _is_left_alone() -> bool:
    details = activity.cancellation_details()
    return activity.info().is_local or (details is not None and not details.worker_shutdown)
