"""Jobs that earlier releases have started go on with this one."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner

from hatchet_worker.jobs import JobWorkflow

HISTORIES = sorted((Path(__file__).parent / "histories").rglob("*.json"))


@pytest.fixture(params=HISTORIES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def history(request: pytest.FixtureRequest) -> WorkflowHistory:
    """Return each of the recorded histories."""
    file: Path = request.param
    return WorkflowHistory.from_json(f"Recorded/{file.stem}/replayed", json.loads(file.read_text()))


async def test_a_recorded_job_is_replayed_step_by_step(history: WorkflowHistory) -> None:
    """No step is scheduled otherwise than it was, and the job ends as it did."""
    replayer = Replayer(
        workflows=[JobWorkflow],
        workflow_runner=UnsandboxedWorkflowRunner(),
        data_converter=pydantic_data_converter,
    )

    result = await replayer.replay_workflow(history, raise_on_replay_failure=False)

    assert result.replay_failure is None


def test_each_shape_of_job_is_recorded() -> None:
    """What is added to the shapes is recorded, too."""
    shapes = runpy.run_path(str(Path(__file__).parent / "shapes.py"))["JOBS"]

    assert set(shapes) == {file.stem for file in HISTORIES}


def test_no_history_tells_of_the_machine_that_recorded_it() -> None:
    """Neither its name nor its folders are anyone's business."""
    for file in HISTORIES:
        recorded = file.read_text()
        assert "stackTrace" not in recorded
        assert "site-packages" not in recorded
        assert '"identity": "recorder"' in recorded
