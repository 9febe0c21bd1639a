"""Conditions of jobs and steps, steps that may fail, and steps that run after failures."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any

import pytest
from temporalio.client import WorkflowExecutionStatus, WorkflowFailureError
from temporalio.exceptions import CancelledError

from hatchet_worker import Integration, NonRetryable, action

if TYPE_CHECKING:
    from tests.integration.worker.conftest import Jobs


class Desk(Integration):
    """Keeps what it is told to do, and fails where told to."""

    id = "desk"

    def __init__(self) -> None:
        self.done: list[str] = []
        self.waiting = asyncio.Event()

    @action("do")
    async def do(self, data: dict[str, Any]) -> dict[str, Any]:
        """Do ``what``."""
        self.done.append(data["what"])
        return {"did": data["what"]}

    @action("fail")
    async def fail(self, data: dict[str, Any]) -> None:
        """Fail, for good."""
        self.done.append("fail")
        raise NonRetryable("no paper")

    @action("wait")
    async def wait(self, data: dict[str, Any]) -> None:
        """Wait to be cancelled."""
        self.waiting.set()
        await asyncio.Event().wait()


def do(step_id: str, what: str | None = None, **fields: Any) -> dict[str, Any]:
    """Return a step that does something, named after itself."""
    return {
        "name": step_id,
        "id": step_id,
        "actionId": "desk:do",
        "timeout": "10s",
        "with": {"what": what or step_id},
        **fields,
    }


def fail(step_id: str, **fields: Any) -> dict[str, Any]:
    """Return a step that fails."""
    return {"name": step_id, "id": step_id, "actionId": "desk:fail", "timeout": "10s", **fields}


async def test_a_step_whose_condition_is_false_is_skipped(
    jobs: Jobs, logs: list[MutableMapping[str, Any]]
) -> None:
    """The job goes on, and says what it left out, and why."""
    desk = Desk()

    async with jobs.worker(desk):
        handle = await jobs.start(
            do("one", **{"if": ".amount > 100"}),
            do("two", **{"if": "{{ .amount == 40 }}"}),
            do("three", **{"if": ".steps.one.outcome == 'skipped'"}),
            event={"amount": 40},
        )
        result = await handle.result()

    assert desk.done == ["two", "three"]
    assert result == {
        "steps": {"two": {"did": "two"}, "three": {"did": "three"}},
        "skipped_steps": {"one": ".amount > 100"},
    }
    assert ("one", ".amount > 100") in [
        (entry.get("step"), entry.get("condition"))
        for entry in logs
        if entry["event"] == "step.skipped"
    ]


async def test_after_a_failure_only_steps_that_ask_for_it_run(jobs: Jobs) -> None:
    """The job fails with the first failure, whatever happened after it."""
    desk = Desk()

    async with jobs.worker(desk):
        failure = await jobs.failure(
            do("one"),
            fail("two"),
            do("three"),
            do("four", **{"if": "true"}),
            do("report", what="{{ .steps.two.failure.message }}", **{"if": "failure()"}),
            fail("five", **{"if": "always()"}),
            do("unless", **{"if": "success()"}),
            do("tidy", what="{{ .steps.three.outcome }}", **{"if": "always()"}),
        )

    assert desk.done[:2] == ["one", "fail"]
    assert "step 'two'" in desk.done[2]
    assert "no paper" in desk.done[2]
    assert desk.done[3:] == ["fail", "skipped"]
    assert "step 'two', action 'desk:fail': NonRetryable: no paper" in failure.message


async def test_a_step_that_may_fail_does_not_fail_its_job(
    jobs: Jobs, logs: list[MutableMapping[str, Any]]
) -> None:
    """Later steps see how it ended, and how the job took it."""
    desk = Desk()

    async with jobs.worker(desk):
        handle = await jobs.start(
            fail("one", **{"continue-on-error": True}),
            do("two", what="{{ .steps.one.outcome }} {{ .steps.one.conclusion }}"),
            do("three", **{"if": "failure()"}),
            do("four", what="{{ .steps.one.failure.type }}"),
        )
        result = await handle.result()

    assert desk.done == ["fail", "failure success", "StepFailed"]
    assert list(result["steps"]) == ["two", "four"]
    assert "no paper" in result["failed_steps"]["one"]
    assert "step.tolerated" in [entry["event"] for entry in logs]


async def test_a_job_whose_condition_is_false_runs_no_step(
    jobs: Jobs, logs: list[MutableMapping[str, Any]]
) -> None:
    """It completes at once, and says why it did nothing."""
    desk = Desk()

    async with jobs.worker(desk):
        handle = await jobs.start(do("one"), event={"plan": "free"}, condition=".plan == 'pro'")
        result = await handle.result()

    assert desk.done == []
    assert result == {"steps": {}, "skipped": ".plan == 'pro'"}
    assert [entry["event"] for entry in logs if entry["event"].startswith("job.")] == [
        "job.skipped"
    ]


async def test_a_job_whose_condition_cannot_be_decided_fails(jobs: Jobs) -> None:
    """A missing field is neither yes nor no."""
    async with jobs.worker(Desk()):
        failure = await jobs.failure(do("one"), event={"a": 1}, condition=".plan == 'pro'")

    assert failure.type == "TemplateError"
    assert failure.message == (
        "workflow 'Post User Sign Up', job 'greet-user': "
        "if: \".plan == 'pro'\": no field 'plan'; there are: a, event, input, job, steps, "
        "vars, workflow"
    )


async def test_a_step_whose_condition_cannot_be_decided_fails(jobs: Jobs) -> None:
    """As if the action had failed: the steps for failures run."""
    desk = Desk()

    async with jobs.worker(desk):
        failure = await jobs.failure(
            do("one", **{"if": ".nick == 'x'"}), do("tidy", **{"if": "failure()"})
        )

    assert desk.done == ["tidy"]
    assert failure.type == "TemplateError"
    assert "step 'one', action 'desk:do': if: \".nick == 'x'\": no field 'nick'" in failure.message


@pytest.mark.usefixtures("quick_heartbeats")
async def test_a_cancelled_job_still_runs_the_steps_that_run_always(jobs: Jobs) -> None:
    """And ends as cancelled, whatever becomes of them."""
    desk = Desk()

    async with jobs.worker(desk), asyncio.timeout(30):
        handle = await jobs.start(
            {**do("one"), "actionId": "desk:wait", "timeout": "60s"},
            do("two"),
            do("failed", **{"if": "failure()"}),
            fail("three", **{"if": "always()"}),
            do("four", what="{{ .steps.one.failure.type }}", **{"if": "cancelled()"}),
        )
        await desk.waiting.wait()
        await handle.cancel()
        with pytest.raises(WorkflowFailureError) as caught:
            await handle.result()

    assert isinstance(caught.value.cause, CancelledError)
    assert (await handle.describe()).status is WorkflowExecutionStatus.CANCELED
    assert desk.done == ["fail", "Cancelled"]
