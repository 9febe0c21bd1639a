"""Jobs on a real Temporal: order, data, queues, and how they overlap."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import BaseModel
from temporalio.client import WorkflowExecutionStatus, WorkflowHistory

from hatchet_schemas import Job, ScheduledJobInput
from hatchet_worker import Integration, action

if TYPE_CHECKING:
    from tests.integration.worker.conftest import Jobs


class Message(BaseModel):
    """What `Echo` says."""

    message: str


class Echo(Integration):
    """Says what it is told, and remembers it."""

    id = "echo"

    def __init__(self) -> None:
        self.said: list[str] = []

    @action("say")
    async def say(self, params: Message) -> Message:
        """Say it."""
        self.said.append(params.message)
        return params


def echo(step_id: str, message: Any) -> dict[str, Any]:
    """Return a step that says ``message``."""
    return {
        "name": f"Say as {step_id}",
        "id": step_id,
        "actionId": "echo:say",
        "timeout": "10s",
        "with": {"message": message},
    }


def plain(action_id: str, **data: Any) -> dict[str, Any]:
    """Return a step that calls ``action_id`` with ``data``."""
    return {"name": "Call", "id": "call", "actionId": action_id, "timeout": "10s", "with": data}


def summaries(history: WorkflowHistory) -> list[bytes]:
    """Return the summaries of a job's steps, as JSON."""
    found = (event.user_metadata.summary.data for event in history.events)
    return [summary for summary in found if summary]


async def test_steps_run_in_order_and_see_what_earlier_ones_put_out(jobs: Jobs) -> None:
    """The echo chain: the event at the root, then the outputs of earlier steps."""
    said = Echo()

    async with jobs.worker(said):
        outputs = await jobs.run(
            echo("echo1", "hello {{ .username }}"),
            echo("echo2", "{{ .steps.echo1.outputs.message }}, again"),
            echo("echo3", "{{ .steps.echo2.message }} and {{ .input.username }}"),
            event={"username": "testing12345"},
        )

    assert said.said == [
        "hello testing12345",
        "hello testing12345, again",
        "hello testing12345, again and testing12345",
    ]
    assert outputs["echo3"] == {"message": said.said[2]}


async def test_steps_with_hyphens_in_their_ids_can_be_referred_to(jobs: Jobs) -> None:
    """A hyphen is no minus."""
    async with jobs.worker(Echo()):
        outputs = await jobs.run(
            echo("step-1", "one"),
            echo("step-2", "{{ .steps.step-1.outputs.message }}{{ .steps.step-1.message }}"),
        )

    assert outputs["step-2"] == {"message": "oneone"}


async def test_one_activity_per_step_is_named_after_the_action(jobs: Jobs) -> None:
    """People find their workflow file again in Temporal's UI."""
    async with jobs.worker(Echo()):
        handle = await jobs.start(echo("step-1", "one"), echo("step-2", "two"), job="greet-user")
        await handle.result()

    history = await handle.fetch_history()
    scheduled = [
        event.activity_task_scheduled_event_attributes
        for event in history.events
        if event.HasField("activity_task_scheduled_event_attributes")
    ]
    description = await handle.describe()

    assert [(each.activity_type.name, each.activity_id) for each in scheduled] == [
        ("echo:say", "step-1"),
        ("echo:say", "step-2"),
    ]
    assert summaries(history) == [b'"Say as step-1"', b'"Say as step-2"']
    assert description.workflow_type == "greet-user"


async def test_the_longest_step_name_is_no_problem(jobs: Jobs) -> None:
    """A Temporal that enforces its limit of 400 bytes for summaries would refuse it for ever."""
    async with jobs.worker(Echo()):
        handle = await jobs.start({**echo("step-1", "one"), "name": "🪓" * 200})
        await handle.result()

    [summary] = summaries(await handle.fetch_history())
    assert len(summary) <= 400
    assert summary.decode().startswith('"🪓🪓')


async def test_jobs_run_in_parallel(jobs: Jobs) -> None:
    """Neither of two jobs could end if one had to wait for the other."""
    both = asyncio.Barrier(2)

    class Meeting(Integration):
        id = "meeting"

        @action("join")
        async def join(self, data: dict[str, Any]) -> None:
            await both.wait()

    async with jobs.worker(Meeting()), asyncio.timeout(30):
        await asyncio.gather(
            jobs.run(plain("meeting:join"), job="greet-user"),
            jobs.run(plain("meeting:join"), job="create-resources"),
        )


async def test_a_job_waits_for_a_worker_of_its_queue(jobs: Jobs) -> None:
    """Other workers do not take it, however idle they are."""
    internal = f"internal-{jobs.queue}"
    elsewhere, inside = Echo(), Echo()

    async with jobs.worker(elsewhere):
        waiting = await jobs.start(echo("only", "inside"), queue=internal)
        await jobs.run(echo("only", "elsewhere"))
        description = await waiting.describe()
        assert description.status is WorkflowExecutionStatus.RUNNING
        assert await jobs.event_types(waiting) == [
            "WORKFLOW_EXECUTION_STARTED",
            "WORKFLOW_TASK_SCHEDULED",
        ]

        async with jobs.worker(inside, queues=[internal]):
            await waiting.result()

    assert inside.said == ["inside"]
    assert elsewhere.said == ["elsewhere"]


async def test_one_worker_serves_several_queues(jobs: Jobs) -> None:
    """In one process, over one connection."""
    other = f"other-{jobs.queue}"
    said = Echo()

    async with jobs.worker(said, queues=[jobs.queue, other]):
        await jobs.run(echo("only", "here"))
        await jobs.run(echo("only", "there"), queue=other)

    assert said.said == ["here", "there"]


async def test_sync_actions_run_in_threads_side_by_side(jobs: Jobs) -> None:
    """They may block, and still see the context of their step."""
    both = threading.Barrier(2)
    seen: list[tuple[str, int]] = []
    color: contextvars.ContextVar[str] = contextvars.ContextVar("color", default="none")

    class Blocking(Integration):
        id = "blocking"

        @action("wait")
        def wait(self, data: dict[str, Any]) -> dict[str, Any]:
            both.wait(timeout=10)
            seen.append((color.get(), threading.get_ident()))
            return {"thread": threading.current_thread().name}

    color.set("red")
    async with jobs.worker(Blocking()):
        outputs = await asyncio.gather(
            jobs.run(plain("blocking:wait")), jobs.run(plain("blocking:wait"))
        )

    assert [value for value, _ in seen] == ["red", "red"]
    assert threading.get_ident() not in {thread for _, thread in seen}
    assert all(each["call"]["thread"].startswith("hatchet-step") for each in outputs)


async def test_a_sync_method_may_return_an_awaitable(jobs: Jobs) -> None:
    """It is awaited on the loop, as with methods that decorators have wrapped."""

    class Wrapped(Integration):
        id = "wrapped"

        @action("call")
        def call(self, data: dict[str, Any]) -> Any:
            async def later() -> dict[str, Any]:
                return {"thread": threading.current_thread().name}

            return later()

    async with jobs.worker(Wrapped()):
        outputs = await jobs.run(plain("wrapped:call"))

    assert outputs["call"] == {"thread": threading.current_thread().name}


async def test_the_running_step_shows_in_the_job_s_details(jobs: Jobs) -> None:
    """Also later, when the job has timed out in this step."""
    reached = asyncio.Event()

    class Slow(Integration):
        id = "slow"

        @action("hang")
        async def hang(self, data: dict[str, Any]) -> None:
            reached.set()
            await asyncio.Event().wait()

    async with jobs.worker(Slow(), grace_seconds=0):
        handle = await jobs.start({**plain("slow:hang"), "name": "Wait for ever"})
        async with asyncio.timeout(30):
            await reached.wait()
        metadata = await handle.query("__temporal_workflow_metadata")
        await handle.terminate()

    assert metadata.current_details == "Step 1 of 1: Wait for ever (call, slow:hang)"


@pytest.mark.parametrize("outputs", [None, {}])
async def test_an_action_may_put_out_nothing(jobs: Jobs, outputs: Any) -> None:
    """None and an empty map are the same to later steps."""

    class Quiet(Integration):
        id = "quiet"

        @action("do")
        def do(self, data: dict[str, Any]) -> Any:
            return outputs

    async with jobs.worker(Quiet()):
        assert await jobs.run(plain("quiet:do")) == {"call": {}}


async def test_a_scheduled_job_that_is_started_by_hand_is_for_now(jobs: Jobs) -> None:
    """As someone starts it again in Temporal's web interface: no schedule tells the time."""
    say = echo("say", "{{ .event.key }} {{ .event.time }}")
    scheduled = ScheduledJobInput(
        workflow="W",
        job="j",
        schedule="d/W",
        definition=Job.model_validate({"queue": jobs.queue, "steps": [say]}),
    )
    async with jobs.worker(Echo()), asyncio.timeout(30):
        handle = await jobs.client.start_workflow(
            "j", scheduled, id=f"by-hand-{jobs.queue}", task_queue=jobs.queue
        )
        result = await handle.result()
        started = (await handle.describe()).start_time

    assert result["steps"]["say"]["message"] == f"cron {started.isoformat()}"
