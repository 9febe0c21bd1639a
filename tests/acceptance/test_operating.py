"""What a router and a worker tell operators while they run."""

from __future__ import annotations

import json
import signal
import urllib.error
import urllib.request
import uuid
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest
from tests.acceptance.conftest import Project, RunningCommand, workflow
from tests.conftest import Eventually

INTEGRATIONS = """
import os
from hatchet_worker import Integration, NonRetryable, Worker, action

class Echo(Integration):
    id = "echo"

    @action("say")
    def say(self, data: dict) -> dict:
        if data["message"] == "fail":
            raise NonRetryable("told to fail")
        return {"message": data["message"]}

worker = Worker([Echo()], queues=[os.environ["TEST_QUEUE"]])
"""


@dataclass(frozen=True)
class Watched:
    """A command, and the pages that it serves."""

    command: RunningCommand

    def get(self, path: str) -> tuple[int, str]:
        """Return the status and the text of a page."""
        [address] = [
            record["address"] for record in self.records() if record["event"] == "ops.listening"
        ]
        try:
            with urllib.request.urlopen(f"http://{address}{path}", timeout=10) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def records(self) -> list[dict[str, Any]]:
        """Return what it has logged."""
        lines = self.command.log.read_text().splitlines()
        return [json.loads(line) for line in lines]

    def readiness(self) -> tuple[int, str, list[str]]:
        """Return the status of ``/readyz``, the state, and where there is trouble."""
        status, text = self.get("/readyz")
        body = json.loads(text)
        return status, body["state"], [trouble["place"] for trouble in body["troubles"]]


@dataclass(frozen=True)
class Deployment:
    """A router and a worker that run."""

    project: Project
    router: Watched
    worker: Watched


@pytest.fixture
def deployment(project: Project, lifetime: ExitStack, eventually: Eventually) -> Deployment:
    """A router and a worker, each with a port for operators."""
    queue = f"queue-{uuid.uuid4().hex[:8]}"
    project.environment = {
        **project.environment,
        "TEST_QUEUE": queue,
        "HATCHET_OPS_ADDRESS": "127.0.0.1:0",
    }
    project.write("integrations.py", INTEGRATIONS)
    project.write(".hatchet/echo.yaml", workflow("Echo", "echo:say", queue, message="{{ .text }}"))
    router = lifetime.enter_context(project.running("router"))
    worker = lifetime.enter_context(project.running("worker", "integrations:worker"))
    eventually(lambda: router.has_said("router.ready"), 30)
    eventually(lambda: worker.has_said("worker.started"), 30)
    return Deployment(project, Watched(router), Watched(worker))


def test_files_with_errors_leave_the_router_ready_and_say_so(
    deployment: Deployment, eventually: Eventually
) -> None:
    """The ones before stay in force, so there is no reason to stop its traffic, nor to kill it."""
    router, worker = deployment.router, deployment.worker
    assert router.readiness() == (200, "ready", [])
    assert worker.readiness() == (200, "ready", [])
    assert router.get("/livez") == worker.get("/livez") == (200, "ok\n")

    deployment.project.write(".hatchet/echo.yaml", "name: broken\n")
    router.command.process.send_signal(signal.SIGHUP)

    eventually(lambda: router.readiness() == (200, "degraded", ["workflows"]))
    assert "older files are in force" in router.get("/readyz")[1]
