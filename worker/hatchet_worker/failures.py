"""How a job's failure is told: in one sentence that names workflow, job, step and action.

The `type` of the Temporal failure says what went wrong:

- ``InvalidJob``: the workflow's input is no job, of whatever release
- ``TemplateError``: a template in a step's ``with``, or an ``if``, could not be rendered
- ``InvalidInput``: the action cannot take the step's ``with``
- ``UnknownAction``: no integration of the worker has the action
- ``UnknownSecret``, ``UnreadableSecret``: a secret of the step's ``with`` is not to be had
- ``InvalidOutput``: what the action returned is not a JSON object, or too large
- ``OutcomeUnknown``: the action is at-most-once, and a lost attempt may have done its work
- ``UnsuitableMode``: the action is at-most-once, and the step is local
- ``StepTimedOut``: the step took longer than its timeout, or its worker was lost
- ``StepFailed``: the action raised; the cause has the exception's class name as its type

An `UnreadableJob` or a `LocalStepLost` does not end a job: it fails the workflow task alone, which
Temporal tries again.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final

from pydantic import ValidationError
from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    FailureError,
    RetryState,
    TimeoutError,  # noqa: A004 - Temporal's own, a failure that the server reports
    TimeoutType,
)

from hatchet_schemas import JobInput, Step, TemplateError, format_duration
from hatchet_worker.errors import (
    InvalidInput,
    InvalidOutput,
    OutcomeUnknown,
    StepTimedOut,
    UnknownAction,
    UnknownSecret,
    UnreadableJob,
    UnreadableSecret,
    UnsuitableMode,
)

__all__ = [
    "LOST",
    "Place",
    "condition_failure",
    "invalid_job",
    "is_lost",
    "oversized_input",
    "step_failure",
    "template_failure",
]

_OWN_TYPES: Final = frozenset(
    error.__name__
    for error in (
        InvalidInput,
        InvalidOutput,
        OutcomeUnknown,
        UnknownAction,
        UnknownSecret,
        UnreadableSecret,
        UnsuitableMode,
    )
)
LOST: Final = "hatchet.LocalStepLost"
"""The type of the failure of a local step that ended with its worker; no exception has the name."""

_MESSAGE_CHARACTERS: Final = 2000


@dataclass(frozen=True, slots=True)
class Place:
    """Where in which job something went wrong; the failure's details, field by field."""

    workflow: str
    job: str
    step: str
    action: str

    @classmethod
    def of(cls, job_input: JobInput, step: Step) -> Place:
        """Return the place of ``step``."""
        return cls(job_input.workflow, job_input.job, step.id, str(step.action_id))

    def __str__(self) -> str:
        return (
            f"workflow {self.workflow!r}, job {self.job!r}, "
            f"step {self.step!r}, action {self.action!r}"
        )

    def failure(self, message: str, failure_type: str) -> ApplicationError:
        """Return the failure that ends the job."""
        return ApplicationError(
            f"{self}: {message}", asdict(self), type=failure_type, non_retryable=True
        )


def invalid_job(error: ValidationError, workflow_type: str) -> ApplicationError | UnreadableJob:
    """Return what to raise of an input that is not a job; input values are not repeated.

    Where a router of another release may have written it, the job waits for a worker that can
    read it, with an `UnreadableJob`. A router checks what it starts, by the models of its own
    release; so all else was started by somebody else, and fails.
    """
    details = error.errors(include_url=False, include_context=False, include_input=False)
    findings = "; ".join(
        f"{'.'.join(map(str, detail['loc'])) or 'input'}: {detail['msg']}" for detail in details[:5]
    )
    if _is_of_another_release(error):
        return UnreadableJob(
            f"job {workflow_type!r}: its input is of another release of Hatchet, which this worker "
            f"cannot read: {findings}. The job waits for a worker that can: upgrade the workers"
        )
    return ApplicationError(
        f"job {workflow_type!r}: its input is not one that this worker understands: {findings}",
        type="InvalidJob",
        non_retryable=True,
    )


def _is_of_another_release(error: ValidationError) -> bool:
    """Return whether the input has a later format, or is a job but for what may be new in it."""
    details: list[Any] = error.errors(include_url=False, include_context=False)
    return any(
        detail["loc"] == ("format",) and type(detail["input"]) is int and detail["input"] > 1
        for detail in details
    ) or all(
        detail["type"] == "extra_forbidden"
        or (detail["loc"][:1] == ("definition",) and len(detail["loc"]) > 1)
        for detail in details
    )


def template_failure(place: Place, error: TemplateError) -> ApplicationError:
    """Return the failure of a step whose ``with`` or ``if`` could not be rendered."""
    return place.failure(str(error), "TemplateError")


def condition_failure(job_input: JobInput, error: TemplateError) -> ApplicationError:
    """Return the failure of a job whose ``if`` could not be decided."""
    return ApplicationError(
        f"workflow {job_input.workflow!r}, job {job_input.job!r}: {error.at(('if',))}",
        {"workflow": job_input.workflow, "job": job_input.job},
        type="TemplateError",
        non_retryable=True,
    )


def oversized_input(place: Place, size: int, limit: int) -> ApplicationError:
    """Return the failure of a step whose rendered ``with`` would not fit, in bytes of JSON."""
    return place.failure(
        f"the rendered `with` has {size:,} bytes as JSON, at most {limit:,} fit", "InvalidInput"
    )


def is_lost(error: BaseException) -> bool:
    """Return whether a local step ended with its worker: then it has not failed."""
    return isinstance(error, ApplicationError) and error.type == LOST


def step_failure(place: Place, step: Step, error: FailureError) -> ApplicationError:
    """Return the failure of a job whose step ended with ``error``.

    That is an `ActivityError` with its cause, or of a local step the cause alone: a timeout comes
    in the one way when it happens, and in the other when it is replayed.
    """
    cause = error.cause if isinstance(error, ActivityError) else error
    if isinstance(cause, TimeoutError) or getattr(cause, "type", None) == StepTimedOut.__name__:
        return place.failure(f"{_timeout(step, cause)}{_tries(step, error)}", "StepTimedOut")
    if isinstance(cause, ApplicationError) and cause.non_retryable and cause.type in _OWN_TYPES:
        return place.failure(cause.message[:_MESSAGE_CHARACTERS], cause.type)
    return place.failure(f"{_told(cause)}{_tries(step, error)}", "StepFailed")


def _timeout(step: Step, cause: BaseException | None) -> str:
    if isinstance(cause, TimeoutError) and cause.type is TimeoutType.HEARTBEAT:
        return (
            "its worker was lost, or an async action blocked the worker's event loop "
            "(write it as a plain def, and it runs in a thread)"
        )
    return f"not done within its timeout of {format_duration(step.timeout)}"


def _tries(step: Step, error: FailureError) -> str:
    if _all_attempts_failed(step, error) and step.retry.attempts > 1:
        return f" ({step.retry.attempts} attempts)"
    if isinstance(error, ActivityError) and error.retry_state is RetryState.TIMEOUT:
        return " (the next attempt would come after the job's timeout)"
    return ""


def _all_attempts_failed(step: Step, error: FailureError) -> bool:
    if step.mode == "local":
        # It has no retry state worth the name; and nothing but its policy ends its attempts.
        return not (isinstance(error, ApplicationError) and error.non_retryable)
    return (
        isinstance(error, ActivityError)
        and error.retry_state is RetryState.MAXIMUM_ATTEMPTS_REACHED
    )


def _told(cause: BaseException | None) -> str:
    if isinstance(cause, ApplicationError) and cause.type:
        return f"{cause.type}: {cause.message}"[:_MESSAGE_CHARACTERS]
    if isinstance(cause, FailureError):
        return cause.message[:_MESSAGE_CHARACTERS]
    return "no reason given" if cause is None else str(cause)[:_MESSAGE_CHARACTERS]
