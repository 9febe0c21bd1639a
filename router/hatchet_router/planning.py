"""What to start for an event: a pure function from event and workflows to start requests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Any

from hatchet_schemas import Event, JobInput, Workflow
from hatchet_schemas.names import workflow_id

__all__ = ["StartRequest", "plan"]


@dataclass(frozen=True, slots=True)
class StartRequest:
    """One Temporal workflow to start.

    ``timeout`` bounds the whole run. ``of`` is how many jobs the same event starts.
    """

    workflow_id: str
    task_queue: str
    timeout: timedelta | None
    input: JobInput
    of: int

    @property
    def workflow_type(self) -> str:
        """The Temporal workflow type: the job's name."""
        return self.input.job


def plan(
    event: Event, workflows: Iterable[Workflow], variables: Mapping[str, Any] = MappingProxyType({})
) -> tuple[StartRequest, ...]:
    """Return the start of every job of every one of ``workflows``, under deterministic ids.

    ``variables`` are those of the settings; a workflow's own ``vars`` go before them.
    """
    jobs = [(workflow, name, job) for workflow in workflows for name, job in workflow.jobs.items()]
    return tuple(
        StartRequest(
            workflow_id=workflow_id(workflow.name, name, event.id, event.source),
            task_queue=job.queue,
            timeout=job.timeout,
            input=JobInput(
                workflow=workflow.name,
                job=name,
                event=event,
                vars={**variables, **workflow.vars},
                definition=job,
            ),
            of=len(jobs),
        )
        for workflow, name, job in jobs
    )
