"""What became of an event's jobs, as Temporal tells it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Final

from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    CancelledError,
    FailureError,
    TerminatedError,
    TimeoutError,  # noqa: A004 - Temporal's own
)
from temporalio.service import RPCError, RPCStatusCode

from hatchet_cli.exiting import CommandError, ExitCode
from hatchet_schemas.names import escaped, job_of_id

__all__ = ["JobRun", "jobs_of_event"]

_POLL_SECONDS: Final = 0.2


@dataclass(frozen=True, slots=True)
class JobRun:
    """A job that has ended; ``status`` is Temporal's, ``message`` says why it failed."""

    workflow: str
    job: str
    workflow_id: str
    status: str
    seconds: float
    message: str | None = None

    @property
    def completed(self) -> bool:
        """Whether all steps did their work."""
        return self.status == WorkflowExecutionStatus.COMPLETED.name


async def jobs_of_event(
    client: Client, event_id: str, *, start_seconds: float
) -> AsyncIterator[JobRun]:
    """Yield the jobs that the event started, each when it has ended.

    The first must be seen within ``start_seconds``; each job knows how many its event started, so
    the last one is known too. Without any, nothing is yielded.

    Raises:
        CommandError: the namespace has no search attributes to find jobs by.

    """
    clock = asyncio.get_running_loop().time
    deadline = clock() + start_seconds
    expected = 1
    followed: set[asyncio.Task[JobRun]] = set()
    seen: set[str] = set()
    try:
        while len(seen) < expected and (seen or clock() < deadline):
            async for workflow_id, run_id, jobs in _found(client, event_id):
                expected = max(expected, jobs)
                if workflow_id not in seen:
                    seen.add(workflow_id)
                    handle = client.get_workflow_handle(workflow_id, run_id=run_id)
                    followed.add(asyncio.create_task(_ended(handle)))
            done = {task for task in followed if task.done()}
            followed -= done
            for task in done:
                yield task.result()
            if len(seen) < expected:
                await asyncio.sleep(_POLL_SECONDS)
        for ending in asyncio.as_completed(followed):
            yield await ending
    finally:
        for task in followed:
            task.cancel()


async def _found(client: Client, event_id: str) -> AsyncIterator[tuple[str, str, int]]:
    """Yield id and run id of each job found, and how many jobs its event started."""
    try:
        async for run in client.list_workflows(f"HatchetEventId = '{escaped(event_id)}'"):
            yield run.id, run.run_id, int(await run.memo_value("hatchet_jobs", default=1))
    except RPCError as error:
        if error.status is RPCStatusCode.INVALID_ARGUMENT:
            raise CommandError(
                f"namespace {client.namespace!r} has no search attribute HatchetEventId to find "
                "the event's jobs by; a router registers it where it may",
                ExitCode.USAGE,
            ) from error
        raise


async def _ended(handle: WorkflowHandle[Any, Any]) -> JobRun:
    message: str | None = None
    try:
        await handle.result()
    except WorkflowFailureError as error:
        message = await _explained(handle, error.cause)
    description = await handle.describe()
    started, closed = description.start_time, description.close_time
    workflow, job = job_of_id(handle.id)
    return JobRun(
        workflow=workflow,
        job=job,
        workflow_id=handle.id,
        status=description.status.name if description.status else "UNKNOWN",
        seconds=round((closed - started).total_seconds(), 3) if closed else 0.0,
        message=message,
    )


async def _explained(handle: WorkflowHandle[Any, Any], cause: BaseException) -> str:
    match cause:
        case TimeoutError():
            return f"the job's timeout is over; {await _whereabouts(handle)}"
        case CancelledError():
            return f"cancelled; {await _whereabouts(handle)}"
        case TerminatedError():
            return f"terminated: {cause.message}"
        case ApplicationError() | ActivityError() | FailureError():
            return cause.message
        case _:
            return str(cause)


async def _whereabouts(handle: WorkflowHandle[Any, Any]) -> str:
    """Return which step was under way when the job ended from outside.

    Temporal itself ends such a job, so there is no message of ours in its history.
    """
    running: dict[int, str] = {}
    async for event in handle.fetch_history_events():
        match event.event_type:
            case EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
                scheduled = event.activity_task_scheduled_event_attributes
                running[event.event_id] = (
                    f"step {scheduled.activity_id!r} ({scheduled.activity_type.name})"
                )
            case EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
                running.pop(event.activity_task_completed_event_attributes.scheduled_event_id, None)
            case _:
                continue
    if not running:
        return "no step was under way; does a worker serve its queue?"
    return f"{' and '.join(running.values())} was under way"
