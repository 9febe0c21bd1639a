"""What actions declare and raise, and how often Temporal then runs them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import MutableMapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import ApplicationError

from hatchet_worker import Context, Integration, NonRetryable, Retry, action

if TYPE_CHECKING:
    from tests.integration.worker.conftest import Jobs


class Shop(Integration):
    """Fails in each way, and counts how often."""

    id = "shop"

    def __init__(self) -> None:
        self.attempts: list[tuple[int, float]] = []
        self.reached = asyncio.Event()

    def _count(self, context: Context) -> None:
        self.attempts.append((context.attempt, time.monotonic()))
        self.reached.set()

    @action("charge", semantics="at-most-once")
    async def charge(self, data: dict[str, Any], context: Context) -> dict[str, Any]:
        """Do as the data say."""
        self._count(context)
        match data.get("then"):
            case "fail":
                raise ConnectionError("no route")
            case "later" if len(self.attempts) < 3:
                raise Retry("slow down", after=0.01)
            case "never":
                raise Retry("slow down", after=0.01)
            case "stolen":
                raise NonRetryable("the card was stolen")
            case "hang":
                await asyncio.Event().wait()
        return {"charged": True}

    @action("charge-idempotently", semantics="idempotent")
    async def charge_idempotently(self, data: dict[str, Any], context: Context) -> dict[str, Any]:
        """Fail the first time."""
        self._count(context)
        if context.attempt == 1:
            raise ConnectionError("no route")
        return {"charged": True}

    @action("ask")
    def ask(self, data: dict[str, Any], context: Context) -> None:
        """Be told to come back, the first time."""
        self._count(context)
        if context.attempt == 1:
            raise Retry("429", after=timedelta(seconds=data["after"]))


def call(
    action_id: str, backoff: str = "10ms", timeout: str = "10s", **data: Any
) -> dict[str, Any]:
    """Return a step that calls ``action_id`` up to 3 times."""
    return {
        "name": "Call",
        "id": "call",
        "actionId": action_id,
        "timeout": timeout,
        "retry": {"attempts": 3, "backoff": backoff},
        "with": data,
    }


async def test_at_most_once_that_succeeds_is_as_any_other(jobs: Jobs) -> None:
    async with jobs.worker(Shop()):
        assert await jobs.run(call("shop:charge")) == {"call": {"charged": True}}


@pytest.mark.parametrize(
    ("then", "message"),
    [
        ("fail", "ConnectionError: no route (the action is at-most-once: it is not tried again)"),
        ("stolen", "NonRetryable: the card was stolen"),
    ],
)
async def test_at_most_once_is_not_tried_again_after_a_failure(
    jobs: Jobs, logs: list[MutableMapping[str, Any]], then: str, message: str
) -> None:
    """Whatever the step's retry policy says."""
    shop = Shop()

    async with jobs.worker(shop):
        failure = await jobs.failure(call("shop:charge", then=then))

    assert len(shop.attempts) == 1
    assert failure.type == "StepFailed"
    assert failure.message.endswith(message)
    assert [entry["will_retry"] for entry in logs if entry["event"] == "step.failed"] == [False]


async def test_at_most_once_that_did_nothing_is_called_again(jobs: Jobs) -> None:
    """`Retry` says so; for Temporal it is one attempt, which no other worker repeats."""
    shop = Shop()

    async with jobs.worker(shop):
        outputs = await jobs.run(call("shop:charge", then="later"))

    assert outputs == {"call": {"charged": True}}
    assert [attempt for attempt, _ in shop.attempts] == [1, 1, 1]


async def test_at_most_once_is_called_as_often_as_the_policy_says(jobs: Jobs) -> None:
    shop = Shop()

    async with jobs.worker(shop):
        failure = await jobs.failure(call("shop:charge", then="never"))

    assert len(shop.attempts) == 3
    assert failure.message.endswith(
        "Retry: slow down (the action is at-most-once: it is not tried again)"
    )


async def test_at_most_once_is_not_run_again_when_temporal_itself_retries(jobs: Jobs) -> None:
    """Temporal takes a timeout for a reason to try again; it cannot know what the action is."""
    shop = Shop()

    async with jobs.worker(shop, grace_seconds=0):
        failure = await jobs.failure(call("shop:charge", timeout="2s", then="hang"))

    assert len(shop.attempts) == 1
    assert failure.type == "OutcomeUnknown"
    assert "shop:charge is at-most-once, and attempt 1 of this step may have done its work" in (
        failure.message
    )


async def test_at_most_once_whose_timeout_the_worker_sees_first_is_final(
    jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hatchet_worker.steps._LATE_SECONDS", -9)
    shop = Shop()

    async with jobs.worker(shop):
        failure = await jobs.failure(call("shop:charge", timeout="10s", then="hang"))

    assert len(shop.attempts) == 1
    assert failure.type == "StepTimedOut"


async def test_at_most_once_whose_worker_stops_is_not_given_to_another(jobs: Jobs) -> None:
    stopping, fresh = Shop(), Shop()

    async with asyncio.timeout(30):
        async with jobs.worker(stopping, grace_seconds=0.1):
            handle = await jobs.start(call("shop:charge", then="hang"))
            await stopping.reached.wait()
        async with jobs.worker(fresh):
            with pytest.raises(WorkflowFailureError) as caught:
                await handle.result()

    assert fresh.attempts == []
    assert isinstance(caught.value.cause, ApplicationError)
    assert caught.value.cause.message.endswith(
        "WorkerStopped: the worker stopped before the step was done "
        "(the action is at-most-once: it is not tried again)"
    )


async def test_idempotent_is_tried_again(jobs: Jobs) -> None:
    shop = Shop()

    async with jobs.worker(shop):
        outputs = await jobs.run(call("shop:charge-idempotently"))

    assert outputs["call"] == {"charged": True}
    assert [attempt for attempt, _ in shop.attempts] == [1, 2]


@pytest.mark.parametrize(("after", "backoff"), [(1, "10ms"), (0, "60s")])
async def test_an_action_says_when_it_is_tried_again(
    jobs: Jobs, after: float, backoff: str
) -> None:
    """Later than the retry policy would, or sooner."""
    shop = Shop()

    async with jobs.worker(shop):
        await jobs.run(call("shop:ask", backoff=backoff, after=after))

    [(_, first), (_, second)] = shop.attempts
    assert after - 0.1 <= second - first < after + 30
