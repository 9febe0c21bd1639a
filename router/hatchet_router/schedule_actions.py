"""What an operator does to a schedule: trigger, pause, resume, backfill, and ask for its times."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.enums.v1 import ScheduleOverlapPolicy
from temporalio.api.schedule.v1 import BackfillRequest, SchedulePatch, TriggerImmediatelyRequest
from temporalio.api.workflowservice.v1 import (
    ListScheduleMatchingTimesRequest,
    PatchScheduleRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from hatchet_router.schedule_list import ListedSchedule, ScheduledRun

__all__ = ["BACKFILL_OVERLAPS", "ScheduleActions", "run_for", "trigger_time"]

BACKFILL_OVERLAPS: Final = MappingProxyType(
    {
        "buffer": ScheduleOverlapPolicy.SCHEDULE_OVERLAP_POLICY_BUFFER_ALL,
        "allow": ScheduleOverlapPolicy.SCHEDULE_OVERLAP_POLICY_ALLOW_ALL,
    }
)
"""How the runs of a backfill may overlap: one after the other, or all at once."""

_RPC_TIMEOUT: Final = timedelta(seconds=10)
_AT_ONCE: Final = 16  # requests to Temporal
# Temporal tells the times after the start, and that of the end; a cron time is a whole minute.
_JUST_BEFORE: Final = timedelta(seconds=1)
_END_OF_TIMES: Final = datetime(9999, 1, 1, tzinfo=UTC)
_SECOND: Final = timedelta(seconds=1)


def trigger_time(now: datetime, schedules: Iterable[ListedSchedule]) -> datetime:
    """Return the time that runs are for which are triggered ``now``: one that no run has.

    Temporal makes the run's id of it, to the second, and starts nothing where there is such a run.
    No time of a cron trigger has it either, since those are whole minutes.
    """
    taken = {run.workflow_id for schedule in schedules for run in schedule.recent}
    time = now.astimezone(UTC).replace(microsecond=0)
    while time.second == 0 or any(each.endswith(_suffix(time)) for each in taken):
        time += _SECOND
    return time


class ScheduleActions:
    """Acts on the schedules in the namespace of ``client``, each by its id.

    All methods raise `temporalio.service.RPCError` where Temporal does not answer, or refuses, as
    it does if there is no such schedule any more.
    """

    def __init__(self, client: Client) -> None:
        self._client = client

    async def trigger(self, schedule_id: str, time: datetime) -> None:
        """Start a run for ``time`` (see `trigger_time`) now, even if paused or if another runs."""
        request = TriggerImmediatelyRequest(
            overlap_policy=ScheduleOverlapPolicy.SCHEDULE_OVERLAP_POLICY_ALLOW_ALL,
            scheduled_time=_stamp(time),
        )
        await self._patch(schedule_id, SchedulePatch(trigger_immediately=request))

    async def pause(self, schedule_id: str, note: str) -> None:
        """Start nothing more at its times until it is resumed; ``note`` says who, and why."""
        await self._patch(schedule_id, SchedulePatch(pause=note))

    async def resume(self, schedule_id: str, note: str) -> None:
        """Start runs at its times again, from now on."""
        await self._patch(schedule_id, SchedulePatch(unpause=note))

    async def backfill(
        self, schedule_id: str, first: datetime, last: datetime, overlap: str
    ) -> None:
        """Start a run for each time from ``first`` to ``last``, both included.

        ``overlap`` is one of `BACKFILL_OVERLAPS`. It returns before the runs have started.
        """
        request = BackfillRequest(
            start_time=_stamp(first - _JUST_BEFORE),
            end_time=_stamp(last),
            overlap_policy=BACKFILL_OVERLAPS[overlap],
        )
        await self._patch(schedule_id, SchedulePatch(backfill_request=[request]))

    async def next_times(
        self, schedule: ListedSchedule, count: int, now: datetime
    ) -> tuple[datetime, ...]:
        """Return the next ``count`` times, jitter included, also of a schedule that is paused.

        The first ten are what Temporal has told of the schedule, beyond that Temporal is asked for
        the times after ``now``. There are fewer where its calendar ends.
        """
        if count <= len(schedule.next_times):
            return schedule.next_times[:count]
        times: list[datetime] = []
        async for time in self._times_after(schedule.id, now, _END_OF_TIMES):
            times.append(time)
            if len(times) == count:
                break
        return tuple(times)

    async def times(
        self, schedule_id: str, first: datetime, last: datetime, limit: int
    ) -> tuple[datetime, ...]:
        """Return the times that `backfill` would start runs for, jitter included.

        If there are more than ``limit``, the rest are left out, all but one.
        """
        times: list[datetime] = []
        async for time in self._times_after(schedule_id, first - _JUST_BEFORE, last):
            times.append(time)
            if len(times) > limit:
                break
        return tuple(times)

    async def states(self, runs: Collection[ScheduledRun]) -> dict[str, str | None]:
        """Return Temporal's word for the state of each of ``runs`` by its run id.

        It is None for a run that Temporal has forgotten.
        """
        at_once = asyncio.Semaphore(_AT_ONCE)

        async def state(run: ScheduledRun) -> str | None:
            handle = self._client.get_workflow_handle(run.workflow_id, run_id=run.run_id)
            async with at_once:
                try:
                    status = (await handle.describe(rpc_timeout=_RPC_TIMEOUT)).status
                except RPCError as error:
                    if error.status is RPCStatusCode.NOT_FOUND:
                        return None
                    raise
            return None if status is None else status.name

        states = await asyncio.gather(*map(state, runs))
        return {run.run_id: each for run, each in zip(runs, states, strict=True)}

    async def _times_after(
        self, schedule_id: str, after: datetime, last: datetime
    ) -> AsyncIterator[datetime]:
        while True:
            # Temporal returns the first thousand of them.
            found = await self._client.workflow_service.list_schedule_matching_times(
                ListScheduleMatchingTimesRequest(
                    namespace=self._client.namespace,
                    schedule_id=schedule_id,
                    start_time=_stamp(after),
                    end_time=_stamp(last),
                ),
                timeout=_RPC_TIMEOUT,
            )
            if not found.start_time:
                return
            for stamp in found.start_time:
                after = stamp.ToDatetime(tzinfo=UTC)
                yield after

    async def _patch(self, schedule_id: str, patch: SchedulePatch) -> None:
        await self._client.workflow_service.patch_schedule(
            PatchScheduleRequest(
                namespace=self._client.namespace,
                schedule_id=schedule_id,
                patch=patch,
                identity=self._client.identity,
                request_id=str(uuid.uuid4()),
            ),
            timeout=_RPC_TIMEOUT,
        )


def run_for(time: datetime, runs: Sequence[ScheduledRun]) -> ScheduledRun | None:
    """Return the one of ``runs`` that was triggered for ``time``."""
    return next((run for run in runs if run.workflow_id.endswith(_suffix(time))), None)


def _suffix(time: datetime) -> str:
    return f"-{time:%Y-%m-%dT%H:%M:%SZ}"


def _stamp(time: datetime) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(time.astimezone(UTC))
    return stamp
