"""The one Temporal activity that runs every step."""

from __future__ import annotations

import asyncio
import contextvars
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from pydantic import ValidationError
from structlog.contextvars import bound_contextvars
from temporalio import activity
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError
from temporalio.exceptions import CancelledError as TemporalCancelledError

from hatchet_schemas import StepInput
from hatchet_schemas.names import idempotency_key
from hatchet_worker.actions import Outputs
from hatchet_worker.context import Context, current_context, use_context
from hatchet_worker.counts import StepCounts, StepOutcome
from hatchet_worker.encrypted import check_readable
from hatchet_worker.errors import (
    NonRetryable,
    OutcomeUnknown,
    Retry,
    StepTimedOut,
    UnsuitableMode,
)
from hatchet_worker.heartbeats import Heartbeats
from hatchet_worker.masked_logs import masked_logger
from hatchet_worker.masking import SECRETS_IN_USE
from hatchet_worker.payloads import json_object
from hatchet_worker.raised import as_failure
from hatchet_worker.registry import RegisteredAction, Registry
from hatchet_worker.repeating import repeated
from hatchet_worker.running_steps import RunningSteps, worker_stopped
from hatchet_worker.secret_texts import secret_values, secrets_in, with_secrets
from hatchet_worker.secrets import SecretProvider

__all__ = ["HEARTBEAT_SECONDS", "StepRunner"]

HEARTBEAT_SECONDS: Final = 5.0
"""How often a running step gives a sign of life; this is also when it hears of a cancellation."""

# Temporal enforces the timeout, up to a second late; only then is it enforced here as well.
_LATE_SECONDS: Final = 1.0

T = TypeVar("T")


class StepRunner:
    """Runs steps: looks each one's action up, performs it, and returns its outputs.

    Async actions run on the event loop, others in ``executor``, with the context variables of the
    step; so do ``secrets``, which are the providers of secrets. A thread cannot be stopped from
    outside: a sync action that outlives its step's timeout keeps its thread until it returns.
    ``sleep`` waits before an action is called again within an attempt.

    What leaves a step, outputs, failures, heartbeats and records of logs, holds no secret's value.
    """

    def __init__(
        self,
        registry: Registry,
        executor: Executor,
        secrets: Sequence[SecretProvider] = (),
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        counts: StepCounts | None = None,
    ) -> None:
        self._counts = counts or StepCounts()
        self._registry = registry
        self._executor = executor
        self._secrets = secrets
        self._sleep = sleep
        self.running = RunningSteps()

    @activity.defn(dynamic=True)
    async def run_step(self, args: Sequence[RawValue]) -> dict[str, Any]:
        """Run one step, whose `StepInput` is the only argument.

        Raises:
            ApplicationError: the step failed, or its worker stopped; it says whether to try again.

        """
        with self.running.one_more():
            self._counts.running += 1
            try:
                return await self._run(_validated(args))
            finally:
                self._counts.running -= 1

    async def _run(self, step: StepInput) -> dict[str, Any]:
        fields = _fields(step)
        log = masked_logger("hatchet.worker").bind(**fields)
        heartbeats = Heartbeats(SECRETS_IN_USE.data)
        action: RegisteredAction | None = None
        ended: BaseException
        log.info("step.started")
        started = time.monotonic()
        try:
            action = self._registry[step.action_id]
            # Bound for what the action's libraries log, too.
            with bound_contextvars(**fields), use_context(_context(step, heartbeats, fields)):
                async with heartbeats.beating(HEARTBEAT_SECONDS):
                    outputs = await self._perform(action, step)
        except (asyncio.CancelledError, TemporalCancelledError) as error:
            ended, reason = error, self.running.cancellation_reason()
        except Exception as error:  # noqa: BLE001 - told to Temporal below, without its secrets
            ended, reason = error, None
        else:
            log.info("step.completed", seconds=self._ended(action, "completed", started))
            return outputs
        # Raised out here, so that what is raised does not carry the original as its context.
        if reason is not None:
            log.warning("step.cancelled", reason=reason)
            self._ended(action, "stopped" if reason == "worker-stopped" else "cancelled", started)
            if reason != "worker-stopped":
                raise asyncio.CancelledError
            ended = worker_stopped()
        at_most_once = action is not None and action.semantics == "at-most-once"
        failure = as_failure(ended, SECRETS_IN_USE, at_most_once=at_most_once)
        if reason is None:
            will_retry = _will_retry(failure, activity.info())
            log.warning(
                "step.failed",
                error=failure.type,
                message=failure.message,
                will_retry=will_retry,
                seconds=self._ended(action, "retried" if will_retry else "failed", started),
            )
        raise failure

    def _ended(
        self, action: RegisteredAction | None, outcome: StepOutcome, started: float
    ) -> float:
        """Count how an attempt ended; return how many seconds it took, for people."""
        seconds = time.monotonic() - started
        self._counts.ended(None if action is None else str(action.id), outcome, seconds)
        return round(seconds, 3)

    async def _perform(self, action: RegisteredAction, step: StepInput) -> dict[str, Any]:
        info = activity.info()
        if action.semantics == "at-most-once" and info.is_local:
            raise UnsuitableMode(
                f"{action.id} is at-most-once, and a local step is run again when its worker is "
                "lost: give the step mode: regular"
            )
        if action.semantics == "at-most-once" and info.attempt > 1:
            raise OutcomeUnknown(
                f"{action.id} is at-most-once, and attempt {info.attempt - 1} of this step may "
                "have done its work before its worker was lost or its time was over: "
                "find out, then start the job anew if need be"
            )
        timeout = info.start_to_close_timeout
        deadline = asyncio.timeout(timeout.total_seconds() + _LATE_SECONDS if timeout else None)
        try:
            async with deadline:
                outputs = await self._performed(action, step)
        except TimeoutError:
            if deadline.expired():
                raise StepTimedOut from None
            raise
        except asyncio.CancelledError as error:
            if self.running.cancellation_reason() is None:
                # Nobody cancelled the step: something that the action waited for was cancelled.
                raise RuntimeError("the action was cancelled from within") from error
            raise
        masked: dict[str, Any] = SECRETS_IN_USE.data(json_object(outputs))
        return masked

    async def _performed(self, action: RegisteredAction, step: StepInput) -> Outputs:
        if action.semantics != "at-most-once":
            return await self._called(action, step)
        # Temporal's next attempt could not know that nothing was done in this one.
        return await repeated(
            lambda: self._called(action, step),
            activity.info().retry_policy,
            current_context(),
            self._sleep,
        )

    async def _called(self, action: RegisteredAction, step: StepInput) -> Outputs:
        """Call the action with its secrets, which are masked from now on."""
        names = (*action.secrets, *secrets_in(step.secrets))
        if not names:
            return await self._awaited(action, step.with_)
        try:
            values = await self._in_thread(
                "a provider of secrets", lambda: secret_values(names, self._secrets, SECRETS_IN_USE)
            )
        except Exception as error:
            if action.semantics != "at-most-once" or isinstance(error, NonRetryable):
                raise
            raise Retry(f"{type(error).__name__}: {error}") from error  # nothing was done
        own = {name: values[name] for name in action.secrets}
        with use_context(replace(current_context(), secrets=own)):
            return await self._awaited(action, with_secrets(step.with_, step.secrets, values))

    async def _awaited(self, action: RegisteredAction, data: dict[str, Any]) -> Outputs:
        outputs: Outputs | Awaitable[Outputs]
        try:
            if action.is_async:
                outputs = action.perform(data)
            else:
                outputs = await self._in_thread("the action", lambda: action.perform(data))
            return await outputs if isinstance(outputs, Awaitable) else outputs
        except SystemExit as error:
            raise RuntimeError(f"the action tried to exit with {error.code!r}") from error

    async def _in_thread(self, what: str, function: Callable[[], T]) -> T:
        context = contextvars.copy_context()

        def call() -> T:
            try:
                return context.run(function)
            except StopIteration as error:
                # A future cannot carry it, so the step would hang; a forgotten next() raises it.
                raise RuntimeError(f"{what} raised StopIteration") from error
            except SystemExit as error:
                raise RuntimeError(f"{what} tried to exit with {error.code!r}") from error

        return await asyncio.get_running_loop().run_in_executor(self._executor, call)


def _validated(args: Sequence[RawValue]) -> StepInput:
    if args:
        check_readable(args[0].payload)
    try:
        return StepInput.model_validate_json(args[0].payload.data if args else b"")
    except ValidationError as error:
        raise ApplicationError(
            f"the input is not a step's: {error.error_count()} fields do not fit",
            type="InvalidInput",
            non_retryable=True,
        ) from None


def _fields(step: StepInput) -> dict[str, Any]:
    """Return what each record of a step's log has."""
    info = activity.info()
    return {
        "workflow": step.workflow,
        "job": step.job,
        "step": step.step,
        "action": str(step.action_id),
        "event_id": step.event.id,
        "event_key": step.event.key,
        "workflow_id": info.workflow_id,
        "run_id": info.workflow_run_id,
        "attempt": info.attempt,
    }


def _context(step: StepInput, heartbeats: Heartbeats, fields: dict[str, Any]) -> Context:
    info = activity.info()
    timeout = info.start_to_close_timeout
    return Context(
        event=step.event,
        workflow=step.workflow,
        job=step.job,
        step=step.step,
        action=step.action_id,
        attempt=info.attempt,
        deadline=datetime.now(UTC) + timeout if timeout else None,
        idempotency_key=idempotency_key(info.workflow_id or info.activity_id, step.step),
        heartbeat=heartbeats.record,
        heartbeat_details=tuple(info.heartbeat_details),
        logger=masked_logger("hatchet.action").bind(**fields),
    )


def _will_retry(failure: ApplicationError, info: activity.Info) -> bool:
    attempts = info.retry_policy.maximum_attempts if info.retry_policy else 0
    return not failure.non_retryable and (attempts == 0 or info.attempt < attempts)
