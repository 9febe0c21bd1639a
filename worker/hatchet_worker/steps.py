"""The one Temporal activity that runs every step."""

from __future__ import annotations

import asyncio
import contextvars
import time
from collections.abc import AsyncGenerator, Awaitable, Sequence
from concurrent.futures import BrokenExecutor, Executor
from contextlib import asynccontextmanager
from typing import Any, Final

import structlog
from pydantic import ValidationError
from temporalio import activity
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError

from hatchet_schemas import StepInput
from hatchet_worker.actions import Outputs
from hatchet_worker.errors import NonRetryable, StepTimedOut
from hatchet_worker.payloads import json_object
from hatchet_worker.registry import RegisteredAction, Registry

__all__ = ["HEARTBEAT_SECONDS", "StepRunner"]

HEARTBEAT_SECONDS: Final = 5.0
"""How often a running step gives a sign of life; this is also when it hears of a cancellation."""

# Temporal enforces the timeout, up to a second late; only then is it enforced here as well.
_LATE_SECONDS: Final = 1.0

_logger = structlog.get_logger("hatchet.worker")


class StepRunner:
    """Runs steps: looks each one's action up, performs it, and returns its outputs.

    Async actions run on the event loop, others in ``executor``, with the context variables of the
    step. A thread cannot be stopped from outside: a sync action that outlives its step's timeout
    keeps its thread until it returns.
    """

    def __init__(self, registry: Registry, executor: Executor) -> None:
        self._registry = registry
        self._executor = executor
        self._running: set[asyncio.Task[Any]] = set()
        self._interrupted = False

    def interrupt(self) -> None:
        """End all running steps now; their retry policies decide what becomes of them."""
        self._interrupted = True
        for task in self._running:
            task.cancel()

    @activity.defn(dynamic=True)
    async def run_step(self, args: Sequence[RawValue]) -> dict[str, Any]:
        """Run one step, whose `StepInput` is the only argument.

        Raises:
            ApplicationError: the step failed and is not to be tried again, or was interrupted.

        """
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("an activity always runs in a task")
        self._running.add(task)
        try:
            async with _heartbeats():
                return await self._run(_validated(args))
        finally:
            self._running.discard(task)

    async def _run(self, step: StepInput) -> dict[str, Any]:
        info = activity.info()
        log = _logger.bind(
            workflow=step.workflow,
            job=step.job,
            step=step.step,
            action=str(step.action_id),
            event_id=step.event_id,
            event_key=step.event_key,
            workflow_id=info.workflow_id,
            run_id=info.workflow_run_id,
            attempt=info.attempt,
        )
        log.info("step.started")
        started = time.monotonic()
        try:
            outputs = json_object(await self._perform(step))
        except asyncio.CancelledError:
            reason = self._cancellation_reason()
            log.warning("step.cancelled", reason=reason)
            if reason == "worker-stopped":
                raise ApplicationError(
                    "the worker stopped before the step was done", type="WorkerStopped"
                ) from None
            raise
        except Exception as error:
            log.warning(
                "step.failed",
                error=type(error).__name__,
                message=str(error),
                will_retry=_will_retry(error, info),
                seconds=round(time.monotonic() - started, 3),
            )
            if isinstance(error, (NonRetryable, BrokenExecutor)):
                # For temporalio, a bare BrokenExecutor would mean that the worker is broken.
                raise ApplicationError(
                    str(error),
                    type=type(error).__name__,
                    non_retryable=isinstance(error, NonRetryable),
                ) from error.__cause__
            raise
        log.info("step.completed", seconds=round(time.monotonic() - started, 3))
        return outputs

    async def _perform(self, step: StepInput) -> Outputs:
        action = self._registry[step.action_id]
        timeout = activity.info().start_to_close_timeout
        deadline = asyncio.timeout(timeout.total_seconds() + _LATE_SECONDS if timeout else None)
        try:
            async with deadline:
                return await self._awaited(action, step.with_)
        except TimeoutError:
            if deadline.expired():
                raise StepTimedOut from None
            raise
        except asyncio.CancelledError as error:
            if self._cancellation_reason() is None:
                # Nobody cancelled the step: something that the action waited for was cancelled.
                raise RuntimeError("the action was cancelled from within") from error
            raise

    async def _awaited(self, action: RegisteredAction, data: dict[str, Any]) -> Outputs:
        if action.is_async:
            outputs = action.perform(data)
        else:
            context = contextvars.copy_context()
            outputs = await asyncio.get_running_loop().run_in_executor(
                self._executor, lambda: context.run(_perform_in_thread, action, data)
            )
        if isinstance(outputs, Awaitable):
            return await outputs
        return outputs

    def _cancellation_reason(self) -> str | None:
        details = activity.cancellation_details()
        if self._interrupted or (details is not None and details.worker_shutdown):
            return "worker-stopped"
        if details is None:
            return None
        # Temporal no longer knows the step when it has timed out or its job has ended.
        return "abandoned" if details.timed_out or details.not_found else "requested"


def _validated(args: Sequence[RawValue]) -> StepInput:
    try:
        return StepInput.model_validate_json(args[0].payload.data if args else b"")
    except ValidationError as error:
        raise ApplicationError(
            f"the input is not a step's: {error.error_count()} fields do not fit",
            type="InvalidInput",
            non_retryable=True,
        ) from None


def _perform_in_thread(
    action: RegisteredAction, data: dict[str, Any]
) -> Outputs | Awaitable[Outputs]:
    try:
        return action.perform(data)
    except StopIteration as error:
        # A future cannot carry it, so the step would hang; a forgotten next() raises it.
        raise RuntimeError("the action raised StopIteration") from error
    except SystemExit as error:
        raise RuntimeError(f"the action tried to exit with {error.code!r}") from error


def _will_retry(error: Exception, info: activity.Info) -> bool:
    if isinstance(error, NonRetryable) or (
        isinstance(error, ApplicationError) and error.non_retryable
    ):
        return False
    attempts = info.retry_policy.maximum_attempts if info.retry_policy else 0
    return attempts == 0 or info.attempt < attempts


@asynccontextmanager
async def _heartbeats() -> AsyncGenerator[None]:
    """Give signs of life as long as the step runs; the first only after a while."""

    async def beat() -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            activity.heartbeat()

    beating = asyncio.create_task(beat())
    try:
        yield
    finally:
        beating.cancel()
        await asyncio.wait([beating])
