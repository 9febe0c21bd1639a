"""What an event starts, and why, as text and as JSON."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator
from typing import Any, Final

from hatchet_cli.definitions import counted
from hatchet_cli.reports.printable import as_json, cut, printable
from hatchet_router.explaining import (
    ConditionVerdict,
    Explanation,
    JobVerdict,
    StepVerdict,
    TriggerVerdict,
    WorkflowVerdict,
)
from hatchet_schemas import format_duration

__all__ = ["explanation_json", "explanation_lines"]

_VALUE_CHARACTERS: Final = 60
_LINE_CHARACTERS: Final = 100
_MARKS: Final = {"starts": "●", "declined": "○", "fails": "✗", "unmatched": "○"}
_OTHERS: Final = 10  # of those that do not match, the most alike are shown
_TRIGGERS: Final = 3  # likewise, of one workflow


def explanation_lines(explanation: Explanation, *, everything: bool = False) -> Iterator[str]:
    """Yield the explanation as lines: first what matches, then what does not, with the reason.

    Of the workflows that do not match, ten are shown, the most alike first, or ``everything``.
    """
    for line in _lines(explanation, everything=everything):
        yield printable(line)  # names, values and messages are anybody's


def explanation_json(explanation: Explanation) -> str:
    """Return the explanation as JSON."""
    event = explanation.event
    return json.dumps(
        {
            "event": {"key": event.key, "id": event.id, "data": event.data},
            "matches": [item.name for item in explanation.workflows if item.state == "starts"],
            "nearest": explanation.nearest,
            "workflows": [_workflow_as_data(item) for item in explanation.workflows],
        },
        indent=2,
        ensure_ascii=False,
    )


def _lines(explanation: Explanation, *, everything: bool) -> Iterator[str]:
    matching = [item for item in explanation.workflows if item.state != "unmatched"]
    for item in matching:
        yield from _workflow(item)
        yield ""
    others = [item for item in explanation.workflows if item.state == "unmatched"]
    if not matching:
        yield f"No workflow has a trigger for {explanation.event.key}."
        if explanation.nearest:
            yield f"Did you mean {' or '.join(explanation.nearest)}?"
        yield ""
    if others:
        others.sort(key=lambda item: -_likeness(explanation.event.key, item))
        yield "Not for this event:"
        shown = others if everything else others[:_OTHERS]
        for item in shown:
            yield from _unmatched(explanation.event.key, item)
        if len(shown) < len(others):
            yield f"  … and {len(others) - len(shown)} more; --all shows them"


def _workflow(item: WorkflowVerdict) -> Iterator[str]:
    told = {
        "starts": "",
        "declined": "  starts nothing",
        "fails": "  cannot be decided: the event goes to the dead letters",
    }[item.state]
    yield f"{_MARKS[item.state]} {item.name}  {item.path}{told}"
    for trigger in item.triggers:
        if trigger.difference is not None:
            continue
        binding = "" if trigger.binding == trigger.pattern else f", in RabbitMQ {trigger.binding}"
        yield f"  on {trigger.pattern}{binding}"
        yield from _condition(trigger.condition, "     ")
    for job in item.jobs:
        yield from _job(job)


def _job(job: JobVerdict) -> Iterator[str]:
    told = {"runs": "", "skipped": "  runs no step", "fails": "  fails"}[job.state]
    timeout = "" if job.timeout is None else f", timeout {format_duration(job.timeout)}"
    yield f"  job {job.name}, queue {job.queue}{timeout}{told}"
    yield f"     id {job.workflow_id}"
    yield from _condition(job.condition, "     ")
    for number, step in enumerate(job.steps, start=1):
        yield from _step(number, step)


def _step(number: int, step: StepVerdict) -> Iterator[str]:
    name = "" if step.name == step.id else f"  {step.name}"
    told = {"runs": "", "depends": "", "skipped": "  is skipped", "fails": "  fails"}[step.state]
    mode = "  local" if step.mode == "local" else ""
    yield f"     {number} {step.id}  {step.action_id}{mode}{name}{told}"
    yield from _condition(step.condition, "       ")
    if step.error is not None:
        yield f"       {step.error}"
    for field, value in (step.data or {}).items():
        yield f"       {field}: {as_json(value, _LINE_CHARACTERS - 9 - len(field))}"
    if step.needs:
        earlier = ", ".join("an earlier step" if name == "*" else name for name in step.needs)
        yield f"       depends on what {earlier} puts out"


def _condition(condition: ConditionVerdict | None, indent: str) -> Iterator[str]:
    if condition is None:
        return
    values = ", ".join(
        f"{name} is {as_json(value, _VALUE_CHARACTERS)}" for name, value in condition.values.items()
    )
    if condition.error is not None:
        told = f"fails: {condition.error}"
    elif condition.needs:
        told = "is not known before the steps run"
    else:
        told = "is true" if condition.holds else "is false"
    yield f"{indent}if {cut(condition.source, _VALUE_CHARACTERS)} {told}" + (
        f": {values}" if values and condition.error is None else ""
    )


def _unmatched(key: str, item: WorkflowVerdict) -> Iterator[str]:
    yield f"  {_MARKS[item.state]} {item.name}  {item.path}"
    if not item.triggers:
        yield "      only the clock starts it"
        return
    for trigger in sorted(item.triggers, key=lambda one: -_alike(key, one.pattern))[:_TRIGGERS]:
        yield f"      {trigger.pattern}: {trigger.difference}"
    if len(item.triggers) > _TRIGGERS:
        yield f"      … and {counted(len(item.triggers) - _TRIGGERS, 'more trigger')}"


def _likeness(key: str, item: WorkflowVerdict) -> float:
    return max((_alike(key, trigger.pattern) for trigger in item.triggers), default=0.0)


def _alike(key: str, pattern: str) -> float:
    return difflib.SequenceMatcher(None, key, pattern).ratio()


def _workflow_as_data(item: WorkflowVerdict) -> dict[str, Any]:
    return {
        "path": item.path,
        "workflow": item.name,
        "state": item.state,
        "triggers": [_trigger_as_data(trigger) for trigger in item.triggers],
        "jobs": [
            {
                "job": job.name,
                "queue": job.queue,
                "workflow_id": job.workflow_id,
                "timeout": None if job.timeout is None else format_duration(job.timeout),
                "state": job.state,
                "if": _condition_as_data(job.condition),
                "steps": [_step_as_data(step) for step in job.steps],
            }
            for job in item.jobs
        ],
    }


def _trigger_as_data(trigger: TriggerVerdict) -> dict[str, Any]:
    return {
        "event": trigger.pattern,
        "binding": trigger.binding,
        "matches": trigger.difference is None,
        "difference": trigger.difference,
        "if": _condition_as_data(trigger.condition),
    }


def _step_as_data(step: StepVerdict) -> dict[str, Any]:
    return {
        "step": step.id,
        "name": step.name,
        "action": step.action_id,
        "mode": step.mode,
        "state": step.state,
        "if": _condition_as_data(step.condition),
        "with": step.data,
        "needs": step.needs,
        "error": step.error,
    }


def _condition_as_data(condition: ConditionVerdict | None) -> dict[str, Any] | None:
    if condition is None:
        return None
    return {
        "expression": condition.source,
        "holds": condition.holds,
        "values": dict(condition.values),
        "needs": condition.needs,
        "error": condition.error,
    }
