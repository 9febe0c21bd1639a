"""What Temporal's database holds of an event, with encryption and without."""

from __future__ import annotations

import asyncio
import json
import os
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from google.protobuf.json_format import MessageToJson, Parse
from temporalio.api.common.v1 import Payloads
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import ApplicationError

from hatchet_cli.codec_server import codec_application
from hatchet_cli.devstack import DevStack
from hatchet_router.planning import StartRequest, plan
from hatchet_router.temporal import TemporalStarter
from hatchet_schemas import Event, Workflow
from hatchet_worker import Context, Integration, TemporalSettings, Worker, action, connect
from hatchet_worker.encryption import EncryptionCodec
from hatchet_worker.encryption_keys import EncryptionKey, KeyRing
from hatchet_worker.errors import UnknownEncryptionKey

OLD, NEW = EncryptionKey("old", os.urandom(32)), EncryptionKey("new", os.urandom(32))
DEADLINE_SECONDS = 60


class Echo(Integration):
    """Puts out, and fails with, what it is given, by all ways that there are."""

    id = "echo"

    @action("say")
    async def say(self, data: dict[str, Any], context: Context) -> dict[str, Any]:
        """Say it."""
        context.heartbeat(data)
        if "said" in data and context.attempt == 1:
            raise RuntimeError(f"not yet {data}")
        return {"said": data}

    @action("fail")
    async def fail(self, data: dict[str, Any]) -> dict[str, Any]:
        """Fail with it."""
        raise LookupError(f"outside {data}") from ValueError(f"inside {data}")


def jobs(queue: str) -> Workflow:
    """Return a workflow whose jobs complete, and fail, with the event's data."""
    say = {"timeout": "10s", "actionId": "echo:say", "retry": {"attempts": 2, "backoff": "10ms"}}
    text = {"text": "{{ .text }}"}
    steps = [
        {"id": "one", "name": "One", "with": text, **say},
        {"id": "two", "name": "Two", "with": {"said": "{{ .steps.one.said.text }}"}, **say},
    ]
    fail = {"id": "fail", "actionId": "echo:fail", "timeout": "10s", "retry": {"attempts": 1}}
    local = {"timeout": "5s", "mode": "local"}
    return Workflow.model_validate(
        {
            "name": queue,
            "on": ["user:create"],
            "jobs": {
                "say": {"queue": queue, "steps": steps},
                "fail": {"queue": queue, "steps": [{**fail, "with": text}]},
                "say-locally": {"queue": queue, "steps": [{**each, **local} for each in steps]},
                "fail-locally": {"queue": queue, "steps": [{**fail, **local, "with": text}]},
            },
        },
        strict=False,
    )


@dataclass(frozen=True)
class Deployment:
    """A client with some keys, and a queue that is the test's own."""

    client: Client
    queue: str

    def planned(self, text: str) -> dict[str, StartRequest]:
        """Return the starts of all jobs of an event, by name."""
        event = Event(
            id=uuid.uuid4().hex, key="user:create", time=datetime.now(UTC), data={"text": text}
        )
        return {each.workflow_type: each for each in plan(event, [jobs(self.queue)])}

    async def publish(self, text: str) -> dict[str, WorkflowHandle[Any, Any]]:
        """Start all jobs, as a router does; return them by name."""
        planned = self.planned(text)
        starter = TemporalStarter(self.client, search_attributes=True)
        for request in planned.values():
            assert await starter.start(request)
        return {
            job: self.client.get_workflow_handle(request.workflow_id)
            for job, request in planned.items()
        }


Deploy = Callable[..., Any]


@pytest.fixture
async def deploy(stack: DevStack) -> AsyncIterator[Deploy]:
    """Connect with these keys, and with ``worker=True`` run a worker with them, too."""
    async with AsyncExitStack() as running:

        async def deploy(*keys: EncryptionKey, queue: str, worker: bool = True) -> Deployment:
            client = await connect(
                TemporalSettings(
                    address=stack.temporal.address, keys=KeyRing(keys) if keys else None
                )
            )
            if worker:
                await running.enter_async_context(Worker([Echo()], [queue], client=client))
            return Deployment(client, queue)

        yield deploy


@pytest.fixture
def queue() -> str:
    return f"queue-{uuid.uuid4().hex[:12]}"


async def outcome(handle: WorkflowHandle[Any, Any]) -> Any:
    """Wait for a job's end; return its result, or what its failure says."""
    try:
        async with asyncio.timeout(DEADLINE_SECONDS):
            return await handle.result()
    except WorkflowFailureError as error:
        return error.cause.message if isinstance(error.cause, ApplicationError) else error.cause


def written(stack: DevStack) -> bytes:
    """Return all that the Temporal has in its database."""
    folder: Path = stack.temporal.log_path.parent
    return b"".join(file.read_bytes() for file in folder.glob("temporal.db*"))


async def test_the_database_holds_nothing_of_an_event(
    stack: DevStack, deploy: Deploy, queue: str
) -> None:
    """Neither do failures, heartbeats and summaries. Without encryption, it holds all of it."""
    secret = [uuid.uuid4().hex for _ in range(20)]
    plain = [uuid.uuid4().hex for _ in range(20)]
    encrypted = await deploy(NEW, OLD, queue=queue)
    started = await encrypted.publish(" ".join(secret))
    without = await deploy(queue=f"{queue}-plain")
    started_without = await without.publish(" ".join(plain))

    outcomes = {job: await outcome(handle) for job, handle in started.items()}
    await asyncio.gather(*map(outcome, started_without.values()))

    for say, fail in (("say", "fail"), ("say-locally", "fail-locally")):
        assert outcomes[say]["steps"]["two"] == {"said": {"said": " ".join(secret)}}
        assert " ".join(secret) in outcomes[fail]
    content = written(stack)
    async with asyncio.timeout(DEADLINE_SECONDS):
        # SQLite moves pages from one file to the other while they are read.
        while [word for word in plain if word.encode() not in content]:
            await asyncio.sleep(0.05)
            content = written(stack)
    assert [word for word in secret if word.encode() in content] == []


async def test_an_old_key_decrypts_and_a_new_one_encrypts(deploy: Deploy, queue: str) -> None:
    """What was started before, in plain text or by the old key, is gone on with."""
    in_plain = await (await deploy(queue=queue, worker=False)).publish("plain")
    by_old = await (await deploy(OLD, queue=queue, worker=False)).publish("old")
    rotated = await deploy(NEW, OLD, queue=queue)

    for text, started in (("plain", in_plain), ("old", by_old)):
        handle = rotated.client.get_workflow_handle(started["say"].id)
        assert (await outcome(handle))["steps"]["one"] == {"said": {"text": text}}
    by_new = await rotated.publish("new")
    history = await by_new["say"].fetch_history()
    [payload] = history.events[0].workflow_execution_started_event_attributes.input.payloads
    assert payload.metadata["encryption-key-id"] == b"new"


async def test_a_job_waits_for_a_worker_that_has_its_key(deploy: Deploy, queue: str) -> None:
    """It is not failed; its history says what is missing."""
    published = await deploy(NEW, queue=queue, worker=False)
    request = published.planned("hello")["say"]
    handle = await published.client.start_workflow(
        request.workflow_type,
        request.input,
        id=request.workflow_id,
        task_queue=queue,
        memo={"hatchet_jobs": 1},
        task_timeout=timedelta(seconds=1),  # after which another worker gets a failed one
    )
    without = Worker([Echo()], [queue], client=(await deploy(queue=queue, worker=False)).client)

    async with without:
        message = await task_failure(handle)
    assert "encrypted by the key 'new', which is not given at all" in message
    other = await deploy(OLD, queue=queue, worker=False)
    description = await other.client.get_workflow_handle(handle.id).describe()
    with pytest.raises(UnknownEncryptionKey, match=r"'new', which is not among those .*'old'"):
        await description.memo_value("hatchet_jobs")

    await deploy(NEW, queue=queue)
    assert (await outcome(handle))["steps"]["one"] == {"said": {"text": "hello"}}


async def task_failure(handle: WorkflowHandle[Any, Any]) -> str:
    """Wait until a workflow task has failed; return why."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while True:
            async for event in handle.fetch_history_events():
                attributes = event.workflow_task_failed_event_attributes
                if attributes.failure.message:
                    return attributes.failure.message
            await asyncio.sleep(0.05)


async def test_the_codec_server_shows_what_a_history_holds(deploy: Deploy, queue: str) -> None:
    published = await deploy(NEW, queue=queue, worker=False)
    handle = (await published.publish("for the entitled"))["say"]
    history = await handle.fetch_history()
    encrypted = history.events[0].workflow_execution_started_event_attributes.input

    application = codec_application(EncryptionCodec(KeyRing((NEW,))), ["http://ui.example"])
    async with TestClient(TestServer(application)) as browser:
        answer = await browser.post(
            "/decode",
            data=MessageToJson(encrypted),
            headers={"Origin": "http://ui.example", "Content-Type": "application/json"},
        )
        shown = Parse(await answer.text(), Payloads())

    assert json.loads(shown.payloads[0].data)["event"]["data"] == {"text": "for the entitled"}
    await handle.terminate()
