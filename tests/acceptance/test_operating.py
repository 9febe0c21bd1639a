"""What a router and a worker tell operators while they run."""

from __future__ import annotations

import json
import re
import signal
import urllib.error
import urllib.request
import uuid
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pika
import pytest
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families
from tests.acceptance.conftest import ROOT, Project, RunningCommand, workflow
from tests.conftest import Eventually

from hatchet_router import BlockingDispatcher

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
            with urllib.request.urlopen(f"http://{address}{path}", timeout=60) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def records(self) -> list[dict[str, Any]]:
        """Return what it has logged."""
        lines = self.command.log.read_text().splitlines()
        return [json.loads(line) for line in lines]

    def families(self) -> dict[str, Metric]:
        """Return its metrics, by their names."""
        _, text = self.get("/metrics")
        return {
            f"{metric.name}_total" if metric.type == "counter" else metric.name: metric
            for metric in text_string_to_metric_families(text)
        }

    def metric(self, sample_name: str, **labels: str) -> float:
        """Return the sum of the samples of that name that have these labels."""
        return sum(
            sample.value
            for family in self.families().values()
            for sample in family.samples
            if sample.name == sample_name and labels.items() <= sample.labels.items()
        )

    def readiness(self) -> tuple[int, str, list[str]]:
        """Return the status of ``/readyz``, the state, and where there is trouble."""
        status, text = self.get("/readyz")
        body = json.loads(text)
        return status, body["state"], [trouble["place"] for trouble in body["troubles"]]


def documented_metrics() -> list[tuple[str, str, set[str]]]:
    """Return each process and metric of the tables in the documents, with the metric's labels."""
    row = r"^\| `([a-z_]+)` \|[^|]*\|([^|]*)\| (router|worker|webhooks|codec|both|all) \|"
    rows = re.findall(row, (ROOT / "docs" / "operating.md").read_text(), re.MULTILINE)
    return [
        (process, name, set(re.findall(r"`(\w+)`", labels)))
        for name, labels, of in rows
        for process in _PROCESSES.get(of, (of,))
    ]


_PROCESSES = {"both": ("router", "worker"), "all": ("router", "worker", "webhooks", "codec")}


def undocumented(found: dict[str, dict[str, Metric]]) -> list[str]:
    """Return what processes do not tell as it is documented, or tell and is not documented."""
    documented = [row for row in documented_metrics() if row[0] in found]
    missing = [
        f"{process}: {name}"
        for process, name, labels in documented
        if name not in found[process]
        or not all(labels <= sample.labels.keys() for sample in found[process][name].samples)
    ]
    ours = {name for names in found.values() for name in names if name.startswith("hatchet_")}
    return [*missing, *sorted(ours - {name for _, name, _ in documented})]


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
    eventually(lambda: router.has_said("router.ready"), 60)
    eventually(lambda: worker.has_said("worker.started"), 60)
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


def test_both_processes_tell_what_they_have_done(
    deployment: Deployment, eventually: Eventually
) -> None:
    """Each metric that is documented is there, and says what has happened."""
    environment = deployment.project.environment
    url, exchange = environment["HATCHET_AMQP_URL"], environment["HATCHET_EXCHANGE"]
    with BlockingDispatcher(url, exchange=exchange) as dispatcher:
        for number in range(10):
            text = "fail" if number == 0 else "hi"
            dispatcher.trigger("echo:say", {"text": text}, id=f"e-{number}")
        dispatcher.trigger("echo:say", {"text": "hi"}, id="e-1")
    connection = pika.BlockingConnection(pika.URLParameters(url))
    connection.channel().basic_publish(exchange, "echo:say", b"no JSON")
    connection.close()

    def is_done() -> bool:
        return (
            deployment.router.metric("hatchet_router_events_total", outcome="started") == 11
            and deployment.router.metric("hatchet_router_events_total", outcome="dead-lettered")
            == 1
            and deployment.worker.metric("hatchet_worker_steps_total", outcome="completed") == 9
            and deployment.worker.metric("temporal_workflow_completed_total") == 9
            and deployment.worker.metric("temporal_workflow_failed_total") == 1
            and deployment.router.metric("hatchet_router_in_hand") == 0
        )

    eventually(is_done)
    router, worker = deployment.router, deployment.worker
    assert router.metric("hatchet_router_jobs_total", outcome="started") == 10
    assert router.metric("hatchet_router_jobs_total", outcome="duplicate") == 1
    assert router.metric("hatchet_router_dead_letters_total", reason="undecodable") == 1
    assert router.metric("hatchet_router_routing_seconds_count") == 11
    assert worker.metric("hatchet_worker_steps_total", outcome="failed", action="echo:say") == 1
    assert router.metric("hatchet_router_ready") == worker.metric("hatchet_worker_ready") == 1

    assert undocumented({"router": router.families(), "worker": worker.families()}) == []


def test_a_receiver_of_webhooks_tells_what_it_has_done(
    deployment: Deployment, lifetime: ExitStack, eventually: Eventually
) -> None:
    """And warns of variables that set nothing, as the other processes do."""
    project = deployment.project
    project.environment = {
        **project.environment,
        "HATCHET_SECRET_GITHUB_SIGNING_SECRET": "s3cr3t",
        "HATCHET_WEBHOKS_HOST": "::1",
    }
    webhooks = Watched(lifetime.enter_context(project.running("webhooks", "github", "--port", "0")))
    eventually(lambda: webhooks.command.has_said("webhooks.ready"), 60)
    [paths] = [each["paths"] for each in webhooks.records() if each["event"] == "webhooks.ready"]
    request = urllib.request.Request(paths[0], data=b"{}", method="POST")  # noqa: S310 - ours

    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(request, timeout=60)  # noqa: S310

    assert webhooks.metric("hatchet_webhooks_requests_total", outcome="refused") == 1
    assert webhooks.metric("hatchet_webhooks_requests_total", provider="github") == 1
    assert undocumented({"webhooks": webhooks.families()}) == []
    assert webhooks.readiness() == (200, "ready", [])
    assert webhooks.get("/livez") == (200, "ok\n")
    warned = [each["problem"] for each in webhooks.records() if each["event"] == "settings.unknown"]
    assert [problem for problem in warned if "did you mean HATCHET_WEBHOOKS_HOST" in problem]


def test_a_codec_server_tells_what_it_has_done(
    offline_project: Project, lifetime: ExitStack, eventually: Eventually
) -> None:
    """It needs no other server."""
    offline_project.environment = {
        **offline_project.environment,
        "HATCHET_ENCRYPTION_KEYS": f"k1:{'A' * 43}=",
        "HATCHET_CODEC_TOKEN": "t0ken",
        "HATCHET_OPS_ADDRESS": "127.0.0.1:0",
    }
    codec = Watched(lifetime.enter_context(offline_project.running("codec-server", "--port", "0")))
    eventually(lambda: codec.command.has_said("codec.ready"), 60)
    [url] = [each["url"] for each in codec.records() if each["event"] == "codec.ready"]

    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(f"{url}/decode", data=b"{}", timeout=10)  # noqa: S310 - ours

    assert codec.metric("hatchet_codec_requests_total", outcome="refused") == 1
    assert undocumented({"codec": codec.families()}) == []
    assert codec.get("/livez") == (200, "ok\n")
    assert codec.readiness() == (200, "ready", [])
    codec.command.process.send_signal(signal.SIGTERM)
    assert codec.command.process.wait(30) == 0
