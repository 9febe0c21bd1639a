"""Jobs that earlier releases have started go on with this one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from temporalio import workflow
from temporalio.client import WorkflowHistory
from temporalio.common import RawValue
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner

from hatchet_worker.jobs import JobWorkflow

HISTORIES = sorted((Path(__file__).parent / "histories").rglob("*.json"))


@pytest.fixture(params=HISTORIES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def history(request: pytest.FixtureRequest) -> WorkflowHistory:
    """Return each of the recorded histories."""
    file: Path = request.param
    return WorkflowHistory.from_json(f"Recorded/{file.stem}/replayed", json.loads(file.read_text()))


async def replay(workflow_class: type, history: WorkflowHistory) -> Exception | None:
    """Return what is wrong if ``workflow_class`` takes over where ``history`` ends."""
    replayer = Replayer(
        workflows=[workflow_class],
        workflow_runner=UnsandboxedWorkflowRunner(),
        data_converter=pydantic_data_converter,
    )
    result = await replayer.replay_workflow(history, raise_on_replay_failure=False)
    return result.replay_failure


async def test_a_recorded_job_is_replayed_step_by_step(history: WorkflowHistory) -> None:
    """No step is scheduled otherwise than it was, and the job ends as it did."""
    assert await replay(JobWorkflow, history) is None


@workflow.defn(dynamic=True)
class BackwardsWorkflow:
    """A job workflow that would run the steps in another order, under other ids."""

    @workflow.run
    async def run(self, args: Sequence[RawValue]) -> dict[str, Any]:
        """Run the job, the last step first."""
        forged = json.loads(args[0].payload.data)
        definition = forged["definition"]
        definition["steps"] = [
            {**step, "id": f"other-{step['id']}"} for step in reversed(definition["steps"])
        ]
        payload = workflow.payload_converter().to_payload(forged)
        return await JobWorkflow().run([RawValue(payload)])


async def test_a_job_workflow_that_schedules_otherwise_is_noticed(history: WorkflowHistory) -> None:
    """This suite can fail: the same histories refuse a workflow with other steps."""
    failure = await replay(BackwardsWorkflow, history)

    assert isinstance(failure, workflow.NondeterminismError)


def test_no_history_tells_of_the_machine_that_recorded_it() -> None:
    """Neither its name nor its folders are anyone's business."""
    for file in HISTORIES:
        recorded = file.read_text()
        assert "stackTrace" not in recorded
        assert "site-packages" not in recorded
        assert '"identity": "recorder"' in recorded
