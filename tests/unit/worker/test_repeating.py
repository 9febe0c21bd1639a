from datetime import UTC, datetime, timedelta

import pytest
from temporalio.common import RetryPolicy

from hatchet_worker import Context, Retry
from hatchet_worker.repeating import repeated

SOON = RetryPolicy(initial_interval=timedelta(milliseconds=1), maximum_attempts=3)


class Calls:
    """Raises one error after the other, then returns."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.count = 0

    async def __call__(self) -> str:
        """Be called."""
        self.count += 1
        if self.errors:
            raise self.errors.pop(0)
        return "done"


async def test_a_call_that_did_nothing_is_made_again() -> None:
    calls = Calls(Retry(), Retry(after=0.001))

    assert await repeated(calls, SOON, Context()) == "done"
    assert calls.count == 3


async def test_the_policy_says_how_often() -> None:
    calls = Calls(Retry("1"), Retry("2"), Retry("3"))

    with pytest.raises(Retry, match="3"):
        await repeated(calls, SOON, Context())


async def test_another_error_is_final() -> None:
    calls = Calls(ConnectionError("?"))

    with pytest.raises(ConnectionError):
        await repeated(calls, SOON, Context())
    assert calls.count == 1


async def test_it_does_not_wait_for_what_comes_too_late() -> None:
    calls = Calls(Retry("slow down", after=3600))
    context = Context(deadline=datetime.now(UTC) + timedelta(seconds=60))

    with pytest.raises(Retry, match="slow down"):
        await repeated(calls, SOON, context)
    assert calls.count == 1
