"""Actions, jobs and workflows run in unit tests, without any server and without waiting.

    run = await run_workflow(".hatchet/sign-up.yaml", {"user": {"name": "Ada"}},
                             fakes={"create-channel": {"id": "C1"}})
    assert run["welcome"].step("say-hello").data == {"channel": "C1", "text": "Hello Ada"}

Conditions, templates, outputs, retries and ``continue-on-error`` are decided by the code that
workers run; an action that no given integration has is a stand-in. Not imitated are what takes
time, jobs' timeouts and cancellations, and the loss of a worker.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from temporalio.exceptions import ApplicationError

from hatchet_schemas import (
    ActionId,
    Event,
    EventHeader,
    JobInput,
    SourceFile,
    Step,
    StepInput,
    Workflow,
    load_definitions,
)
from hatchet_schemas.names import workflow_id
from hatchet_schemas.scope import Outcome, StepFailure
from hatchet_schemas.workflows import RetryPolicy
from hatchet_worker.decisions import job_is_wanted, step_is_wanted, wanted_input
from hatchet_worker.errors import WorkerError
from hatchet_worker.failures import Place, step_failure
from hatchet_worker.fakes import Call, Fake, FakingRegistry
from hatchet_worker.in_process import InProcessSteps
from hatchet_worker.integration import IntegrationLike
from hatchet_worker.progress import JobProgress
from hatchet_worker.registry import Registry
from hatchet_worker.secrets import SecretProvider

__all__ = [
    "ActionFailed",
    "Call",
    "Fake",
    "JobRun",
    "StepRun",
    "UnusableWorkflow",
    "run_action",
    "run_job",
    "run_workflow",
]

_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})
_TIMEOUT: Final = timedelta(minutes=1)


class ActionFailed(WorkerError):
    """An action failed; ``type`` is the failure's for Temporal, ``message`` is without secrets.

    ``will_retry`` says whether a worker would try it again, if the step's retry policy allows it.
    """

    def __init__(self, failure: ApplicationError) -> None:
        self.type = failure.type or "ApplicationError"
        self.message = failure.message
        self.will_retry = not failure.non_retryable
        super().__init__(f"{self.type}: {self.message}")


class UnusableWorkflow(WorkerError, ValueError):
    """A workflow file has problems; the message tells them all."""


@dataclass(frozen=True, slots=True)
class StepRun:
    """What became of a step.

    ``data`` is its rendered ``with``, a secret in it as ``***``; None where the step did not come
    so far. ``conclusion`` is how the job takes ``outcome``: a failure with ``continue-on-error``
    counts as a success. ``attempts`` is 0 where the action was not called.
    """

    id: str
    action: str
    outcome: Outcome
    conclusion: Outcome
    data: Mapping[str, Any] | None = None
    outputs: Mapping[str, Any] = field(default_factory=dict[str, Any])
    failure: StepFailure | None = None
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class JobRun:
    """What became of a job: its steps in their order, and all that they called.

    ``failure`` is what the job ended with. A job that is ``skipped`` has run no step.
    """

    workflow: str
    job: str
    outcome: Outcome
    steps: tuple[StepRun, ...] = ()
    calls: tuple[Call, ...] = ()
    failure: StepFailure | None = None

    def step(self, step_id: str) -> StepRun:
        """Return what became of the step with that id.

        Raises:
            LookupError: the job has none.

        """
        for step in self.steps:
            if step.id == step_id:
                return step
        ids = ", ".join(step.id for step in self.steps) or "none"
        raise LookupError(f"job {self.job!r} has run no step {step_id!r}: it has {ids}")


async def run_action(
    action: str,
    data: Mapping[str, Any] = _NOTHING,
    *,
    integrations: Iterable[IntegrationLike],
    secrets: Mapping[str, str] | Sequence[SecretProvider] = _NOTHING,
    event: EventHeader | None = None,
    timeout: timedelta = _TIMEOUT,  # noqa: ASYNC109 - the step's
) -> dict[str, Any]:
    """Return what an action of ``integrations`` puts out for one attempt with ``data``.

    ``secrets`` are values by name, or providers as a worker has them. With values, those that are
    not given are made up. The idempotency key is made of the id of ``event``; without one it is
    always the same.

    Raises:
        ActionFailed: it failed, does not exist, or cannot take the data.
        SchemaError: ``action`` is not the id of an action.

    """
    step = Step(
        name="step",
        id="step",
        action_id=ActionId(action),
        timeout=timeout,
        retry=RetryPolicy(attempts=1),
    )
    header = event or _event({}, "test").header
    step_input = StepInput(
        workflow="workflow",
        job="job",
        step=step.id,
        action_id=step.action_id,
        event=header,
        with_=dict(data),
    )
    async with InProcessSteps(Registry(integrations), _providers(secrets)) as steps:
        ended = await steps.run(step, step_input, f"workflow/job/{header.id}")
    if ended.error is not None:
        cause = ended.error.cause
        if not isinstance(cause, ApplicationError):
            raise TypeError("a step ends with an ApplicationError")
        raise ActionFailed(cause) from cause
    return ended.outputs


async def run_job(
    job_input: JobInput,
    *,
    integrations: Iterable[IntegrationLike] = (),
    fakes: Mapping[str, Fake] = _NOTHING,
    secrets: Mapping[str, str] | Sequence[SecretProvider] = _NOTHING,
) -> JobRun:
    """Return what becomes of a job.

    ``integrations`` are called in earnest, all other actions are stand-ins which put out nothing.
    ``fakes`` say by step id (``<job>/<step>`` where jobs share it) or by action id what an action
    does instead. ``secrets`` are as for `run_action`.
    """
    registry = FakingRegistry(integrations, fakes)
    progress = JobProgress(job_input)
    try:
        if not job_is_wanted(job_input, progress):
            return JobRun(job_input.workflow, job_input.job, "skipped")
    except ApplicationError as failure:
        return JobRun(job_input.workflow, job_input.job, "failure", failure=_told(failure))
    async with InProcessSteps(registry, _providers(secrets)) as steps:
        ran = [await _run(each, job_input, progress, steps) for each in job_input.definition.steps]
    failed = progress.ended_by
    return JobRun(
        job_input.workflow,
        job_input.job,
        "success" if failed is None else "failure",
        tuple(ran),
        tuple(registry.calls),
        _told(failed) if isinstance(failed, ApplicationError) else None,
    )


async def run_workflow(
    workflow: Workflow | str | Path,
    data: Mapping[str, Any] = _NOTHING,
    *,
    key: str = "test",
    event: Event | None = None,
    integrations: Iterable[IntegrationLike] = (),
    fakes: Mapping[str, Fake] = _NOTHING,
    secrets: Mapping[str, str] | Sequence[SecretProvider] = _NOTHING,
    variables: Mapping[str, Any] = _NOTHING,
) -> dict[str, JobRun]:
    """Return what becomes of each job of a workflow, or of the file that holds it, by job name.

    Its triggers are not asked: the jobs get an event with ``key`` and ``data``, or ``event``.
    ``variables`` are those of HATCHET_VARS; the rest is as for `run_job`.

    Raises:
        UnusableWorkflow: the file has errors.
        OSError: it cannot be read.

    """
    definition = workflow if isinstance(workflow, Workflow) else _loaded(Path(workflow), variables)
    given = tuple(integrations)
    return {
        name: await run_job(
            JobInput(
                workflow=definition.name,
                job=name,
                event=event or _event(dict(data), key),
                vars={**variables, **definition.vars},
                definition=job,
            ),
            integrations=given,
            fakes=fakes,
            secrets=secrets,
        )
        for name, job in definition.jobs.items()
    }


async def _run(
    step: Step, job_input: JobInput, progress: JobProgress, steps: InProcessSteps
) -> StepRun:
    """Run a step if it is wanted; it is decided, and kept in ``progress``, as in JobWorkflow."""
    data: Mapping[str, Any] | None = None
    outputs: Mapping[str, Any] = _NOTHING
    attempts = 0
    try:
        if step_is_wanted(job_input, step, progress):
            step_input = wanted_input(job_input, step, progress.scope)
            data = step_input.with_
            ended = await steps.run(step, step_input, _workflow_id(job_input))
            attempts = ended.attempts
            if ended.error is not None:
                raise step_failure(Place.of(job_input, step), step, ended.error)
            outputs = ended.outputs
            progress.complete(step, outputs)
        else:
            progress.skip(step)
    except ApplicationError as failure:
        progress.fail(step, failure)
    result = progress.results[step.id]
    return StepRun(
        step.id,
        str(step.action_id),
        result.outcome,
        result.conclusion,
        data,
        outputs,
        result.failure,
        attempts,
    )


def _loaded(file: Path, variables: Mapping[str, Any]) -> Workflow:
    source = SourceFile(str(file), file.read_bytes())
    definitions, problems = load_definitions([source], known_vars=frozenset(variables))
    if not definitions:
        raise UnusableWorkflow("\n".join(problem.with_caret() for problem in problems))
    return definitions[0].workflow


def _event(data: dict[str, Any], key: str) -> Event:
    return Event(id="event-1", key=key, time=datetime.now(UTC), data=data)


def _workflow_id(job_input: JobInput) -> str:
    event = job_input.event
    return workflow_id(job_input.workflow, job_input.job, event.id, event.source)


def _told(failure: ApplicationError) -> StepFailure:
    return StepFailure(failure.type or "", failure.message)


def _providers(
    secrets: Mapping[str, str] | Sequence[SecretProvider],
) -> tuple[SecretProvider, ...]:
    if not isinstance(secrets, Mapping):
        return tuple(secrets)
    values = dict(secrets)
    return (lambda name: values.get(name, f"secret-{name}"),)
