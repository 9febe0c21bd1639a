"""`hatchet schedules` as operators and their scripts have it: output, exit codes, what it does."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from temporalio.client import Client
from tests.acceptance.conftest import Project, Result, project_with_servers
from tests.conftest import Eventually

from hatchet_cli.devstack import DevStack
from hatchet_cli.reports.schedules import as_record
from hatchet_router.schedule_actions import ScheduleActions
from hatchet_router.schedule_list import list_schedules
from hatchet_schemas.draws import drawn
from hatchet_schemas.names import times_id

# What is told of each schedule; a name that changes breaks scripts.
FIELDS = {
    "catch_up",
    "counts",
    "cron",
    "expression",
    "id",
    "jitter",
    "job",
    "name",
    "next_times",
    "note",
    "overlap",
    "paused",
    "queue",
    "recent",
    "running",
    "slot",
    "timezone",
    "workflow",
}
FILE = """
name: Nightly report
on:
  cron:
    - {schedule: 30 6 * * mon-fri, timezone: Europe/Berlin, overlap: skip}
    - {schedule: random_hourly, jitter: 30s}
defaults: {timeout: 10m}
jobs:
  write: &job
    queue: QUEUE
    steps: [{id: say, actionId: "echo:say"}]
  send: *job
"""
APP = """
import os
from hatchet_worker import Integration, Worker, action

class Echo(Integration):
    id = "echo"

    @action("say")
    async def say(self, data: dict) -> None: ...

worker = Worker([Echo()], queues=[os.environ["TEST_QUEUE"]])
"""
ONE = "Nightly report/write"
ALL = {ONE, "Nightly report/send", f"{ONE}/2", "Nightly report/send/2"}


@pytest.fixture
def scheduled(project: Project, lifetime: ExitStack, eventually: Eventually) -> Project:
    """A project whose router has made schedules: of two triggers, for each of two jobs."""
    return with_schedules(project, lifetime, eventually)


@pytest.fixture(scope="module")
def unchanged(
    tmp_path_factory: pytest.TempPathFactory, stack: DevStack, eventually: Eventually
) -> Iterator[Project]:
    """The same, shared by tests that only ask; a schedule may come due meanwhile."""
    with ExitStack() as lifetime:
        project = project_with_servers(tmp_path_factory.mktemp("unchanged"), stack)
        yield with_schedules(project, lifetime, eventually)


def quiet_deployment() -> str:
    """Return a name of a deployment whose hourly schedule is not due within minutes."""
    while True:
        name = uuid.uuid4().hex[:8]
        minute = int(drawn("random_hourly", times_id(name, "Nightly report", 2)).split()[0])
        if 15 <= (minute - datetime.now(UTC).minute) % 60 <= 58:
            return name


def with_schedules(project: Project, lifetime: ExitStack, eventually: Eventually) -> Project:
    """Run the project's router, and return when Temporal lists its schedules."""
    project.environment = {**project.environment, "HATCHET_DEPLOYMENT": quiet_deployment()}
    queue = f"schedules-{project.environment['HATCHET_DEPLOYMENT']}"
    project.environment = {**project.environment, "TEST_QUEUE": queue}
    project.write(".hatchet/report.yaml", FILE.replace("QUEUE", queue))
    project.write("app.py", APP)
    lifetime.enter_context(project.running("router"))
    # Temporal lists what is new a moment later.
    eventually(lambda: set(kept(project)) == ALL)
    return project


def kept(project: Project) -> dict[str, Any]:
    """Return what `listed` does without a command, which is quick: for those who ask often."""

    async def read() -> dict[str, Any]:
        client = await Client.connect(project.environment["TEMPORAL_ADDRESS"])
        found = await list_schedules(client, project.environment["HATCHET_DEPLOYMENT"])
        runs = [run for each in found for run in each.recent]
        states = await ScheduleActions(client).states(runs)
        return {each.name: as_record(each, states) for each in found}

    return asyncio.run(read())


def listed(project: Project) -> dict[str, Any]:
    """Return what is told of each schedule, by its name."""
    result = project.hatchet("schedules", "list", "-o", "json")
    assert result.code == 0, result.stderr
    return {each["name"]: each for each in json.loads(result.stdout)}


def on(project: Project, command: str, *arguments: str) -> Result:
    """Run a command of `hatchet schedules` that succeeds."""
    result = project.hatchet("schedules", command, *arguments)
    assert result.code == 0, result.stderr
    return result


def described_times(stack: DevStack, schedule_id: str) -> list[datetime]:
    """Return the next times as Temporal's own client has them."""

    async def read() -> list[datetime]:
        client = await Client.connect(stack.temporal.address)
        description = await client.get_schedule_handle(schedule_id).describe()
        return list(description.info.next_action_times)

    return asyncio.run(read())


def test_the_list_is_a_table_and_json_that_scripts_rely_on(scheduled: Project) -> None:
    records = listed(scheduled)
    table = on(scheduled, "list").stdout.splitlines()

    assert all(set(record) == FIELDS for record in records.values())
    drawn = records[f"{ONE}/2"]["expression"]
    assert table[0].split() == "NAME CRON TIME ZONE NEXT LAST STATE PAUSED".split()
    assert len(table) == 5
    (line,) = (each for each in table if each.startswith(f"{ONE}/2 "))
    assert f"random_hourly ({drawn})" in line
    assert line.split()[-3:] == ["-", "-", "no"]


def test_show_tells_all_of_each_schedule_of_a_workflow(unchanged: Project) -> None:
    text = on(unchanged, "show", f"{ONE}/2").stdout
    records = json.loads(on(unchanged, "show", "Nightly report", "-o", "json").stdout)

    assert {each["name"] for each in records} == ALL
    for line in ("overlap: skip", "catch-up: 1d", "jitter: 30s", "paused: no", "latest runs:"):
        assert line in text.splitlines()
    assert "0 missed, 0 skipped, 0 dropped" in text


def test_the_next_times_are_those_that_temporal_reports(
    unchanged: Project, stack: DevStack
) -> None:
    """With jitter and without; one of them may go by between two questions."""
    schedules = listed(unchanged)
    for name in (ONE, f"{ONE}/2"):
        for count in (1, 5, 10):
            result = on(unchanged, "next", name, "-n", str(count), "-o", "json")
            after = described_times(stack, schedules[name]["id"])

            [record] = json.loads(result.stdout)
            times = [datetime.fromisoformat(each["utc"]) for each in record["times"]]
            assert len(times) == count
            assert times in (after[:count], [times[0], *after[: count - 1]])
            zone = ZoneInfo(record["timezone"])
            assert [each["local"] for each in record["times"]] == [
                time.astimezone(zone).isoformat() for time in times
            ]


def test_more_than_ten_next_times_go_on_from_those(unchanged: Project) -> None:
    for name in (ONE, f"{ONE}/2"):
        ten, many = (
            json.loads(on(unchanged, "next", name, "-n", count, "-o", "json").stdout)[0]["times"]
            for count in ("10", "1000")
        )

        assert len(many) == 1000
        assert many[:9] in (ten[:9], ten[1:])
        days = [datetime.fromisoformat(each["local"]) for each in many]
        assert days == sorted(set(days))
        if name == ONE:
            assert all(day.strftime("%H:%M:%S") == "06:30:00" for day in days)
            assert all(day.weekday() < 5 for day in days)


def test_next_shows_the_zone_s_time_beside_utc_and_says_that_it_is_paused(
    scheduled: Project,
) -> None:
    on(scheduled, "pause", ONE, "--note", "quarter's end")

    lines = on(scheduled, "next", ONE, "-n", "2").stdout.splitlines()

    assert lines[0] == f"{ONE}  30 6 * * mon-fri  Europe/Berlin"
    assert lines[1] == "  paused, so nothing starts at its times: quarter's end"
    assert len(lines) == 4
    for line in lines[2:]:
        assert " 06:30:00 +0" in line
        assert line.endswith((" 04:30:00 UTC", " 05:30:00 UTC"))


def test_a_workflow_is_triggered_as_at_one_time_and_the_list_shows_how_it_ends(
    scheduled: Project, eventually: Eventually
) -> None:
    """All its jobs share the event; paused ones run, too."""
    on(scheduled, "pause", ONE)

    runs = json.loads(on(scheduled, "trigger", "Nightly report", "-o", "json").stdout)

    assert {run["name"] for run in runs} == ALL
    assert len({run["workflow_id"][-20:] for run in runs}) == 1
    before = listed(scheduled)[ONE]
    assert before["recent"][0]["state"] == "RUNNING"
    assert before["running"] == [before["recent"][0]["workflow_id"]]
    with scheduled.running("worker", "app:worker") as worker:
        eventually(lambda: worker.has_said("worker.started"))
        eventually(lambda: kept(scheduled)[ONE]["recent"][0]["state"] == "COMPLETED")
    (line,) = (
        each for each in on(scheduled, "list").stdout.splitlines() if each.startswith(f"{ONE} ")
    )
    assert "completed" in line


def test_each_trigger_starts_one_more_beside_those_that_run(scheduled: Project) -> None:
    """Also within one second, of which Temporal alone would make one run."""
    results = [on(scheduled, "trigger", ONE) for _ in range(3)]

    ids = [result.stdout.removeprefix(f"{ONE} started: ").strip() for result in results]
    assert len(set(ids)) == 3
    assert sorted(run["workflow_id"] for run in listed(scheduled)[ONE]["recent"]) == sorted(ids)


def test_pause_and_resume_are_noted_and_can_be_said_twice(scheduled: Project) -> None:
    paused = on(scheduled, "pause", ONE)
    by_hatchet = listed(scheduled)[ONE]
    again = on(scheduled, "pause", ONE)
    noted = on(scheduled, "pause", "Nightly report", "--note", "the ledger is\x1b[31m closed")
    all_paused = listed(scheduled)
    table = on(scheduled, "list").stdout

    assert by_hatchet["paused"]
    assert by_hatchet["note"].startswith("paused by ")
    assert "@" in by_hatchet["note"]
    assert by_hatchet["note"].endswith(", with hatchet")
    assert paused.stdout == f"{ONE} paused: {by_hatchet['note']}\n"
    assert again.stdout == f"{ONE} is paused already: {by_hatchet['note']}\n"
    assert noted.stdout.count(r"paused: the ledger is\x1b[31m closed") == 4
    assert {each["note"] for each in all_paused.values()} == {"the ledger is\x1b[31m closed"}
    assert r"the ledger is\x1b[31m closed" in table

    on(scheduled, "resume", ONE, "--note", "open again")
    again = on(scheduled, "resume", ONE)

    assert again.stdout == f"{ONE} is not paused\n"
    one = listed(scheduled)[ONE]
    assert (one["paused"], one["note"]) == (False, "open again")
    assert listed(scheduled)[f"{ONE}/2"]["paused"]


@pytest.mark.parametrize("overlap", ["buffer", "allow"])
def test_a_backfill_lists_the_times_and_starts_them_once_it_is_confirmed(
    scheduled: Project, eventually: Eventually, overlap: str
) -> None:
    span = ("--from", "2026-03-27T06:30", "--to", "2026-03-30 06:30", "--overlap", overlap)

    dry = on(scheduled, "backfill", ONE, *span)
    untouched = listed(scheduled)[ONE]
    real = on(scheduled, "backfill", ONE, *span, "--yes", "-o", "json")

    assert dry.stdout.splitlines()[1:] == [
        "  2026-03-27 06:30:00 +01:00  2026-03-27 05:30:00 UTC",
        "  2026-03-30 06:30:00 +02:00  2026-03-30 04:30:00 UTC",
    ]
    assert dry.stderr == "hatchet: 2 runs would be started; --yes does it\n"
    assert untouched["recent"] == []
    assert [each["local"] for each in json.loads(real.stdout)[0]["times"]] == [
        "2026-03-27T06:30:00+01:00",
        "2026-03-30T06:30:00+02:00",
    ]
    at_once = 2 if overlap == "allow" else 1
    eventually(lambda: len(kept(scheduled)[ONE]["recent"]) == at_once)
    one = listed(scheduled)[ONE]
    assert one["counts"]["waiting"] == 2 - at_once
    with scheduled.running("worker", "app:worker") as worker:
        eventually(lambda: worker.has_said("worker.started"))
        eventually(lambda: states(scheduled) == ["COMPLETED"] * 2)
    ids = [run["workflow_id"] for run in listed(scheduled)[ONE]["recent"]]
    assert [each[-20:] for each in sorted(ids)] == ["2026-03-27T05:30:00Z", "2026-03-30T04:30:00Z"]


def states(project: Project) -> list[str]:
    """Return how the runs of one schedule stand."""
    return [run["state"] for run in kept(project)[ONE]["recent"]]


def test_a_backfill_of_a_single_time_is_done_at_once(
    scheduled: Project, eventually: Eventually
) -> None:
    on(scheduled, "backfill", ONE, "--from", "2026-03-30T04:30Z", "--to", "2026-03-30T04:30:00Z")

    eventually(lambda: states(scheduled) == ["RUNNING"])
    [run] = listed(scheduled)[ONE]["recent"]
    beside = on(scheduled, "trigger", ONE)
    assert beside.stderr == f"hatchet: {ONE}: an earlier run goes on, too: {run['workflow_id']}\n"
    assert states(scheduled) == ["RUNNING"] * 2


def test_a_backfill_with_jitter_starts_a_run_for_each_time_it_tells(
    scheduled: Project, eventually: Eventually
) -> None:
    """Also of a schedule that is paused."""
    name = f"{ONE}/2"
    on(scheduled, "pause", name)
    span = (
        "--from",
        "2026-03-27T00:00",
        "--to",
        "2026-03-27T04:59:59",
        "--overlap",
        "allow",
        "--yes",
    )

    result = on(scheduled, "backfill", name, *span, "-o", "json")

    assert "asked for 5 runs, all at once" in result.stderr
    told = [each["utc"] for each in json.loads(result.stdout)[0]["times"]]
    eventually(lambda: len(kept(scheduled)[name]["recent"]) == len(told))
    assert [run["due"] for run in listed(scheduled)[name]["recent"]] == told


def test_a_backfill_without_any_time_is_exit_code_4(unchanged: Project) -> None:
    result = unchanged.hatchet(
        "schedules", "backfill", ONE, "--from", "2026-03-28T00:00", "--to", "2026-03-30T06:29"
    )

    assert result.code == 4
    assert "has no time from 2026-03-28T00:00 to 2026-03-30T06:29" in result.stderr


def test_a_wrong_span_is_exit_code_2(scheduled: Project) -> None:
    """Nothing is started."""
    later = (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%MZ")
    for name, first, last, said in (
        (ONE, "2026-03-30", "2026-03-31T00:00", "--from '2026-03-30' is no time"),
        (ONE, "2026-01-01T00:00", later, "is not over yet"),
        (f"{ONE}/2", "2000-01-01T00:00", "2026-01-01T00:00", "more than 10,000 times"),
    ):
        span = ("--from", first, "--to", last, "--yes")

        result = scheduled.hatchet("schedules", "backfill", name, *span)

        assert result.code == 2
        assert said in result.stderr
        assert listed(scheduled)[name]["recent"] == []


def test_an_unknown_name_is_exit_code_2_with_the_nearest_name(unchanged: Project) -> None:
    for command in ("show", "next", "trigger", "pause", "resume"):
        result = unchanged.hatchet("schedules", command, "nightly report/wrote")

        assert result.code == 2
        assert result.stdout == ""
        assert f"did you mean {ONE!r}?" in result.stderr


def test_a_deployment_without_schedules_is_told_by_its_name(project: Project) -> None:
    deployment = project.environment["HATCHET_DEPLOYMENT"]

    text = on(project, "list")
    as_json = on(project, "list", "-o", "json")
    named = project.hatchet("schedules", "show", ONE)

    assert (text.stdout, json.loads(as_json.stdout), named.code) == ("", [], 2)
    for result in (text, as_json, named):
        assert f"deployment {deployment!r} has no schedules" in result.stderr
        assert "HATCHET_DEPLOYMENT" in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("list",),
        ("show", ONE),
        ("next", ONE),
        ("trigger", ONE),
        ("pause", ONE),
        ("resume", ONE),
        ("backfill", ONE, "--from", "2026-01-01T00:00Z", "--to", "2026-01-02T00:00Z"),
    ],
)
def test_a_temporal_that_is_away_is_exit_code_3(
    offline_project: Project, arguments: tuple[str, ...]
) -> None:
    result = offline_project.hatchet("schedules", *arguments)

    assert result.code == 3
    assert "cannot reach Temporal at 127.0.0.1:1" in result.stderr
