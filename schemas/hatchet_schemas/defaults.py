"""What a workflow file says once for all jobs and steps, said to each of them.

A running job carries its definition alone, so that it must be complete without the file. It is
completed before it is validated; what is wrong with a default is reported where it stands.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable
from datetime import timedelta
from typing import Annotated, Any, Final, Self

from pydantic import Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from hatchet_schemas.durations import Duration
from hatchet_schemas.model import GrammarModel
from hatchet_schemas.modes import MODES, Mode
from hatchet_schemas.names import Name

__all__ = ["Defaults", "RetryPolicy", "with_defaults"]

_PLACEHOLDER_TIMEOUT: Final = "1s"
_PLACEHOLDER_NAME: Final = "step"


class RetryPolicy(GrammarModel):
    """How often a failed step is tried again, and how long to wait in between."""

    attempts: Annotated[int, Field(ge=1, le=1000)] = 5
    """How many attempts there are, the first one too."""

    backoff: Duration = timedelta(seconds=1)
    """The wait before the second attempt."""

    factor: Annotated[float, Field(ge=1, le=100)] = 2.0
    """How much longer each wait is than the one before."""

    max_backoff: Annotated[Duration, Field(alias="max-backoff")] = timedelta(minutes=1)
    """The longest wait."""

    @property
    def longest_wait(self) -> timedelta:
        """The longest wait between two attempts; none at all where there is one attempt."""
        if self.attempts == 1:
            return timedelta()
        longest = self.backoff
        for _ in range(self.attempts - 2):
            if longest >= self.max_backoff or self.factor == 1:
                break
            longest *= self.factor
        # To the millisecond, as durations are written.
        return timedelta(milliseconds=min(longest, self.max_backoff) // timedelta(milliseconds=1))

    @model_validator(mode="after")
    def _waits_can_grow(self) -> Self:
        # Temporal refuses a policy whose longest wait is below its first.
        if self.max_backoff < self.backoff:
            raise PydanticCustomError(
                "backoff_order", "max-backoff is shorter than backoff (1s where none is given)"
            )
        return self


class Defaults(GrammarModel):
    """What holds for all jobs and steps below that do not say otherwise."""

    queue: Name | None = None
    """Which workers run a job."""

    timeout: Duration | None = None
    """How long each attempt of a step may take."""

    retry: RetryPolicy | None = None
    """How often a failed step is tried again; a step may replace single fields of it."""

    mode: Annotated[Mode | None, Field(exclude_if=operator.not_)] = None
    """How steps run: ``regular``, or ``local`` for quick ones that may be run again."""


def with_defaults(workflow: object) -> object:
    """Return a workflow file's data with its ``defaults`` filled in, the given data unchanged."""
    if not isinstance(workflow, dict) or not isinstance(workflow.get("jobs"), dict):
        return workflow
    outer = _usable(workflow.get("defaults"))
    jobs = {name: _job(job, outer) for name, job in workflow["jobs"].items()}
    return {**workflow, "jobs": jobs}


def _job(job: object, outer: dict[str, Any]) -> object:
    if not isinstance(job, dict):
        return job
    inner = _usable(job.get("defaults"))
    completed = dict(job)
    if "queue" not in job and (queue := _first("queue", (inner, outer))) is not None:
        completed["queue"] = queue
    if isinstance(job.get("steps"), list):
        # One that is none is a problem where it stands.
        own = {"mode": job["mode"]} if job.get("mode") in MODES else {}
        completed["steps"] = [_step(step, ({**inner, **own}, outer)) for step in job["steps"]]
    return completed


def _step(step: object, levels: tuple[dict[str, Any], ...]) -> object:
    if not isinstance(step, dict):
        return step
    completed = dict(step)
    if "name" not in step:
        # Of a step without an id, that it needs one is told, and enough.
        completed["name"] = step["id"] if isinstance(step.get("id"), str) else _PLACEHOLDER_NAME
    if "timeout" not in step and (timeout := _first("timeout", levels)) is not None:
        completed["timeout"] = timeout
    if "mode" not in step and (mode := _first("mode", levels)) is not None:
        completed["mode"] = mode
    retry = _merged(retry for level in levels if (retry := level.get("retry")) is not None)
    if retry and isinstance(step.get("retry", {}), dict):
        completed["retry"] = {**retry, **step.get("retry", {})}
    return completed


def _merged(retries: Iterable[Any]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for retry in retries:
        merged = {**_map(retry), **merged}
    return merged


def _first(field: str, levels: Iterable[dict[str, Any]]) -> Any:
    return next((level[field] for level in levels if field in level), None)


def _usable(defaults: object) -> dict[str, Any]:
    """Return what can be said to each step: a wrong default is one problem, not one at each."""
    usable: dict[str, Any] = {}
    for field in Defaults.model_fields.keys() & _map(defaults):
        try:
            Defaults.model_validate({field: _map(defaults)[field]}, by_alias=True, by_name=False)
        except ValidationError:
            if field == "timeout":  # so that the steps are not told that they need one
                usable[field] = _PLACEHOLDER_TIMEOUT
        else:
            usable[field] = _map(defaults)[field]
    return usable


def _map(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
