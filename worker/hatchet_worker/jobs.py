"""The one Temporal workflow that runs every job."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

import structlog
from pydantic import ValidationError
from temporalio import workflow
from temporalio.common import RawValue, RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

from hatchet_schemas import JobInput, Step, StepInput, TemplateError
from hatchet_schemas.scope import job_scope, with_step_outputs
from hatchet_schemas.templates import render
from hatchet_worker.failures import (
    Place,
    invalid_job,
    oversized_input,
    step_failure,
    template_failure,
)
from hatchet_worker.payloads import MAX_PAYLOAD_BYTES, encoded_size, job_result

__all__ = ["HEARTBEAT_TIMEOUT", "JobWorkflow"]

HEARTBEAT_TIMEOUT: Final = timedelta(seconds=30)
"""After this long without a sign of life from its worker, a step is tried on another."""

_MAX_SUMMARY_BYTES: Final = 390  # Temporal accepts 400, quotes included

_logger = structlog.get_logger("hatchet.worker")


@workflow.defn(dynamic=True)
class JobWorkflow:
    """Runs the steps of any job, one after another, each as one activity.

    The input is one `JobInput`; the result is ``{"steps": {<id>: <outputs>}}``. The activity's type
    is the action id and its id is the step's. Whoever starts the job hands its timeout to Temporal
    as the workflow's execution timeout; the steps' timeouts are set here. What can go wrong is
    listed in `hatchet_worker.failures`.

    Only the worker's activity knows the integrations; here is nothing but what a replay repeats.
    """

    @workflow.run
    async def run(self, args: Sequence[RawValue]) -> dict[str, Any]:
        """Run the job.

        Raises:
            ApplicationError: a step failed, or the input is no job; its type says which.

        """
        job_input = _validated(args)
        _log(job_input, "job.started", steps=len(job_input.definition.steps))
        try:
            outputs = await self._run_steps(job_input)
        except ApplicationError as failure:
            _log(job_input, "job.failed", error=failure.type, **_step_named_in(failure))
            raise
        except BaseException as error:
            if is_cancelled_exception(error):
                _log(job_input, "job.cancelled")
            raise
        seconds = (workflow.now() - workflow.info().start_time).total_seconds()
        _log(job_input, "job.completed", seconds=round(seconds, 3))
        return job_result(outputs)

    async def _run_steps(self, job_input: JobInput) -> dict[str, dict[str, Any]]:
        scope = job_scope(job_input)
        outputs: dict[str, dict[str, Any]] = {}
        steps = job_input.definition.steps
        for number, step in enumerate(steps, start=1):
            workflow.set_current_details(
                f"Step {number} of {len(steps)}: {step.name} ({step.id}, {step.action_id})"
            )
            outputs[step.id] = await self._run_step(step, _step_input(job_input, step, scope))
            scope = with_step_outputs(scope, step.id, outputs[step.id])
        workflow.set_current_details("")
        return outputs

    async def _run_step(self, step: Step, step_input: StepInput) -> dict[str, Any]:
        place = Place(step_input.workflow, step_input.job, step.id, step.action_id)
        try:
            outputs: dict[str, Any] = await workflow.execute_activity(
                str(step.action_id),
                # Plain data, so that any client's data converter can carry it.
                step_input.model_dump(mode="json"),
                activity_id=step.id,
                result_type=dict[str, Any],
                start_to_close_timeout=step.timeout,
                # Below that the step's own timeout finds a lost worker sooner.
                heartbeat_timeout=HEARTBEAT_TIMEOUT if step.timeout > HEARTBEAT_TIMEOUT else None,
                retry_policy=RetryPolicy(
                    initial_interval=step.retry.backoff,
                    backoff_coefficient=step.retry.factor,
                    maximum_interval=step.retry.max_backoff,
                    maximum_attempts=step.retry.attempts,
                ),
                summary=_summary(step.name),
            )
        except ActivityError as error:
            if workflow.cancellation_reason() is not None:
                raise
            raise step_failure(place, step, error) from error
        return outputs


def _validated(args: Sequence[RawValue]) -> JobInput:
    try:
        # Not by the data converter: its error would fail the workflow task, again and again.
        return JobInput.model_validate_json(args[0].payload.data if args else b"")
    except ValidationError as error:
        raise invalid_job(error, workflow.info().workflow_type) from None


def _step_input(job_input: JobInput, step: Step, scope: dict[str, Any]) -> StepInput:
    place = Place.of(job_input, step)
    try:
        rendered = render(step.with_, scope, ("with",))
    except TemplateError as error:
        raise template_failure(place, error) from None
    size = encoded_size(rendered)
    if size > MAX_PAYLOAD_BYTES:
        raise oversized_input(place, size, MAX_PAYLOAD_BYTES)
    return StepInput(
        workflow=job_input.workflow,
        job=job_input.job,
        step=step.id,
        action_id=step.action_id,
        event_id=job_input.event.id,
        event_key=job_input.event.key,
        with_=rendered,
    )


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
