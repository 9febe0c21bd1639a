"""Temporal's schedules follow the workflow files."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.protobuf.duration_pb2 import Duration
from structlog.testing import capture_logs
from temporalio.api.common.v1 import Payload
from temporalio.api.workflowservice.v1 import RegisterNamespaceRequest
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleBackfill,
    ScheduleOverlapPolicy,
    ScheduleSpec,
)
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import PayloadCodec

from hatchet_cli.devstack import DevStack
from hatchet_router.errors import ScheduleUnreadable
from hatchet_router.schedule_list import ListedSchedule, ScheduledRun, list_schedules, named
from hatchet_router.schedule_store import ScheduleStore
from hatchet_router.schedules import ScheduleKeeper
from hatchet_router.settings import RouterSettings
from hatchet_router.temporal import register_search_attributes
from hatchet_router.wanted_schedules import wanted_schedules
from hatchet_schemas import Definition, ScheduledJobInput, Workflow
from hatchet_worker import TemporalSettings, connect
from hatchet_worker.encryption_keys import EncryptionKey, KeyRing

STEP = {"id": "say", "actionId": "echo:say", "timeout": "10s"}
Until = Callable[..., Awaitable[Any]]
Serve = Callable[..., AbstractAsyncContextManager[Any]]


def report(*crons: str | dict[str, Any], name: str = "Report", **fields: Any) -> Definition:
    """Return a workflow with jobs ``a`` and ``b`` that the clock starts."""
    triggers = [{"schedule": cron} if isinstance(cron, str) else cron for cron in crons]
    jobs = {"a": {"steps": [STEP]}, "b": {"steps": [STEP], "queue": "slow", "timeout": "1h"}}
    workflow = Workflow.model_validate(
        {"name": name, "on": {"cron": triggers}, "jobs": jobs, **fields}, strict=False
    )
    return Definition(f"{name}.yaml", workflow)


class Deployment:
    """A deployment that is the test's own."""

    def __init__(self, client: Client, name: str, until: Until) -> None:
        self.client = client
        self.name = name
        self.until = until
        self._names: set[str] = set()

    async def follow(self, *definitions: Definition, **options: Any) -> list[str]:
        """Start a router as far as schedules go; return what it has logged of them.

        Temporal lists what is new and gone a moment later, which is waited for.
        """
        with capture_logs() as logs:
            async with self.keeper(**options) as keeper:
                await keeper.follow(definitions)
                assert keeper.troubles == {}
        changes = sorted(
            (
                entry["event"].removeprefix("schedule."),
                entry["schedule"].removeprefix(f"{self.name}/"),
            )
            for entry in logs
            if "schedule" in entry
        )
        self._names |= {name for change, name in changes if change == "created"}
        self._names -= {name for change, name in changes if change == "deleted"}
        await self.lists(*self._names)
        return [" ".join(change) for change in changes]

    def keeper(self, **options: Any) -> ScheduleKeeper:
        """Return what keeps the schedules of one more router."""
        return ScheduleKeeper(self.client, self.name, **options)

    async def lists(self, *names: str) -> dict[str, ListedSchedule]:
        """Wait until there are schedules of these ids and no others; return them by name."""
        await self.until(self.ids, expected=set(names))
        return await self.listed()

    async def ids(self) -> set[str]:
        """Return the schedules' ids, without the deployment before them."""
        listed = await list_schedules(self.client, self.name)
        return {each.id.removeprefix(f"{self.name}/") for each in listed}

    async def listed(self) -> dict[str, ListedSchedule]:
        """Return the schedules by their names."""
        return {each.name: each for each in await list_schedules(self.client, self.name)}

    async def started(self, name: str, year: int) -> Any:
        """Make up for the new year of a yearly schedule.

        Return the run, and the attributes of its history's first event.
        """
        schedule = (await self.listed())[name]
        earlier = {run.run_id for run in schedule.recent}
        await self.client.get_schedule_handle(schedule.id).backfill(
            ScheduleBackfill(
                start_at=datetime(year - 1, 12, 31, tzinfo=UTC),
                end_at=datetime(year, 1, 2, tzinfo=UTC),
                overlap=ScheduleOverlapPolicy.ALLOW_ALL,
            )
        )

        async def new() -> list[ScheduledRun]:
            recent = (await self.listed())[name].recent
            return [run for run in recent if run.run_id not in earlier]

        (run,) = await self.until(new)
        handle = self.client.get_workflow_handle(run.workflow_id, run_id=run.run_id)
        history = await handle.fetch_history()
        return run, history.events[0].workflow_execution_started_event_attributes


@pytest.fixture
def deployed(client: Client, until: Until) -> Callable[[str], Deployment]:
    """Make a deployment of a name."""
    return lambda name: Deployment(client, name, until)


@pytest.fixture
async def deployment(deployed: Callable[[str], Deployment], name: str) -> AsyncIterator[Deployment]:
    """Make a deployment that no other test has, and leave nothing of it that would start jobs."""
    deployment = deployed(name)
    yield deployment
    await deployment.follow()


async def test_schedules_are_created_updated_and_deleted(deployment: Deployment) -> None:
    """As the files come, change and go; nothing is touched that did not change."""
    files = report("*/5 * * * *"), report("@daily", name="Nightly", jobs={"j": {"steps": [STEP]}})

    assert await deployment.follow(*files) == [
        "created Nightly/j",
        "created Report/a",
        "created Report/b",
    ]
    assert await deployment.follow(*files) == []
    assert await deployment.follow(report("*/7 * * * *"), files[1]) == [
        "updated Report/a",
        "updated Report/b",
    ]
    assert await deployment.follow(files[1]) == ["deleted Report/a", "deleted Report/b"]
    assert await deployment.follow() == ["deleted Nightly/j"]
    assert await deployment.listed() == {}


async def test_a_schedule_is_what_the_trigger_says(deployment: Deployment) -> None:
    """All of it can be read back, and changed."""
    await deployment.follow(report("0 9 * * mon"))

    before = (await deployment.listed())["Report/b"]
    assert (before.cron, before.expression, before.timezone) == ("0 9 * * mon",) * 2 + ("UTC",)
    assert (before.overlap, before.catch_up, before.jitter) == ("skip", timedelta(hours=24), None)
    assert (before.queue, before.paused, before.running) == ("slow", False, ())
    assert len(before.next_times) == 10
    assert {(due.weekday(), due.hour, due.minute) for due in before.next_times} == {(0, 9, 0)}

    trigger = {
        "schedule": "30 9 * * mon",
        "timezone": "Asia/Tokyo",
        "overlap": "buffer",
        "catch-up": "1h",
        "jitter": "30s",
    }
    jobs = {"a": {"steps": [STEP]}, "b": {"steps": [STEP], "queue": "slower"}}
    await deployment.follow(report(trigger, jobs=jobs))

    after = (await deployment.listed())["Report/b"]
    assert (after.cron, after.timezone, after.queue) == ("30 9 * * mon", "Asia/Tokyo", "slower")
    assert (after.overlap, after.catch_up) == ("buffer", timedelta(hours=1))
    assert after.jitter == timedelta(seconds=30)
    assert {(due.weekday(), due.hour, due.minute) for due in after.next_times} == {(0, 0, 30)}


@pytest.mark.parametrize("overlap", ["skip", "buffer", "allow", "cancel"])
async def test_every_overlap_is_taken(deployment: Deployment, overlap: str) -> None:
    """And read back under our name for it."""
    await deployment.follow(report({"schedule": "@daily", "overlap": overlap}))

    assert (await deployment.listed())["Report/a"].overlap == overlap


@pytest.mark.parametrize(
    "schedule",
    ["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@hourly", "0 0 * jan-mar sun"],
)
async def test_every_kind_of_schedule_is_taken(deployment: Deployment, schedule: str) -> None:
    """Temporal knows all that a file may say."""
    await deployment.follow(report(schedule))

    assert (await deployment.listed())["Report/a"].next_times


async def test_a_paused_schedule_stays_paused(deployment: Deployment) -> None:
    """Whatever is edited, also where it becomes the first of the workflow's triggers."""
    await deployment.follow(report("@daily", "@weekly"))
    paused = deployment.client.get_schedule_handle((await deployment.listed())["Report/a/2"].id)
    await paused.pause(note="the shop is closed")

    for edited in (
        report("@daily", {"schedule": "@weekly", "timezone": "Asia/Tokyo"}),
        report("@daily", "0 3 * * sun", description="Edited", vars={"a": 1}),
        report("0 3 * * sun"),
        report("@hourly", "0 3 * * sun"),
    ):
        await deployment.follow(edited)

        listed = await deployment.listed()
        assert {each.name for each in listed.values() if each.paused} == {"Report/a/2"}
        assert listed["Report/a/2"].note == "the shop is closed"
    assert listed["Report/a/2"].cron == "0 3 * * sun"


async def test_a_pause_that_comes_between_reading_and_writing_is_not_undone(
    deployment: Deployment,
) -> None:
    """Temporal drops that update, and the next look finds what is left to do."""
    await deployment.follow(report("@daily"))
    store = ScheduleStore(deployment.client, deployment.name)
    (schedule_id, *_) = [each async for each in store.ids()]
    kept = await store.read(schedule_id)
    assert kept is not None
    await deployment.client.get_schedule_handle(schedule_id).pause(note="just now")

    wanted = wanted_schedules(deployment.name, [report("@weekly").workflow], [])
    await store.update(kept, next(each for each in wanted if each.id == schedule_id))
    await deployment.follow(report("@weekly"))

    (listed,) = [each for each in (await deployment.listed()).values() if each.id == schedule_id]
    assert (listed.cron, listed.paused, listed.note) == ("@weekly", True, "just now")


async def test_two_deployments_leave_each_other_alone(
    deployed: Callable[[str], Deployment], name: str
) -> None:
    """Although one's name begins with the other's, and their files are the same."""
    one, other = deployed(name), deployed(f"{name}-2")
    await one.follow(report("random_daily"))
    await other.follow(report("random_daily"))

    assert await one.follow() == ["deleted Report/a", "deleted Report/b"]

    assert len(await other.listed()) == 2
    await other.follow()


async def test_what_is_not_ours_is_left_alone(deployment: Deployment) -> None:
    """Even under an id that looks like ours; and where we need that id, we say so."""
    foreign = await deployment.client.create_schedule(
        f"{deployment.name}/Report/a",
        Schedule(
            action=ScheduleActionStartWorkflow("own", id="own", task_queue="own"),
            spec=ScheduleSpec(cron_expressions=["@yearly"]),
        ),
    )
    assert await deployment.follow() == []

    async with deployment.keeper() as keeper:
        await keeper.follow([report("@daily")])
        assert keeper.troubles == {foreign.id: "there is a schedule of this id that is not ours"}

    assert (await foreign.describe()).schedule.action.workflow == "own"  # type: ignore[attr-defined]
    await deployment.lists("Report/b")
    await foreign.delete()


async def test_what_temporal_refuses_keeps_no_other_schedule_back(deployment: Deployment) -> None:
    """It is told by name, with the reason; a newer set of files ends it."""
    too_long = report(
        "@daily", name="Long", jobs={"j": {"steps": [{**STEP, "with": {"x": "x" * 900}}]}}
    )
    async with deployment.keeper(max_input_bytes=900) as keeper:
        with capture_logs() as logs:
            await keeper.follow([too_long, report("@daily")])

        (failed,) = [entry for entry in logs if entry["event"] == "schedule.failed"]
        assert failed["schedule"] == f"{deployment.name}/Long/j"
        assert "at most 900 fit" in failed["reason"]
        assert keeper.troubles == {failed["schedule"]: failed["reason"]}
        await deployment.lists("Report/a", "Report/b")

        await keeper.follow([report("@daily")])
        assert keeper.troubles == {}


async def test_the_last_of_several_sets_of_files_is_followed(deployment: Deployment) -> None:
    """Also where it comes while an earlier one is under way."""
    async with deployment.keeper() as keeper:
        with capture_logs() as logs:
            await asyncio.gather(
                *(keeper.follow([report("@daily", name=name)]) for name in ("A", "B", "C"))
            )
        assert keeper.troubles == {}
        assert "schedules.slow" not in {entry["event"] for entry in logs}
        await deployment.until(deployment.ids, expected={"C/a", "C/b"})


class BrokenCodec(PayloadCodec):
    """Encodes nothing of what a workflow called Broken has to say."""

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Fail, or leave all as it is."""
        if any(b"Broken" in payload.data for payload in payloads):
            raise RuntimeError("no key")
        return list(payloads)

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Leave all as it is."""
        return list(payloads)


async def test_a_fault_with_one_schedule_ends_neither_the_others_nor_the_router(
    deployment: Deployment, stack: DevStack
) -> None:
    """Here a codec of somebody's own fails; it is told as it is."""
    broken = await Client.connect(
        stack.temporal.address,
        data_converter=replace(pydantic_data_converter, payload_codec=BrokenCodec()),
    )
    async with ScheduleKeeper(broken, deployment.name) as keeper:
        await keeper.follow([report("@daily", name="Broken"), report("@daily")])

        assert keeper.troubles == {
            f"{deployment.name}/Broken/{job}": "RuntimeError: no key" for job in "ab"
        }
    await deployment.lists("Report/a", "Report/b")


async def test_a_new_key_encrypts_schedules_anew(deployment: Deployment, stack: DevStack) -> None:
    """So that the old one can be forgotten; after that there is nothing to do."""
    old, new = EncryptionKey("old", os.urandom(32)), EncryptionKey("new", os.urandom(32))
    address = stack.temporal.address

    async def reconciled(*keys: EncryptionKey) -> list[str]:
        deployment.client = await connect(
            TemporalSettings(address=address, keys=KeyRing(keys) if keys else None)
        )
        return await deployment.follow(report("@yearly"))

    assert await reconciled() == ["created Report/a", "created Report/b"]
    assert await reconciled(old) == ["updated Report/a", "updated Report/b"]
    assert await reconciled(new, old) == ["updated Report/a", "updated Report/b"]
    assert await reconciled(new) == []
    for keys, reason in ((None, "it is encrypted; set"), (KeyRing((old,)), "key 'new', which is")):
        blind = await connect(TemporalSettings(address=address, keys=keys))
        with pytest.raises(ScheduleUnreadable, match=reason):
            await list_schedules(blind, deployment.name)
        async with ScheduleKeeper(blind, deployment.name) as keeper:
            await keeper.follow([])
            assert all(reason in trouble for trouble in keeper.troubles.values())
            assert len(keeper.troubles) == 2


async def test_twenty_times_two_routers_start_at_once(
    deployed: Callable[[str], Deployment], name: str
) -> None:
    """Each time there is one schedule for each job and trigger, and the jobs' minutes are equal."""
    files = [report("random_hourly", "random_daily")]
    for number in range(20):
        deployment = deployed(f"{name}-{number}")
        async with deployment.keeper() as one, deployment.keeper() as other:
            await asyncio.gather(one.follow(files), other.follow(files))

            assert (one.troubles, other.troubles) == ({}, {})
            listed = await deployment.lists("Report/a", "Report/a/2", "Report/b", "Report/b/2")
            for a, b in (("Report/a", "Report/b"), ("Report/a/2", "Report/b/2")):
                assert listed[a].expression == listed[b].expression
                assert listed[a].next_times == listed[b].next_times
            await one.follow([])


async def test_two_routers_reload_at_once(deployment: Deployment) -> None:
    """They end with what the files want, whatever each of them finds half done."""
    states: list[list[str | dict[str, Any]]] = [
        ["@daily", "@hourly", "random_daily"],
        ["random_daily", "@weekly"],
        ["@weekly", {"schedule": "@hourly", "overlap": "allow"}, "@monthly", "random_daily"],
        ["random_hourly"],
    ]
    async with deployment.keeper() as one, deployment.keeper() as other:
        for crons in states * 2:
            files = [report(*crons)]
            await asyncio.gather(one.follow(files), other.follow(files))

            wanted = sorted(cron.schedule for cron in files[0].workflow.on.crons)

            async def kept() -> dict[str, list[str]]:
                listed = (await deployment.listed()).values()
                return {
                    job: sorted(each.cron for each in listed if each.job == job) for job in "ab"
                }

            await deployment.until(kept, expected={"a": wanted, "b": wanted})
        await one.follow([])


async def test_a_draw_stays_whatever_else_changes(deployment: Deployment) -> None:
    """It is drawn anew when the keyword changes."""
    await deployment.follow(report("random_daily"))
    drawn = (await deployment.listed())["Report/a"].expression

    await deployment.follow(report("@hourly", "random_daily", vars={"a": 1}))
    await deployment.follow(report({"schedule": "random_daily", "timezone": "Asia/Tokyo"}))
    listed = await deployment.listed()
    assert {each.expression for each in listed.values()} == {drawn}

    await deployment.follow(report("random_hourly"))
    assert {each.expression for each in (await deployment.listed()).values()} != {drawn}


async def test_a_run_bears_what_one_that_an_event_starts_bears(
    client: Client, deployment: Deployment
) -> None:
    """Its queue, its timeout, search attributes, memo and summary; and an id of its own."""
    assert await register_search_attributes(client)
    await deployment.follow(report("@yearly"), search_attributes=True)

    run, started = await deployment.started("Report/b", 2025)

    assert run.workflow_id == f"Report/b/~cron@{deployment.name}-2025-01-01T00:00:00Z"
    assert started.workflow_type.name == "b"
    assert started.task_queue.name == "slow"
    assert started.workflow_execution_timeout.ToTimedelta() == timedelta(hours=1)
    assert {name: value.data for name, value in started.memo.fields.items()}["hatchet_jobs"] == b"2"
    description = await client.get_workflow_handle(run.workflow_id).describe()
    attributes = {pair.key.name: pair.value for pair in description.typed_search_attributes}
    assert attributes["HatchetWorkflow"] == "Report"
    assert attributes["HatchetJob"] == "b"
    assert attributes["HatchetEventKey"] == "cron"
    assert await description.static_summary() == "Report on cron"


async def test_an_edited_definition_changes_the_next_run(deployment: Deployment) -> None:
    """And not the one that goes on."""
    await deployment.follow(report("@yearly"))
    _, before = await deployment.started("Report/a", 2024)

    await deployment.follow(report("@yearly", vars={"edited": 1}))
    _, after = await deployment.started("Report/a", 2025)

    inputs = [
        ScheduledJobInput.model_validate_json(started.input.payloads[0].data)
        for started in (before, after)
    ]
    assert [each.vars for each in inputs] == [{}, {"edited": 1}]


async def test_schedules_are_found_by_their_name_or_the_workflows(deployment: Deployment) -> None:
    """Also where a workflow is called like another one's schedule."""
    await deployment.follow(
        report("@daily", "@weekly"),
        report("@daily", name="Report/a", jobs={"j": {"steps": [STEP]}}),
    )
    listed = await list_schedules(deployment.client, deployment.name)

    assert [each.name for each in named(listed, "Report")] == [
        "Report/a",
        "Report/a/2",
        "Report/b",
        "Report/b/2",
    ]
    assert [each.name for each in named(listed, "Report/b/2")] == ["Report/b/2"]
    assert [each.id for each in named(listed, "Report/a")] == [f"{deployment.name}/Report/a"]
    assert [each.name for each in named(listed, "Report/a/j")] == ["Report/a/j"]
    assert named(listed, "nobody") == ()


async def test_a_namespace_that_is_not_there_is_waited_for_in_the_background(
    client: Client, stack: DevStack, name: str, until: Until
) -> None:
    """The caller goes on, and is told what is amiss; all is made up for when it is mended."""
    elsewhere = await Client.connect(
        stack.temporal.address, namespace=name, data_converter=pydantic_data_converter
    )
    async with ScheduleKeeper(elsewhere, name) as keeper:
        await keeper.follow([report("@daily")])
        assert "NOT_FOUND" in keeper.troubles["schedules"]

        await client.workflow_service.register_namespace(
            RegisterNamespaceRequest(
                namespace=name, workflow_execution_retention_period=Duration(seconds=86400)
            )
        )

        async def mended() -> bool:
            return not keeper.troubles

        await until(mended, seconds=60)
        await Deployment(elsewhere, name, until).lists("Report/a", "Report/b")
        await keeper.follow([])


async def test_a_router_keeps_the_schedules_of_its_files(
    settings: RouterSettings, client: Client, name: str, serving: Serve, until: Until
) -> None:
    """In the deployment that the settings name; they outlive it, and go with the files."""

    async def ids() -> list[str]:
        return [each.name for each in await list_schedules(client, name)]

    async with serving(settings, [report("@daily")], client):
        await until(ids, expected=["Report/a", "Report/b"])
    assert await ids() == ["Report/a", "Report/b"]
    async with serving(settings, [], client):
        await until(ids, expected=[])
