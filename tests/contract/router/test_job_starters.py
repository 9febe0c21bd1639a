"""One suite over the stand-in for Temporal and over Temporal itself."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio import workflow
from temporalio.client import Client, WorkflowFailureError
from temporalio.common import RawValue
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from hatchet_cli.devstack import DevStack
from hatchet_router.errors import JobRefused
from hatchet_router.planning import StartRequest, plan
from hatchet_router.router import JobStarter
from hatchet_router.temporal import TemporalStarter, register_search_attributes
from hatchet_router.testing import RecordingStarter
from hatchet_schemas import ActionId, Event, Job, Step, Triggers, Workflow

RequestFactory = Callable[..., StartRequest]


@pytest.fixture(params=["stand-in", "temporal"])
async def starter(request: pytest.FixtureRequest) -> AsyncIterator[JobStarter]:
    """Both, one after the other."""
    if request.param == "stand-in":
        yield RecordingStarter()
        return
    client = await connected(request.getfixturevalue("stack"))
    yield TemporalStarter(client, search_attributes=await register_search_attributes(client))


async def connected(stack: DevStack) -> Client:
    """Return a client that carries data as the program's own does."""
    return await Client.connect(stack.temporal.address, data_converter=pydantic_data_converter)


@pytest.fixture
def start_request() -> RequestFactory:
    """Make a request that no other test makes."""

    def make(
        workflow: str = "sign up",
        job: str = "mail",
        event_id: str | None = None,
        key: str = "user:create",
        timeout: timedelta | None = None,
    ) -> StartRequest:
        step = Step(
            name="Say it", id="say", action_id=ActionId("a:b"), timeout=timedelta(seconds=10)
        )
        event = Event(id=event_id or uuid.uuid4().hex, key=key, time=datetime.now(UTC), data={})
        (request,) = plan(
            event,
            [
                Workflow(
                    name=workflow,
                    on=Triggers.model_validate("a"),
                    jobs={job: Job(queue="nobody-serves-this", timeout=timeout, steps=(step,))},
                )
            ],
        )
        return request

    return make


async def test_a_job_starts_once(starter: JobStarter, start_request: RequestFactory) -> None:
    """Every later start says that it is none."""
    request = start_request()

    assert await starter.start(request) is True
    assert await starter.start(request) is False
    assert await starter.start(request) is False


async def test_of_many_starts_at_once_one_is_the_first(
    starter: JobStarter, start_request: RequestFactory
) -> None:
    """As when two routers have the same event."""
    request = start_request()

    answers = await asyncio.gather(*(starter.start(request) for _ in range(8)))

    assert sorted(answers) == [False] * 7 + [True]


async def test_the_id_alone_tells_jobs_apart(
    starter: JobStarter, start_request: RequestFactory
) -> None:
    """Not their data, which may have been changed on the way."""
    assert await starter.start(start_request(event_id=(event_id := uuid.uuid4().hex))) is True
    assert await starter.start(start_request(event_id=event_id, key="other")) is False
    assert await starter.start(start_request(event_id=event_id, job="chat")) is True
    assert await starter.start(start_request(event_id=event_id, workflow="audit")) is True


@pytest.mark.parametrize(
    "event_id",
    ["x" * 255, "ü" * 127, "a/b/../c", "line\nbreak \0 \u202e", "x" * 10_000],
    ids=["long", "umlauts", "slashes", "control", "endless"],
)
async def test_any_event_id_is_accepted(
    event_id: str, starter: JobStarter, start_request: RequestFactory
) -> None:
    """Publishers choose them."""
    request = start_request(event_id=f"{uuid.uuid4().hex}{event_id}")

    assert await starter.start(request) is True
    assert await starter.start(request) is False


@pytest.mark.parametrize(
    ("workflow", "job", "key"),
    [
        ("w" * 200, "j" * 100, "k" * 255),
        ("🚀" * 200, "job", "user:create"),
        ("name with spaces, \"quotes\" and 'more'", "a.b_c-d", "a/b@c"),
    ],
    ids=["longest", "rockets", "odd"],
)
async def test_every_name_that_a_workflow_file_may_hold_is_accepted(
    workflow: str, job: str, key: str, starter: JobStarter, start_request: RequestFactory
) -> None:
    """The check of the files promises it."""
    assert await starter.start(start_request(workflow=workflow, job=job, key=key)) is True


@pytest.mark.parametrize("limit", [timedelta(milliseconds=1), timedelta(days=3650)])
async def test_every_timeout_that_a_workflow_file_may_hold_is_accepted(
    limit: timedelta, starter: JobStarter, start_request: RequestFactory
) -> None:
    """Likewise."""
    assert await starter.start(start_request(timeout=limit)) is True


@pytest.mark.parametrize(
    "field",
    [{"workflow_id": "x" * 1001}, {"workflow_id": ""}, {"task_queue": ""}],
    ids=["id too long", "no id", "no queue"],
)
async def test_a_request_that_can_never_succeed_is_refused(
    field: dict[str, Any], starter: JobStarter, start_request: RequestFactory
) -> None:
    """Trying again would hold the event forever."""
    bad = replace(start_request(), **field)

    with pytest.raises(JobRefused, match="job 'mail' of workflow 'sign up'"):
        await starter.start(bad)


@pytest.mark.parametrize("end", ["terminated", "timed out"])
async def test_a_run_that_is_over_does_not_start_again(
    end: str, stack: DevStack, start_request: RequestFactory
) -> None:
    """However it ended: that it ended badly is for people to look at, not for a redelivery."""
    client = await connected(stack)
    starter = TemporalStarter(client)
    request = start_request(timeout=timedelta(milliseconds=1) if end == "timed out" else None)
    await starter.start(request)
    handle = client.get_workflow_handle(request.workflow_id)
    if end == "terminated":
        await handle.terminate()
    with pytest.raises(WorkflowFailureError):
        await handle.result()

    assert await starter.start(request) is False


async def test_a_run_that_has_completed_does_not_start_again(
    stack: DevStack, start_request: RequestFactory
) -> None:
    """The usual case: a redelivery after all was done."""
    client = await connected(stack)
    starter = TemporalStarter(client)
    request = replace(start_request(), task_queue=uuid.uuid4().hex)
    worker = Worker(
        client,
        task_queue=request.task_queue,
        workflows=[DoNothing],
        workflow_runner=UnsandboxedWorkflowRunner(),
    )
    async with worker:
        await starter.start(request)
        await client.get_workflow_handle(request.workflow_id).result()

        assert await starter.start(request) is False


@workflow.defn(dynamic=True)
class DoNothing:
    """Runs as any job, and is over."""

    @workflow.run
    async def run(self, _input: Sequence[RawValue]) -> None:
        """Return at once."""


async def test_what_was_started_can_be_found_in_temporal(
    stack: DevStack, start_request: RequestFactory
) -> None:
    """By the names that people know."""
    client = await connected(stack)
    starter = TemporalStarter(client, search_attributes=True)
    request = start_request(timeout=timedelta(minutes=5), key="user:create")
    await starter.start(request)

    found = await client.get_workflow_handle(request.workflow_id).describe()

    assert (found.workflow_type, found.task_queue) == ("mail", "nobody-serves-this")
    assert found.raw_description.execution_config.workflow_execution_timeout.seconds == 300
    assert {pair.key.name: pair.value for pair in found.typed_search_attributes} == {
        "HatchetWorkflow": "sign up",
        "HatchetJob": "mail",
        "HatchetEventKey": "user:create",
        "HatchetEventId": request.input.event.id,
    }
    assert await found.memo() == {"hatchet_jobs": 1}
    assert await found.static_summary() == "sign up on user:create"


async def test_search_attributes_may_be_missing(
    stack: DevStack, start_request: RequestFactory
) -> None:
    """All works without them."""
    client = await connected(stack)
    request = start_request()

    assert await TemporalStarter(client).start(request) is True

    found = await client.get_workflow_handle(request.workflow_id).describe()
    assert list(found.typed_search_attributes) == []
