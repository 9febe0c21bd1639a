"""Each command's output and exit code, as scripts and people rely on them."""

from __future__ import annotations

import json
import signal
import uuid
from contextlib import ExitStack

import pika
import pytest
from tests.acceptance.conftest import Project, workflow
from tests.conftest import Eventually

from hatchet_cli.devstack import DevStack

INTEGRATIONS = """
import os
import time
from hatchet_worker import Integration, NonRetryable, Worker, action

class Echo(Integration):
    id = "echo"

    @action("say")
    def say(self, data: dict) -> dict:
        if data["message"] == "sleep":
            time.sleep(60)
        if data["message"] == "fail":
            raise NonRetryable("told to fail")
        return {"message": data["message"]}

worker = Worker([Echo()], queues=[os.environ.get("TEST_QUEUE", "default")])
listed = [Echo()]
"""


@pytest.fixture
def running_project(project: Project, lifetime: ExitStack, eventually: Eventually) -> Project:
    """A project whose router and worker run."""
    queue = f"queue-{uuid.uuid4().hex[:8]}"
    project.environment = {**project.environment, "TEST_QUEUE": queue}
    project.write("integrations.py", INTEGRATIONS)
    project.write(".hatchet/echo.yaml", workflow("Echo", "echo:say", queue, message="{{ .text }}"))
    project.write(
        ".hatchet/lonely.yaml",
        workflow("Lonely", "lonely:say", "served-by-nobody", timeout="1s", message="hi"),
    )
    project.write(
        ".hatchet/slow.yaml", workflow("Slow", "slow:say", queue, timeout="5s", message="sleep")
    )
    router = lifetime.enter_context(project.running("router"))
    worker = lifetime.enter_context(project.running("worker", "integrations:worker"))
    eventually(lambda: router.has_said("router.ready"))
    eventually(lambda: worker.has_said("worker.started"))
    return project


def test_an_event_published_by_hand_runs_its_job(running_project: Project) -> None:
    result = running_project.hatchet(
        "publish", "echo:say", "--data", '{"text": "hello"}', "--id", "e1", "--wait", "-o", "json"
    )

    assert result.code == 0, result.stderr
    printed = json.loads(result.stdout)
    assert printed["event_id"] == "e1"
    [job] = printed["jobs"]
    assert (job["workflow_id"], job["status"]) == ("Echo/speak/e1", "COMPLETED")


def test_an_event_from_a_foreign_client_runs_its_job(
    running_project: Project, stack: DevStack, eventually: Eventually
) -> None:
    connection = pika.BlockingConnection(pika.URLParameters(stack.rabbitmq.amqp_url))
    connection.channel().basic_publish(
        running_project.environment["HATCHET_EXCHANGE"],
        "echo:say",
        b'{"text": "hello"}',
        pika.BasicProperties(message_id="foreign-1"),
    )
    connection.close()

    # Published again by hand, it starts nothing, and the first one's job is found.
    result = running_project.hatchet(
        "publish", "echo:say", "--data", '{"text": "fail"}', "--id", "foreign-1", "--wait"
    )

    assert result.code == 0, result.stderr
    assert "Echo/speak completed" in result.stderr


def test_a_failed_job_makes_publish_fail_and_say_why(running_project: Project) -> None:
    result = running_project.hatchet("publish", "echo:say", "-d", '{"text": "fail"}', "--wait")

    assert result.code == 1
    for part in ("told to fail", "'Echo'", "'speak'", "'say'", "'echo:say'"):
        assert part in result.stderr


def test_a_job_that_times_out_without_a_worker_says_so(running_project: Project) -> None:
    result = running_project.hatchet("publish", "lonely:say", "--wait")

    assert result.code == 1
    assert "Lonely/speak timed_out" in result.stderr
    assert "no step was under way; does a worker serve its queue?" in result.stderr


def test_a_job_that_times_out_names_the_step_that_was_under_way(running_project: Project) -> None:
    result = running_project.hatchet("publish", "slow:say", "--wait")

    assert result.code == 1
    assert "Slow/speak timed_out" in result.stderr
    assert "step 'say' (echo:say) was under way" in result.stderr


def test_data_may_come_from_a_file_or_from_standard_input(running_project: Project) -> None:
    running_project.write("event.json", '{"text": "from a file"}')

    from_file = running_project.hatchet("publish", "echo:say", "-d", "@event.json", "--wait")
    from_stdin = running_project.hatchet(
        "publish", "echo:say", "-d", "-", "--wait", stdin='{"text": "from stdin"}'
    )

    assert (from_file.code, from_stdin.code) == (0, 0)


def test_an_event_that_no_workflow_wants_is_exit_code_4(running_project: Project) -> None:
    result = running_project.hatchet("publish", "nobody:wants-this")

    assert result.code == 4
    assert "no queue is bound for this key" in result.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_router_and_worker_end_cleanly(
    project: Project, eventually: Eventually, number: signal.Signals
) -> None:
    project.write("integrations.py", INTEGRATIONS)
    project.write(".hatchet/echo.yaml", workflow("Echo", "echo:say", "default", message="hi"))
    expected = 0 if number is signal.SIGTERM else 130
    with (
        project.running("router") as router,
        project.running("worker", "integrations:listed") as worker,
    ):
        eventually(lambda: router.has_said("router.ready"))
        eventually(lambda: worker.has_said("worker.started"))

        assert (router.end(number), worker.end(number)) == (expected, expected)


def test_doctor_is_content_when_all_is_there(running_project: Project) -> None:
    result = running_project.hatchet("doctor", "-o", "json")

    assert result.code == 0, result.stdout
    states = {finding["subject"]: finding["state"] for finding in json.loads(result.stdout)}
    assert states["RabbitMQ"] == states["Temporal"] == states["router"] == "ok"


@pytest.mark.parametrize(
    ("command", "server", "address"),
    [
        (("publish", "a:b"), "RabbitMQ", "127.0.0.1:1"),
        (("publish", "a:b", "--wait"), "Temporal", "127.0.0.1:1"),
        (("router",), "Temporal", "127.0.0.1:1"),
        (("worker", "integrations:worker"), "Temporal", "127.0.0.1:1"),
        (("doctor",), "RabbitMQ", "127.0.0.1:1"),
    ],
)
def test_a_server_that_is_away_is_named_with_its_address(
    offline_project: Project, command: tuple[str, ...], server: str, address: str
) -> None:
    offline_project.write("integrations.py", INTEGRATIONS)
    offline_project.write(".hatchet/e.yaml", workflow("E", "echo:say", "default", message="hi"))

    result = offline_project.hatchet(*command)

    said = result.stdout + result.stderr
    assert result.code == 3, said
    assert server in said
    assert address in said
    assert "nothing is listening" in said
    assert "s3cret" not in said


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("publish", "a.*"), "'a.*' is a pattern"),
        (("publish", "a:b", "--data", "{"), "--data is not JSON"),
        (("publish", "a:b", "--data", "[]"), "not an object"),
        (("publish", "a:b", "--data", "@missing.json"), "missing.json"),
        (("worker", "integrations"), "expected MODULE:ATTR"),
        (("worker", "missing:worker"), "no module 'missing'"),
        (("worker", "integrations:missing"), "no attribute 'missing'"),
        (("worker", "integrations:INTEGER"), "neither a Worker nor a list of integrations"),
        (("dev",), "--no-worker"),
        (("dev", "integrations:worker", "--once"), "--publish"),
        (("nonsense",), "No such command"),
    ],
)
def test_a_wrong_command_line_is_exit_code_2(
    offline_project: Project, command: tuple[str, ...], said: str
) -> None:
    offline_project.write("integrations.py", f"{INTEGRATIONS}\nINTEGER = 5")

    result = offline_project.hatchet(*command)

    assert result.code == 2, result.stderr
    assert said in result.stderr


def test_check_prints_every_problem_of_every_file_with_its_place(offline_project: Project) -> None:
    offline_project.write(".hatchet/a.yaml", "name: A\non: a:b\njobs:\n  one: {stepz: []}\n")
    offline_project.write(".hatchet/b.yaml", "name: B\n\tjobs: {}\n")
    offline_project.write(
        ".hatchet/c.yaml",
        workflow("C", "c:d", "default", message="hi").replace("timeout: 10s", "timeout: soon"),
    )
    offline_project.write(".hatchet/d.yaml", "")

    result = offline_project.hatchet("check")

    assert result.code == 1
    assert ".hatchet/a.yaml:4:9: a job has no field 'stepz': did you mean 'steps'?" in result.stdout
    assert "  one: {stepz: []}\n            ^" in result.stdout
    assert ".hatchet/b.yaml:2:1: not valid YAML" in result.stdout
    assert ".hatchet/c.yaml:11:18: 'soon' is not a duration" in result.stdout
    assert ".hatchet/d.yaml:1:1: the file is empty" in result.stdout


def test_check_prints_problems_as_json(offline_project: Project) -> None:
    offline_project.write(".hatchet/a.yaml", "name: A\n")

    result = offline_project.hatchet("check", "-o", "json")

    assert result.code == 1
    found = {(item["line"], item["rule"], item["message"]) for item in json.loads(result.stdout)}
    assert found == {
        (1, "missing-field", "a workflow needs the field 'on'"),
        (1, "missing-field", "a workflow needs the field 'jobs'"),
    }


def test_check_is_content_with_a_right_file(offline_project: Project) -> None:
    offline_project.write(".hatchet/a.yml", workflow("A", "a:b", "default", message="hi"))

    result = offline_project.hatchet("check")

    assert (result.code, result.stdout) == (0, "")
    assert "1 workflow, no problems" in result.stderr


@pytest.mark.parametrize("command", [("check",), ("router",), ("dev", "--no-worker")])
def test_a_missing_folder_is_a_problem_not_a_crash(
    offline_project: Project, command: tuple[str, ...]
) -> None:
    (offline_project.folder / ".hatchet").rmdir()

    result = offline_project.hatchet(*command)

    assert result.code == 1
    assert ".hatchet:1:1: there is no such file or folder" in result.stdout + result.stderr
