"""A secret of a worker's environment, from the event to the action and no further."""

from __future__ import annotations

import uuid
from contextlib import ExitStack

from tests.acceptance.conftest import Project, workflow
from tests.conftest import Eventually

LEAKY = """
import logging
import os
import structlog
from hatchet_worker import Context, Integration, Worker, action

class Echo(Integration):
    id = "echo"

    @action("say", semantics="at-most-once")
    def say(self, data: dict, context: Context) -> dict:
        token = data["message"]
        assert token == "Bearer " + os.environ["HATCHET_SECRET_TOKEN"]
        context.logger.warning("echo.said", token=token)
        structlog.get_logger("hatchet.mine").warning("mine", token=token)
        logging.getLogger("library").warning("calling with %s", token)
        try:
            raise OSError(f"refused {token!r}")
        except OSError:
            logging.getLogger("library").exception("failed")
            raise

worker = Worker([Echo()], queues=[os.environ["TEST_QUEUE"]])
"""


def test_a_worker_s_process_lets_go_of_no_secret(
    project: Project, lifetime: ExitStack, eventually: Eventually
) -> None:
    secret = f"s3cr3t-{uuid.uuid4().hex}\n{uuid.uuid4().hex}"
    queue = f"queue-{uuid.uuid4().hex[:8]}"
    project.environment = {
        **project.environment,
        "TEST_QUEUE": queue,
        "HATCHET_SECRET_TOKEN": secret,
        "HATCHET_LOG_LEVEL": "DEBUG",
    }
    project.write("integrations.py", LEAKY)
    project.write(
        ".hatchet/echo.yaml",
        workflow("Echo", "echo:say", queue, message="Bearer {{ .secrets.TOKEN }}"),
    )
    router = lifetime.enter_context(project.running("router"))
    worker = lifetime.enter_context(project.running("worker", "integrations:worker"))
    eventually(lambda: router.has_said("router.ready"), 30)
    eventually(lambda: worker.has_said("worker.started"), 30)

    result = project.hatchet("publish", "echo:say", "--wait")

    assert result.code == 1
    assert "refused 'Bearer ***'" in result.stderr
    eventually(lambda: worker.has_said("step.failed"))
    written = f"{result}{router.log.read_text()}{worker.log.read_text()}"
    assert [part for part in secret.split("\n") if part in written] == []
    assert worker.log.read_text().count("Bearer ***") >= 5
