"""Workflow files that change under load: no event is lost or routed twice."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aio_pika
import pytest
import structlog.testing
from aio_pika.abc import AbstractConnection
from temporalio.client import Client
from tests.workflow_files import workflow_file

from hatchet_cli.devstack import DevStack, RabbitmqServer, TemporalServer
from hatchet_router.dispatcher import Dispatcher
from hatchet_router.errors import BrokerError, EventUnroutable
from hatchet_router.folder import WorkflowFolder
from hatchet_router.reloading import Reloads
from hatchet_router.settings import RouterSettings

_EVENTS_A_SECOND = 200
_STORM_SECONDS = 6
_EVENTS = _EVENTS_A_SECOND * _STORM_SECONDS
_WRITE_EVERY_SECONDS = 0.1
_FEWEST_RELOADS = 2  # on a busy machine, where several writes are one reload

Records = list[Any]
StartedJobs = Callable[[], Awaitable[list[str]]]


@dataclass(frozen=True)
class LivingRouter:
    """A router that goes by its files as they change, and the records it logs."""

    reloads: Reloads
    records: Records

    def named(self, event: str) -> Records:
        """Return the records of a kind."""
        return [record for record in self.records if record["event"] == event]

    async def has(self, event: str, count: int) -> bool:
        """Return whether there are so many records of a kind."""
        return len(self.named(event)) >= count


Living = Callable[..., AbstractAsyncContextManager[LivingRouter]]


@pytest.fixture
def write(name: str, tmp_path: Path) -> Callable[..., None]:
    """Write the one workflow file, by rename as a deployment does: its triggers and its job."""

    def to_disk(*triggers: str, job: str = "job") -> None:
        (tmp_path / "new").write_text(workflow_file(name, *triggers, job=job))
        (tmp_path / "new").replace(tmp_path / "a.yaml")

    return to_disk


@pytest.fixture
def living(tmp_path: Path, serving: Any) -> Living:
    """Run a router that goes by `tmp_path` as it changes; give the records it logs."""

    @asynccontextmanager
    async def run(settings: RouterSettings, client: Client) -> AsyncIterator[LivingRouter]:
        folder = WorkflowFolder(tmp_path)
        definitions, problems = folder.load()
        assert problems == ()
        reloads = Reloads(folder)
        watched = settings.model_copy(update={"reload": True})
        with structlog.testing.capture_logs() as records:
            async with serving(watched, definitions, client, reloads):
                yield LivingRouter(reloads, records)

    return run


@pytest.fixture
def started_jobs(name: str, client: Client) -> StartedJobs:
    """List what Temporal has started of the test's workflow, as `job/event`."""

    async def listed() -> list[str]:
        runs = client.list_workflows(f'HatchetWorkflow = "{name}"')
        return [run.id.removeprefix(f"{name}/") async for run in runs]

    return listed


async def test_bindings_follow_the_files(
    name: str, settings: RouterSettings, client: Client, write: Any, living: Living, until: Any
) -> None:
    """An event that is published after the record is handled by the new files."""
    write(f"{name}.first", job="old")
    async with (
        living(settings, client) as router,
        Dispatcher(settings.amqp_url, exchange=settings.exchange) as dispatcher,
    ):
        await dispatcher.trigger(f"{name}.first", {})
        with pytest.raises(EventUnroutable):
            await dispatcher.trigger(f"{name}.second", {})
        write(f"{name}.second", job="new")

        await until(lambda: router.has("router.reloaded", 1))
        await dispatcher.trigger(f"{name}.second", {}, id="the second")
        with pytest.raises(EventUnroutable):
            await dispatcher.trigger(f"{name}.first", {})

        await until(lambda: router.has("event.routed", 2))

    last = router.named("event.routed")[-1]
    assert (last["event_id"], [job["job"] for job in last["jobs"]]) == ("the second", ["new"])


async def published(connection: AbstractConnection, exchange: str, key: str) -> list[str]:
    """Publish so many events a second, each once, and return the ids once RabbitMQ has them all.

    A Dispatcher would publish again what is not confirmed in time, and an event that comes twice,
    with other files in force each time, does start a job of both.
    """
    events = [f"e-{number}" for number in range(_EVENTS)]
    channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
    target = await channel.get_exchange(exchange)
    began = time.monotonic()
    async with asyncio.TaskGroup() as group:
        for number, event_id in enumerate(events):
            await asyncio.sleep(began + number / _EVENTS_A_SECOND - time.monotonic())
            group.create_task(target.publish(aio_pika.Message(b"{}", message_id=event_id), key))
    return events


async def test_a_reload_storm_under_load_loses_nothing_and_routes_nothing_twice(
    name: str,
    settings: RouterSettings,
    client: Client,
    broker: Any,
    write: Any,
    living: Living,
    until: Any,
    started_jobs: StartedJobs,
) -> None:
    """Each event starts one job, of one version of the file, and the last version stays.

    The bindings that bring the events change, too: from the key to patterns and back.
    """
    key = f"{name}.order"
    triggers = itertools.cycle([(key,), (f"{name}.*",), (f"{name}.#", "more"), (key, f"*.{name}")])
    jobs = itertools.cycle(["one", "other", "third"])
    write(*next(triggers), job=next(jobs))
    async with (
        living(settings, client) as router,
        Dispatcher(settings.amqp_url, exchange=settings.exchange) as dispatcher,
    ):
        publishing = asyncio.create_task(published(broker.connection, settings.exchange, key))
        for by_signal in itertools.cycle([True, False]):
            if publishing.done():
                break
            write(*next(triggers), job=next(jobs))
            if by_signal:
                router.reloads.request(always=True)
            await asyncio.sleep(_WRITE_EVERY_SECONDS)
        events = await publishing
        write(key, job="last")

        async def the_last_is_in_force() -> bool:
            probe = await dispatcher.trigger(key, {})

            async def routed() -> Records:
                routed = router.named("event.routed")
                return [record for record in routed if record["event_id"] == probe]

            [record] = await until(routed)
            return [job["job"] for job in record["jobs"]] == ["last"]

        await until(lambda: router.has("event.routed", _EVENTS), seconds=60)
        await until(the_last_is_in_force)

    assert len(router.named("router.reloaded")) > _FEWEST_RELOADS
    assert router.named("router.reload_failed") == []
    assert router.named("event.unmatched") == []
    assert router.named("rabbitmq.connection_lost") == []

    async def visible() -> bool:
        return set(events) <= {job.partition("/")[2] for job in await started_jobs()}

    await until(visible)
    jobs_of = Counter(job.partition("/")[2] for job in await started_jobs())
    assert {event: jobs_of[event] for event in events if jobs_of[event] != 1} == {}


async def test_while_temporal_is_away_files_change_and_events_in_hand_keep_theirs(
    stack: DevStack,
    name: str,
    settings: RouterSettings,
    connect_to_temporal: Callable[[str], Awaitable[Client]],
    broker: Any,
    write: Any,
    living: Living,
    until: Any,
) -> None:
    """The job that waits for Temporal is that of the files from before."""
    write(name, job="old")
    with TemporalServer(headless=True) as temporal:
        client = await connect_to_temporal(temporal.address)
        async with living(settings, client) as router:
            temporal.pause()
            try:
                await broker.publish(settings.exchange, name, b"{}", message_id="before")

                async def is_in_hand() -> bool:
                    return bool(await broker.waiting(settings.queue) == 0)

                await until(is_in_hand)
                write(name, job="new")
                await until(lambda: router.has("router.reloaded", 1))
                assert router.named("event.routed") == []
                await broker.publish(settings.exchange, name, b"{}", message_id="after")
            finally:
                temporal.resume()
            await until(lambda: router.has("event.routed", 2))

    jobs = {record["event_id"]: record["jobs"][0]["job"] for record in router.named("event.routed")}
    assert jobs == {"before": "old", "after": "new"}


async def test_while_rabbitmq_is_away_files_change_and_the_next_session_goes_by_them(
    rabbitmq: RabbitmqServer,
    name: str,
    settings: RouterSettings,
    client: Client,
    write: Any,
    living: Living,
    until: Any,
) -> None:
    """Nobody waits for RabbitMQ to put the files in force."""
    write(f"{name}.old")
    own = settings.model_copy(update={"amqp_url": rabbitmq.amqp_url})
    async with living(own, client) as router:
        restart = asyncio.create_task(asyncio.to_thread(rabbitmq.restart))
        await until(lambda: router.has("rabbitmq.connection_lost", 1))
        write(f"{name}.new")
        await until(lambda: router.has("router.reloaded", 1))
        assert not router.named("rabbitmq.reconnected")
        await restart
        async with Dispatcher(own.amqp_url, exchange=own.exchange) as dispatcher:

            async def is_bound() -> bool:
                try:
                    await dispatcher.trigger(f"{name}.new", {})
                except (BrokerError, EventUnroutable):
                    return False
                return True

            await until(is_bound)
        await until(lambda: router.has("event.routed", 1))
