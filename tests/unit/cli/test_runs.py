"""What became of an event's jobs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

from temporalio.client import Client, WorkflowExecutionStatus

from hatchet_cli.runs import jobs_of_event
from hatchet_schemas.names import workflow_id

ID = workflow_id("Sign Up/now", "greet", "orders/2024/1")


class OneJob:
    """A client whose server has one job, which has completed."""

    id = ID
    run_id = "run"

    async def list_workflows(self, _query: str) -> AsyncIterator[OneJob]:
        """Yield the job."""
        yield self

    def get_workflow_handle(self, _workflow_id: str, **_options: str) -> OneJob:
        """Return the job."""
        return self

    async def memo_value(self, _name: str, *, default: int) -> int:
        """Return how many jobs the event started."""
        return default

    async def result(self) -> None:
        """End at once."""

    async def describe(self) -> Any:
        """Return how it ended."""
        at = datetime(2030, 1, 1, tzinfo=UTC)
        return SimpleNamespace(
            start_time=at, close_time=at, status=WorkflowExecutionStatus.COMPLETED
        )


async def test_a_job_has_its_own_name_whatever_the_event_s_id() -> None:
    """The id of an event may hold slashes, and the name of a workflow, too."""
    client = cast("Client", OneJob())

    [run] = [run async for run in jobs_of_event(client, "orders/2024/1", start_seconds=1)]

    assert (run.workflow, run.job, run.workflow_id) == ("Sign Up/now", "greet", ID)
    assert run.completed
