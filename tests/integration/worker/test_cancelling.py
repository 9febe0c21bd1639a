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
    """Hangs, and tells when it is reached and when it is cancelled."""

    id = "slow"

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.cancelled = asyncio.Event()

    @action("hang")
    async def hang(self, data: dict[str, Any]) -> None:
        """Hang until cancelled."""
        self.reached.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.cancelled.set()


def step(step_id: str) -> dict[str, Any]:
    """Return a step that hangs."""
    return {"name": "Hang", "id": step_id, "actionId": "slow:hang", "timeout": "60s"}


async def test_cancelling_a_job_cancels_its_running_step(
    jobs: Jobs, monkeypatch: pytest.MonkeyPatch, logs: list[MutableMapping[str, Any]]
) -> None:
    """The step hears of it with its next sign of life; later steps do not run."""
    monkeypatch.setattr("hatchet_worker.steps.HEARTBEAT_SECONDS", 0.1)
    monkeypatch.setattr("hatchet_worker.temporal_workers.HEARTBEAT_SECONDS", 0.1)
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
        "job.cancelled",
        "step.cancelled",
    ]


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
