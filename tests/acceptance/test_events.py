"""Workflows that start each other by events."""

from __future__ import annotations

import uuid
from contextlib import ExitStack

from tests.acceptance.conftest import Project
from tests.conftest import Eventually

WORKER = """
import os
from hatchet_cli.events import BusEvents
from hatchet_worker import Worker

worker = Worker([BusEvents(max_hops=3)], queues=[os.environ["TEST_QUEUE"]])
"""


def publishing(name: str, key: str, next_key: str, queue: str) -> str:
    return (
        f"name: {name}\non: {key}\njobs:\n  publish:\n    queue: {queue}\n    timeout: 1m\n"
        "    steps:\n      - name: Publish\n        id: publish\n        actionId: event:publish\n"
        "        timeout: 20s\n        retry: {attempts: 3}\n"
        f"        with: {{key: {next_key}, data: {{from: '{{{{ .workflow }}}}'}}}}\n"
    )


def test_one_starts_another_and_a_loop_of_them_ends(
    project: Project, lifetime: ExitStack, eventually: Eventually
) -> None:
    """The first is hop 0; the third event after it starts a job that may publish no more."""
    queue = f"queue-{uuid.uuid4().hex[:8]}"
    project.environment = {**project.environment, "TEST_QUEUE": queue}
    project.write("integrations.py", WORKER)
    project.write(".hatchet/one.yaml", publishing("One", "one", "two", queue))
    project.write(".hatchet/two.yaml", publishing("Two", "two", "one", queue))
    router = lifetime.enter_context(project.running("router"))
    worker = lifetime.enter_context(project.running("worker", "integrations:worker"))
    eventually(lambda: router.has_said("router.ready"), 30)
    eventually(lambda: worker.has_said("worker.started"), 30)

    assert project.hatchet("publish", "one").code == 0

    eventually(lambda: worker.has_said("job.failed"), 30)
    said = worker.log.read_text().splitlines()
    assert sum("step.completed" in line for line in said) == 3
    [failed] = [line for line in said if "step.failed" in line]
    assert "TooManyHops" in failed
    assert "will_retry=False" in failed or '"will_retry": false' in failed
