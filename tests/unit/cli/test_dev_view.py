"""What `hatchet dev` tells of a job that does not go on, or has failed before any step ran."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from hatchet_cli.dev.view import View

JOB = {"workflow": "Sign Up", "job": "greet", "workflow_id": "Sign Up/greet/e-1"}


class Screen:
    """A view, and what it has printed."""

    def __init__(self) -> None:
        self._output = io.StringIO()
        self._view = View(Console(file=self._output, highlight=False, soft_wrap=True))

    def tell(self, event: str, **fields: Any) -> str:
        """Hand a record to the view; return what it prints for it."""
        begin = len(self._output.getvalue())
        self._view.record({"event": event, "level": "info", **fields})
        return self._output.getvalue()[begin:]

    def route(self, queue: str, *, duplicate: bool = False) -> str:
        """Tell of an event that starts one job."""
        job = {**JOB, "queue": queue, "duplicate": duplicate}
        return self.tell("event.routed", event_key="user:create", event_id="e-1", jobs=[job])


@pytest.fixture
def screen() -> Screen:
    return Screen()


def test_a_job_on_a_queue_that_no_worker_has_is_said_to_wait(screen: Screen) -> None:
    screen.tell("worker.started", queues=["internal"])
    screen.tell("worker.started", queues=["gpu", "internal"])

    shown = screen.route("default")

    assert (
        "! greet waits: no worker here runs queue default, only gpu, internal; "
        "add it to queues of a Worker, or start another worker" in shown
    )


def test_a_job_on_a_queue_of_a_worker_is_not_said_to_wait(screen: Screen) -> None:
    screen.tell("worker.started", queues=["internal"])

    assert "waits" not in screen.route("internal")


def test_nothing_is_said_of_queues_where_the_workers_are_elsewhere(screen: Screen) -> None:
    """With ``--no-worker``, who knows what they run."""
    assert "waits" not in screen.route("default")


def test_a_job_that_was_started_before_is_not_said_to_wait(screen: Screen) -> None:
    """It may have ended long ago."""
    screen.tell("worker.started", queues=["internal"])

    assert "waits" not in screen.route("default", duplicate=True)


def test_a_job_that_fails_before_its_step_runs_says_why(screen: Screen) -> None:
    shown = screen.tell("job.failed", **JOB, message="step 'say': no field 'user'")

    assert shown == "✗ greet failed\n    step 'say': no field 'user'\n"


def test_a_job_whose_step_has_said_why_does_not_say_it_again(screen: Screen) -> None:
    step = {"step": "say", "action": "mail:send", "attempt": 1, "message": "no such address"}

    assert "no such address" in screen.tell("step.failed", **JOB, **step, will_retry=False)
    assert screen.tell("job.failed", **JOB, message="… no such address") == "✗ greet failed\n"


def test_a_failure_that_was_mended_by_another_attempt_is_not_the_job_s(screen: Screen) -> None:
    """A step that came through in the end says nothing of why a later one could not begin."""
    step = {"step": "say", "action": "mail:send", "attempt": 1, "message": "busy"}
    screen.tell("step.failed", **JOB, **step, will_retry=True)

    assert "no field 'x'" in screen.tell("job.failed", **JOB, message="no field 'x'")
