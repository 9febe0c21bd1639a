"""How a worker starts and stops, inside a program and as one."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator, MutableMapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import temporalio.bridge.worker
import temporalio.worker
from structlog.testing import capture_logs
from temporalio.client import WorkflowExecutionStatus, WorkflowFailureError
from temporalio.exceptions import ApplicationError

from hatchet_worker import (
    Integration,
    NamespaceNotFound,
    TemporalSettings,
    TemporalUnreachable,
    Worker,
    WorkerError,
    action,
    connect,
)

if TYPE_CHECKING:
    from tests.integration.worker.conftest import Jobs

Eventually = Callable[[Callable[[], object]], None]


class Gate(Integration):
    """An action that goes through only when the test opens the gate."""

    id = "gate"

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.opened = asyncio.Event()

    @action("pass")
    async def go_through(self, data: dict[str, Any]) -> dict[str, Any]:
        """Wait until the gate is open."""
        self.reached.set()
        await self.opened.wait()
        return {"through": True}


STEP = {"name": "Pass", "id": "pass", "actionId": "gate:pass", "timeout": "90s"}


def fail_the_first_poll(
    monkeypatch: pytest.MonkeyPatch, logs: list[MutableMapping[str, Any]]
) -> None:
    """Let Temporal answer a worker that has started as it does when its namespace is deleted."""
    poll = temporalio.bridge.worker.Worker.poll_activity_task
    failures = [ConnectionResetError("the namespace was deleted")]

    async def fail_once(self: temporalio.bridge.worker.Worker) -> Any:
        if failures:
            failure = failures.pop()
            while "worker.started" not in {each["event"] for each in logs}:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
            raise failure
        return await poll(self)

    monkeypatch.setattr(temporalio.bridge.worker.Worker, "poll_activity_task", fail_once)


async def test_stopping_finishes_the_running_step(jobs: Jobs) -> None:
    """Its outputs are not lost: the next worker goes on behind it."""
    gate = Gate()

    async with asyncio.timeout(30):
        async with jobs.worker(gate):
            handle = await jobs.start(STEP)
            await gate.reached.wait()
            asyncio.get_running_loop().call_later(0.2, gate.opened.set)
        types = await jobs.event_types(handle)
        async with jobs.worker(Gate()):
            result = await handle.result()

    assert "ACTIVITY_TASK_COMPLETED" in types
    assert result["steps"] == {"pass": {"through": True}}


async def test_a_step_that_does_not_finish_in_time_goes_to_the_next_worker(jobs: Jobs) -> None:
    """A stopping worker ends it after the grace, and it is tried again."""
    stuck, fresh = Gate(), Gate()
    fresh.opened.set()
    step = {**STEP, "retry": {"backoff": "10ms"}}

    async with asyncio.timeout(30):
        async with jobs.worker(stuck, grace_seconds=0.1):
            handle = await jobs.start(step)
            await stuck.reached.wait()
        async with jobs.worker(fresh):
            result = await handle.result()

    assert result["steps"] == {"pass": {"through": True}}


async def test_a_step_without_retries_that_its_worker_gives_up_says_so(jobs: Jobs) -> None:
    """Nobody cancelled it and it did not fail: its worker went away."""
    stuck = Gate()
    step = {**STEP, "retry": {"attempts": 1}}

    async with asyncio.timeout(30):
        async with jobs.worker(stuck, grace_seconds=0.1):
            handle = await jobs.start(step)
            await stuck.reached.wait()
        async with jobs.worker(Gate()):
            with pytest.raises(WorkflowFailureError) as caught:
                await handle.result()

    assert isinstance(caught.value.cause, ApplicationError)
    assert caught.value.cause.message.endswith(
        "WorkerStopped: the worker stopped before the step was done"
    )


async def test_all_queues_are_told_to_stop_at_the_same_time(
    jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While one finishes its steps, another must not take new jobs."""
    shutdown = temporalio.worker.Worker.shutdown
    told: set[temporalio.worker.Worker] = set()
    all_told = asyncio.Event()

    async def shut_down_together(self: temporalio.worker.Worker) -> None:
        told.add(self)
        if len(told) == 2:
            all_told.set()
        await all_told.wait()
        await shutdown(self)

    monkeypatch.setattr(temporalio.worker.Worker, "shutdown", shut_down_together)

    async with (
        asyncio.timeout(30),
        jobs.worker(Gate(), queues=[jobs.queue, f"other-{jobs.queue}"]),
    ):
        pass

    assert all_told.is_set()


async def test_an_interrupted_worker_stops_at_once(jobs: Jobs) -> None:
    """This is what a second signal does, in the middle of the grace."""
    gate = Gate()
    stop = asyncio.Event()
    worker = jobs.worker(gate, grace_seconds=60)

    async with asyncio.timeout(30):
        serving = asyncio.create_task(worker.serve(stop))
        handle = await jobs.start(STEP)
        await gate.reached.wait()
        stop.set()
        worker.interrupt()
        await serving

    assert (await handle.describe()).status is WorkflowExecutionStatus.RUNNING
    await handle.terminate()


async def test_a_worker_can_be_started_again(jobs: Jobs) -> None:
    """But not while it runs."""
    worker = jobs.worker(Gate())

    async with worker:
        with pytest.raises(WorkerError, match="runs already"):
            await worker.__aenter__()
    async with worker:
        pass


async def test_what_stops_one_queue_ends_the_whole_worker_with_its_error(
    jobs: Jobs, monkeypatch: pytest.MonkeyPatch, logs: list[MutableMapping[str, Any]]
) -> None:
    """A worker that serves half of its queues would look healthy."""
    fail_the_first_poll(monkeypatch, logs)
    worker = jobs.worker(Gate(), queues=[jobs.queue, f"other-{jobs.queue}"])

    async with asyncio.timeout(30):
        with pytest.raises(RuntimeError, match="Activity worker failed") as caught:
            await worker.serve(asyncio.Event())

    assert isinstance(caught.value.__cause__, ConnectionResetError)


async def test_a_temporal_that_goes_away_during_the_start_is_an_error_of_the_start(
    jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that says that it has started has been accepted."""

    async def refuse(self: temporalio.bridge.worker.Worker) -> None:
        await asyncio.sleep(0.1)
        raise RuntimeError(
            "Worker validation failed: Namespace default was not found or otherwise could not be "
            'described: Status { code: Unavailable, message: "tcp connect error", source: '
            'Some(tonic::transport::Error(Transport, ConnectError(ConnectError("tcp connect error",'
            ' 127.0.0.1:7233, Os { code: 111, kind: ConnectionRefused, message: "Connection '
            'refused" })))) }'
        )

    monkeypatch.setattr(temporalio.bridge.worker.Worker, "validate", refuse)
    worker = jobs.worker(Gate(), queues=[jobs.queue, f"other-{jobs.queue}"])

    with capture_logs() as logs:
        async with asyncio.timeout(30):
            with pytest.raises(TemporalUnreachable, match="nothing is listening there"):
                await worker.serve(asyncio.Event())

    assert "worker.started" not in [log["event"] for log in logs]


async def test_a_missing_namespace_is_an_error_at_the_start(temporal_address: str) -> None:
    """Temporal itself would let the client connect."""
    settings = TemporalSettings(address=temporal_address, namespace="nowhere")

    with pytest.raises(NamespaceNotFound, match=r"has no namespace 'nowhere'"):
        await connect(settings)


def test_start_and_stop_run_it_beside_a_program_that_is_not_async(
    temporal_address: str, eventually: Eventually
) -> None:
    """In a thread, which is gone afterwards."""
    worker = Worker([Gate()], ["beside"], temporal=TemporalSettings(address=temporal_address))

    worker.start()
    with pytest.raises(WorkerError, match="runs already"):
        worker.start()
    assert "hatchet-worker" in {thread.name for thread in threading.enumerate()}

    worker.stop()
    assert "hatchet-worker" not in {thread.name for thread in threading.enumerate()}


def test_stop_raises_what_had_stopped_it_before(
    temporal_address: str,
    monkeypatch: pytest.MonkeyPatch,
    eventually: Eventually,
    logs: list[MutableMapping[str, Any]],
) -> None:
    """Nobody else would hear of an error in a thread."""
    fail_the_first_poll(monkeypatch, logs)
    worker = Worker([Gate()], ["beside"], temporal=TemporalSettings(address=temporal_address))
    worker.start()
    eventually(lambda: "hatchet-worker" not in {thread.name for thread in threading.enumerate()})

    with pytest.raises(RuntimeError, match="Activity worker failed"):
        worker.stop()


PROGRAM = """
    import time
    from hatchet_worker import Integration, Worker, action

    class Slow(Integration):
        id = "slow"

        @action("work")
        def work(self, data: dict) -> dict:
            print("working", flush=True)
            time.sleep(data["seconds"])
            print("worked", flush=True)
            return {}

    worker = Worker([Slow()], ["%(queue)s"])
"""


class Program:
    """A user's script, running."""

    def __init__(self, folder: Path, address: str) -> None:
        self._file = folder / "program.py"
        self._address = address
        self._process: subprocess.Popen[str] | None = None

    def start(self, queue: str, ending: str) -> subprocess.Popen[str]:
        """Start the script whose last lines are ``ending``."""
        source = textwrap.dedent(PROGRAM % {"queue": queue})
        self._file.write_text(source + textwrap.dedent(ending))
        self._process = subprocess.Popen(
            [sys.executable, str(self._file)],
            env={**os.environ, "TEMPORAL_ADDRESS": self._address},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        return self._process

    def read_until(self, text: str) -> None:
        """Return when the script has printed a line with ``text``."""
        assert self._process
        assert self._process.stdout
        for line in self._process.stdout:
            if text in line:
                return
        pytest.fail(f"the program ended without saying {text!r}")

    def end(self) -> None:
        """Leave no script behind."""
        if self._process:
            self._process.kill()
            self._process.communicate()


@pytest.fixture
def program(tmp_path: Path, temporal_address: str) -> Iterator[Program]:
    """Return a script to be started, and end it with the test."""
    program = Program(tmp_path, temporal_address)
    yield program
    program.end()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_a_program_after_its_running_step(
    program: Program, jobs: Jobs, number: signal.Signals
) -> None:
    """What follows run() runs, too, and the exit code is 0."""
    process = program.start(jobs.queue, "worker.run()\nprint('goodbye')")
    program.read_until("worker.started")
    handle = await jobs.start(
        {"name": "Work", "id": "work", "actionId": "slow:work", "timeout": "30s",
         "with": {"seconds": 0.3}}
    )  # fmt: skip
    program.read_until("working")

    process.send_signal(number)
    output, _ = process.communicate(timeout=60)

    assert process.returncode == 0, output
    assert output.index("worked") < output.index("worker.stopped") < output.index("goodbye")
    assert "ACTIVITY_TASK_COMPLETED" in await jobs.event_types(handle)
    await handle.terminate()


async def test_a_second_signal_ends_a_program_in_the_middle_of_a_step(
    program: Program, jobs: Jobs
) -> None:
    """The interpreter still waits for the thread; it is the worker that does not."""
    process = program.start(jobs.queue, "worker.run()\nimport os; os._exit(7)")
    program.read_until("worker.started")
    handle = await jobs.start(
        {"name": "Work", "id": "work", "actionId": "slow:work", "timeout": "5m",
         "with": {"seconds": 250}}
    )  # fmt: skip
    program.read_until("working")

    process.send_signal(signal.SIGTERM)
    program.read_until("worker.stopping")
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=60)

    assert process.returncode == 7
    assert "worked" not in output
    await handle.terminate()


@pytest.mark.parametrize("ending", ["worker.start()\nworker.stop()", "worker.start()"])
def test_a_sync_program_exits_cleanly(program: Program, ending: str) -> None:
    """With stop(), and also where the program just ends."""
    process = program.start("sync-program", ending)

    output, _ = process.communicate(timeout=60)

    assert process.returncode == 0, output
    assert "worker.stopped" in output
    assert "Traceback" not in output


def test_a_program_whose_server_is_missing_says_so(tmp_path: Path) -> None:
    """The error is the caller's to handle."""
    program = Program(tmp_path, "127.0.0.1:1")
    process = program.start("sync-program", "worker.run()")

    output, _ = process.communicate(timeout=60)

    assert process.returncode == 1
    assert "cannot reach Temporal at 127.0.0.1:1: nothing is listening there" in output
