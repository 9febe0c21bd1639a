"""Workflows as a Mermaid flowchart: events, workflows, jobs and steps.

The texts in it are anybody's: all that Mermaid could take for markup is written as an entity.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from hatchet_schemas import Definition, Job, Step, Workflow

__all__ = ["mermaid_lines"]

# Letters of any language, digits and what Mermaid gives no meaning inside quotes.
_UNSAFE: Final = re.compile(r"[^\w .:/@,()=+-]|_")
# What Markdown, which Mermaid reads in labels, takes for an item of a list.
_ITEM: Final = re.compile(r"^(\d+)([.)])(?=\s)|^()([+-])(?=\s)")
_BREAK: Final = "<br>"


def mermaid_lines(definitions: Iterable[Definition]) -> Iterator[str]:
    """Yield the lines of a flowchart; the same workflows always give the same lines."""
    workflows = [definition.workflow for definition in definitions]
    events: dict[str, str] = {}
    for workflow in workflows:
        for trigger in workflow.on.events:
            events.setdefault(trigger.event, f"e{len(events) + 1}")
    yield "flowchart LR"
    for event, name in events.items():
        yield f"    {name}([{_label(event)}])"
    for number, workflow in enumerate(workflows, start=1):
        yield from _workflow(f"w{number}", workflow)
    for number, workflow in enumerate(workflows, start=1):
        yield from _edges(f"w{number}", workflow, events)


def _workflow(name: str, workflow: Workflow) -> Iterator[str]:
    for number, cron in enumerate(workflow.on.crons, start=1):
        yield f"    {name}c{number}{{{{{_label(f'cron {cron.schedule}', cron.timezone)}}}}}"
    yield f"    subgraph {name}[{_label(workflow.name)}]"
    for number, (job_name, job) in enumerate(workflow.jobs.items(), start=1):
        yield from _job(f"{name}j{number}", job_name, job)
    yield "    end"


def _job(name: str, job_name: str, job: Job) -> Iterator[str]:
    yield f"        subgraph {name}[{_label(job_name, f'queue {job.queue}', *_if(job.if_))}]"
    yield "            direction LR"
    steps = [f"{name}s{number}" for number in range(1, len(job.steps) + 1)]
    for step_name, step in zip(steps, job.steps, strict=True):
        yield f"            {step_name}[{_label(*_about(step))}]"
    if len(steps) > 1:
        yield f"            {' --> '.join(steps)}"
    yield "        end"


def _edges(name: str, workflow: Workflow, events: dict[str, str]) -> Iterator[str]:
    for trigger in workflow.on.events:
        condition = f"|{_label(*_if(trigger.if_))}|" if trigger.if_ is not None else ""
        yield f"    {events[trigger.event]} -->{condition} {name}"
    for number in range(1, len(workflow.on.crons) + 1):
        yield f"    {name}c{number} --> {name}"


def _about(step: Step) -> Sequence[str]:
    mode = ("local",) if step.mode == "local" else ()
    return (step.id, step.action_id, *mode, *_if(step.if_))


def _if(condition: str | None) -> tuple[str, ...]:
    return () if condition is None else (f"if {' '.join(condition.split())}",)


def _label(*lines: str) -> str:
    return f'"{_BREAK.join(_escaped(line) for line in lines)}"'


def _escaped(text: str) -> str:
    text = _UNSAFE.sub(lambda match: _entity(match.group()), text)
    return _ITEM.sub(lambda match: f"{match[1] or ''}{_entity(match[2] or match[4])}", text)


def _entity(char: str) -> str:
    return f"#{ord(char)};"
