"""The recorded histories refuse a JobWorkflow that would break running jobs."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from temporalio import workflow
from temporalio.client import WorkflowHistory
from temporalio.common import RawValue
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.exceptions import ApplicationError
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner

import hatchet_schemas.workflows
from hatchet_schemas import ActionId, Job, JobInput, Step, StepInput
from hatchet_schemas.modes import Mode
from hatchet_worker.default_modes import JobModes
from hatchet_worker.jobs import JobWorkflow
from hatchet_worker.progress import JobProgress

HISTORIES: Final = sorted((Path(__file__).parent / "histories").rglob("*.json"))


@dataclass(frozen=True)
class Recorded:
    """One history, and what of it a change can be at odds with."""

    name: str
    history: WorkflowHistory
    events: Sequence[dict[str, Any]]

    @property
    def steps(self) -> list[dict[str, Any]]:
        """What was scheduled, the regular steps first."""
        return [*self.regular_steps, *self.local_steps]

    @property
    def regular_steps(self) -> list[dict[str, Any]]:
        """What was scheduled as a regular step, in this order."""
        return self.of("ACTIVITY_TASK_SCHEDULED", "activityTaskScheduledEventAttributes")

    @property
    def local_steps(self) -> list[dict[str, Any]]:
        """What Temporal's core has written down of each local step's last attempt."""
        markers = self.of("MARKER_RECORDED", "markerRecordedEventAttributes")
        payloads = [
            marker["details"]["data"]["payloads"][0]["data"]
            for marker in markers
            if marker["markerName"] == "core_local_activity"
        ]
        attempts = [json.loads(base64.b64decode(payload)) for payload in payloads]
        return list({attempt["activity_id"]: attempt for attempt in attempts}.values())

    @property
    def failed(self) -> bool:
        """Whether the job failed."""
        return bool(self.of("WORKFLOW_EXECUTION_FAILED", "eventTime"))

    @property
    def cancelled(self) -> bool:
        """Whether the job was cancelled."""
        return bool(self.of("WORKFLOW_EXECUTION_CANCELED", "eventTime"))

    @property
    def defined(self) -> int:
        """How many steps the job has; none where the input is no job."""
        try:
            return len(JobInput.model_validate_json(_input(self.history)).definition.steps)
        except ValueError:
            return 0

    @property
    def began(self) -> bool:
        """Whether it came to the first step, to run or to skip it."""
        return self.defined > 0 and self.name not in {"skipped-job", "undecidable-job"}

    def of(self, event_type: str, attributes: str) -> list[Any]:
        """Return the attributes of all events of a type."""
        return [
            event[attributes]
            for event in self.events
            if event["eventType"] == f"EVENT_TYPE_{event_type}"
        ]


def _input(history: WorkflowHistory) -> bytes:
    started = history.events[0].workflow_execution_started_event_attributes
    return started.input.payloads[0].data


def _recorded(file: Path) -> Recorded:
    data = json.loads(file.read_text())
    history = WorkflowHistory.from_json(f"Recorded/{file.stem}/replayed", data)
    return Recorded(file.stem, history, data["events"])


RECORDED: Final = [_recorded(file) for file in HISTORIES]


async def refused_by(changed: type) -> set[str]:
    """Return the jobs that would break if ``changed`` took over."""
    replayer = Replayer(
        workflows=[changed],
        workflow_runner=UnsandboxedWorkflowRunner(),
        data_converter=pydantic_data_converter,
    )
    refused: set[str] = set()
    for recorded in RECORDED:
        result = await replayer.replay_workflow(recorded.history, raise_on_replay_failure=False)
        if result.replay_failure is not None:
            assert isinstance(result.replay_failure, workflow.NondeterminismError)
            refused.add(recorded.name)
    return refused


def _workflow(changed: type[JobWorkflow]) -> type[JobWorkflow]:
    """Return ``changed`` as a workflow of Temporal's, which wants a `run` of each class's own."""

    # Temporal takes an annotated `self` for an argument of the workflow.
    async def run(self, args: Sequence[RawValue]) -> dict[str, Any]:  # type: ignore[no-untyped-def]  # noqa: ANN001
        result: dict[str, Any] = await JobWorkflow.run(self, args)
        return result

    run.__qualname__ = f"{changed.__qualname__}.run"
    changed.run = workflow.run(run)  # type: ignore[method-assign]
    return workflow.defn(dynamic=True)(changed)


def _with_steps(job_input: JobInput, steps: Sequence[Step]) -> JobInput:
    definition: Job = job_input.definition.model_copy(update={"steps": tuple(steps)})
    return job_input.model_copy(update={"definition": definition})


@_workflow
class StepsBackwards(JobWorkflow):
    """Runs the last step first."""

    async def _run_steps(self, job_input: JobInput, progress: JobProgress) -> None:
        steps = job_input.definition.steps[::-1]
        await super()._run_steps(_with_steps(job_input, steps), progress)


@_workflow
class LastStepDropped(JobWorkflow):
    """Forgets the last step."""

    async def _run_steps(self, job_input: JobInput, progress: JobProgress) -> None:
        steps = job_input.definition.steps[:-1]
        await super()._run_steps(_with_steps(job_input, steps), progress)


@_workflow
class OtherIds(JobWorkflow):
    """Gives the activities other ids."""

    async def _run_step(self, step: Step, step_input: StepInput) -> dict[str, Any]:
        renamed = step.model_copy(update={"id": f"step-{step.id}"})
        return await super()._run_step(renamed, step_input)


@_workflow
class OtherTypes(JobWorkflow):
    """Gives the activities another type."""

    async def _run_step(self, step: Step, step_input: StepInput) -> dict[str, Any]:
        renamed = step.model_copy(update={"action_id": ActionId("hatchet:step")})
        return await super()._run_step(renamed, step_input)


@_workflow
class ActivityAdded(JobWorkflow):
    """Reports each job when its steps are done."""

    async def _run_steps(self, job_input: JobInput, progress: JobProgress) -> None:
        await super()._run_steps(job_input, progress)
        await workflow.execute_activity(
            "hatchet:report", start_to_close_timeout=timedelta(seconds=10)
        )


@_workflow
class TimerAdded(JobWorkflow):
    """Waits a while before the first step."""

    async def _run_steps(self, job_input: JobInput, progress: JobProgress) -> None:
        await workflow.sleep(1)
        await super()._run_steps(job_input, progress)


@_workflow
class ConditionsIgnored(JobWorkflow):
    """Runs each step only as long as none has failed, whatever its `if` says."""

    async def _run_steps(self, job_input: JobInput, progress: JobProgress) -> None:
        steps = [step.model_copy(update={"if_": None}) for step in job_input.definition.steps]
        await super()._run_steps(_with_steps(job_input, steps), progress)


@_workflow
class NothingTolerated(JobWorkflow):
    """Has forgotten `continue-on-error`."""

    async def _run_steps(self, job_input: JobInput, progress: JobProgress) -> None:
        steps = [
            step.model_copy(update={"continue_on_error": False})
            for step in job_input.definition.steps
        ]
        await super()._run_steps(_with_steps(job_input, steps), progress)


@_workflow
class FailuresReturned(JobWorkflow):
    """Completes where a job fails."""

    async def _run_steps(self, job_input: JobInput, progress: JobProgress) -> None:
        await super()._run_steps(job_input, progress)
        if isinstance(progress.ended_by, ApplicationError):
            progress.ended_by = None


@_workflow
class CancellationFails(JobWorkflow):
    """Fails where a job was cancelled."""

    async def _run_steps(self, job_input: JobInput, progress: JobProgress) -> None:
        await super()._run_steps(job_input, progress)
        if workflow.cancellation_reason() is not None:
            progress.ended_by = ApplicationError("cancelled")


@_workflow
class ModesIgnored(JobWorkflow):
    """Runs local steps as regular ones."""

    async def _run_step(self, step: Step, step_input: StepInput) -> dict[str, Any]:
        return await super()._run_step(step.model_copy(update={"mode": "regular"}), step_input)


@_workflow
class LocalByDefault(JobWorkflow):
    """Runs regular steps as local ones."""

    async def _run_step(self, step: Step, step_input: StepInput) -> dict[str, Any]:
        return await super()._run_step(step.model_copy(update={"mode": "local"}), step_input)


class _NoDefaults(JobModes):
    def default_mode(self, action_id: ActionId) -> Mode:
        return "regular"


@_workflow
class DefaultsForgotten(JobWorkflow):
    """Runs what is local by default as a regular step, without a look at the history."""

    def __init__(self) -> None:
        super().__init__()
        self._modes = _NoDefaults()


@_workflow
class PatchedTimer(JobWorkflow):
    """Waits a while before the first step, in jobs that begin with this release."""

    async def _run_steps(self, job_input: JobInput, progress: JobProgress) -> None:
        if workflow.patched("wait-before-the-first-step"):
            await workflow.sleep(1)
        await super()._run_steps(job_input, progress)


@_workflow
class HarmlessChange(JobWorkflow):
    """Hands the activities something else, tries them otherwise, and tells more."""

    async def _run_step(self, step: Step, step_input: StepInput) -> dict[str, Any]:
        workflow.set_current_details("something else")
        retry = step.retry.model_copy(update={"attempts": step.retry.attempts + 1})
        changed = step.model_copy(
            update={"timeout": 2 * step.timeout, "retry": retry, "name": f"The step {step.id}"}
        )
        other = step_input.model_copy(update={"with_": {"changed": True}})
        return await super()._run_step(changed, other)


# The jobs in which an `if` decided over a step.
CONDITIONAL: Final = {
    "skipped-step",
    "nothing-to-do",
    "undecidable-step",
    "vars",
    "steps-after-a-failure",
    "steps-after-a-cancellation",
    "several-failures",
    "timed-out-twice",
    "cancelled-between-steps",
}


@pytest.mark.parametrize(
    ("changed", "breaks"),
    [
        (StepsBackwards, lambda job: len(job.steps) > 1 and not job.cancelled),
        (LastStepDropped, lambda job: 0 < job.defined == len(job.steps)),
        (OtherIds, lambda job: job.steps),
        (OtherTypes, lambda job: job.steps),
        (ActivityAdded, lambda job: job.began),
        (TimerAdded, lambda job: job.began and job.name != "cancelled-before"),
        (ConditionsIgnored, lambda job: job.name in CONDITIONAL),
        (NothingTolerated, lambda job: job.name in {"tolerated-failure", "tolerated-timeout"}),
        (FailuresReturned, lambda job: job.failed and job.began),
        (CancellationFails, lambda job: job.cancelled),
        (ModesIgnored, lambda job: job.local_steps),
        (LocalByDefault, lambda job: job.regular_steps),
        (DefaultsForgotten, lambda job: job.name == "local-by-default"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
async def test_a_change_is_refused_by_the_jobs_that_it_would_break(
    changed: type, breaks: Callable[[Recorded], object]
) -> None:
    """This suite can fail."""
    broken = {recorded.name for recorded in RECORDED if breaks(recorded)}

    assert broken
    assert broken <= await refused_by(changed)


@pytest.mark.parametrize("limit", ["MAX_LOCAL_TIMEOUT", "MAX_LOCAL_WAIT"])
@pytest.mark.parametrize("change", [timedelta(milliseconds=-1), timedelta(milliseconds=1)])
async def test_other_limits_for_local_steps_are_refused_by_a_job_that_is_at_them(
    monkeypatch: pytest.MonkeyPatch, limit: str, change: timedelta
) -> None:
    """They decide which steps an action's default is for."""
    name = f"hatchet_schemas.workflows.{limit}"
    monkeypatch.setattr(name, getattr(hatchet_schemas.workflows, limit) + change)

    assert await refused_by(JobWorkflow) == {"local-by-default"}


@pytest.mark.parametrize("changed", [PatchedTimer, HarmlessChange])
async def test_a_change_that_breaks_no_job_is_refused_by_none(changed: type) -> None:
    """Patched, it is for jobs to come; and what an activity is handed is not compared."""
    assert await refused_by(changed) == set()
