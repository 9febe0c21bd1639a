"""The workflow file's grammar: workflows, jobs and steps."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sized
from typing import Annotated, Any, Final, Self, TypeVar

from pydantic import (
    AfterValidator,
    AliasChoices,
    Field,
    JsonValue,
    ValidationError,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from hatchet_schemas.actions import ActionId
from hatchet_schemas.conditions import IfExpression
from hatchet_schemas.defaults import Defaults, RetryPolicy, with_defaults
from hatchet_schemas.durations import Duration
from hatchet_schemas.errors import SchemaError
from hatchet_schemas.model import GrammarModel
from hatchet_schemas.modes import MAX_LOCAL_TIMEOUT, MAX_LOCAL_WAIT, Mode
from hatchet_schemas.names import DEFAULT_QUEUE, Name, SecretName, WorkflowName
from hatchet_schemas.templates import pydantic_error, template_errors
from hatchet_schemas.triggers import Triggers

__all__ = ["Defaults", "Job", "RetryPolicy", "Step", "Workflow"]

_Filled = TypeVar("_Filled", bound=Sized)


def _not_empty(value: _Filled) -> _Filled:
    # After validation, so that items with problems are not reported as missing too.
    if not value:
        raise SchemaError("expected at least one")
    return value


def _check_templates(value: dict[str, Any]) -> dict[str, Any]:
    _raise_all(
        InitErrorDetails(type=pydantic_error(error), loc=error.loc, input=error.source)
        for error in template_errors(value)
    )
    return value


def _raise_all(errors: Iterable[InitErrorDetails]) -> None:
    # A validator can raise one error of its own, or a whole ValidationError.
    details = list(errors)
    if details:
        raise ValidationError.from_exception_data("workflow", details)


_DEFAULT_RETRY: Final = RetryPolicy()


class Step(GrammarModel):
    """One call of an action."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    """What the step does, for people; its id where it is left out."""

    id: Name
    """How later steps refer to this one: ``.steps.<id>.outputs``."""

    action_id: Annotated[
        ActionId,
        Field(
            validation_alias=AliasChoices("actionId", "action"),
            serialization_alias="actionId",
        ),
    ]
    """What to call: ``integration:verb``, such as ``slack:create-channel``."""

    if_: Annotated[IfExpression | None, Field(alias="if", exclude_if=operator.not_)] = None
    """Whether it runs at all, such as ``.user.active`` or ``failure()``."""

    continue_on_error: Annotated[
        bool, Field(alias="continue-on-error", exclude_if=operator.not_)
    ] = False
    """Whether the job goes on, and counts as completed, when this step fails."""

    timeout: Duration
    """How long each attempt may take; may be left out where ``defaults`` has one."""

    retry: RetryPolicy = _DEFAULT_RETRY
    """How often to try again when it fails."""

    mode: Annotated[Mode | None, Field(exclude_if=operator.not_)] = None
    """How it runs: ``regular``, or ``local`` for a quick step that may be run again; where neither
    it nor a level above says so, as its action does by default."""

    with_: Annotated[dict[str, Any], Field(alias="with"), AfterValidator(_check_templates)] = Field(
        default_factory=dict[str, Any]
    )
    """What the action gets; every text in it is a template."""

    @property
    def fits_local(self) -> bool:
        """Whether it is quick enough for a local step, by its timeout and the waits of its retry.

        Running jobs are replayed by this: upgrading.md says how it may change.
        """
        return self.timeout <= MAX_LOCAL_TIMEOUT and self.retry.longest_wait <= MAX_LOCAL_WAIT


class Job(GrammarModel):
    """Steps that run one after another, on the workers that serve ``queue``."""

    description: str | None = None
    """What the job is for."""

    queue: Name = DEFAULT_QUEUE
    """Which workers run it."""

    if_: Annotated[IfExpression | None, Field(alias="if", exclude_if=operator.not_)] = None
    """A condition on the event, such as ``.user.active``; where it is false no step runs."""

    timeout: Duration | None = None
    """How long the whole job may take, from its start, waiting for a worker included."""

    mode: Annotated[Mode | None, Field(exclude_if=operator.not_)] = None
    """How its steps run that do not say: ``regular``, or ``local`` for quick ones."""

    defaults: Defaults | None = None
    """What holds for the steps of this job; it goes before the workflow's ``defaults``."""

    steps: Annotated[tuple[Step, ...], Field(strict=False), AfterValidator(_not_empty)]
    """What to do, in this order."""

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


class Workflow(GrammarModel):
    """One workflow file: what starts it, and the jobs that then run in parallel."""

    name: WorkflowName
    """The workflow's name, unique over all files; part of each run's identity."""

    description: str | None = None
    """What the workflow is for."""

    on: Triggers
    """What starts it: an event key, a list of keys, or a map with events and cron."""

    vars: dict[Name, JsonValue] = Field(default_factory=dict[str, JsonValue])
    """Values for templates, ``.vars.<NAME>``; they go before those of the settings."""

    secrets: Annotated[tuple[SecretName, ...] | None, Field(strict=False)] = None
    """The secrets that the templates may name; without this field, any."""

    defaults: Defaults | None = None
    """What holds for all jobs and steps that do not say otherwise."""

    jobs: Annotated[dict[Name, Job], AfterValidator(_not_empty)]
    """The jobs, by name; they run in parallel."""

    @model_validator(mode="before")
    @classmethod
    def _complete(cls, value: object) -> object:
        return with_defaults(value)
