"""Jobs that earlier releases have started go on with this one."""

from __future__ import annotations

import json
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Interceptor, Replayer, UnsandboxedWorkflowRunner

from hatchet_worker import Integration, action
from hatchet_worker.default_modes import DefaultModes
from hatchet_worker.jobs import JobWorkflow
from hatchet_worker.registry import Registry

HISTORIES = sorted((Path(__file__).parent / "histories").rglob("*.json"))


@pytest.fixture(params=HISTORIES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def history(request: pytest.FixtureRequest) -> WorkflowHistory:
    """Return each of the recorded histories."""
    file: Path = request.param
    return WorkflowHistory.from_json(f"Recorded/{file.stem}/replayed", json.loads(file.read_text()))


def _local_by_default(*verbs: str) -> DefaultModes:
    """Return what a worker tells its jobs when these actions have become local by default."""
    actions = {verb: action(verb, mode="local")(_perform()) for verb in verbs}
    echo: type[Integration] = type("Echo", (Integration,), {"id": "echo", **actions})
    return DefaultModes(Registry([echo()]))


def _perform() -> Callable[[Any, dict[str, Any]], None]:
    return lambda _self, _data: None


@pytest.mark.parametrize(
    "interceptors",
    [[], [_local_by_default("say", "fail", "hang", "wait", "recover", "once")]],
    ids=["regular-by-default", "local-by-default"],
)
async def test_a_recorded_job_is_replayed_step_by_step(
    history: WorkflowHistory, interceptors: list[Interceptor]
) -> None:
    """No step is scheduled otherwise than it was, and the job ends as it did.

    Nor does it matter how the actions run by default now.
    """
    replayer = Replayer(
        workflows=[JobWorkflow],
        interceptors=interceptors,
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
