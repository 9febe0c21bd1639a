"""Temporal's own workers, one for each task queue of a `Worker`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import Final

import temporalio.worker
from temporalio.client import Client

from hatchet_worker.activations import ActivationExecutor
from hatchet_worker.default_modes import DefaultModes
from hatchet_worker.jobs import JobWorkflow
from hatchet_worker.registry import Registry
from hatchet_worker.spans import tracing_interceptors
from hatchet_worker.steps import HEARTBEAT_SECONDS, StepRunner

__all__ = ["temporal_workers"]

_POLL_SECONDS: Final = 0.01


@asynccontextmanager
async def temporal_workers(
    client: Client,
    queues: Sequence[str],
    steps: StepRunner,
    registry: Registry,
    *,
    max_concurrent_steps: int,
    grace: timedelta,
) -> AsyncGenerator[None]:
    """Run the jobs of ``queues`` for the time of the block, and their steps by ``steps``.

    The block begins when Temporal has accepted all. After it no more jobs are taken, and the steps
    that run have ``grace`` to end.
    """
    async with AsyncExitStack() as stack:
        activations = ActivationExecutor()
        stack.callback(activations.shutdown, wait=False, cancel_futures=True)
        workers = [
            temporalio.worker.Worker(
                client,
                task_queue=queue,
                workflows=[JobWorkflow],
                activities=[steps.run_step],
                interceptors=[DefaultModes(registry), *tracing_interceptors()],
                # The sandbox guards against code that is not ours, and costs CPU for each job.
                workflow_runner=temporalio.worker.UnsandboxedWorkflowRunner(),
                workflow_task_executor=activations,
                # By default a single poller takes new jobs, one for each round trip to Temporal.
                workflow_task_poller_behavior=temporalio.worker.PollerBehaviorAutoscaling(),
                activity_task_poller_behavior=temporalio.worker.PollerBehaviorAutoscaling(),
                max_concurrent_activities=max_concurrent_steps,
                max_concurrent_local_activities=max_concurrent_steps,
                # By default a step would learn of its cancellation only after 30 s.
                default_heartbeat_throttle_interval=timedelta(seconds=HEARTBEAT_SECONDS),
                max_heartbeat_throttle_interval=timedelta(seconds=HEARTBEAT_SECONDS),
                graceful_shutdown_timeout=grace,
            )
            for queue in queues
        ]
        for worker in workers:
            await stack.enter_async_context(worker)
        stack.push_async_callback(_shut_down, workers, steps, grace)
        await _until_running(workers)
        yield


async def _until_running(workers: Sequence[temporalio.worker.Worker]) -> None:
    """Return when Temporal has accepted all; what fails before cancels this task."""
    while not all(worker.is_running for worker in workers):  # noqa: ASYNC110 - there is no event
        await asyncio.sleep(_POLL_SECONDS)


async def _shut_down(
    workers: Sequence[temporalio.worker.Worker], steps: StepRunner, grace: timedelta
) -> None:
    # Temporal's core ends most regular steps after the grace, but waits for the others.
    ending = asyncio.get_running_loop().call_later(
        grace.total_seconds(), steps.running.interrupt_rest
    )
    try:
        # All at once, for each takes jobs until it is told.
        await asyncio.gather(*(worker.shutdown() for worker in workers))
    finally:
        ending.cancel()
