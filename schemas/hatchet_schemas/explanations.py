"""Pydantic's findings about a workflow file, in the words of the workflow file."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any, Final

from pydantic_core import ErrorDetails

from hatchet_schemas.cron import ScheduleError
from hatchet_schemas.errors import shown
from hatchet_schemas.foreign_fields import (
    INSTEAD_IN_JOB,
    INSTEAD_IN_STEP,
    INSTEAD_IN_TRIGGERS,
    INSTEAD_IN_WORKFLOW,
)
from hatchet_schemas.model import Model
from hatchet_schemas.problems import Finding
from hatchet_schemas.pydantic_words import words_of
from hatchet_schemas.triggers import CronTrigger, EventTrigger, GitHubSchedule, Triggers
from hatchet_schemas.workflows import Defaults, Job, RetryPolicy, Step, Workflow

__all__ = ["described", "explain", "is_told_elsewhere"]


# Fields whose values have a shape worth naming, by the field's name.
_SHAPES: Final = {
    "name": "a text",
    "id": "a text",
    "actionId": "integration:verb, such as slack:create-channel",
    "event": "an event key",
    "events": "an event key or a list of them",
    "if": "an expression, such as .user.active",
    "continue-on-error": "true or false",
    "secrets": "a list of secrets' names",
    "on": "an event key, a list of them, or a map with events and cron",
    "cron": "a map with schedule and timezone, or a list of them",
    "jobs": "a map from job names to jobs",
    "steps": "a list of steps",
    "timeout": "a duration, such as 15s",
    "backoff": "a duration, such as 15s",
    "max-backoff": "a duration, such as 15s",
    "queue": "a queue's name",
    "with": "a map",
    "vars": "a map from names to values",
    "defaults": "a map with queue, timeout, retry and mode",
    "description": "a text",
    "action": "integration:verb, such as slack:create-channel",
    "retry": "a map with attempts, backoff, factor and max-backoff",
    "attempts": "a whole number",
    "factor": "a number",
    "schedule": "a cron expression, such as '*/15 * * * *'",
    "timezone": "a time zone's name, such as Europe/Berlin",
    "catch-up": "a duration, such as 1h",
    "jitter": "a duration, such as 30s",
}
# Which rule a text breaks that does not read as its field wants, by the field's name.
_RULES: Final = {
    "action": "invalid-action-id",
    "actionId": "invalid-action-id",
    "backoff": "invalid-duration",
    "catch-up": "invalid-duration",
    "cron": "invalid-schedule",
    "event": "invalid-event-key",
    "jitter": "invalid-duration",
    "max-backoff": "invalid-duration",
    "schedule": "invalid-schedule",
    "timeout": "invalid-duration",
    "timezone": "invalid-timezone",
}
_PLACES: Final[Mapping[type[Model], str]] = {
    Workflow: "a workflow",
    Triggers: "on",
    EventTrigger: "a trigger",
    CronTrigger: "a cron trigger",
    GitHubSchedule: "a schedule",
    Defaults: "defaults",
    Job: "a job",
    Step: "a step",
    RetryPolicy: "retry",
}
_INSTEAD: Final[Mapping[type[Model], Mapping[str, str]]] = {
    Workflow: INSTEAD_IN_WORKFLOW,
    Job: INSTEAD_IN_JOB,
    Step: INSTEAD_IN_STEP,
}
_IN_PLACE_OF_ACTION: Final = frozenset({"uses", "run"})


_NEEDS: Final = (
    "needs is reserved: the jobs of a workflow run in parallel; put steps that depend on each "
    "other into one job, or let a step publish an event that starts another workflow"
)


def explain(details: ErrorDetails) -> Finding:
    """Return what ``details`` means for the author of the file."""
    loc = details["loc"]
    kind = details["type"]
    context = details.get("ctx", {})
    error = context.get("error")
    if kind == "missing":
        return Finding(
            loc[:-1],
            f"{_place(loc[:-1])} needs the field {str(loc[-1])!r}",
            "missing-field",
            at_key=True,
        )
    if kind == "extra_forbidden":
        if loc[-1] == "needs" and _model_at(loc[:-1]) is Job:
            return Finding(loc, _NEEDS, "reserved-field", at_key=True)
        return Finding(loc, _unknown_field(loc), "unknown-field", at_key=True)
    if kind in {"string_pattern_mismatch", "string_too_long"}:
        at_key = loc[-1:] == ("[key]",)
        place = loc[:-1] if at_key else loc
        return Finding(place, _bad_name(place, str(details["input"])), "invalid-name", at_key)
    if kind == "template":
        return Finding(loc, details["msg"], context["rule"], offset=context["offset"])
    if error is not None:
        offset = error.offset if isinstance(error, ScheduleError) else None
        return Finding(loc, str(error), _value_rule(loc, str(error)), offset=offset)
    if kind == "duplicate_id":
        return Finding(loc, details["msg"], "duplicate-id")
    if kind in {"no_trigger", "backoff_order"}:
        return Finding(loc, details["msg"], kind.replace("_", "-"), at_key=True)
    if kind.endswith(("_type", "_attributes_type", "_parsing", "_from_float")):
        return Finding(
            loc, f"expected {_shape(loc)}, found {described(details['input'])}", "wrong-type"
        )
    # Bounds of numbers and lengths: pydantic's own words say it best.
    return Finding(loc, words_of(details), "invalid-value")


def is_told_elsewhere(details: ErrorDetails) -> bool:
    """Return whether another error of the same map says what to do about this one.

    A step with ``uses`` or ``run`` is told to write ``actionId`` there.
    """
    return (
        details["type"] == "missing"
        and details["loc"][-1:] == ("actionId",)
        and isinstance(details["input"], dict)
        and not _IN_PLACE_OF_ACTION.isdisjoint(details["input"])
    )


def _value_rule(loc: tuple[str | int, ...], message: str) -> str:
    rule = _RULES.get(_field(loc), "invalid-value")
    if rule == "invalid-event-key" and message.endswith("would match nothing"):
        return "pattern-matches-nothing"
    return rule


def _unknown_field(loc: tuple[str | int, ...]) -> str:
    field = str(loc[-1])
    model = _model_at(loc[:-1])
    if model is Step and field == "action":  # it is one, where there is no actionId
        return "action and actionId are two words for one field: leave one of them out"
    if (instead := _INSTEAD.get(model, {}).get(field)) is not None:
        return f"{_PLACES[model]} has no field {field!r}: {instead}"
    known = [
        info.alias or info.serialization_alias or name for name, info in model.model_fields.items()
    ]
    near = difflib.get_close_matches(field, known, n=1)
    tail = f"did you mean {near[0]!r}?" if near else f"expected one of {', '.join(known)}"
    if model is Triggers and not near:
        tail += f"; {INSTEAD_IN_TRIGGERS}"
    return f"{_PLACES[model]} has no field {shown(field)}: {tail}"


def _bad_name(loc: tuple[str | int, ...], name: str) -> str:
    if loc[-1:] == ("name",):
        return f"{shown(name)} is not a name: expected one line of at most 200 characters"
    return (
        f"{shown(name)} is not a name: expected letters, digits, '.', '_' and '-', "
        "starting with a letter, a digit or '_', at most 100 characters"
    )


def _place(loc: tuple[str | int, ...]) -> str:
    return _PLACES[_model_at(loc)]


def _model_at(loc: tuple[str | int, ...]) -> type[Model]:
    match [part for part in loc if isinstance(part, str)]:
        case ["on", "cron", *_]:
            return CronTrigger
        case ["on", "schedule", *_]:
            return GitHubSchedule
        case ["on", *_] if any(isinstance(part, int) for part in loc):
            return EventTrigger
        case ["on", *_]:
            return Triggers
        case ["jobs", _, "steps", "retry", *_]:
            return RetryPolicy
        case ["jobs", _, "defaults", "retry", *_] | ["defaults", "retry", *_]:
            return RetryPolicy
        case ["jobs", _, "defaults", *_] | ["defaults", *_]:
            return Defaults
        case ["jobs", _, "steps", *_]:
            return Step
        case ["jobs", _]:
            return Job
        case _:
            return Workflow


def _field(loc: tuple[str | int, ...]) -> str:
    names = [part for part in loc if isinstance(part, str)]
    return names[-1] if names else "the file"


def _shape(loc: tuple[str | int, ...]) -> str:
    match loc:
        case ():
            return "a map with name, on and jobs"
        case ("jobs", str()):
            return "a job: a map with queue, timeout and steps"
        case (*_, "steps", int()):
            return "a step: a map with name, id, actionId, timeout and with"
        case (*_, "events", int()):
            return "an event key, or a map with event and if"
        case ("on", "schedule"):
            return "a list of maps with cron and timezone"
        case ("on", "schedule", int()):
            return "a map with cron and timezone"
        case ("on", "schedule", int(), "cron"):
            return _SHAPES["schedule"]
        case _:
            return _SHAPES.get(_field(loc), "another kind of value")


def described(value: Any) -> str:
    """Return what ``value`` is, as its author would say: the text 'x', a list, nothing."""
    match value:
        case None:
            return "nothing"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return f"the number {value}"
        case str():
            return f"the text {shown(value, 60)}"
        case dict():
            return "a map"
        case _:
            return "a list"
