"""Retries over hours and days, on a Temporal that skips time."""

from __future__ import annotations

import asyncio
import math
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowExecutionStatus, WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import ApplicationError

from hatchet_worker import Context, Integration, Retry, action

if TYPE_CHECKING:
    from tests.integration.worker.conftest import Jobs

HOUR = 3600


class Provider(Integration):
    """A service that is down for long."""

    id = "provider"

    def __init__(self) -> None:
        self.attempts = 0

    @action("fail")
    async def fail(self, data: dict[str, Any]) -> None:
        """Fail."""
        self.attempts += 1
        raise ConnectionError("down for maintenance")

    @action("come-back")
    async def come_back(self, data: dict[str, Any], context: Context) -> dict[str, Any]:
        """Ask twice to come back the next day, then do as the data say."""
        self.attempts += 1
        if context.attempt <= data["days"]:
            raise Retry("come back tomorrow", after=timedelta(days=1))
        if data.get("hang"):
            await asyncio.Event().wait()
        return {"attempt": context.attempt}

    @action("hang")
    async def hang(self, data: dict[str, Any]) -> None:
        """Never answer."""
        self.attempts += 1
        await asyncio.Event().wait()


def call(
    verb: str, retry: dict[str, Any] | None = None, timeout: str = "1m", **data: Any
) -> dict[str, Any]:
    """Return a step that calls the provider."""
    return {
        "name": "Call",
        "id": "call",
        "actionId": f"provider:{verb}",
        "timeout": timeout,
        "with": data,
        **({"retry": retry} if retry else {}),
    }


async def waits(handle: WorkflowHandle[Any, Any]) -> list[int]:
    """Return the waits of a job that Temporal has skipped, in seconds of the job's clock."""
    skipped: list[int] = []
    for event in (await handle.fetch_history()).events:
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIME_SKIPPING_TRANSITIONED:
            leap = event.workflow_execution_time_skipping_transitioned_event_attributes
            passed = leap.target_time.ToDatetime() - leap.wall_clock_time.ToDatetime()
            # What was left of the wait when Temporal came to skip it.
            skipped.append(math.ceil(passed.total_seconds()))
    return skipped


@pytest.fixture
def jobs(time_skipping_jobs: Jobs) -> Jobs:
    """Skip time in all tests of this module."""
    return time_skipping_jobs


async def failure_of(handle: WorkflowHandle[Any, Any]) -> ApplicationError:
    """Return why a job failed."""
    with pytest.raises(WorkflowFailureError) as caught:
        async with asyncio.timeout(60):
            await handle.result()
    assert isinstance(caught.value.cause, ApplicationError), caught.value.cause
    return caught.value.cause


@pytest.mark.parametrize(
    ("retry", "expected"),
    [
        (None, [1, 2, 4, 8]),
        ({"attempts": 9}, [1, 2, 4, 8, 16, 32, 60, 60]),
        (
            {"attempts": 6, "backoff": "1h", "max-backoff": "5h"},
            [1 * HOUR, 2 * HOUR, 4 * HOUR, 5 * HOUR, 5 * HOUR],
        ),
        (
            {"attempts": 4, "backoff": "2h", "factor": 1.5, "max-backoff": "1d"},
            [2 * HOUR, 3 * HOUR, 4.5 * HOUR],
        ),
        ({"attempts": 3, "backoff": "7d", "factor": 1, "max-backoff": "7d"}, [168 * HOUR] * 2),
    ],
)
async def test_the_waits_between_attempts_are_those_of_the_retry_policy(
    jobs: Jobs, retry: dict[str, Any] | None, expected: list[float]
) -> None:
    """`backoff`, then longer by `factor`, up to `max-backoff`; by default 1s, 2 and 1m."""
    provider = Provider()

    async with jobs.worker(provider):
        handle = await jobs.start(call("fail", retry))
        failure = await failure_of(handle)

    assert await waits(handle) == expected
    assert provider.attempts == len(expected) + 1
    assert failure.message.endswith(
        f"ConnectionError: down for maintenance ({len(expected) + 1} attempts)"
    )


async def test_an_action_can_ask_to_be_called_again_the_next_day(jobs: Jobs) -> None:
    """Whatever the retry policy's own waits are."""
    retry = {"attempts": 4, "backoff": "1s", "max-backoff": "2s"}

    async with jobs.worker(Provider()):
        handle = await jobs.start(call("come-back", retry, days=3))
        result = await handle.result()

    assert await waits(handle) == [24 * HOUR] * 3
    assert result["steps"] == {"call": {"attempt": 4}}


async def test_how_often_an_action_may_ask_is_the_policys(jobs: Jobs) -> None:
    """An action that always asks would never end."""
    async with jobs.worker(Provider()):
        handle = await jobs.start(call("come-back", {"attempts": 3}, days=1000))
        failure = await failure_of(handle)

    assert await waits(handle) == [24 * HOUR] * 2
    assert failure.message.endswith("Retry: come back tomorrow (3 attempts)")


async def test_a_steps_timeout_is_for_each_attempt(jobs: Jobs) -> None:
    """The waits in between are not counted."""
    provider = Provider()
    retry = {"attempts": 2, "backoff": "6h", "max-backoff": "6h"}

    async with jobs.worker(provider, grace_seconds=0):
        handle = await jobs.start(call("hang", retry, timeout="2s"))
        failure = await failure_of(handle)

    assert await waits(handle) == [6 * HOUR]
    assert provider.attempts == 2
    assert failure.type == "StepTimedOut"
    assert failure.message.endswith("not done within its timeout of 2s (2 attempts)")


async def test_a_step_whose_worker_is_lost_is_tried_again_as_its_policy_says(
    jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Long before the step's timeout: what misses is the sign of life."""
    monkeypatch.setattr("hatchet_worker.jobs.HEARTBEAT_TIMEOUT", timedelta(seconds=2))
    provider = Provider()
    retry = {"attempts": 2, "backoff": "6h", "max-backoff": "6h"}

    async with jobs.worker(provider, grace_seconds=0):
        handle = await jobs.start(call("hang", retry, timeout="12h"))
        failure = await failure_of(handle)

    assert await waits(handle) == [6 * HOUR]
    assert provider.attempts == 2
    assert failure.type == "StepTimedOut"
    assert "its worker was lost" in failure.message


async def test_a_jobs_timeout_counts_from_its_start_with_all_waits(jobs: Jobs) -> None:
    """It ends the job where it stands, two days later."""
    provider = Provider()

    async with jobs.worker(provider, grace_seconds=0):
        handle = await jobs.start(call("come-back", days=2, hang=True), job_timeout="2d5s")
        with pytest.raises(WorkflowFailureError):
            async with asyncio.timeout(60):
                await handle.result()
    description = await handle.describe()

    assert description.status is WorkflowExecutionStatus.TIMED_OUT
    assert provider.attempts == 3
    last = (await handle.fetch_history()).events[-1]
    assert last.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT
    ended = last.event_time.ToDatetime(tzinfo=description.start_time.tzinfo)
    # The server's clock may skip a fraction of a second more than it counts.
    assert ended - description.start_time >= timedelta(days=2, seconds=4)


async def test_an_attempt_that_would_come_after_the_jobs_timeout_is_not_waited_for(
    jobs: Jobs,
) -> None:
    """The job fails at once, which says more than a timeout, and says why."""
    provider = Provider()
    retry = {"attempts": 100, "backoff": "10h", "max-backoff": "10h"}

    async with jobs.worker(provider):
        handle = await jobs.start(call("fail", retry), job_timeout="2d")
        failure = await failure_of(handle)

    assert await waits(handle) == [10 * HOUR] * 4
    assert provider.attempts == 5
    assert failure.message.endswith(
        "ConnectionError: down for maintenance "
        "(the next attempt would come after the job's timeout)"
    )
