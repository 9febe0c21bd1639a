"""One trace from whoever publishes to the last attempt of a step, as a collector gets it."""

from __future__ import annotations

import gzip
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Status
from tests.acceptance.conftest import Project, workflow
from tests.conftest import Eventually

INTEGRATIONS = """
import os
from hatchet_worker import Context, Integration, Worker, action

class Echo(Integration):
    id = "echo"

    @action("say")
    def say(self, data: dict, context: Context) -> dict:
        if data["message"] == "retry" and context.attempt == 1:
            raise ValueError("once more, " + data["token"])
        return {"message": data["message"]}

worker = Worker([Echo()], queues=[os.environ["TEST_QUEUE"]])
"""
SECRET = f"s3cr3t-{uuid.uuid4().hex}"


@dataclass(frozen=True)
class Span:
    """A span as it was exported."""

    service: str
    name: str
    trace: str
    id: str
    parent: str
    failed: bool
    attributes: dict[str, str]


class Collector:
    """Takes what is exported by OTLP over HTTP, at a port of its own."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.received = b""
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                collector.take(body)
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Stay silent."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def take(self, body: bytes) -> None:
        """Keep the spans of a request."""
        self.received += body
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            names = {each.key: each.value.string_value for each in resource.resource.attributes}
            self.spans += [
                Span(
                    service=names["service.name"],
                    name=span.name,
                    trace=span.trace_id.hex(),
                    id=span.span_id.hex(),
                    parent=span.parent_span_id.hex(),
                    failed=span.status.code == Status.STATUS_CODE_ERROR,
                    attributes={
                        each.key: each.value.string_value or str(each.value.int_value)
                        for each in span.attributes
                    },
                )
                for scope in resource.scope_spans
                for span in scope.spans
            ]

    def named(self, name: str) -> list[Span]:
        """Return the spans of that name."""
        return [span for span in self.spans if span.name == name]


@pytest.fixture
def collector() -> Iterator[Collector]:
    """A collector that listens."""
    collector = Collector()
    thread = Thread(target=collector.server.serve_forever, args=(0.05,))
    thread.start()
    yield collector
    collector.server.shutdown()
    collector.server.server_close()
    thread.join()


def test_an_event_is_one_trace_and_so_is_a_time(
    project: Project, collector: Collector, lifetime: ExitStack, eventually: Eventually
) -> None:
    """Publisher, router, job and step; attempts stand side by side."""
    queue = f"queue-{uuid.uuid4().hex[:8]}"
    project.environment = {
        **project.environment,
        "TEST_QUEUE": queue,
        "HATCHET_SECRET_TOKEN": SECRET,
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.server.server_port}",
        "OTEL_BSP_SCHEDULE_DELAY": "100",
    }
    project.write("integrations.py", INTEGRATIONS)
    files = {
        "echo": workflow("Echo", "echo:say", queue, message="retry", token="{{ .secrets.TOKEN }}"),
        "nightly": workflow(
            "Nightly", "{cron: {schedule: 0 3 * * *}}", queue, message="hi", token="none"
        ),
    }
    for name, text in files.items():
        retried = text.replace("{attempts: 1}", "{attempts: 2, backoff: 1s}")
        project.write(f".hatchet/{name}.yaml", retried)
    router = lifetime.enter_context(project.running("router"))
    worker = lifetime.enter_context(project.running("worker", "integrations:worker"))
    eventually(lambda: router.has_said("router.ready"), 60)
    eventually(lambda: worker.has_said("worker.started"), 60)
    schedule = f"{project.environment['HATCHET_DEPLOYMENT']}/Nightly/speak"

    published = project.hatchet("publish", "echo:say")
    triggered = project.hatchet("schedules", "trigger", schedule)

    assert (published.code, triggered.code) == (0, 0), published.stderr + triggered.stderr
    jobs = ("job Echo/speak", "job Nightly/speak")
    eventually(lambda: all(collector.named(job) for job in jobs))
    router.end()
    worker.end()

    exchange = project.environment["HATCHET_EXCHANGE"]
    [publish] = collector.named(f"publish {exchange}")
    [process] = collector.named(f"process {project.environment['HATCHET_QUEUE']}")
    [job], [nightly] = map(collector.named, jobs)
    steps = collector.named("step say")
    first, second = (step for step in steps if step.trace == publish.trace)
    [tidied] = (step for step in steps if step.trace == nightly.trace)
    assert publish.parent == nightly.parent == ""
    assert process.parent == publish.id
    assert job.parent == process.id
    assert first.parent == second.parent == job.id
    assert tidied.parent == nightly.id
    assert {span.trace for span in (process, job, first, second)} == {publish.trace}
    assert nightly.trace != publish.trace
    assert (first.failed, second.failed, job.failed) == (True, False, False)
    assert [step.attributes["hatchet.attempt"] for step in (first, second)] == ["1", "2"]
    assert job.attributes["hatchet.event.id"] == published.stdout.strip()
    assert nightly.attributes["hatchet.scheduled_time"]
    assert nightly.attributes["hatchet.schedule.id"] == schedule
    assert "hatchet.schedule.id" not in job.attributes
    assert {span.service for span in collector.spans} == {
        "hatchet-publish",
        "hatchet-router",
        "hatchet-worker",
    }
    assert len(collector.spans) == 7
    assert SECRET.encode() not in collector.received
