"""A real Temporal, and short ways to run workers and jobs on it."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import uuid
from collections.abc import Iterator, MutableMapping, Sequence
from typing import Any

import pytest
from structlog.testing import capture_logs
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import ApplicationError

from hatchet_cli.devstack import ServerNotInstalledError, TemporalServer
from hatchet_schemas import Event, Job, JobInput
from hatchet_schemas.names import workflow_id
from hatchet_worker import IntegrationLike, TemporalSettings, Worker, connect

WORKFLOW = "Post User Sign Up"
DEADLINE_SECONDS = 60


@pytest.fixture(scope="session")
def temporal_address() -> Iterator[str]:
    """Return the address of a Temporal that all tests of the run share."""
    try:
        with TemporalServer(headless=True) as temporal:
            yield temporal.address
    except ServerNotInstalledError as error:
        if "CI" in os.environ:
            pytest.fail(str(error))
        pytest.skip(str(error))


@pytest.fixture(autouse=True)
def logs() -> Iterator[list[MutableMapping[str, Any]]]:
    """Return what is logged during the test."""
    with capture_logs() as entries:
        yield entries


@pytest.fixture
def quick_heartbeats(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let steps give signs of life, and hear of their cancellation, ten times a second."""
    monkeypatch.setattr("hatchet_worker.steps.HEARTBEAT_SECONDS", 0.1)
    monkeypatch.setattr("hatchet_worker.temporal_workers.HEARTBEAT_SECONDS", 0.1)


class Jobs:
    """Starts jobs as the router does, on a queue that is the test's own."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.queue = f"queue-{uuid.uuid4().hex}"

    def worker(self, *integrations: IntegrationLike, **options: Any) -> Worker:
        """Return a worker for the test's queue, not yet running."""
        queues = options.pop("queues", [self.queue])
        options.setdefault("grace_seconds", 5)
        return Worker(integrations, queues, client=self.client, **options)

    async def start(
        self,
        *steps: dict[str, Any],
        job: str = "greet-user",
        event: dict[str, Any] | None = None,
        job_timeout: str | None = None,
        queue: str | None = None,
        condition: str | None = None,
    ) -> WorkflowHandle[Any, Any]:
        """Start a job; each of ``steps`` is written as `step` does."""
        definition = Job.model_validate(
            {
                "queue": queue or self.queue,
                "timeout": job_timeout,
                "if": condition,
                "steps": steps,
            }
        )
        happened = Event(
            id=uuid.uuid4().hex, key="user:create", time=dt.datetime.now(dt.UTC), data=event or {}
        )
        return await self.client.start_workflow(
            job,
            JobInput(workflow=WORKFLOW, job=job, event=happened, definition=definition),
            id=workflow_id(WORKFLOW, job, happened.id),
            task_queue=definition.queue,
            execution_timeout=definition.timeout,
        )

    async def run(self, *steps: dict[str, Any], **options: Any) -> dict[str, Any]:
        """Run a job to its end, and return its result's steps."""
        handle = await self.start(*steps, **options)
        async with asyncio.timeout(DEADLINE_SECONDS):
            result: dict[str, dict[str, Any]] = await handle.result()
        return result["steps"]

    async def failure(self, *steps: dict[str, Any], **options: Any) -> ApplicationError:
        """Run a job that fails, and return why."""
        handle = await self.start(*steps, **options)
        with pytest.raises(WorkflowFailureError) as caught:
            async with asyncio.timeout(DEADLINE_SECONDS):
                await handle.result()
        cause = caught.value.cause
        assert isinstance(cause, ApplicationError), cause
        return cause

    async def event_types(self, handle: WorkflowHandle[Any, Any]) -> Sequence[str]:
        """Return the names of the events in a job's history, such as ``ACTIVITY_TASK_STARTED``."""
        history = await handle.fetch_history()
        return [
            EventType.Name(event.event_type).removeprefix("EVENT_TYPE_") for event in history.events
        ]


@pytest.fixture
async def jobs(temporal_address: str) -> Jobs:
    """Return the means to run jobs, on a queue that is the test's own."""
    return Jobs(await connect(TemporalSettings(address=temporal_address)))


@pytest.fixture
def time_skipping_jobs(time_skipping_client: Client) -> Jobs:
    """Return the means to run jobs whose waits are skipped, on a queue that is the test's own."""
    return Jobs(time_skipping_client)
