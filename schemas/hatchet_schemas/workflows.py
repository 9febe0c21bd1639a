"""The workflow file's grammar: triggers, jobs and steps."""

from __future__ import annotations

from collections.abc import Iterable, Sized
from datetime import timedelta
from typing import Annotated, Any, Final, Self, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from hatchet_schemas.actions import ActionId
from hatchet_schemas.cron import check_schedule, check_timezone
from hatchet_schemas.durations import Duration
from hatchet_schemas.errors import SchemaError
from hatchet_schemas.model import Model
from hatchet_schemas.names import DEFAULT_QUEUE, Name, WorkflowName
from hatchet_schemas.patterns import check_pattern
from hatchet_schemas.templates import template_errors

__all__ = ["CronTrigger", "Job", "RetryPolicy", "Step", "Triggers", "Workflow"]

EventPattern = Annotated[str, AfterValidator(check_pattern)]
"""An event key, or a pattern with ``*`` and ``#``."""


_Filled = TypeVar("_Filled", bound=Sized)


def _not_empty(value: _Filled) -> _Filled:
    # After validation, so that items with problems are not reported as missing too.
    if not value:
        raise SchemaError("expected at least one")
    return value


def _as_list(value: object) -> object:
    return value if isinstance(value, (list, tuple)) else [value]


def _check_templates(value: dict[str, Any]) -> dict[str, Any]:
    _raise_all(
        InitErrorDetails(
            type=PydanticCustomError("template", "{reason}", {"reason": str(error.at(()))}),
            loc=error.loc,
            input=error.source,
        )
        for error in template_errors(value)
    )
    return value


def _raise_all(errors: Iterable[InitErrorDetails]) -> None:
    # A validator can raise one error of its own, or a whole ValidationError.
    details = list(errors)
    if details:
        raise ValidationError.from_exception_data("workflow", details)


class CronTrigger(Model):
    """Runs the workflow by the clock."""

    schedule: Annotated[str, AfterValidator(check_schedule)]
    timezone: Annotated[str, AfterValidator(check_timezone)] = "UTC"


class Triggers(Model):
    """What starts a workflow; in the file a key, a list of keys, or a map of both kinds."""

    events: Annotated[tuple[EventPattern, ...], BeforeValidator(_as_list), Field(strict=False)] = ()
    cron: Annotated[tuple[CronTrigger, ...], BeforeValidator(_as_list), Field(strict=False)] = ()

    @model_validator(mode="before")
    @classmethod
    def _from_short_form(cls, value: object) -> object:
        return {"events": value} if isinstance(value, (str, list, tuple)) else value

    @model_validator(mode="after")
    def _something_triggers(self) -> Self:
        if not self.events and not self.cron:
            raise PydanticCustomError(
                "no_trigger", "nothing starts this workflow: expected an event key or a cron"
            )
        return self


class RetryPolicy(Model):
    """How often a failed step is tried again, and how long to wait in between.

    ``attempts`` counts the first one too. The wait begins at ``backoff`` and grows by ``factor``
    up to ``max_backoff``.
    """

    attempts: Annotated[int, Field(ge=1, le=1000)] = 5
    backoff: Duration = timedelta(seconds=1)
    factor: Annotated[float, Field(ge=1, le=100, strict=False)] = 2.0
    max_backoff: Annotated[Duration, Field(alias="max-backoff")] = timedelta(minutes=1)

    @model_validator(mode="after")
    def _waits_can_grow(self) -> Self:
        # Temporal refuses a policy whose longest wait is below its first.
        if self.max_backoff < self.backoff:
            raise PydanticCustomError(
                "backoff_order", "max-backoff is shorter than backoff (1s where none is given)"
            )
        return self


_DEFAULT_RETRY: Final = RetryPolicy()


class Step(Model):
    """One call of an action; ``timeout`` bounds each attempt, ``with`` is what the action gets."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    id: Name
    action_id: Annotated[ActionId, Field(alias="actionId")]
    timeout: Duration
    retry: RetryPolicy = _DEFAULT_RETRY
    with_: Annotated[dict[str, Any], Field(alias="with"), AfterValidator(_check_templates)] = Field(
        default_factory=dict[str, Any]
    )


class Job(Model):
    """Steps that run one after another, on the workers that serve ``queue``.

    ``timeout`` bounds the whole job from its start, waiting for a worker included; without one
    the job may take as long as its steps do.
    """

    queue: Name = DEFAULT_QUEUE
    timeout: Duration | None = None
    steps: Annotated[tuple[Step, ...], Field(strict=False), AfterValidator(_not_empty)]

    @model_validator(mode="after")
    def _step_ids_differ(self) -> Self:
        first: dict[str, int] = {}
        for index, step in enumerate(self.steps):
            first.setdefault(step.id, index)
        _raise_all(
            InitErrorDetails(
                type=PydanticCustomError(
                    "duplicate_id", "step id '{id}' is used twice in this job", {"id": step.id}
                ),
                loc=("steps", index, "id"),
                input=step.id,
            )
            for index, step in enumerate(self.steps)
            if first[step.id] != index
        )
        return self


class Workflow(Model):
    """One workflow file: what starts it, and the jobs that then run in parallel."""

    name: WorkflowName
    on: Triggers
    jobs: Annotated[dict[Name, Job], AfterValidator(_not_empty)]
