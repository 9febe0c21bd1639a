"""Local steps on a real Temporal: what runs inside a workflow task, and what becomes of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import MutableMapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowExecutionStatus, WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import CancelledError

from hatchet_worker import Context, Integration, action
from hatchet_worker.tracing import JobTracing

if TYPE_CHECKING:
    from tests.integration.worker.conftest import Jobs

Logs = list[MutableMapping[str, Any]]


class Desk(Integration):
    """Does small things, and writes down which."""

    id = "desk"

    def __init__(self) -> None:
        self.done: list[tuple[str, int]] = []
        self.reached = asyncio.Event()
        self.opened = asyncio.Event()

    @action("say")
    async def say(self, data: dict[str, Any], context: Context) -> dict[str, Any]:
        """Return what is given."""
        self.done.append((context.step, context.attempt))
        return data

    @action("block")
    def block(self, data: dict[str, Any], context: Context) -> dict[str, Any]:
        """Return what is given, from a thread."""
        self.done.append((context.step, context.attempt))
        return data

    @action("recover")
    async def recover(self, data: dict[str, Any], context: Context) -> dict[str, Any]:
        """Fail twice; a sign of life keeps nothing."""
        self.done.append((context.step, context.attempt))
        context.heartbeat("as far as this")
        if context.attempt < 3:
            raise ConnectionError("not yet")
        return {"kept": list(context.heartbeat_details)}

    @action("wait")
    async def wait(self, data: dict[str, Any], context: Context) -> dict[str, Any]:
        """Wait until the test opens the gate."""
        self.done.append((context.step, context.attempt))
        self.reached.set()
        await self.opened.wait()
        return {"through": True}

    @action("slow-start")
    async def slow_start(self, data: dict[str, Any], context: Context) -> None:
        """Take more than half of its timeout each time, and fail the first time."""
        self.done.append((context.step, context.attempt))
        with suppress(TimeoutError):
            await asyncio.wait_for(self.opened.wait(), 2.8)
        if context.attempt == 1:
            raise ConnectionError("not yet")

    @action("once", semantics="at-most-once")
    async def once(self, data: dict[str, Any], context: Context) -> None:
        """Do what must not be done twice."""
        self.done.append((context.step, context.attempt))


def step(
    step_id: str,
    verb: str = "say",
    data: dict[str, Any] | None = None,
    condition: str | None = None,
    **fields: Any,
) -> dict[str, Any]:
    """Return a step, a local one by default."""
    return {
        "name": f"Step {step_id}",
        "id": step_id,
        "actionId": f"desk:{verb}",
        "timeout": "5s",
        "retry": {"backoff": "10ms"},
        "mode": "local",
        "with": data or {},
        "if": condition,
        **fields,
    }


async def markers(handle: WorkflowHandle[Any, Any]) -> list[dict[str, Any]]:
    """Return what Temporal has of each local step, in order."""
    history = await handle.fetch_history()
    return [
        json.loads(event.marker_recorded_event_attributes.details["data"].payloads[0].data)
        for event in history.events
        if event.event_type == EventType.EVENT_TYPE_MARKER_RECORDED
        and event.marker_recorded_event_attributes.marker_name == "core_local_activity"
    ]


async def test_three_local_steps_run_within_one_workflow_task_of_eight_events(jobs: Jobs) -> None:
    """Where as many regular ones take four tasks and 23 events; docs/workflows.md says so."""
    again = {"said": "{{ .steps.one.said }} again"}
    desk = Desk()

    async with jobs.worker(desk), asyncio.timeout(30):
        handle = await jobs.start(
            step("one", "say", {"said": "hello"}), step("two", "say", again), step("three", "block")
        )
        result = await handle.result()
        regular = await jobs.start(*(step(name, mode="regular") for name in ("a", "b", "c")))
        await regular.result()

    assert result["steps"] == {
        "one": {"said": "hello"},
        "two": {"said": "hello again"},
        "three": {},
    }
    assert await jobs.event_types(handle) == [
        "WORKFLOW_EXECUTION_STARTED",
        "WORKFLOW_TASK_SCHEDULED",
        "WORKFLOW_TASK_STARTED",
        "WORKFLOW_TASK_COMPLETED",
        *["MARKER_RECORDED"] * 3,
        "WORKFLOW_EXECUTION_COMPLETED",
    ]
    types = await jobs.event_types(regular)
    assert (len(types), types.count("WORKFLOW_TASK_COMPLETED")) == (23, 4)


async def test_temporal_knows_a_local_step_by_its_id_its_action_and_its_name(jobs: Jobs) -> None:
    """It is a marker, with the outputs, and without what the step was given."""
    async with jobs.worker(Desk()), asyncio.timeout(30):
        handle = await jobs.start(
            step("one", "recover", {"pin": "{{ .pin }}"}), event={"pin": "1234"}
        )
        await handle.result()

    assert [
        (marker["activity_id"], marker["activity_type"], marker["attempt"])
        for marker in await markers(handle)
    ] == [("one", "desk:recover", attempt) for attempt in (1, 2, 3)]
    history = (await handle.fetch_history()).events
    recorded = [each for each in history if each.HasField("marker_recorded_event_attributes")][-1]
    assert recorded.user_metadata.summary.data == b'"Step one"'
    details = recorded.marker_recorded_event_attributes.details
    assert set(details) == {"data", "result"}
    assert details["result"].payloads[0].data == b'{"kept":[]}'


async def test_regular_and_local_steps_follow_each_other(jobs: Jobs) -> None:
    """Local steps in a row share a workflow task; what comes first, does."""
    desk = Desk()
    steps = [step("a"), step("b"), step("c", mode="regular"), step("d"), step("e")]

    async with jobs.worker(desk), asyncio.timeout(30):
        handle = await jobs.start(*steps)
        await handle.result()

    assert [name for name, _ in desk.done] == ["a", "b", "c", "d", "e"]
    types = await jobs.event_types(handle)
    assert types.count("WORKFLOW_TASK_COMPLETED") == 2
    assert (types.count("MARKER_RECORDED"), types.count("ACTIVITY_TASK_SCHEDULED")) == (4, 1)


async def test_a_local_step_is_tried_again_after_a_timer(jobs: Jobs) -> None:
    """The wait is Temporal's, however short, and all that was done before it is recorded."""
    desk = Desk()
    retry = {"attempts": 3, "backoff": "1ms"}

    async with jobs.worker(desk), asyncio.timeout(30):
        handle = await jobs.start(step("one"), step("r", "recover", retry=retry))
        await handle.result()

    assert desk.done == [("one", 1), ("r", 1), ("r", 2), ("r", 3)]
    types = await jobs.event_types(handle)
    assert types.count("WORKFLOW_TASK_COMPLETED") == 3
    assert types.count("TIMER_STARTED") == 2
    assert types.count("MARKER_RECORDED") == 4


async def test_a_local_step_that_fails_fails_its_job_like_any_other(jobs: Jobs, logs: Logs) -> None:
    """With its place, its reason, its attempts; conditions and records are the same."""
    retry = {"attempts": 2, "backoff": "10ms"}
    steps = [step("r", "recover", retry=retry), step("never"), step("tell", condition="failure()")]
    desk = Desk()

    async with jobs.worker(desk) as worker, asyncio.timeout(30):
        failure = await jobs.failure(*steps)
        outcomes = worker.counts.by_action["desk:recover"].outcomes

    assert failure.type == "StepFailed"
    assert failure.message == (
        "workflow 'Post User Sign Up', job 'greet-user', step 'r', action 'desk:recover': "
        "ConnectionError: not yet (2 attempts)"
    )
    assert desk.done == [("r", 1), ("r", 2), ("tell", 1)]
    assert (outcomes["retried"], outcomes["failed"]) == (1, 1)
    told = [(each["step"], each["will_retry"]) for each in logs if each["event"] == "step.failed"]
    assert told == [("r", True), ("r", False)]


async def test_a_tolerated_failure_of_a_local_step_lets_the_job_go_on(jobs: Jobs) -> None:
    """An unknown action is not tried again, and tells itself."""
    async with jobs.worker(Desk()), asyncio.timeout(30):
        outputs = await jobs.run(
            {**step("missing", "sing"), "continue-on-error": True},
            step("why", "say", {"type": "{{ .steps.missing.failure.type }}"}),
        )

    assert outputs == {"why": {"type": "UnknownAction"}}


async def test_a_local_step_that_takes_too_long_is_cancelled_and_fails(
    jobs: Jobs, logs: Logs
) -> None:
    """Each attempt has the timeout."""
    desk = Desk()

    async with jobs.worker(desk), asyncio.timeout(30):
        failure = await jobs.failure(
            step("w", "wait", timeout="1s", retry={"attempts": 2, "backoff": "10ms"})
        )

    assert failure.type == "StepTimedOut"
    assert failure.message.endswith("not done within its timeout of 1s (2 attempts)")
    assert desk.done == [("w", 1), ("w", 2)]
    cancelled = [each["reason"] for each in logs if each["event"] == "step.cancelled"]
    assert cancelled == ["abandoned", "abandoned"]


async def test_each_attempt_has_the_whole_timeout(jobs: Jobs) -> None:
    """Temporal's core (SDK 1.35) would end the second by the timer of the first, were they one."""
    desk = Desk()

    async with jobs.worker(desk), asyncio.timeout(30):
        await jobs.run(
            step("s", "slow-start", timeout="5s", retry={"attempts": 2, "backoff": "1ms"})
        )

    assert desk.done == [("s", 1), ("s", 2)]


async def test_an_at_most_once_action_is_refused_as_a_local_step(jobs: Jobs) -> None:
    """Before it has done anything: a local step may be run again without anyone knowing."""
    desk = Desk()

    async with jobs.worker(desk), asyncio.timeout(30):
        failure = await jobs.failure(step("pay", "once"))
        await jobs.run(step("pay", "once", mode="regular"))

    assert failure.type == "UnsuitableMode"
    assert "desk:once is at-most-once, and a local step is run again" in failure.message
    assert desk.done == [("pay", 1)]


async def test_stopping_finishes_the_local_steps_of_a_job(jobs: Jobs) -> None:
    """Also those behind the running one, as they are in the same workflow task."""
    desk = Desk()

    async with asyncio.timeout(30):
        async with jobs.worker(desk):
            handle = await jobs.start(step("w", "wait"), step("two"))
            await desk.reached.wait()
            asyncio.get_running_loop().call_later(0.2, desk.opened.set)
        assert (await handle.describe()).status is WorkflowExecutionStatus.COMPLETED

    assert desk.done == [("w", 1), ("two", 1)]


@pytest.mark.parametrize("attempts", [1, 5])
async def test_local_steps_that_do_not_finish_in_time_run_again_with_their_job(
    jobs: Jobs, logs: Logs, attempts: int
) -> None:
    """They have not failed, so that no attempt is used up."""
    stuck, fresh = Desk(), Desk()
    fresh.opened.set()
    waiting = step("w", "wait", retry={"attempts": attempts, "backoff": "10ms"})

    async with asyncio.timeout(30):
        async with jobs.worker(stuck, grace_seconds=0.1) as worker:
            handle = await jobs.start(step("one"), waiting, step("two"))
            await stuck.reached.wait()
        async with jobs.worker(fresh):
            result = await handle.result()

    assert stuck.done == [("one", 1), ("w", 1)]
    assert fresh.done == [("one", 1), ("w", 1), ("two", 1)]
    assert result["steps"]["w"] == {"through": True}
    assert "WORKFLOW_TASK_FAILED" in await jobs.event_types(handle)
    assert worker.counts.by_action["desk:wait"].outcomes["stopped"] == 1
    assert [each for each in logs if each["event"] == "job.failed"] == []


async def test_an_interrupted_worker_lets_go_of_its_local_steps_at_once(jobs: Jobs) -> None:
    """This is what a second signal does, in the middle of the grace."""
    desk, stop = Desk(), asyncio.Event()
    worker = jobs.worker(desk, grace_seconds=60)

    async with asyncio.timeout(30):
        serving = asyncio.create_task(worker.serve(stop))
        handle = await jobs.start(step("w", "wait", retry={"attempts": 1}))
        await desk.reached.wait()
        stop.set()
        worker.interrupt()
        await serving

    assert (await handle.describe()).status is WorkflowExecutionStatus.RUNNING
    await handle.terminate()


async def test_a_job_hears_of_its_cancellation_when_its_workflow_task_ends(jobs: Jobs) -> None:
    """What ran meanwhile is not kept; the job ends as cancelled, with what runs always."""
    desk = Desk()
    steps = [step("w", "wait"), step("two"), step("tidy", condition="always()")]

    async with jobs.worker(desk), asyncio.timeout(30):
        handle = await jobs.start(step("r", mode="regular"), *steps)
        await desk.reached.wait()
        await handle.cancel()
        desk.opened.set()
        with pytest.raises(WorkflowFailureError) as caught:
            await handle.result()

    assert isinstance(caught.value.cause, CancelledError)
    assert [name for name, _ in desk.done] == ["r", "w", "two", "tidy", "tidy"]
    assert [marker["activity_id"] for marker in await markers(handle)] == ["tidy"]


async def test_a_long_local_step_is_cancelled_with_the_next_workflow_task(jobs: Jobs) -> None:
    """The worker asks for one after 8 s; steps that run always still run."""
    desk = Desk()

    async with jobs.worker(desk), asyncio.timeout(60):
        handle = await jobs.start(
            step("w", "wait", timeout="50s"), step("two"), step("tidy", condition="always()")
        )
        await desk.reached.wait()
        await handle.cancel()
        with pytest.raises(WorkflowFailureError) as caught:
            await handle.result()

    assert isinstance(caught.value.cause, CancelledError)
    assert desk.done == [("w", 1), ("tidy", 1)]


async def test_a_local_step_has_a_span_below_its_job_s(
    jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same as a regular one."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(
        "hatchet_worker.temporal_workers.tracing_interceptors", lambda: [JobTracing(provider)]
    )

    async with jobs.worker(Desk()), asyncio.timeout(30):
        await jobs.run(step("one"), step("two", mode="regular"))

    spans = {span.name.split()[0] + span.name[-3:]: span for span in exporter.get_finished_spans()}
    job = next(span for span in exporter.get_finished_spans() if span.name.startswith("job "))
    local, regular = spans["stepone"], spans["steptwo"]
    assert local.parent == regular.parent
    assert local.parent is not None
    assert local.parent.span_id == job.context.span_id
    assert (local.attributes or {}).keys() == (regular.attributes or {}).keys()
