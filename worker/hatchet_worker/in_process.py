"""Steps run in this process, as a worker runs them, but without Temporal and without waiting."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, Final, Self

from temporalio.api.common.v1 import Payload
from temporalio.common import RawValue, RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError, RetryState
from temporalio.testing import ActivityEnvironment

from hatchet_schemas import Step, StepInput
from hatchet_worker.decisions import wanted_mode
from hatchet_worker.integration import closed
from hatchet_worker.registry import Registry
from hatchet_worker.secrets import SecretProvider
from hatchet_worker.steps import StepRunner

__all__ = ["InProcessSteps", "StepEnded"]

_THREADS: Final = 4


@dataclass(frozen=True, slots=True)
class StepEnded:
    """How a step ended: with ``outputs`` or with ``error``, after so many ``attempts``."""

    attempts: int
    outputs: dict[str, Any]
    error: ActivityError | None = None


class InProcessSteps:
    """Runs steps with the actions of ``registry``, by the activity that workers have.

    A failed step is tried again as its retry policy says, at once: no wait is waited for. Secrets
    are masked in what comes out, as ever. Leaving the block closes the integrations.
    """

    def __init__(self, registry: Registry, secrets: Sequence[SecretProvider]) -> None:
        self._registry = registry
        self._executor = ThreadPoolExecutor(_THREADS, thread_name_prefix="hatchet-step")
        self._runner = StepRunner(registry, self._executor, secrets, sleep=_at_once)

    async def __aenter__(self) -> Self:
        """Return itself."""
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the integrations."""
        for integration in self._registry.integrations:
            await closed(integration)
        self._executor.shutdown(wait=False, cancel_futures=True)

    async def run(self, step: Step, step_input: StepInput, workflow_id: str) -> StepEnded:
        """Run a step to its end; the idempotency key is that of a run of ``workflow_id``."""
        mode = wanted_mode(step, self._registry.default_mode)
        step = step.model_copy(update={"mode": mode})
        payload = RawValue(Payload(data=step_input.model_dump_json().encode()))
        details: list[Any] = []
        for attempt in range(1, step.retry.attempts + 1):
            environment = ActivityEnvironment()
            environment.info = replace(
                ActivityEnvironment.default_info(),
                activity_id=step.id,
                activity_type=str(step.action_id),
                attempt=attempt,
                heartbeat_details=[] if step.mode == "local" else details[:],
                is_local=step.mode == "local",
                retry_policy=RetryPolicy(maximum_attempts=step.retry.attempts),
                start_to_close_timeout=step.timeout,
                workflow_id=workflow_id,
                workflow_type=step_input.job,
            )

            def keep(*given: Any) -> None:
                details[:] = given

            environment.on_heartbeat = keep
            try:
                outputs: dict[str, Any] = await environment.run(self._runner.run_step, [payload])
            except ApplicationError as failure:
                if failure.non_retryable or attempt == step.retry.attempts:
                    return StepEnded(attempt, {}, _ended(step, failure))
            else:
                return StepEnded(attempt, outputs)
        raise AssertionError("a step has at least one attempt")


def _ended(step: Step, failure: ApplicationError) -> ActivityError:
    """Return what Temporal would tell the job."""
    error = ActivityError(
        "Activity task failed",
        scheduled_event_id=0,
        started_event_id=0,
        identity="",
        activity_type=str(step.action_id),
        activity_id=step.id,
        retry_state=RetryState.NON_RETRYABLE_FAILURE
        if failure.non_retryable
        else RetryState.MAXIMUM_ATTEMPTS_REACHED,
    )
    error.__cause__ = failure
    return error


async def _at_once(_seconds: float) -> None:
    await asyncio.sleep(0)
