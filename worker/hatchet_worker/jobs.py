"""The one Temporal workflow that runs every job."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from pydantic import ValidationError
from temporalio import workflow
from temporalio.common import RawValue, RetryPolicy, SearchAttributeKey
from temporalio.exceptions import ApplicationError, FailureError, is_cancelled_exception

from hatchet_schemas import (
    JobInput,
    ScheduledJobInput,
    Step,
    StepInput,
)
from hatchet_schemas.conditions import JobStatus
from hatchet_worker.decisions import job_is_wanted, step_is_wanted, wanted_input, wanted_mode
from hatchet_worker.default_modes import JobModes
from hatchet_worker.encrypted import check_readable
from hatchet_worker.errors import LocalStepLost
from hatchet_worker.failures import Place, invalid_job, is_lost, step_failure
from hatchet_worker.progress import JobProgress

__all__ = ["HEARTBEAT_TIMEOUT", "LOCAL_RETRY_THRESHOLD", "JobWorkflow"]

HEARTBEAT_TIMEOUT: Final = timedelta(seconds=30)
"""After this long without a sign of life from its worker, a step is tried on another."""

LOCAL_RETRY_THRESHOLD: Final = timedelta(microseconds=1)
"""A longer wait before another attempt at a local step, so each one, is a timer of Temporal's.

Inside the workflow task, a core that forgets to stop an attempt's timeout (temporalio 1.35) would
end a later attempt by it. What was done before the wait is also recorded, and the job may move.
"""

_WAITS_FOR_CANCELLED: Final = "wait-for-cancelled-step"  # a patch marker, of cancelled jobs alone
_SCHEDULED_TIME: Final = SearchAttributeKey.for_datetime("TemporalScheduledStartTime")
_MAX_SUMMARY_BYTES: Final = 390  # Temporal accepts 400, quotes included

_logger = structlog.get_logger("hatchet.worker")


@workflow.defn(dynamic=True)
class JobWorkflow:
    """Runs the steps of any job, one after another, each as one activity, regular or local.

    The input is one `JobInput`, or a `ScheduledJobInput` where the clock starts the job, of which
    one is made by the time that Temporal tells; the result is that of `JobProgress`. The activity's
    type is the action id and its id is the step's. Whoever starts the job hands its timeout to
    Temporal as the workflow's execution timeout; the steps' timeouts are set here. What can go
    wrong is listed in `hatchet_worker.failures`.

    Only the worker's activity knows the integrations; here is nothing but what a replay repeats.
    """

    def __init__(self) -> None:
        self.job_input: JobInput | None = None
        self._modes = JobModes()

    @workflow.run
    async def run(self, args: Sequence[RawValue]) -> dict[str, Any]:
        """Run the job.

        Raises:
            ApplicationError: a step failed, or the input is no job; its type says which.

        """
        self.job_input = job_input = _validated(args)
        progress = JobProgress(job_input)
        if not job_is_wanted(job_input, progress):
            _log(job_input, "job.skipped", condition=job_input.definition.if_)
            return {"steps": {}, "skipped": job_input.definition.if_}
        _log(job_input, "job.started", steps=len(job_input.definition.steps))
        await self._run_steps(job_input, progress)
        if progress.ended_by is not None:
            if progress.status is JobStatus.CANCELLED:
                _log(job_input, "job.cancelled")
            elif isinstance(progress.ended_by, ApplicationError):
                failure = progress.ended_by
                _log(
                    job_input,
                    "job.failed",
                    error=failure.type,
                    message=failure.message,
                    **_step_named_in(failure),
                )
            raise progress.ended_by
        seconds = (workflow.now() - workflow.info().start_time).total_seconds()
        _log(job_input, "job.completed", seconds=round(seconds, 3))
        return progress.result()

    async def _run_steps(self, job_input: JobInput, progress: JobProgress) -> None:
        """Run each step that is wanted as the job then stands; ``progress`` keeps how they end."""
        steps = job_input.definition.steps
        for number, step in enumerate(steps, start=1):
            workflow.set_current_details(
                f"Step {number} of {len(steps)}: {step.name} ({step.id}, {step.action_id})"
            )
            if workflow.cancellation_reason() is not None:
                progress.cancel()  # the step before may have completed all the same
            try:
                if not step_is_wanted(job_input, step, progress):
                    progress.skip(step)
                    if step.if_ is not None:
                        _log(job_input, "step.skipped", step=step.id, condition=step.if_)
                    continue
                step_input = wanted_input(job_input, step, progress.scope)
                mode = wanted_mode(step, self._modes.default_mode)
                settled = step.model_copy(update={"mode": mode})
                progress.complete(step, await self._run_step(settled, step_input))
            except ApplicationError as failure:
                progress.fail(step, failure)
                if step.continue_on_error:
                    _log(job_input, "step.tolerated", step=step.id, error=failure.type)
            except BaseException as error:
                # A worker that lets go of a job cancels it here, too; nobody has asked for that.
                if not is_cancelled_exception(error) or workflow.cancellation_reason() is None:
                    raise
                progress.cancel(step)
        workflow.set_current_details("")

    async def _run_step(self, step: Step, step_input: StepInput) -> dict[str, Any]:
        place = Place(step_input.workflow, step_input.job, step.id, step.action_id)
        try:
            return await (_run_locally if step.mode == "local" else _run_regularly)(
                step,
                # Plain data, so that any client's data converter can carry it.
                step_input.model_dump(mode="json"),
                RetryPolicy(
                    initial_interval=step.retry.backoff,
                    backoff_coefficient=step.retry.factor,
                    maximum_interval=step.retry.max_backoff,
                    maximum_attempts=step.retry.attempts,
                ),
            )
        except FailureError as error:
            if is_cancelled_exception(error):
                raise
            if is_lost(error):
                raise LocalStepLost from None
            raise step_failure(place, step, error) from error


async def _run_regularly(step: Step, data: dict[str, Any], retry: RetryPolicy) -> dict[str, Any]:
    handle: workflow.ActivityHandle[dict[str, Any]] = workflow.start_activity(
        str(step.action_id),
        data,
        activity_id=step.id,
        result_type=dict[str, Any],
        start_to_close_timeout=step.timeout,
        # Below that the step's own timeout finds a lost worker sooner.
        heartbeat_timeout=HEARTBEAT_TIMEOUT if step.timeout > HEARTBEAT_TIMEOUT else None,
        retry_policy=retry,
        cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
        summary=_summary(step.name),
    )
    try:
        return await asyncio.shield(handle)
    except asyncio.CancelledError:
        if workflow.cancellation_reason() is None:
            raise  # the worker lets go of the job
        handle.cancel()
        await asyncio.sleep(0)  # so that the handle asks Temporal to cancel the step before
        # Jobs that were cancelled under an earlier release did not wait.
        if not workflow.patched(_WAITS_FOR_CANCELLED):
            raise
    try:
        return await handle
    except FailureError as error:
        # Whatever came of it: nobody wants it any more, and it is not tried again.
        raise asyncio.CancelledError from error


async def _run_locally(step: Step, data: dict[str, Any], retry: RetryPolicy) -> dict[str, Any]:
    outputs: dict[str, Any] = await workflow.execute_local_activity(
        str(step.action_id),
        data,
        activity_id=step.id,
        result_type=dict[str, Any],
        start_to_close_timeout=step.timeout,
        retry_policy=retry,
        local_retry_threshold=LOCAL_RETRY_THRESHOLD,
        summary=_summary(step.name),
    )
    return outputs


def _validated(args: Sequence[RawValue]) -> JobInput:
    if args:
        check_readable(args[0].payload)
    data = args[0].payload.data if args else b""
    # Not by the data converter: its error would fail the workflow task, again and again.
    try:
        return JobInput.model_validate_json(data)
    except ValidationError as error:
        if ("schedule",) not in {detail["loc"] for detail in error.errors()}:
            raise invalid_job(error, workflow.info().workflow_type) from None
    try:
        return ScheduledJobInput.model_validate_json(data).at(_scheduled_time())
    except ValidationError as error:
        raise invalid_job(error, workflow.info().workflow_type) from None


def _scheduled_time() -> datetime:
    """Return the time that a schedule started this run for, however late it did.

    A run that somebody started with a schedule's input by hand is for when it started.
    """
    info = workflow.info()
    return info.typed_search_attributes.get(_SCHEDULED_TIME, info.workflow_start_time)


def _summary(name: str) -> str:
    return name.encode()[:_MAX_SUMMARY_BYTES].decode(errors="ignore")


def _step_named_in(failure: ApplicationError) -> dict[str, str]:
    [place] = failure.details or [{}]
    return {field: place[field] for field in ("step", "action") if field in place}


def _log(job_input: JobInput, event: str, **fields: object) -> None:
    if workflow.unsafe.is_replaying():
        return
    info = workflow.info()
    log = _logger.warning if event == "job.failed" else _logger.info
    log(
        event,
        workflow=job_input.workflow,
        job=job_input.job,
        event_id=job_input.event.id,
        event_key=job_input.event.key,
        workflow_id=info.workflow_id,
        run_id=info.run_id,
        **fields,
    )
