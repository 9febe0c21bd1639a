"""`hatchet dev` and `./task demo`: everything at once, and nothing left behind."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.acceptance.conftest import HATCHET, ROOT
from tests.conftest import Eventually

from hatchet_cli.devstack import DevStack

LeftRunning = Callable[[], list[str]]

SIGN_UP = [
    "dev",
    "integrations:worker",
    *("--publish", "user:create", "--data", "@event.json"),
]


@pytest.fixture
def environment(tmp_path: Path, clean_environment: dict[str, str]) -> dict[str, str]:
    """No server is at the configured addresses; all data go below ``tmp_path``."""
    return {
        **clean_environment,
        "HATCHET_AMQP_URL": "amqp://guest:guest@127.0.0.1:1/",
        "TEMPORAL_ADDRESS": "127.0.0.1:1",
        "TMPDIR": str(tmp_path),
        "SIGN_UP_DATA": str(tmp_path / "data"),
        "COLUMNS": "200",
    }


def start(
    command: list[str], environment: dict[str, str], folder: Path, output: Path
) -> subprocess.Popen[bytes]:
    """Start a command that writes to a file."""
    with output.open("wb") as stream:
        return subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def start_sign_up(
    environment: dict[str, str], tmp_path: Path, *options: str
) -> tuple[subprocess.Popen[bytes], Path]:
    """Start the sign-up example; return it, and the file that it writes to."""
    output = tmp_path / "dev.log"
    command = [str(HATCHET), *SIGN_UP, *options]
    return start(command, environment, ROOT / "examples" / "sign-up", output), output


@pytest.mark.timeout(600)
def test_two_demos_at_once_complete_and_leave_nothing_running(
    tmp_path: Path,
    environment: dict[str, str],
    left_running: LeftRunning,
    eventually: Eventually,
) -> None:
    outputs = [tmp_path / "first.log", tmp_path / "second.log"]

    demos = [
        start(["./task", "demo", "--", "--once"], environment, ROOT, output) for output in outputs
    ]
    codes = [demo.wait(500) for demo in demos]

    for code, output in zip(codes, outputs, strict=True):
        shown = output.read_text()
        assert code == 0, shown
        assert "Post User Sign Up: create-resources, greet-user, add-to-newsletter" in shown
        assert "greet-user/greetUser  postmark:email-from-template" in shown
        assert "│ Subject: Welcome, Ada" in shown
        assert "3 of 3 jobs completed" in shown
        assert shown.count("web UI http://127.0.0.1:") == 2
        assert "hatchet publish user:create" in shown
    eventually(lambda: left_running() == [])
    [mail] = (tmp_path / "data" / "outbox").iterdir()
    assert "Hello Ada" in mail.read_text()


def test_ctrl_c_ends_everything(
    tmp_path: Path,
    environment: dict[str, str],
    left_running: LeftRunning,
    eventually: Eventually,
) -> None:
    dev, output = start_sign_up(environment, tmp_path)
    eventually(lambda: "Next, from another terminal" in output.read_text())

    dev.send_signal(signal.SIGINT)

    assert dev.wait(120) == 130
    eventually(lambda: left_running() == [])


def test_ctrl_c_during_the_start_ends_everything(
    tmp_path: Path,
    environment: dict[str, str],
    left_running: LeftRunning,
    eventually: Eventually,
) -> None:
    dev, _ = start_sign_up(environment, tmp_path)
    eventually(lambda: any("beam" in process for process in left_running()))

    dev.send_signal(signal.SIGINT)

    assert dev.wait(120) == 130
    eventually(lambda: left_running() == [])


def test_a_killed_dev_leaves_nothing_running(
    tmp_path: Path,
    environment: dict[str, str],
    left_running: LeftRunning,
    eventually: Eventually,
) -> None:
    dev, output = start_sign_up(environment, tmp_path)
    eventually(lambda: "Next, from another terminal" in output.read_text())

    dev.kill()
    dev.wait()

    eventually(lambda: left_running() == [])


def test_a_worker_that_cannot_start_ends_everything_with_its_words(
    tmp_path: Path,
    environment: dict[str, str],
    left_running: LeftRunning,
    eventually: Eventually,
) -> None:
    output = tmp_path / "dev.log"

    dev = start(
        [str(HATCHET), "dev", "missing:worker"], environment, ROOT / "examples" / "sign-up", output
    )

    assert dev.wait(120) == 2
    assert "worker missing:worker ended: there is no module 'missing'" in output.read_text()
    eventually(lambda: left_running() == [])


def test_servers_that_are_there_are_used(
    tmp_path: Path, environment: dict[str, str], stack: DevStack
) -> None:
    environment |= {
        "HATCHET_AMQP_URL": stack.rabbitmq.amqp_url,
        "TEMPORAL_ADDRESS": stack.temporal.address,
    }

    dev, output = start_sign_up(environment, tmp_path, "--once")

    assert dev.wait(120) == 0, output.read_text()
    shown = output.read_text()
    assert f":{stack.rabbitmq.port}/" in shown
    assert f"Temporal  {stack.temporal.address}" in shown
    assert "3 of 3 jobs completed" in shown


@pytest.mark.parametrize(
    ("example", "arguments", "shown"),
    [
        (
            "echo",
            ["integrations:worker", "--publish", "echo:say", "--data", '{"username": "ada"}'],
            "1 of 1 job completed",
        ),
        (
            "two-queues",
            [
                *("workers:public", "workers:internal", "--publish", "order.paid"),
                *("--data", '{"order": {"id": "o-1", "amount": 1250}}'),
            ],
            "2 of 2 jobs completed",
        ),
    ],
)
def test_each_example_runs(
    tmp_path: Path,
    environment: dict[str, str],
    stack: DevStack,
    example: str,
    arguments: list[str],
    shown: str,
) -> None:
    environment |= {
        "HATCHET_AMQP_URL": stack.rabbitmq.amqp_url,
        "TEMPORAL_ADDRESS": stack.temporal.address,
        "TWO_QUEUES_DATA": str(tmp_path / "data"),
    }
    output = tmp_path / "dev.log"

    dev = start(
        [str(HATCHET), "dev", *arguments, "--once"],
        environment,
        ROOT / "examples" / example,
        output,
    )

    assert dev.wait(120) == 0, output.read_text()
    assert shown in output.read_text()
