"""The schedules that workflow files want, and what to do to have them: pure functions."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Any, Final

from pydantic_core import to_json

from hatchet_router.schedule_notes import ScheduleNote
from hatchet_router.schedule_slots import CronTexts, assign_slots
from hatchet_schemas import CronTrigger, ScheduledJobInput, Workflow, format_duration
from hatchet_schemas.draws import drawn
from hatchet_schemas.names import (
    schedule_id,
    scheduled_workflow_id,
    times_id,
)

__all__ = ["WantedSchedule", "family_of", "wanted_schedules"]

_FINGERPRINT_FORMAT: Final = 1  # counts up when schedules are to be written in another way


@dataclass(frozen=True, slots=True)
class WantedSchedule:
    """One Temporal Schedule as the files want it: it starts one job by one cron trigger.

    ``workflow_id`` is what the runs' ids begin with; ``of`` is how many jobs start at the same
    times.
    """

    id: str
    workflow_id: str
    cron: CronTrigger
    note: ScheduleNote
    input: ScheduledJobInput
    of: int

    @property
    def task_queue(self) -> str:
        """Which workers run the job."""
        return self.input.definition.queue

    @property
    def timeout(self) -> timedelta | None:
        """What bounds each run."""
        return self.input.definition.timeout


def family_of(schedule_id: str) -> tuple[str, ...]:
    """Return what the ids of all schedules of a workflow have in common."""
    return tuple(schedule_id.split("/")[:2])  # deployment and workflow; names hold no slash there


def wanted_schedules(
    deployment: str,
    workflows: Iterable[Workflow],
    existing: Iterable[ScheduleNote],
    variables: Mapping[str, Any] = MappingProxyType({}),
    *,
    search_attributes: bool = False,
) -> Iterator[WantedSchedule]:
    """Yield a schedule for each job and each cron trigger of ``workflows``.

    ``existing`` is what the deployment's schedules are now: it decides which trigger has which
    slot. ``variables`` are those of the settings; a workflow's own ``vars`` go before.
    """
    held = _held(existing)
    for workflow in workflows:
        crons = workflow.on.crons
        texts = [_texts(cron) for cron in crons]
        slots = assign_slots(texts, held.get(workflow.name, {}))
        for cron, cron_texts, slot in zip(crons, texts, slots, strict=True):
            times = times_id(deployment, workflow.name, slot)
            for job, definition in workflow.jobs.items():
                job_input = ScheduledJobInput(
                    workflow=workflow.name,
                    job=job,
                    schedule=times,
                    vars={**variables, **workflow.vars},
                    definition=definition,
                )
                expression = drawn(cron.schedule, times)
                yield WantedSchedule(
                    id=schedule_id(deployment, workflow.name, job, slot),
                    workflow_id=scheduled_workflow_id(deployment, workflow.name, job, slot),
                    cron=cron,
                    note=ScheduleNote(
                        deployment=deployment,
                        workflow=workflow.name,
                        job=job,
                        slot=slot,
                        schedule=cron.schedule,
                        timezone=cron.timezone,
                        overlap=cron.overlap,
                        catch_up=cron_texts[3],
                        jitter=cron_texts[4],
                        expression=expression,
                        fingerprint=_fingerprint(
                            _FINGERPRINT_FORMAT,
                            cron_texts,
                            expression,
                            job_input,
                            len(workflow.jobs),
                            search_attributes,
                        ),
                    ),
                    input=job_input,
                    of=len(workflow.jobs),
                )


def _held(existing: Iterable[ScheduleNote]) -> dict[str, dict[int, set[CronTexts]]]:
    """Return what the schedules of each workflow hold, by slot, all its jobs together."""
    held: dict[str, dict[int, set[CronTexts]]] = {}
    for note in existing:
        slots = held.setdefault(note.workflow, {})
        slots.setdefault(note.slot, set()).add(note.cron_texts)
    return held


def _texts(cron: CronTrigger) -> CronTexts:
    jitter = "" if cron.jitter is None else format_duration(cron.jitter)
    return (cron.schedule, cron.timezone, cron.overlap, format_duration(cron.catch_up), jitter)


def _fingerprint(*parts: object) -> str:
    return hashlib.sha256(to_json(parts)).hexdigest()[:32]
