"""Workflow files that change while `hatchet router` and `hatchet dev` run."""

from __future__ import annotations

import json
import os
import pty
import signal
import socket
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from tests.acceptance.conftest import HATCHET, Project, RunningCommand, workflow
from tests.conftest import Eventually
from yarl import URL

from hatchet_cli.devstack import DevStack

# `gate:pass` waits until the file `go` is there, `note:write` adds a line to the file `notes`.
INTEGRATIONS = """
import os
import time
from pathlib import Path
from hatchet_worker import Integration, Worker, action

class Gate(Integration):
    id = "gate"

    @action("pass")
    def pass_(self, data: dict) -> dict:
        Path("waiting").touch()
        while not Path("go").exists():
            time.sleep(0.02)
        return {}

class Note(Integration):
    id = "note"

    @action("write")
    def write(self, data: dict) -> dict:
        with Path("notes").open("a") as notes:
            notes.write(data["text"] + "\\n")
        return {}

worker = Worker([Gate(), Note()], queues=[os.environ["TEST_QUEUE"]])
"""

GATED = """
name: Gated
on: gated:run
jobs:
  run:
    queue: {queue}
    steps:
      - name: Wait
        id: wait
        actionId: gate:pass
        timeout: 60s
      - name: Write
        id: write
        actionId: note:write
        timeout: 10s
        with: {{text: "{text}"}}
"""


def saying(*triggers: str) -> str:
    """Return a workflow file that nobody has to run."""
    return workflow("Say", json.dumps(list(triggers)), "nobody", message="hi")


def ready(router: RunningCommand, eventually: Eventually) -> None:
    """Wait until a router routes."""
    eventually(lambda: router.has_said("router.ready"))


def records(router: RunningCommand, event: str) -> list[dict[str, Any]]:
    """Return the records of a kind that a command has logged so far."""
    lines = (line for line in router.log.read_text().splitlines() if f'"{event}"' in line)
    return [json.loads(line) for line in lines]


def catches_hangups(process: subprocess.Popen[bytes]) -> bool:
    """Tell whether a process has a handler for SIGHUP, as Linux sees it."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    caught = next(line for line in status.splitlines() if line.startswith("SigCgt"))
    return bool(int(caught.split()[1], 16) & 1)


def test_sighup_loads_the_files_anew(project: Project, eventually: Eventually) -> None:
    project.write(".hatchet/say.yaml", saying("say:first"))
    with project.running("router") as router:
        ready(router, eventually)
        project.write(".hatchet/say.yaml", saying("say:second"))
        router.process.send_signal(signal.SIGHUP)
        eventually(lambda: router.has_said("router.reloaded"))
        published = project.hatchet("publish", "say:second")
        gone = project.hatchet("publish", "say:first")

        assert router.end() == 0

    assert (published.code, gone.code) == (0, 4)


def test_an_invalid_file_keeps_the_old_ones_and_is_told(
    project: Project, eventually: Eventually
) -> None:
    project.write(".hatchet/say.yaml", saying("say:first"))
    with project.running("router") as router:
        ready(router, eventually)
        project.write(".hatchet/say.yaml", saying("say:second") + "\nnonsense: 1\n")
        router.process.send_signal(signal.SIGHUP)
        eventually(lambda: router.has_said("router.degraded"))
        published = project.hatchet("publish", "say:first")

        assert router.end() == 0

    assert published.code == 0
    [record] = records(router, "router.reload_failed")
    [problem] = record["problems"]
    assert problem.startswith(".hatchet/say.yaml:")
    assert "nonsense" in problem
    assert not records(router, "router.not_ready")


def pass_on(source: socket.socket, sink: socket.socket) -> None:
    """Hand on what comes, until either end is closed."""
    with source, sink, suppress(OSError):
        while octets := source.recv(65536):
            sink.sendall(octets)


@contextmanager
def gate(host: str, port: int) -> Iterator[tuple[int, Callable[[], None]]]:
    """Give a port that leads to a server once the gate is opened, and what opens it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def let_in() -> None:
            with suppress(OSError):
                while True:
                    there, _ = listener.accept()
                    here = socket.create_connection((host, port))
                    for pair in ((there, here), (here, there)):
                        threading.Thread(target=pass_on, args=pair, daemon=True).start()

        opener = threading.Thread(target=let_in, daemon=True)
        yield listener.getsockname()[1], opener.start
        listener.shutdown(socket.SHUT_RDWR)
        if opener.ident is not None:
            opener.join()


def test_sighup_ends_no_router_that_starts_or_stops(
    project: Project, stack: DevStack, lifetime: ExitStack, eventually: Eventually
) -> None:
    broker = URL(stack.rabbitmq.amqp_url)
    port, let_in = lifetime.enter_context(gate("127.0.0.1", stack.rabbitmq.port))
    address = str(broker.with_host("127.0.0.1").with_port(port))
    project.environment = {**project.environment, "HATCHET_AMQP_URL": address}
    project.write(".hatchet/say.yaml", saying("say:first"))
    with project.running("router") as router:
        eventually(lambda: catches_hangups(router.process))
        assert not router.has_said("router.ready")
        router.process.send_signal(signal.SIGHUP)
        let_in()
        ready(router, eventually)
        router.process.send_signal(signal.SIGTERM)
        while router.process.poll() is None:
            router.process.send_signal(signal.SIGHUP)
            time.sleep(0.01)  # a flood of them would leave it no time to stop

        assert router.process.returncode == 0

    assert "router.stopped" in router.log.read_text()


@pytest.mark.parametrize(
    ("options", "variables"), [(["--reload"], {}), ([], {"HATCHET_RELOAD": "true"})]
)
def test_files_are_watched_where_that_is_wanted(
    project: Project, eventually: Eventually, options: list[str], variables: dict[str, str]
) -> None:
    project.write(".hatchet/say.yaml", saying("say:first"))
    project.environment = {**project.environment, **variables}
    with project.running("router", *options) as router:
        ready(router, eventually)
        project.write(".hatchet/more.yaml", saying("say:more").replace("Say", "More", 1))
        eventually(lambda: router.has_said("router.reloaded"))
        published = project.hatchet("publish", "say:more")

        assert router.end() == 0

    assert published.code == 0
    [record] = records(router, "router.reloaded")
    assert record["added"] == ["More"]
    assert record["triggers_added"] == ["say:more"]


def test_a_running_job_keeps_its_definition(
    project: Project, lifetime: ExitStack, eventually: Eventually
) -> None:
    queue = f"queue-{uuid.uuid4().hex[:8]}"
    project.environment = {**project.environment, "TEST_QUEUE": queue}
    project.write("integrations.py", INTEGRATIONS)
    project.write(".hatchet/gated.yaml", GATED.format(queue=queue, text="old"))
    router = lifetime.enter_context(project.running("router", "--reload"))
    worker = lifetime.enter_context(project.running("worker", "integrations:worker"))
    ready(router, eventually)
    eventually(lambda: worker.has_said("worker.started"))
    project.hatchet("publish", "gated:run", "--id", "before")
    eventually((project.folder / "waiting").exists)
    project.write(".hatchet/gated.yaml", GATED.format(queue=queue, text="new"))
    eventually(lambda: router.has_said("router.reloaded"))
    project.write("go", "")

    # The same event again starts nothing, and waits for what it has started.
    before = project.hatchet("publish", "gated:run", "--id", "before", "--wait")
    after = project.hatchet("publish", "gated:run", "--id", "after", "--wait")

    assert (before.code, after.code) == (0, 0), before.stderr + after.stderr
    assert (project.folder / "notes").read_text().split() == ["old", "new"]


def test_dev_shows_that_files_were_reloaded_or_are_broken(
    project: Project, eventually: Eventually
) -> None:
    project.write(".hatchet/say.yaml", saying("say:first"))
    output = project.folder / "dev.log"
    with output.open("wb") as stream:
        dev = subprocess.Popen(
            [HATCHET, "dev", "--no-worker"],
            cwd=project.folder,
            env={**project.environment, "COLUMNS": "200"},
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
        )

    def shown(text: str) -> Callable[[], bool]:
        return lambda: text in output.read_text()

    try:
        eventually(shown("Next, from another terminal"))
        project.write(".hatchet/say.yaml", saying("say:second"))
        eventually(shown("↻ workflow files reloaded: changed Say"))
        project.write(".hatchet/say.yaml", "name: Say\n")
        eventually(shown("✗ workflow files not reloaded, those from before stay in force"))
        eventually(shown(".hatchet/say.yaml:1:1: "))
        dev.send_signal(signal.SIGTERM)
        assert dev.wait(120) == 0
    finally:
        dev.kill()
        dev.wait()
    assert "degraded" not in output.read_text()


@pytest.mark.parametrize("kept_by", ["", "nohup"])
def test_a_terminal_that_is_closed_takes_its_router_along(
    project: Project, eventually: Eventually, kept_by: str
) -> None:
    """Unless `nohup` keeps it: the signal is that for a reload, and the meaning another."""
    project.write(".hatchet/say.yaml", saying("say:first"))
    log = project.folder / "router.log"
    terminal, inside = pty.openpty()
    command = f"exec {kept_by} {HATCHET} router 2>{log}"
    process = subprocess.Popen(
        # The shell of a new session takes the first terminal that it opens for its own.
        ["/bin/sh", "-c", f"exec <{os.ttyname(inside)}; {command}"],
        cwd=project.folder,
        env=project.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    os.close(inside)
    router = RunningCommand(process, log)
    try:
        eventually(log.exists)
        ready(router, eventually)
        os.close(terminal)
        if kept_by:
            process.send_signal(signal.SIGHUP)
            eventually(lambda: router.has_said("router.reloaded"))
            assert router.end() == 0
        else:
            assert process.wait(120) == 0
            assert "router.stopped" in log.read_text()
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        process.wait()
