"""Why an event starts what it starts, and not the rest: a pure function that returns values.

It decides as the router and the worker do, with the same matcher, conditions and templates.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType
from typing import Any, Final, Literal

from hatchet_router.bindings import binding_key
from hatchet_router.planning import StartRequest, plan
from hatchet_router.routing import PatternTrie
from hatchet_schemas import Definition, Event, Step, TemplateError, Workflow
from hatchet_schemas.conditions import condition_of
from hatchet_schemas.modes import Mode
from hatchet_schemas.pattern_differences import difference
from hatchet_schemas.references import Reference
from hatchet_schemas.scope import job_scope, trigger_scope
from hatchet_schemas.templates import render, template_of

__all__ = [
    "ConditionVerdict",
    "Explanation",
    "JobVerdict",
    "StepVerdict",
    "TriggerVerdict",
    "WorkflowVerdict",
    "explain",
]

_NEAR: Final = 0.6
_STEPS: Final = "steps"

Scope = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ConditionVerdict:
    """What an ``if`` comes to: ``holds`` is None where ``error`` says why it cannot be decided.

    ``values`` are what it reads, of that what is there. ``needs`` are the steps that have to run
    before it can be decided; then it is neither true nor false yet.
    """

    source: str
    holds: bool | None
    values: Mapping[str, Any] = field(default_factory=dict[str, Any])
    error: str | None = None
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TriggerVerdict:
    """Whether a trigger is for the event.

    ``difference`` says where its pattern and the key differ, None where they match; only then its
    condition is looked at. ``binding`` is the key by which RabbitMQ hands such events over.
    """

    pattern: str
    binding: str
    difference: str | None
    condition: ConditionVerdict | None = None

    @property
    def holds(self) -> bool:
        """Whether it starts its workflow."""
        return self.difference is None and (self.condition is None or bool(self.condition.holds))


@dataclass(frozen=True, slots=True)
class StepVerdict:
    """What is known of a step before any step has run.

    ``data`` is its ``with``, rendered but for the templates that read what earlier steps put out;
    ``needs`` are those steps. ``state`` tells what happens as long as all goes well: it ``runs``,
    is ``skipped``, ``fails``, or that ``depends`` on earlier steps. ``mode`` is what its file says,
    None where its action decides.
    """

    id: str
    name: str
    action_id: str
    state: Literal["runs", "skipped", "fails", "depends"]
    mode: Mode | None
    condition: ConditionVerdict | None = None
    data: Mapping[str, Any] | None = None
    needs: tuple[str, ...] = ()
    error: str | None = None


@dataclass(frozen=True, slots=True)
class JobVerdict:
    """What becomes of a job; a ``skipped`` one is started, but none of its steps runs."""

    name: str
    queue: str
    workflow_id: str
    timeout: timedelta | None
    state: Literal["runs", "skipped", "fails"]
    condition: ConditionVerdict | None = None
    steps: tuple[StepVerdict, ...] = ()


@dataclass(frozen=True, slots=True)
class WorkflowVerdict:
    """What the event is to a workflow.

    ``starts``: its jobs are started. ``declined``: a trigger matches, but its condition is false.
    ``fails``: a condition cannot be decided, so that the event goes to the dead letters.
    ``unmatched``: no trigger is for such an event.
    """

    path: str
    name: str
    state: Literal["starts", "declined", "fails", "unmatched"]
    triggers: tuple[TriggerVerdict, ...]
    jobs: tuple[JobVerdict, ...] = ()

    @property
    def goes_wrong(self) -> bool:
        """Whether something of it fails on this event, now or before any step has run."""
        return self.state == "fails" or any(
            job.state == "fails" or any(step.state == "fails" for step in job.steps)
            for job in self.jobs
        )


@dataclass(frozen=True, slots=True)
class Explanation:
    """What an event is to each workflow; ``nearest`` are triggers much like a key without any."""

    event: Event
    workflows: tuple[WorkflowVerdict, ...]
    nearest: tuple[str, ...]


def explain(
    event: Event,
    definitions: Iterable[Definition],
    variables: Mapping[str, Any] = MappingProxyType({}),
) -> Explanation:
    """Return what ``event`` is to each of ``definitions``, in their order.

    ``variables`` are those of the settings; a workflow's own ``vars`` go before them.
    """
    verdicts = tuple(_workflow(item, event, variables) for item in definitions)
    nearest: Sequence[str] = ()
    if all(verdict.state == "unmatched" for verdict in verdicts):
        patterns = {trigger.pattern: None for item in verdicts for trigger in item.triggers}
        nearest = difflib.get_close_matches(event.key, patterns, cutoff=_NEAR)
    return Explanation(event, verdicts, tuple(nearest))


def _workflow(
    definition: Definition, event: Event, variables: Mapping[str, Any]
) -> WorkflowVerdict:
    workflow = definition.workflow
    scope = trigger_scope(event, {**variables, **workflow.vars}, workflow.name)
    triggers = tuple(
        _trigger(trigger.event, trigger.if_, event.key, scope) for trigger in workflow.on.events
    )
    state = _state(triggers)
    jobs: tuple[JobVerdict, ...] = ()
    if state == "starts":
        jobs = tuple(_job(request, workflow) for request in plan(event, [workflow], variables))
    return WorkflowVerdict(definition.path, workflow.name, state, triggers, jobs)


def _trigger(pattern: str, if_: str | None, key: str, scope: Scope) -> TriggerVerdict:
    trie = PatternTrie()
    trie.add(pattern, 0)
    binding = binding_key(pattern)
    if not trie.match(key):
        return TriggerVerdict(pattern, binding, difference(pattern, key))
    return TriggerVerdict(pattern, binding, None, None if if_ is None else _condition(if_, scope))


def _state(
    triggers: Sequence[TriggerVerdict],
) -> Literal["starts", "declined", "fails", "unmatched"]:
    matching = [trigger for trigger in triggers if trigger.difference is None]
    if not matching:
        return "unmatched"
    if any(trigger.holds for trigger in matching):
        return "starts"
    undecided = any(trigger.condition and trigger.condition.error for trigger in matching)
    return "fails" if undecided else "declined"


def _job(request: StartRequest, workflow: Workflow) -> JobVerdict:
    job = workflow.jobs[request.input.job]
    scope = job_scope(request.input)
    condition = None if job.if_ is None else _condition(job.if_, scope)
    state: Literal["runs", "skipped", "fails"] = "runs"
    if condition is not None and not condition.holds:
        state = "fails" if condition.error else "skipped"
    steps = tuple(_step(step, scope) for step in job.steps) if state == "runs" else ()
    return JobVerdict(
        request.input.job,
        request.task_queue,
        request.workflow_id,
        request.timeout,
        state,
        condition,
        steps,
    )


def _step(step: Step, scope: Scope) -> StepVerdict:
    needs: dict[str, None] = {}
    condition = None
    data: Any = None
    error: str | None = None
    state: Literal["runs", "skipped", "fails", "depends"] = "runs"
    if step.if_ is not None:
        condition = _condition(step.if_, scope)
        needs.update(dict.fromkeys(condition.needs))
        if condition.error:
            state = "fails"
        elif condition.needs:
            state = "depends"
        elif not condition.holds:
            state = "skipped"
    if state in {"runs", "depends"}:
        try:
            data = _rendered(step.with_, scope, ("with",), needs)
        except TemplateError as failure:
            error = str(failure)
            state = "fails"
    return StepVerdict(
        step.id, step.name, step.action_id, state, step.mode, condition, data, tuple(needs), error
    )


def _rendered(value: Any, scope: Scope, loc: tuple[str | int, ...], needs: dict[str, None]) -> Any:
    """Render what can be; leave texts that read steps, and add those to ``needs``."""
    if isinstance(value, dict):
        return {key: _rendered(item, scope, (*loc, key), needs) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_rendered(item, scope, (*loc, index), needs) for index, item in enumerate(value)]
    template = template_of(value) if isinstance(value, str) else None
    if template is None:
        return value
    steps = _steps_in(template.references)
    needs.update(dict.fromkeys(steps))
    return value if steps else render(value, scope, loc)


def _condition(text: str, scope: Scope) -> ConditionVerdict:
    condition = condition_of(text)
    values = {
        str(reference): value
        for reference in condition.references
        for present, value in [_looked_up(reference, scope)]
        if present
    }
    steps = _steps_in(condition.references)
    if steps:
        return ConditionVerdict(text, None, values, needs=steps)
    try:
        return ConditionVerdict(text, condition.holds(scope), values)
    except TemplateError as error:
        return ConditionVerdict(text, None, values, error.reason)


def _steps_in(references: Iterable[Reference]) -> tuple[str, ...]:
    """Return the ids of the steps that are read; of one that only the run will tell, ``*``."""
    return tuple(
        dict.fromkeys(
            str(reference.path[1]) if len(reference.path) > 1 else "*"
            for reference in references
            if reference.path[:1] == (_STEPS,)
        )
    )


def _looked_up(reference: Reference, scope: Scope) -> tuple[bool, Any]:
    if not reference.path:
        return False, None  # the whole scope, which is too much to show
    value: Any = scope
    for part in reference.path:
        try:
            value = value[part]
        except (LookupError, TypeError):
            return False, None
    return True, value
