"""What templates and conditions can refer to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from hatchet_schemas.events import Event
from hatchet_schemas.job_input import JobInput
from hatchet_schemas.template_values import AbsentFields

__all__ = [
    "EVENT_FIELDS",
    "RESERVED_NAMES",
    "STEP_FIELDS",
    "StepFailure",
    "StepResult",
    "job_scope",
    "trigger_scope",
    "with_step",
]

RESERVED_NAMES: Final = frozenset({"event", "input", "job", "secrets", "steps", "vars", "workflow"})
"""Names that always mean ours; an event's field of the same name is found under ``.input``."""

EVENT_FIELDS: Final = ("id", "key", "time", "source")
"""What ``.event`` has."""

STEP_FIELDS: Final = ("outputs", "outcome", "conclusion", "failure")
"""What ``.steps.<id>`` has of ours; an output of the same name is found under ``.outputs``."""

Outcome = Literal["success", "failure", "skipped"]


@dataclass(frozen=True, slots=True)
class StepFailure:
    """Why a step failed: ``type`` is a stable name, ``message`` is for people."""

    type: str
    message: str


@dataclass(frozen=True, slots=True)
class StepResult:
    """What became of a step.

    ``outcome`` is how the step itself ended, ``conclusion`` how the job takes it: a failure with
    ``continue-on-error`` counts as a success.
    """

    outcome: Outcome
    conclusion: Outcome
    outputs: Mapping[str, Any] = field(default_factory=dict[str, Any])
    failure: StepFailure | None = None


def trigger_scope(event: Event, variables: Mapping[str, Any], workflow: str) -> dict[str, Any]:
    """Return what the ``if`` of a trigger sees: the event's fields, and our names over them."""
    fields = {key: value for key, value in event.data.items() if key not in RESERVED_NAMES}
    return {
        **fields,
        "input": event.data,
        "event": {
            "id": event.id,
            "key": event.key,
            "time": event.time.isoformat(),
            "source": event.source,
        },
        "vars": variables,
        "workflow": workflow,
    }


def job_scope(job_input: JobInput) -> dict[str, Any]:
    """Return the scope of a job before its first step."""
    scope = trigger_scope(job_input.event, job_input.vars, job_input.workflow)
    return {**scope, "job": job_input.job, "steps": {}}


def with_step(scope: Mapping[str, Any], step_id: str, result: StepResult) -> dict[str, Any]:
    """Return ``scope`` with what became of a step: ``.steps.<id>.outputs.<field>`` and the like.

    The short form ``.steps.<id>.<field>`` works too, but for outputs named as one of `STEP_FIELDS`.
    """
    failure = result.failure
    ours = {
        "outcome": result.outcome,
        "conclusion": result.conclusion,
        "failure": failure and {"type": failure.type, "message": failure.message},
    }
    step: dict[str, Any]
    if result.outcome == "success":
        step = {**result.outputs, "outputs": result.outputs, **ours}
    else:
        was = "was skipped" if result.outcome == "skipped" else "failed"
        reason = f"step {step_id!r} {was}, so it has no outputs"
        step = AbsentFields(reason, {"outputs": AbsentFields(reason), **ours})
    return {**scope, "steps": {**scope["steps"], step_id: step}}
