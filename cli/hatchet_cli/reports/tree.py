"""Workflows as a tree for a terminal of 80 columns: events, workflows, jobs and steps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from hatchet_cli.reports.printable import cut, printable
from hatchet_schemas import Definition, Job, Step, Workflow

__all__ = ["tree_lines"]

_COLUMNS: Final = 80


@dataclass(frozen=True, slots=True)
class _Branch:
    text: str
    below: Sequence[_Branch] = ()


def tree_lines(definitions: Iterable[Definition]) -> Iterator[str]:
    """Yield the lines of a tree; a workflow's jobs are told once, with the first that starts it."""
    starts: dict[str, list[tuple[Workflow, str]]] = {}
    files: dict[str, str] = {}
    for definition in definitions:
        workflow = definition.workflow
        files[workflow.name] = definition.path
        for trigger in workflow.on.events:
            starts.setdefault(trigger.event, []).append((workflow, _if(trigger.if_)))
        for cron in workflow.on.crons:
            starts.setdefault(f"cron {cron.schedule}, {cron.timezone}", []).append((workflow, ""))
    told: set[str] = set()
    for number, (start, workflows) in enumerate(starts.items()):
        if number:
            yield ""
        yield _fitting(start)
        branches: list[_Branch] = []
        for workflow, condition in workflows:
            again = workflow.name in told
            told.add(workflow.name)
            tail = "(see above)" if again else files[workflow.name]
            branches.append(
                _Branch(
                    f"{workflow.name}{condition}  {tail}",
                    () if again else [_job(name, job) for name, job in workflow.jobs.items()],
                )
            )
        yield from _drawn(branches, "")


def _job(name: str, job: Job) -> _Branch:
    width = max(len(step.id) for step in job.steps)
    return _Branch(
        f"{name}  [{job.queue}]{_if(job.if_)}",
        [_Branch(f"{step.id:<{width}}  {_about(step)}") for step in job.steps],
    )


def _about(step: Step) -> str:
    mode = "  local" if step.mode == "local" else ""
    return f"{step.action_id}{mode}{_if(step.if_)}"


def _if(condition: str | None) -> str:
    return "" if condition is None else f"  if {' '.join(condition.split())}"


def _drawn(branches: Sequence[_Branch], indent: str) -> Iterator[str]:
    for number, branch in enumerate(branches, start=1):
        last = number == len(branches)
        yield _fitting(f"{indent}{'└─ ' if last else '├─ '}{branch.text}")
        yield from _drawn(branch.below, f"{indent}{'   ' if last else '│  '}")


def _fitting(line: str) -> str:
    return cut(printable(line), _COLUMNS)
