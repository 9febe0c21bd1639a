"""A job that is cancelled takes its running step with it."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any

import pytest
from temporalio.client import WorkflowExecutionStatus, WorkflowFailureError
from temporalio.exceptions import CancelledError

from hatchet_worker import Integration, action

if TYPE_CHECKING:
    from tests.integration.worker.conftest import Jobs


class Slow(Integration):
    """Hangs, and tells when it is reached and when it is cancelled; ``did`` is what it has done."""

    id = "slow"

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.cancelled = asyncio.Event()
        self.released = asyncio.Event()
        self.did: list[str] = []

    @action("hang")
    async def hang(self, data: dict[str, Any]) -> None:
        """Hang until cancelled."""
        self.reached.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.cancelled.set()

    @action("tidy")
    async def tidy(self, data: dict[str, Any]) -> dict[str, Any]:
        """Hang until cancelled, then put away what it has begun, then end as ``data`` says."""
        try:
            await self.hang(data)
        except asyncio.CancelledError:
            await self.released.wait()
            self.did.append("put away")
            if data["how"] == "cancelled":
                raise
            if data["how"] == "failed":
                raise ValueError("no shelf") from None
        return {"put": "away"}

    @action("note")
    async def note(self, data: dict[str, Any]) -> None:
        """Note how the step before ended."""
        self.did.append(data["ended"])


def step(step_id: str, verb: str = "hang", **fields: Any) -> dict[str, Any]:
    """Return a step that hangs, or does something else."""
    return {
        "name": "Hang",
        "id": step_id,
        "actionId": f"slow:{verb}",
        "timeout": "60s",
        **fields,
    }


@pytest.mark.usefixtures("quick_heartbeats")
async def test_cancelling_a_job_cancels_its_running_step(
    jobs: Jobs, logs: list[MutableMapping[str, Any]]
) -> None:
    """The step hears of it with its next sign of life; later steps do not run."""
    slow = Slow()

    async with jobs.worker(slow), asyncio.timeout(30):
        handle = await jobs.start(step("one"), step("two"))
        await slow.reached.wait()
        await handle.cancel()
        with pytest.raises(WorkflowFailureError) as caught:
            await handle.result()
        await slow.cancelled.wait()

    assert isinstance(caught.value.cause, CancelledError)
    assert (await handle.describe()).status is WorkflowExecutionStatus.CANCELED
    assert [entry["event"] for entry in logs if not entry["event"].startswith("worker.")] == [
        "job.started",
        "step.started",
        "step.cancelled",
        "job.cancelled",
    ]


@pytest.mark.parametrize(
    ("how", "ended"),
    [("cancelled", "failure Cancelled"), ("failed", "failure Cancelled"), ("done", "success ")],
)
@pytest.mark.usefixtures("quick_heartbeats")
async def test_the_next_steps_wait_until_a_cancelled_one_has_ended(
    jobs: Jobs, how: str, ended: str
) -> None:
    """However it ends: what it holds may be what they tidy up."""
    slow = Slow()
    told = "{{ .steps.one.outcome }} {{ .steps.one.failure.type if .steps.one.failure else '' }}"

    async with jobs.worker(slow), asyncio.timeout(30):
        handle = await jobs.start(
            step("one", "tidy", **{"with": {"how": how}}),
            step("two"),
            step("three", "note", **{"if": "always()", "with": {"ended": told}}),
        )
        await slow.reached.wait()
        await handle.cancel()
        await slow.cancelled.wait()
        assert slow.did == []
        slow.released.set()
        with pytest.raises(WorkflowFailureError) as caught:
            await handle.result()

    assert isinstance(caught.value.cause, CancelledError)
    assert slow.did == ["put away", ended]


@pytest.mark.usefixtures("quick_heartbeats")
async def test_a_cancelled_step_that_goes_down_with_its_worker_is_not_tried_again(
    jobs: Jobs,
) -> None:
    """The next worker goes on with the steps that tidy up."""
    slow = Slow()

    async with asyncio.timeout(30):
        async with jobs.worker(slow, grace_seconds=0):
            handle = await jobs.start(
                step("one", "tidy", **{"with": {"how": "cancelled"}}),
                step("two", "note", **{"if": "cancelled()", "with": {"ended": "tidied"}}),
            )
            await slow.reached.wait()
            await handle.cancel()
            await slow.cancelled.wait()
        async with jobs.worker(slow):
            with pytest.raises(WorkflowFailureError) as caught:
                await handle.result()

    assert isinstance(caught.value.cause, CancelledError)
    assert slow.did == ["tidied"]


@pytest.mark.usefixtures("quick_heartbeats")
async def test_a_cancellation_that_comes_too_late_changes_nothing(jobs: Jobs) -> None:
    """Where the last step completes all the same, all is done, and the job completes."""
    slow = Slow()
    slow.released.set()

    async with jobs.worker(slow), asyncio.timeout(30):
        handle = await jobs.start(step("one", "tidy", **{"with": {"how": "done"}}))
        await slow.reached.wait()
        await handle.cancel()
        result = await handle.result()

    assert result == {"steps": {"one": {"put": "away"}}}


async def test_a_job_can_be_cancelled_before_a_worker_takes_it(jobs: Jobs) -> None:
    """Its steps do not begin."""
    slow = Slow()
    handle = await jobs.start(step("one"))
    await handle.cancel()

    async with jobs.worker(slow), asyncio.timeout(30):
        with pytest.raises(WorkflowFailureError):
            await handle.result()

    assert not slow.reached.is_set()
    assert (await handle.describe()).status is WorkflowExecutionStatus.CANCELED


async def test_letting_go_of_a_job_is_not_logged_as_its_cancellation(
    jobs: Jobs, logs: list[MutableMapping[str, Any]]
) -> None:
    """A stopping worker drops the jobs in its cache; they go on elsewhere."""
    slow = Slow()

    async with jobs.worker(slow, grace_seconds=0), asyncio.timeout(30):
        handle = await jobs.start(step("one"))
        await slow.reached.wait()

    assert "job.cancelled" not in [entry["event"] for entry in logs]
    assert (await handle.describe()).status is WorkflowExecutionStatus.RUNNING
    await handle.terminate()
