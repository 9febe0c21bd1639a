"""What is replayed is not told again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner

from hatchet_worker.jobs import JobWorkflow
from hatchet_worker.tracing import JobTracing

HISTORIES = sorted((Path(__file__).parent / "histories").rglob("*.json"))


@pytest.fixture(params=HISTORIES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def history(request: pytest.FixtureRequest) -> WorkflowHistory:
    """Return each of the recorded histories."""
    return WorkflowHistory.from_json("Recorded/replayed", json.loads(request.param.read_text()))


async def test_a_job_that_is_replayed_has_no_second_span_and_goes_on(
    history: WorkflowHistory,
) -> None:
    """Tracing changes nothing of what a job does, also of one that was begun without."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    replayer = Replayer(
        workflows=[JobWorkflow],
        workflow_runner=UnsandboxedWorkflowRunner(),
        data_converter=pydantic_data_converter,
        interceptors=[JobTracing(provider)],
    )

    result = await replayer.replay_workflow(history, raise_on_replay_failure=False)

    assert result.replay_failure is None
    assert exporter.get_finished_spans() == ()
