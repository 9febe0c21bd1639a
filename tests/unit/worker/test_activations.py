"""Where workflow tasks are worked on, as Temporal's SDK hands them over."""

import asyncio
import contextvars
import threading
from collections.abc import Iterator

import pytest
from temporalio.bridge.proto.workflow_activation import WorkflowActivation

from hatchet_worker.activations import ActivationExecutor

LARGE = WorkflowActivation(run_id="r" * 40_000)
SHORT = WorkflowActivation(run_id="run-1")
REPLAYED = WorkflowActivation(run_id="run-1", is_replaying=True)

of_task = contextvars.ContextVar("of_task", default="nothing")


@pytest.fixture
def executor() -> Iterator[ActivationExecutor]:
    """Return an executor that is shut down after the test."""
    with ActivationExecutor() as executor:
        yield executor


def thread_of(_activation: WorkflowActivation) -> int:
    """Return the thread in which it is called."""
    return threading.get_ident()


async def given(executor: ActivationExecutor, activation: WorkflowActivation) -> int:
    """Hand over an activation as the SDK does."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(executor, thread_of, activation)


async def test_a_short_one_is_worked_on_by_the_loop_itself(executor: ActivationExecutor) -> None:
    assert await given(executor, SHORT) == threading.get_ident()


@pytest.mark.parametrize("activation", [LARGE, REPLAYED], ids=["large", "replayed"])
async def test_one_that_may_take_long_does_not_hold_up_the_loop(
    executor: ActivationExecutor, activation: WorkflowActivation
) -> None:
    assert await given(executor, activation) != threading.get_ident()


async def test_it_sees_neither_the_loop_nor_the_variables_of_who_hands_it_over(
    executor: ActivationExecutor,
) -> None:
    """A workflow is a loop of its own, and takes itself away when it pauses."""
    loop = asyncio.get_running_loop()
    of_task.set("a task's")

    def work(_activation: WorkflowActivation) -> tuple[object, object, str]:
        seen = asyncio._get_running_loop(), asyncio.current_task(loop), of_task.get()
        asyncio._set_running_loop(None)
        return seen

    assert await loop.run_in_executor(executor, work, SHORT) == (None, None, "nothing")
    assert asyncio.get_running_loop() is loop


async def test_what_it_raises_is_handed_on(executor: ActivationExecutor) -> None:
    def work(_activation: WorkflowActivation) -> None:
        raise LookupError("no such run")

    with pytest.raises(LookupError, match="no such run"):
        await asyncio.get_running_loop().run_in_executor(executor, work, SHORT)


async def test_one_that_is_cancelled_in_time_is_not_begun(executor: ActivationExecutor) -> None:
    begun: list[WorkflowActivation] = []

    future = executor.submit(begun.append, SHORT)
    future.cancel()
    await asyncio.sleep(0)

    assert future.cancelled()
    assert begun == []
