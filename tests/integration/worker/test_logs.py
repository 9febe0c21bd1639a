"""What a worker logs: stable names, ids as fields, and no payloads."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any

import pytest
import temporalio.worker
from temporalio.client import WorkflowHandle

from hatchet_worker import Integration, action
from hatchet_worker.jobs import JobWorkflow

if TYPE_CHECKING:
    from tests.integration.worker.conftest import Jobs

Logs = list[MutableMapping[str, Any]]


class Shop(Integration):
    """Sells, but not always."""

    id = "shop"

    @action("sell")
    async def sell(self, data: dict[str, Any]) -> dict[str, Any]:
        """Return the receipt."""
        return {"receipt": data["card"]}

    @action("refuse")
    async def refuse(self, data: dict[str, Any]) -> None:
        """Do not sell."""
        raise ValueError("sold out")


def step(action_id: str) -> dict[str, Any]:
    """Return a step that calls ``action_id`` with a secret, twice if need be."""
    return {
        "name": "Call",
        "id": "call",
        "actionId": action_id,
        "timeout": "10s",
        "retry": {"attempts": 2, "backoff": "10ms"},
        "with": {"card": "{{ .card }}"},
    }


def of_jobs(logs: Logs) -> Logs:
    """Return what was logged about jobs and steps."""
    return [entry for entry in logs if not entry["event"].startswith("worker.")]


async def ids(handle: WorkflowHandle[Any, Any]) -> dict[str, str | None]:
    """Return the ids that each entry about a job has as fields."""
    return {"workflow_id": handle.id, "run_id": (await handle.describe()).run_id}


@pytest.mark.parametrize("mode", ["regular", "local"])
async def test_a_completed_job_is_logged_from_start_to_end(
    jobs: Jobs, logs: Logs, mode: str
) -> None:
    """Each entry can be found by workflow, job, step, action, event and run."""
    async with jobs.worker(Shop()):
        handle = await jobs.start({**step("shop:sell"), "mode": mode}, event={"card": "hunter2"})
        await handle.result()

    entries = of_jobs(logs)
    assert [entry["event"] for entry in entries] == [
        "job.started",
        "step.started",
        "step.completed",
        "job.completed",
    ]
    everywhere = {
        "workflow": "Post User Sign Up",
        "job": "greet-user",
        "event_key": "user:create",
        "event_id": handle.id.rpartition("/")[2],
        **await ids(handle),
    }
    for entry in entries:
        assert everywhere.items() <= entry.items()
    assert {"step": "call", "action": "shop:sell", "attempt": 1}.items() <= entries[1].items()
    assert entries[2]["seconds"] >= 0
    assert entries[3]["seconds"] >= entries[2]["seconds"]
    assert "hunter2" not in str(logs)


async def test_a_failed_step_is_logged_with_what_comes_of_it(jobs: Jobs, logs: Logs) -> None:
    """Whether it is tried again is what people want to know."""
    async with jobs.worker(Shop()):
        await jobs.failure(step("shop:refuse"), event={"card": "hunter2"})

    entries = of_jobs(logs)
    failed = [entry for entry in entries if entry["event"] == "step.failed"]
    assert [(entry["attempt"], entry["will_retry"]) for entry in failed] == [(1, True), (2, False)]
    assert {"error": "ValueError", "message": "sold out"}.items() <= failed[0].items()
    assert entries[-1]["event"] == "job.failed"
    assert {"error": "StepFailed", "step": "call", "log_level": "warning"}.items() <= entries[
        -1
    ].items()
    assert entries[-1]["message"].endswith("ValueError: sold out (2 attempts)")
    assert "hunter2" not in str(logs)


async def test_a_replay_logs_nothing(jobs: Jobs, logs: Logs) -> None:
    """A worker that takes over a job replays what others have logged before."""
    async with jobs.worker(Shop()):
        handle = await jobs.start(step("shop:sell"), event={"card": "1234"})
        await handle.result()
    logs.clear()

    replayer = temporalio.worker.Replayer(
        workflows=[JobWorkflow],
        workflow_runner=temporalio.worker.UnsandboxedWorkflowRunner(),
        data_converter=jobs.client.data_converter,
    )
    await replayer.replay_workflow(await handle.fetch_history())

    assert logs == []


async def test_a_worker_s_life_is_logged(jobs: Jobs, logs: Logs) -> None:
    """Once each, however many queues it serves."""
    async with jobs.worker(Shop(), queues=[jobs.queue, f"other-{jobs.queue}"]):
        pass

    assert [entry["event"] for entry in logs] == [
        "worker.started",
        "worker.stopping",
        "worker.stopped",
    ]
    assert logs[0]["queues"] == (jobs.queue, f"other-{jobs.queue}")
    assert logs[0]["actions"] == 2
