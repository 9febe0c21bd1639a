"""Every way in which a job can fail, on a real Temporal."""

from __future__ import annotations

import asyncio
import concurrent.futures
import datetime as dt
import threading
import uuid
from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import BaseModel
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowExecutionStatus, WorkflowFailureError
from temporalio.exceptions import ActivityError, ApplicationError, TimeoutError, TimeoutType  # noqa: A004

from hatchet_schemas import Event, Job, JobInput
from hatchet_schemas.limits import MAX_PAYLOAD_BYTES
from hatchet_worker import Integration, NonRetryable, action

if TYPE_CHECKING:
    from tests.integration.worker.conftest import Jobs

WHERE = "workflow 'Post User Sign Up', job 'greet-user', step 'call', action {action!r}: "


class CardStolen(NonRetryable):
    """A user's own reason not to try again."""


class Person(BaseModel):
    """What `Trouble.greet` takes."""

    email: str
    age: int


class Trouble(Integration):
    """Fails in every way that an action can, and counts how often."""

    id = "trouble"

    def __init__(self) -> None:
        self.calls = 0

    @action("fail")
    async def fail(self, data: dict[str, Any]) -> None:
        """Fail, but not for good."""
        self.calls += 1
        raise ConnectionError(f"no route to {data['host']}")

    @action("recover")
    def recover(self, data: dict[str, Any]) -> dict[str, Any]:
        """Fail until the third time."""
        self.calls += 1
        if self.calls < data["succeeds_at"]:
            raise ConnectionError("not yet")
        return {"calls": self.calls}

    @action("give-up")
    def give_up(self, data: dict[str, Any]) -> None:
        """Fail for good."""
        self.calls += 1
        raise CardStolen("the card was stolen") from KeyError("card")

    @action("greet")
    async def greet(self, person: Person) -> None:
        """Take a person."""
        self.calls += 1

    @action("hang")
    async def hang(self, data: dict[str, Any]) -> None:
        """Never end."""
        self.calls += 1
        await asyncio.Event().wait()

    @action("say")
    def say(self, data: dict[str, Any]) -> Any:
        """Return what was given, whatever it is."""
        return data["this"]

    @action("stop-iteration")
    def stop_iteration(self, data: dict[str, Any]) -> Any:
        """Forget that next() can fail."""
        return next(iter([]))

    @action("exit")
    def exit(self, data: dict[str, Any]) -> None:
        """Take itself for a program."""
        raise SystemExit(3)

    @action("broken-pool")
    async def broken_pool(self, data: dict[str, Any]) -> None:
        """Fail as an action whose own process pool has died."""
        raise concurrent.futures.BrokenExecutor("a child process died")

    @action("cancel-itself")
    async def cancel_itself(self, data: dict[str, Any]) -> None:
        """Wait for something that is cancelled."""
        waiting = asyncio.ensure_future(asyncio.Event().wait())
        waiting.cancel()
        await waiting


def call(action_id: str, attempts: int = 1, timeout_s: float = 10, **data: Any) -> dict[str, Any]:
    """Return a step that calls ``action_id``, with short waits between attempts."""
    return {
        "name": "Call",
        "id": "call",
        "actionId": action_id,
        "timeout": f"{timeout_s:g}s",
        "retry": {"attempts": attempts, "backoff": "10ms"},
        "with": data,
    }


@pytest.mark.parametrize("attempts", [1, 3])
async def test_a_failing_step_is_tried_as_often_as_it_says(jobs: Jobs, attempts: int) -> None:
    """Then the job fails, and says where, why, and how often it was tried."""
    trouble = Trouble()

    async with jobs.worker(trouble):
        failure = await jobs.failure(call("trouble:fail", attempts, host="db"))

    tries = " (3 attempts)" if attempts > 1 else ""
    assert trouble.calls == attempts
    assert failure.type == "StepFailed"
    assert failure.message == (
        WHERE.format(action="trouble:fail") + f"ConnectionError: no route to db{tries}"
    )


async def test_a_failure_keeps_the_chain_of_its_causes(jobs: Jobs) -> None:
    """Down to what the action's own exception came from."""
    async with jobs.worker(Trouble()):
        failure = await jobs.failure(call("trouble:give-up"))

    step = failure.cause
    assert isinstance(step, ActivityError)
    raised = step.cause
    assert isinstance(raised, ApplicationError)
    assert (raised.type, raised.message) == ("CardStolen", "the card was stolen")
    assert isinstance(raised.cause, ApplicationError)
    assert raised.cause.type == "KeyError"


async def test_a_step_can_succeed_after_failures(jobs: Jobs) -> None:
    """This is what retries are for."""
    async with jobs.worker(Trouble()):
        outputs = await jobs.run(call("trouble:recover", attempts=5, succeeds_at=3))

    assert outputs["call"] == {"calls": 3}


async def test_what_is_not_retryable_is_tried_once(jobs: Jobs) -> None:
    """Whatever the retry policy says."""
    trouble = Trouble()

    async with jobs.worker(trouble):
        failure = await jobs.failure(call("trouble:give-up", attempts=5))

    assert trouble.calls == 1
    assert failure.type == "StepFailed"
    assert failure.message == (
        WHERE.format(action="trouble:give-up") + "CardStolen: the card was stolen"
    )


async def test_later_steps_do_not_run_after_a_failure(jobs: Jobs) -> None:
    """A job ends with its first failing step."""
    trouble = Trouble()
    later = {**call("trouble:recover", succeeds_at=1), "id": "later"}

    async with jobs.worker(trouble):
        await jobs.failure(call("trouble:give-up"), later)

    assert trouble.calls == 1


async def test_an_unknown_action_fails_the_job_and_names_what_there_is(jobs: Jobs) -> None:
    """At once: trying again would find the same worker."""
    async with jobs.worker(Trouble()):
        failure = await jobs.failure(call("trouble:recovr", attempts=5))

    assert failure.type == "UnknownAction"
    assert failure.message.startswith(
        WHERE.format(action="trouble:recovr") + "unknown action 'trouble:recovr': "
        "did you mean 'trouble:recover'? this worker has trouble:broken-pool, "
    )


async def test_invalid_input_fails_the_job_and_names_the_fields(jobs: Jobs) -> None:
    """At once, and without the values."""
    trouble = Trouble()

    async with jobs.worker(trouble):
        failure = await jobs.failure(call("trouble:greet", attempts=5, age="hunter2"))

    assert trouble.calls == 0
    assert failure.type == "InvalidInput"
    assert failure.message.startswith(
        WHERE.format(action="trouble:greet") + "email: Field required; age: Input should be"
    )
    assert "hunter2" not in failure.message


@pytest.mark.parametrize("this", ["just text", ["a", "list"], 7])
async def test_outputs_that_are_no_object_fail_the_job(jobs: Jobs, this: Any) -> None:
    """At once, and by the name of the action."""
    async with jobs.worker(Trouble()):
        failure = await jobs.failure(call("trouble:say", attempts=5, this=this))

    assert failure.type == "InvalidOutput"
    assert "action 'trouble:say': the outputs are a" in failure.message


async def test_outputs_that_are_too_large_fail_the_job(jobs: Jobs) -> None:
    """Temporal itself would only time out."""

    class Large(Integration):
        id = "large"

        @action("make")
        def make(self, data: dict[str, Any]) -> dict[str, Any]:
            return {"text": "x" * data["size"]}

    async with jobs.worker(Large()):
        fits = await jobs.run(call("large:make", size=MAX_PAYLOAD_BYTES - 20))
        failure = await jobs.failure(call("large:make", size=MAX_PAYLOAD_BYTES))

    assert len(fits["call"]["text"]) == MAX_PAYLOAD_BYTES - 20
    assert failure.type == "InvalidOutput"


async def test_outputs_may_add_up_to_more_than_a_step_s_input(jobs: Jobs) -> None:
    """Not what the steps say, but what is handed on must fit; so must the job's result."""

    class Large(Integration):
        id = "large"

        @action("make")
        def make(self, data: dict[str, Any]) -> dict[str, Any]:
            return {"text": "x" * 1_200_000}

    first, second = {**call("large:make"), "id": "one"}, {**call("large:make"), "id": "two"}
    both = call("large:make", one="{{ .steps.one.outputs }}", two="{{ .steps.two.outputs }}")

    async with jobs.worker(Large()):
        handle = await jobs.start(first, second)
        result = await handle.result()
        failure = await jobs.failure(first, second, both)

    assert len(result["steps"]) == 1
    assert len(result["omitted"]) == 1
    assert failure.type == "InvalidInput"
    assert "the rendered `with` has 2,400," in failure.message


async def test_a_template_that_names_nothing_fails_the_job(jobs: Jobs) -> None:
    """It names the field of the step, and what could have been named."""
    trouble = Trouble()

    async with jobs.worker(trouble):
        failure = await jobs.failure(
            call("trouble:fail", host="{{ .user.hots }}"), event={"user": {"host": "db"}}
        )

    assert trouble.calls == 0
    assert failure.type == "TemplateError"
    assert failure.message == (
        WHERE.format(action="trouble:fail")
        + "with.host: '{{ .user.hots }}': no field 'hots'; there are: host"
    )


async def test_a_step_that_takes_too_long_fails_the_job(jobs: Jobs) -> None:
    """Temporal's own timeout is what ends it."""
    async with jobs.worker(Trouble(), grace_seconds=0):
        failure = await jobs.failure(call("trouble:hang", timeout_s=0.2))

    assert failure.type == "StepTimedOut"
    assert failure.message == (
        WHERE.format(action="trouble:hang") + "not done within its timeout of 200ms"
    )
    assert isinstance(failure.cause, ActivityError)
    assert isinstance(failure.cause.cause, TimeoutError)
    assert failure.cause.cause.type is TimeoutType.START_TO_CLOSE


async def test_a_step_that_took_too_long_is_cancelled(
    jobs: Jobs, monkeypatch: pytest.MonkeyPatch, logs: list[MutableMapping[str, Any]]
) -> None:
    """Before the next attempt has got far, without asking Temporal first."""
    monkeypatch.setattr("hatchet_worker.steps._LATE_SECONDS", 0)
    cancelled = asyncio.Event()

    class Slow(Integration):
        id = "slow"

        @action("hang")
        async def hang(self, data: dict[str, Any]) -> None:
            try:
                await asyncio.Event().wait()
            finally:
                cancelled.set()

    async with jobs.worker(Slow()):
        failure = await jobs.failure(call("slow:hang", timeout_s=2))
        async with asyncio.timeout(30):
            await cancelled.wait()

    assert failure.type == "StepTimedOut"
    assert [entry["error"] for entry in logs if entry["event"] == "step.failed"] == ["StepTimedOut"]


async def test_a_job_that_takes_too_long_times_out(jobs: Jobs) -> None:
    """Its status in Temporal says so; the step that ran is in its details."""
    async with jobs.worker(Trouble(), grace_seconds=0):
        handle = await jobs.start(call("trouble:hang"), job_timeout="3s")
        with pytest.raises(WorkflowFailureError) as caught:
            await handle.result()
        description = await handle.describe()
        metadata = await handle.query("__temporal_workflow_metadata")

    assert isinstance(caught.value.cause, TimeoutError)
    assert description.status is WorkflowExecutionStatus.TIMED_OUT
    assert metadata.current_details == "Step 1 of 1: Call (call, trouble:hang)"


@pytest.mark.parametrize(
    "argument",
    [
        None,
        "no job",
        {"format": "2"},
        {"workflow": "w", "password": "hunter2"},
        {"schedule": "d/w", "password": "hunter2"},
        b"\xff",
    ],
)
async def test_an_input_that_is_no_job_fails_at_once(jobs: Jobs, argument: Any) -> None:
    """Not in an endless loop of failing workflow tasks, and without repeating it."""
    async with jobs.worker(Trouble()), asyncio.timeout(30):
        handle = await jobs.client.start_workflow(
            "greet-user", argument, id=f"bad-{uuid.uuid4().hex}", task_queue=jobs.queue
        )
        with pytest.raises(WorkflowFailureError) as caught:
            await handle.result()

    cause = caught.value.cause
    assert isinstance(cause, ApplicationError)
    assert cause.type == "InvalidJob"
    assert "job 'greet-user'" in cause.message
    assert "hunter2" not in cause.message
    assert "WORKFLOW_TASK_FAILED" not in await jobs.event_types(handle)


@pytest.mark.parametrize("change", ["format", "field", "definition"])
async def test_a_job_of_a_release_that_the_worker_does_not_know_waits(
    jobs: Jobs, change: str
) -> None:
    """During an upgrade another worker may know it; failing it would lose the event's job."""
    happened = Event(
        id=uuid.uuid4().hex, key="user:create", time=dt.datetime.now(dt.UTC), data={"pin": "1234"}
    )
    definition = Job.model_validate({"queue": jobs.queue, "steps": [call("trouble:hang")]})
    job_input = JobInput(workflow="w", job="greet-user", event=happened, definition=definition)
    data = job_input.model_dump(mode="json")
    match change:
        case "format":
            data |= {"format": 2, "event": "told in another way"}
        case "field":
            data["priority"] = 3
        case "definition":
            data["definition"]["steps"][0]["with"] = {"of": "{{ .input | of_the_next_release }}"}

    async with jobs.worker(Trouble()), asyncio.timeout(30):
        handle = await jobs.client.start_workflow(
            "greet-user", data, id=f"newer-{happened.id}", task_queue=jobs.queue
        )
        async for recorded in handle.fetch_history_events(wait_new_event=True):
            if recorded.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED:
                told = recorded.workflow_task_failed_event_attributes.failure.message
                break

    assert (await handle.describe()).status is WorkflowExecutionStatus.RUNNING
    assert "of another release of Hatchet" in told
    assert "1234" not in told
    await handle.terminate()


async def test_a_job_without_any_input_fails_at_once(jobs: Jobs) -> None:
    """As someone starts it by hand in the UI."""
    async with jobs.worker(Trouble()), asyncio.timeout(30):
        handle = await jobs.client.start_workflow(
            "greet-user", id=f"bad-{uuid.uuid4().hex}", task_queue=jobs.queue
        )
        with pytest.raises(WorkflowFailureError):
            await handle.result()


@pytest.mark.parametrize(
    ("action_id", "message"),
    [
        ("trouble:stop-iteration", "RuntimeError: the action raised StopIteration"),
        ("trouble:exit", "RuntimeError: the action tried to exit with 3"),
        ("trouble:broken-pool", "BrokenExecutor: a child process died"),
        ("trouble:cancel-itself", "RuntimeError: the action was cancelled from within"),
    ],
)
async def test_a_strange_failure_fails_the_step_and_not_the_worker(
    jobs: Jobs, action_id: str, message: str
) -> None:
    """Each of these would hang the step or end the worker if it got through as it is."""
    async with jobs.worker(Trouble()), asyncio.timeout(30):
        failure = await jobs.failure(call(action_id))
        outputs = await jobs.run(call("trouble:say", this={"alive": True}))

    assert failure.type == "StepFailed"
    assert failure.message == WHERE.format(action=action_id) + message
    assert outputs["call"] == {"alive": True}


async def test_a_thread_that_outlives_its_step_keeps_nobody_else_from_working(jobs: Jobs) -> None:
    """Threads cannot be stopped; the others of the pool go on."""
    end = threading.Event()

    class Stuck(Integration):
        id = "stuck"

        @action("hang")
        def hang(self, data: dict[str, Any]) -> None:
            end.wait(timeout=60)

        @action("say")
        def say(self, data: dict[str, Any]) -> dict[str, Any]:
            return data

    try:
        async with jobs.worker(Stuck(), grace_seconds=0):
            failure = await jobs.failure(call("stuck:hang", timeout_s=0.1))
            outputs = await jobs.run(call("stuck:say", alive=True))
    finally:
        end.set()

    assert failure.type == "StepTimedOut"
    assert outputs["call"] == {"alive": True}
