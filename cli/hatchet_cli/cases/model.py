"""The grammar of test files."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Final, Self

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from hatchet_schemas.model import Model
from hatchet_schemas.names import Name
from hatchet_schemas.patterns import is_pattern
from hatchet_schemas.scope import Outcome

__all__ = ["Case", "CaseEvent", "CaseFile", "ExpectedJob", "ExpectedStep", "FakeAttempt"]

_EVENT_TIME: Final = datetime(2000, 1, 1, tzinfo=UTC)


def _as_outcome(value: object) -> object:
    return {"outcome": value} if isinstance(value, str) else value


def _as_list(value: object) -> object:
    return value if isinstance(value, list) else [value]


def _as_key(text: str) -> str:
    if not text:
        raise PydanticCustomError("key", "an event key cannot be empty")
    if is_pattern(text):
        told = "{key} is a pattern; an event has one key, without * and #"
        raise PydanticCustomError("key", told, {"key": repr(text)})
    return text


class CaseEvent(Model):
    """What happens; all but ``key`` has a value of its own, the same each time."""

    key: Annotated[str, AfterValidator(_as_key)]
    data: dict[str, Any] = Field(default_factory=dict[str, Any])
    id: str = "event-1"
    time: Annotated[AwareDatetime, Field(strict=False)] = _EVENT_TIME
    source: str | None = None


class FakeAttempt(Model):
    """What an action does in one attempt: it puts ``outputs`` out, or fails with ``error``.

    An error that is ``final`` is not tried again, whatever the step's ``retry`` says.
    """

    outputs: dict[str, Any] | None = None
    error: str | None = None
    final: bool = False

    @model_validator(mode="after")
    def _is_one_thing(self) -> Self:
        if (self.outputs is None) == (self.error is None):
            raise PydanticCustomError("one_of", "expected either outputs or error")
        return self


class ExpectedStep(Model):
    """How a step ends; ``with`` is all that it is given, ``error`` a part of the failure's text."""

    outcome: Outcome = "success"
    with_: Annotated[dict[str, Any] | None, Field(alias="with")] = None
    error: str | None = None


class ExpectedJob(Model):
    """How a job ends, and those of its steps that matter."""

    outcome: Outcome = "success"
    error: str | None = None
    steps: dict[Name, Annotated[ExpectedStep, BeforeValidator(_as_outcome)]] = Field(
        default_factory=dict[str, ExpectedStep]
    )


class Case(Model):
    """One test: an event, what the actions do, and which jobs start and how these end.

    ``fakes`` are by step id, or ``<job>/<step>``; ``expect`` names jobs as ``<workflow>/<job>``,
    and no other job may start.
    """

    name: Annotated[str, Field(min_length=1)]
    event: CaseEvent
    vars: dict[str, Any] = Field(default_factory=dict[str, Any])
    fakes: dict[
        str, Annotated[list[FakeAttempt], Field(min_length=1), BeforeValidator(_as_list)]
    ] = Field(default_factory=dict[str, list[FakeAttempt]])
    expect: dict[str, Annotated[ExpectedJob, BeforeValidator(_as_outcome)]]


class CaseFile(Model):
    """The tests of one file."""

    cases: Annotated[list[Case], Field(min_length=1)]
