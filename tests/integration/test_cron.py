"""Cron triggers from the file to the step: a schedule that a real Temporal carries out."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Collection
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from temporalio.client import Client, ScheduleBackfill, ScheduleOverlapPolicy
from temporalio.common import SearchAttributeKey
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

from hatchet_cli.devstack import ServerNotInstalledError
from hatchet_cli.devstack.temporal import find_temporal
from hatchet_router.schedule_list import ListedSchedule, list_schedules
from hatchet_router.schedules import ScheduleKeeper
from hatchet_schemas import Definition, SourceFile, load_definitions
from hatchet_worker import Integration, Worker, action

DUE = SearchAttributeKey.for_datetime("TemporalScheduledStartTime")
DEADLINE_SECONDS = 60


class Echo(Integration):
    """What the jobs call."""

    id = "echo"

    @action("say")
    async def say(self, data: dict[str, Any]) -> dict[str, Any]:
        """Return ``data``."""
        return data


@pytest.fixture
async def environment() -> AsyncIterator[WorkflowEnvironment]:
    """Start a Temporal whose schedules can be made to see the time fly."""
    try:
        path = find_temporal()
    except ServerNotInstalledError as error:
        if "CI" in os.environ:
            pytest.fail(str(error))
        pytest.skip(str(error))
    async with await WorkflowEnvironment.start_time_skipping_v2(
        data_converter=pydantic_data_converter,
        dev_server_existing_path=path,
        dev_server_log_level="never",
        dev_server_extra_args=[
            "--dynamic-config-value",
            "frontend.WorkflowTimeSkippingEnabled=true",
        ],
    ) as environment:
        yield environment


def files(cron: str) -> tuple[Definition, ...]:
    """Return a workflow of two jobs that ``cron`` starts; each tells of its event."""
    text = f"""
name: Nightly report
on: {{cron: {cron}}}
defaults: {{timeout: 10s, queue: cron-tests}}
jobs:
  a: &job
    steps:
      - id: tell
        actionId: "echo:say"
        with:
          key: "{{{{ .event.key }}}}"
          time: "{{{{ .event.time }}}}"
          id: "{{{{ .event.id }}}}"
  b: *job
"""
    definitions, problems = load_definitions([SourceFile("report.yaml", text.encode())])
    assert problems == ()
    return definitions


async def scheduled(client: Client, cron: str) -> dict[str, ListedSchedule]:
    """Do what a router does at its start; return the schedules by their jobs."""
    async with ScheduleKeeper(client, "tests") as keeper:
        await keeper.follow(files(cron))
        assert keeper.troubles == {}
    deadline = time.monotonic() + DEADLINE_SECONDS
    while len(listed := await list_schedules(client, "tests")) < 2:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)
    return {each.job: each for each in listed}


async def times(
    client: Client, schedule: ListedSchedule, wanted: Collection[datetime]
) -> dict[datetime, str]:
    """Wait for runs of a schedule at these times; return the ids of all by their times."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    query = f'TemporalScheduledById = "{schedule.id}"'
    while True:
        runs = {
            run.typed_search_attributes[DUE]: run.id async for run in client.list_workflows(query)
        }
        if runs.keys() >= set(wanted):
            return runs
        assert time.monotonic() < deadline, f"{sorted(runs)} of {wanted}"
        await asyncio.sleep(0.05)


async def fly(environment: WorkflowEnvironment, schedule: ListedSchedule, span: timedelta) -> None:
    """Let the time fly by for one schedule: in Temporal a schedule is a workflow, too."""
    await environment.fast_forward(
        environment.client.get_workflow_handle(f"temporal-sys-scheduler:{schedule.id}"), span
    )


def due_between(
    start: datetime, end: datetime, zone: str, is_due: Callable[[datetime], bool]
) -> list[datetime]:
    """Return the minutes from ``start`` to ``end`` of which ``is_due`` in the local time there."""
    minutes = int((end - start).total_seconds() // 60)
    times = (start + timedelta(minutes=minute) for minute in range(minutes))
    return [each for each in times if is_due(each.astimezone(ZoneInfo(zone)))]


async def test_a_job_runs_every_minute_and_sees_the_time(environment: WorkflowEnvironment) -> None:
    """It starts at the times that Temporal has told before; the jobs of a time share an event.

    A minute that flies by is shorter than a job: runs may overlap, or times would be left out.
    """
    client = environment.client
    schedules = await scheduled(client, "{schedule: '* * * * *', overlap: allow}")
    told = [schedule.next_times for schedule in schedules.values()]
    # A minute may end between one and the other, and before time begins to fly.
    first = max(next_times[0] for next_times in told)
    expected = [first + timedelta(minutes=minute) for minute in range(4)]
    assert all(set(expected) <= set(next_times) for next_times in told)

    async with Worker([Echo()], ["cron-tests"], client=client):
        await asyncio.gather(
            *(fly(environment, each, timedelta(minutes=5)) for each in schedules.values())
        )
        for schedule in schedules.values():
            ran = await times(client, schedule, expected)
            assert [due for due in sorted(ran) if due >= first][:4] == expected
            for due, workflow_id in ran.items():
                result = await client.get_workflow_handle(workflow_id).result()
                assert result["steps"]["tell"] == {
                    "key": "cron",
                    "time": due.isoformat(),
                    "id": f"tests/Nightly report@{due:%Y-%m-%dT%H:%M:%SZ}",
                }


async def test_thirty_days_go_by_as_in_the_calendar(environment: WorkflowEnvironment) -> None:
    """Each minute that is due has one run, and no other minute has any."""
    zone = "Europe/Berlin"
    schedules = await scheduled(
        environment.client, f"{{schedule: 30 9 * * mon-tue, timezone: {zone}, overlap: allow}}"
    )
    began = datetime.now(UTC).replace(second=0, microsecond=0) + timedelta(minutes=1)

    await fly(environment, schedules["a"], timedelta(days=30))

    until = began + timedelta(days=29)  # the thirtieth may be over or not, by a moment
    expected = due_between(
        began, until, zone, lambda at: at.weekday() < 2 and (at.hour, at.minute) == (9, 30)
    )
    ran = await times(environment.client, schedules["a"], expected)
    assert len(expected) in {8, 9, 10}
    assert [due for due in sorted(ran) if began <= due < until] == expected


@pytest.mark.parametrize("month", [3, 10], ids=["clocks go forward", "clocks go back"])
async def test_a_month_with_another_clock_is_as_documented(
    environment: WorkflowEnvironment, month: int
) -> None:
    """A time that there is not is left out, and one that there is twice comes once, the second."""
    zone = "Europe/Berlin"
    schedules = await scheduled(
        environment.client, f"{{schedule: 30 2 * * *, timezone: {zone}, overlap: allow}}"
    )
    start = datetime(2026, month, 5, tzinfo=UTC)
    end = start + timedelta(days=30)

    await environment.client.get_schedule_handle(schedules["a"].id).backfill(
        ScheduleBackfill(start_at=start, end_at=end, overlap=ScheduleOverlapPolicy.ALLOW_ALL)
    )

    due = due_between(start, end, zone, lambda at: (at.hour, at.minute) == (2, 30))
    expected = list({each.astimezone(ZoneInfo(zone)).date(): each for each in due}.values())
    assert (len(due), len(expected)) == {3: (29, 29), 10: (31, 30)}[month]
    assert sorted(await times(environment.client, schedules["a"], expected)) == expected
