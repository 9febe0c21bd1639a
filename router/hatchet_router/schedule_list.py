"""The schedules of a deployment, as people want to read them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.client import Client

from hatchet_router.schedule_notes import ScheduleNote
from hatchet_router.schedule_store import OVERLAP_POLICIES, KeptSchedule, ScheduleStore

__all__ = ["ListedSchedule", "ScheduleCounts", "ScheduledRun", "list_schedules", "named"]

_AT_ONCE: Final = 16  # requests to Temporal
_OVERLAPS: Final = {policy: overlap for overlap, policy in OVERLAP_POLICIES.items()}


@dataclass(frozen=True, slots=True)
class ScheduledRun:
    """A run that a schedule has started: when it was due, jitter included, and when it started."""

    workflow_id: str
    run_id: str
    due: datetime
    started: datetime


@dataclass(frozen=True, slots=True)
class ScheduleCounts:
    """How often since the schedule was made: runs ``started``, and times that had none.

    Those were ``missed``, since Temporal was down for longer than ``catch-up``, ``skipped``, since
    an earlier run went on, or ``dropped``, since too many waited. ``waiting`` are those that wait
    now.
    """

    started: int
    missed: int
    skipped: int
    dropped: int
    waiting: int


@dataclass(frozen=True, slots=True)
class ListedSchedule:
    """A schedule as it is in Temporal now.

    ``cron`` is the schedule as written, ``expression`` what it stands for. ``note`` is what
    somebody has left who paused it. ``next_times`` are the next ten, jitter included, also of a
    schedule that is paused; ``recent`` are the latest runs, the newest last, and ``running`` the
    ids of the workflows that go on.
    """

    id: str
    workflow: str
    job: str
    slot: int
    cron: str
    expression: str
    timezone: str
    overlap: str
    catch_up: timedelta
    jitter: timedelta | None
    queue: str
    paused: bool
    note: str
    next_times: tuple[datetime, ...]
    recent: tuple[ScheduledRun, ...]
    running: tuple[str, ...]
    counts: ScheduleCounts

    @property
    def name(self) -> str:
        """What people call it: ``<workflow>/<job>``, and ``/2`` behind it for a second trigger."""
        return f"{self.workflow}/{self.job}" + (f"/{self.slot}" if self.slot > 1 else "")


async def list_schedules(client: Client, deployment: str) -> tuple[ListedSchedule, ...]:
    """Return the schedules of ``deployment`` by workflow, job and slot.

    Raises:
        RPCError: Temporal does not answer, or has no such namespace.
        ScheduleUnreadable: one is encrypted, and there is no key for it.

    """
    store = ScheduleStore(client, deployment)
    at_once = asyncio.Semaphore(_AT_ONCE)

    async def read(schedule_id: str) -> KeptSchedule | None:
        async with at_once:
            return await store.read(schedule_id)

    kept = await asyncio.gather(*[read(each) async for each in store.ids()])
    listed = [
        _listed(each, each.note) for each in kept if each is not None and each.note is not None
    ]
    return tuple(sorted(listed, key=lambda each: (each.workflow, each.job, each.slot)))


def named(schedules: Iterable[ListedSchedule], name: str) -> tuple[ListedSchedule, ...]:
    """Return the one schedule called ``name``, or else those of the workflow called so."""
    every = tuple(schedules)
    exact = tuple(each for each in every if name in {each.name, each.id})
    return exact or tuple(each for each in every if each.workflow == name)


def _listed(kept: KeptSchedule, note: ScheduleNote) -> ListedSchedule:
    schedule, info = kept.description.schedule, kept.description.info
    return ListedSchedule(
        id=kept.id,
        workflow=note.workflow,
        job=note.job,
        slot=note.slot,
        cron=note.schedule,
        expression=note.expression,
        timezone=note.timezone,
        overlap=_OVERLAPS.get(schedule.policies.overlap_policy, note.overlap),
        catch_up=schedule.policies.catchup_window.ToTimedelta(),
        jitter=schedule.spec.jitter.ToTimedelta() if schedule.spec.HasField("jitter") else None,
        queue=schedule.action.start_workflow.task_queue.name,
        paused=schedule.state.paused,
        note=schedule.state.notes,
        next_times=tuple(_time(each) for each in info.future_action_times),
        recent=tuple(
            ScheduledRun(
                workflow_id=each.start_workflow_result.workflow_id,
                run_id=each.start_workflow_result.run_id,
                due=_time(each.schedule_time),
                started=_time(each.actual_time),
            )
            for each in info.recent_actions
        ),
        running=tuple(each.workflow_id for each in info.running_workflows),
        counts=ScheduleCounts(
            started=info.action_count,
            missed=info.missed_catchup_window,
            skipped=info.overlap_skipped,
            dropped=info.buffer_dropped,
            waiting=info.buffer_size,
        ),
    )


def _time(stamp: Timestamp) -> datetime:
    return stamp.ToDatetime(tzinfo=UTC)
