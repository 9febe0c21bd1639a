"""A secret of a worker's environment, from the event to the action and no further."""

from __future__ import annotations

import asyncio
import base64
import json
import re
import uuid
from contextlib import ExitStack, suppress
from typing import Any
from urllib.parse import quote

import pika
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.service import RPCError
from tests.acceptance.conftest import Project, workflow
from tests.conftest import Eventually

from hatchet_cli.devstack import DevStack

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
    eventually(lambda: router.has_said("router.ready"))
    eventually(lambda: worker.has_said("worker.started"))

    result = project.hatchet("publish", "echo:say", "--wait")

    assert result.code == 1
    assert "refused 'Bearer ***'" in result.stderr
    eventually(lambda: worker.has_said("step.failed"))
    written = f"{result}{router.log.read_text()}{worker.log.read_text()}"
    assert [part for part in secret.split("\n") if part in written] == []
    assert worker.log.read_text().count("Bearer ***") >= 5


RECORDING = """
import json
import os
from pathlib import Path
from hatchet_worker import Integration, NonRetryable, Worker, action

GIVEN = Path(__file__).with_name("given.jsonl")

class Bank(Integration):
    id = "bank"

    @action("post")
    def post(self, data: dict) -> dict:
        assert data.pop("token") == "Bearer " + os.environ["HATCHET_SECRET_TOKEN"]
        with GIVEN.open("a") as given:
            given.write(json.dumps(data) + "\\n")
        return {**data, "sent": os.environ["HATCHET_SECRET_TOKEN"]}

    @action("fail")
    def fail(self, data: dict) -> None:
        raise NonRetryable(f"refused {data}") from OSError(os.environ["HATCHET_SECRET_TOKEN"])

worker = Worker([Bank()], queues=[os.environ["TEST_QUEUE"]])
"""

TRICKY = """
name: Tricky
on:
  - trick.*
  - event: trick.undecided
    if: .no.such.field == .trick
secrets: [TOKEN]
jobs:
  post:
    queue: {queue}
    steps:
      - id: post
        action: bank:post
        timeout: 10s
        with:
          token: "Bearer {{{{ .secrets.TOKEN }}}}"
          trick: "{{{{ .trick }}}}"
          text: "beside {{{{ .trick }}}}"
          all: "{{{{ .input }}}}"
      - id: again
        action: bank:post
        timeout: 10s
        with:
          token: "Bearer {{{{ .secrets.TOKEN }}}}"
          before: "{{{{ .steps.post.outputs }}}}"
      - id: fail
        action: bank:fail
        timeout: 10s
        with: {{trick: "{{{{ .trick }}}}", token: "{{{{ .secrets.TOKEN }}}}"}}
"""

SHAPES = (
    "{{ .secrets.TOKEN }}",
    "{{ secrets.TOKEN }}{{ .secrets['TOKEN'] }}",
    "${{ secrets.TOKEN }} $HATCHET_SECRET_TOKEN ${HATCHET_SECRET_TOKEN} %HATCHET_SECRET_TOKEN%",
    "{% raw %}{{ .secrets.TOKEN }}{% endraw %}",
    "*** {0.__class__.__init__.__globals__} %(secrets)s \\u007b\\u007b .secrets.TOKEN }}",
    {"secret": "TOKEN"},
    {"at": ["trick"], "parts": ["Bearer ", {"secret": "TOKEN"}]},
    [{"at": ["text"], "parts": [{"secret": "TOKEN"}]}],
    {"secrets": [{"at": ["trick"], "parts": [{"secret": "TOKEN"}]}], "with": {"a": 1}},
    {"{{ .secrets.TOKEN }}": {"secrets": {"TOKEN": "mine"}}},
    "SecretRef(secret='TOKEN')",
    "/run/secrets/TOKEN",
)


def test_no_event_makes_a_worker_reveal_a_secret(
    project: Project, lifetime: ExitStack, eventually: Eventually, stack: DevStack
) -> None:
    """Not in Temporal's histories, not on RabbitMQ, not in any log, whatever the event holds."""
    secret = f"s3cr3t-{uuid.uuid4().hex}"
    queue = f"queue-{uuid.uuid4().hex[:8]}"
    own = uuid.uuid4().hex[:8]
    project.environment = {
        **project.environment,
        "TEST_QUEUE": queue,
        "HATCHET_SECRET_TOKEN": secret,
        "HATCHET_LOG_LEVEL": "DEBUG",
    }
    project.write("integrations.py", RECORDING)
    project.write(".hatchet/tricky.yaml", TRICKY.format(queue=queue))
    router = lifetime.enter_context(project.running("router"))
    worker = lifetime.enter_context(project.running("worker", "integrations:worker"))
    eventually(lambda: router.has_said("router.ready"))
    eventually(lambda: worker.has_said("worker.started"))
    exchange = project.environment["HATCHET_EXCHANGE"]
    events = [
        (f"{own}-{number}", {"trick": shape, "secrets": {"TOKEN": shape}, "steps": shape})
        for number, shape in enumerate(SHAPES)
    ]

    with pika.BlockingConnection(pika.URLParameters(stack.rabbitmq.amqp_url)) as connection:
        channel = connection.channel()
        for event_id, data in events:
            for key in ("trick.posted", "trick.undecided"):
                channel.basic_publish(
                    exchange,
                    key,
                    json.dumps(data).encode(),
                    pika.BasicProperties(message_id=event_id if key == "trick.posted" else None),
                )
        channel.basic_publish(exchange, "trick.posted", b"{{ .secrets.TOKEN }}")
        ids = [f"Tricky/post/{event_id}" for event_id, _ in events]
        histories = asyncio.run(ended(stack.temporal.address, ids))
        eventually(lambda: worker.log.read_text().count("job.failed") == 2 * len(events))
        eventually(lambda: router.has_said('"undecodable"'))
        queued = waiting_in(channel, "hatchet.dead-letters")
        queued += waiting_in(channel, project.environment["HATCHET_QUEUE"])

    given = [json.loads(line) for line in (project.folder / "given.jsonl").read_text().splitlines()]
    assert [data["trick"] for data in given if data.get("all", {}).get("trick") == SHAPES[0]]
    assert {json.dumps(data["trick"]) for data in given if "trick" in data} == {
        json.dumps(shape) for shape in SHAPES
    }
    assert "undecodable" in queued
    everything = {
        "histories": histories,
        "queues": queued,
        "router's log": router.log.read_text(),
        "worker's log": worker.log.read_text(),
    }
    forms = [secret, quote(secret), base64.b64encode(secret.encode()).decode().rstrip("=")]
    found = [(place, form) for place, text in everything.items() for form in forms if form in text]
    assert found == []
    assert all("***" in everything[place] for place in ("histories", "worker's log"))


async def ended(address: str, workflow_ids: list[str]) -> str:
    """Wait for workflows to end; return their histories, with payloads in plain text."""
    client = await Client.connect(address, data_converter=pydantic_data_converter)
    found: list[str] = []
    async with asyncio.timeout(60):
        for workflow_id in workflow_ids:
            handle = client.get_workflow_handle(workflow_id)
            while True:
                with suppress(RPCError):
                    if (await handle.describe()).close_time is not None:
                        break
                await asyncio.sleep(0.1)
            history = (await handle.fetch_history()).to_json()
            payloads = re.findall(r'"data": "([A-Za-z0-9+/=]+)"', history)
            found += [history, *(base64.b64decode(data).decode() for data in payloads)]
    return "\n".join(found)


def waiting_in(channel: Any, queue: str) -> str:
    """Return all that waits in a queue, which stays there."""
    found: list[str] = []
    while True:
        method, properties, body = channel.basic_get(queue)
        if method is None:
            break
        found.append(f"{method} {properties} {body!r}")
    channel.basic_nack(0, multiple=True, requeue=True)
    return "\n".join(found)
