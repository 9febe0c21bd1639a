"""Runs that somebody asks of schedules: at once, or for times that went by."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from temporalio.client import Client

from hatchet_cli.definitions import counted
from hatchet_cli.exiting import CommandError, ExitCode
from hatchet_cli.reports.schedules import Times
from hatchet_cli.schedules import chosen, print_json, print_lines, read_span, tell
from hatchet_router.schedule_actions import ScheduleActions, run_for, trigger_time
from hatchet_router.schedule_list import ScheduledRun

__all__ = ["Backfill", "backfill_runs", "trigger_runs"]

_START_SECONDS: Final = 10.0  # how long to wait for a run that was triggered
_POLL_SECONDS: Final = 0.05
_MAX_TIMES: Final = 10_000  # of one schedule in one backfill
_SHOWN_TIMES: Final = 10


@dataclass(frozen=True, slots=True)
class Backfill:
    """From which time to which, as texts, and how its runs may overlap."""

    first: str
    last: str
    overlap: str


async def trigger_runs(client: Client, deployment: str, name: str, *, as_json: bool) -> ExitCode:
    """Start a run of each schedule that is meant, and print what was started.

    Raises:
        CommandError: there is no such schedule.
        RPCError: Temporal does not answer, or refuses.

    """
    found = await chosen(client, deployment, name)
    # One time for all jobs of a workflow, so that they share an event, as at any other time.
    time = trigger_time(datetime.now(UTC), found)
    actions = ScheduleActions(client)
    for each in found:
        await actions.trigger(each.id, time)
    runs = await _started(client, deployment, name, time, len(found))
    if as_json:
        print_json(
            [
                {"name": each.name, "workflow_id": run.workflow_id, "run_id": run.run_id}
                for each in found
                if (run := runs.get(each.id))
            ]
        )
    else:
        print_lines(
            f"{each.name} started: {run.workflow_id}"
            for each in found
            if (run := runs.get(each.id))
        )
    for each in found:
        if each.id not in runs:
            tell(
                f"{each.name}: Temporal has taken the request, but no run is seen after "
                f"{_START_SECONDS:g} seconds; hatchet schedules show tells whether one comes"
            )
        if each.running:
            tell(f"{each.name}: an earlier run goes on, too: {', '.join(each.running)}")
    return ExitCode.SUCCESS if len(runs) == len(found) else ExitCode.FINDINGS


async def backfill_runs(
    client: Client,
    deployment: str,
    name: str,
    asked: Backfill,
    *,
    confirmed: bool,
    as_json: bool,
) -> ExitCode:
    """Print the times that are meant, and start a run for each, if ``confirmed`` or if it is one.

    Raises:
        CommandError: there is no such schedule, or the times are not right, or too many.
        RPCError: Temporal does not answer, or refuses.

    """
    actions, now = ScheduleActions(client), datetime.now(UTC)
    found = await chosen(client, deployment, name)
    spans = [read_span(asked.first, asked.last, each.timezone, now) for each in found]
    meant = [
        Times(each, await actions.times(each.id, *span, _MAX_TIMES))
        for each, span in zip(found, spans, strict=True)
    ]
    for each in meant:
        if len(each.times) > _MAX_TIMES:
            raise CommandError(
                f"{each.schedule.name} has more than {_MAX_TIMES:,} times from {asked.first} to "
                f"{asked.last}; backfill it in parts",
                ExitCode.USAGE,
            )
    if as_json:
        print_json([each.record() for each in meant])
    else:
        print_lines(line for each in meant if each.times for line in each.lines(_SHOWN_TIMES))
    count = sum(len(each.times) for each in meant)
    if not count:
        tell(f"{name} has no time from {asked.first} to {asked.last}")
        return ExitCode.NOTHING_MATCHED
    if count > 1 and not confirmed:
        tell(f"{counted(count, 'run')} would be started; --yes does it")
        return ExitCode.SUCCESS
    for each, span in zip(meant, spans, strict=True):
        if each.times:
            await actions.backfill(each.schedule.id, *span, asked.overlap)
    how = "all at once" if asked.overlap == "allow" else "one after the other for each schedule"
    tell(f"Temporal has been asked for {counted(count, 'run')}, {how}")
    return ExitCode.SUCCESS


async def _started(
    client: Client, deployment: str, name: str, time: datetime, count: int
) -> dict[str, ScheduledRun]:
    """Return the runs that were triggered for ``time``, by the ids of their schedules."""
    clock = asyncio.get_running_loop().time
    deadline = clock() + _START_SECONDS
    while True:
        found = await chosen(client, deployment, name)
        runs = {each.id: run for each in found if (run := run_for(time, each.recent))}
        if len(runs) >= count or clock() > deadline:
            return runs
        await asyncio.sleep(_POLL_SECONDS)
