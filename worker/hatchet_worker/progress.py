"""How far a job is: what its steps gave, what they may refer to, and how it stands."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from temporalio.exceptions import ApplicationError

from hatchet_schemas import JobInput, Step
from hatchet_schemas.conditions import JobStatus
from hatchet_schemas.scope import StepFailure, StepResult, job_scope, with_step
from hatchet_worker.payloads import job_result

__all__ = ["JobProgress"]


class JobProgress:
    """What became of a job's steps so far.

    ``scope`` is what the next step can refer to, ``status`` how the job stands, and ``ended_by``
    what it will end with, once the steps that run after failures have run: the first failure, or
    the cancellation. ``results`` are how the steps ended, by id.
    """

    def __init__(self, job_input: JobInput) -> None:
        self.scope: Mapping[str, Any] = job_scope(job_input)
        self.status = JobStatus.SUCCESS
        self.ended_by: BaseException | None = None
        self.results: dict[str, StepResult] = {}
        self._outputs: dict[str, Mapping[str, Any]] = {}
        self._skipped: dict[str, str] = {}
        self._tolerated: dict[str, str] = {}

    def complete(self, step: Step, outputs: Mapping[str, Any]) -> None:
        """Keep what a step gave."""
        self._outputs[step.id] = outputs
        self._keep(step, StepResult("success", "success", outputs))

    def skip(self, step: Step) -> None:
        """Keep that a step did not run."""
        if step.if_ is not None:
            self._skipped[step.id] = step.if_
        self._keep(step, StepResult("skipped", "skipped"))

    def fail(self, step: Step, failure: ApplicationError) -> None:
        """Keep that a step failed: the job goes on to those that run after failures."""
        told = StepFailure(failure.type or "", failure.message)
        if step.continue_on_error:
            self._tolerated[step.id] = failure.message
            self._keep(step, StepResult("failure", "success", failure=told))
            return
        if self.status is JobStatus.SUCCESS:
            self.status, self.ended_by = JobStatus.FAILURE, failure
        self._keep(step, StepResult("failure", "failure", failure=told))

    def cancel(self, step: Step | None = None) -> None:
        """Keep that the job was cancelled, during ``step`` or between steps."""
        self.status, self.ended_by = JobStatus.CANCELLED, asyncio.CancelledError()
        if step is not None:
            told = StepFailure("Cancelled", "the job was cancelled")
            self._keep(step, StepResult("failure", "failure", failure=told))

    def result(self) -> dict[str, Any]:
        """Return the result of a job that completed.

        It is ``{"steps": {<id>: <outputs>}}``; where there are some, with the conditions of the
        steps that were skipped, and the failures that ``continue-on-error`` allowed, by step id.
        """
        result = job_result(self._outputs)
        if self._skipped:
            result["skipped_steps"] = self._skipped
        if self._tolerated:
            result["failed_steps"] = self._tolerated
        return result

    def _keep(self, step: Step, result: StepResult) -> None:
        self.results[step.id] = result
        self.scope = with_step(self.scope, step.id, result)
