"""Upgrades with jobs in flight: worker processes of several releases, one after another."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from temporalio.api.enums.v1 import EventType, WorkflowTaskFailedCause
from temporalio.client import WorkflowExecutionStatus, WorkflowHandle

from hatchet_schemas import JobInput

if TYPE_CHECKING:
    from tests.integration.worker.conftest import Jobs

Eventually = Callable[..., None]

LONG_S = 90
"""Temporal tries a failed workflow task again after 10 s and more, longer each time."""


class Releases:
    """Starts workers of releases (see `release.py`) and reads what their steps did."""

    def __init__(self, folder: Path, address: str, queue: str, eventually: Eventually) -> None:
        self.gate = folder / "gate"
        self._folder = folder
        self._address = address
        self._queue = queue
        self._eventually = eventually
        self._ledger = folder / "ledger"
        self._ledger.touch()
        self._processes: list[subprocess.Popen[bytes]] = []
        self._logs: dict[int, Path] = {}

    def start(self, release: str, grace_s: float = 60) -> subprocess.Popen[bytes]:
        """Start a worker, and return when it takes jobs."""
        log = self._folder / f"{len(self._processes)}-{release}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [
                    *(sys.executable, str(Path(__file__).with_name("release.py"))),
                    *(release, self._queue, str(self._ledger), str(grace_s)),
                ],
                env={**os.environ, "TEMPORAL_ADDRESS": self._address},
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        self._processes.append(process)
        self._logs[process.pid] = log
        self._eventually(lambda: "worker.started" in log.read_text())
        return process

    def stop(self, process: subprocess.Popen[bytes]) -> None:
        """Tell a worker to finish what it does, and return when it takes no more jobs."""
        process.send_signal(signal.SIGTERM)
        self._eventually(lambda: "worker.stopping" in self._logs[process.pid].read_text())

    def steps(self) -> list[tuple[str, str]]:
        """Return the steps that ran, by id, each with the release that ran it."""
        lines = [line.split() for line in self._ledger.read_text().splitlines()]
        return [(step, release) for _event_id, step, release in lines]

    def runs(self) -> Counter[tuple[str, str]]:
        """Return how often each step of each event's job ran."""
        lines = [line.split() for line in self._ledger.read_text().splitlines()]
        return Counter((event_id, step) for event_id, step, _release in lines)

    def end(self) -> None:
        """Leave no worker behind."""
        for process in self._processes:
            process.kill()
            process.wait()


@pytest.fixture
def releases(
    tmp_path: Path, temporal_address: str, jobs: Jobs, eventually: Eventually
) -> Iterator[Releases]:
    """Return the means to run workers, and end them with the test."""
    releases = Releases(tmp_path, temporal_address, jobs.queue, eventually)
    yield releases
    releases.end()


def step(step_id: str, timeout: str = "2m", **data: str) -> dict[str, Any]:
    """Return a step that leaves a line in the ledger."""
    return {
        "name": step_id,
        "id": step_id,
        "actionId": "ledger:write",
        "timeout": timeout,
        "retry": {"backoff": "100ms"},
        "with": data,
    }


async def reached(releases: Releases, count: int) -> None:
    """Return when so many steps have begun."""
    async with asyncio.timeout(60):
        while len(releases.steps()) < count:  # noqa: ASYNC110 - another process writes it
            await asyncio.sleep(0.02)


async def ended(process: subprocess.Popen[bytes]) -> int:
    """Return a worker's exit code."""
    return await asyncio.to_thread(process.wait, LONG_S)


async def result_of(handle: WorkflowHandle[Any, Any]) -> dict[str, str]:
    """Return which release ran each step of a job."""
    async with asyncio.timeout(LONG_S):
        result = await handle.result()
    return {step: outputs["by"] for step, outputs in result["steps"].items()}


async def failed_workflow_task(handle: WorkflowHandle[Any, Any]) -> Any:
    """Wait until Temporal has recorded that a worker could not go on with a job; return why."""
    async with asyncio.timeout(LONG_S):
        async for event in handle.fetch_history_events(wait_new_event=True):
            if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED:
                return event.workflow_task_failed_event_attributes
    raise AssertionError("the job ended")


async def test_the_next_release_goes_on_behind_the_step_that_was_finished(
    jobs: Jobs, releases: Releases
) -> None:
    """SIGTERM: what runs is finished, what comes next is the new worker's."""
    old = releases.start("1")
    handle = await jobs.start(step("one", gate=str(releases.gate)), step("two"), step("three"))
    await reached(releases, 1)

    releases.stop(old)
    releases.gate.touch()
    assert await ended(old) == 0
    releases.start("2")

    assert await result_of(handle) == {"one": "1", "two": "2", "three": "2"}
    assert releases.steps() == [("one", "1"), ("two", "2"), ("three", "2")]


async def test_the_next_release_goes_on_where_a_worker_was_killed_between_steps(
    jobs: Jobs, releases: Releases
) -> None:
    """SIGKILL: the step that was done is not done again."""
    dying = releases.start("1-dies")
    handle = await jobs.start(step("one"), step("two"), step("three"))

    assert await ended(dying) == -signal.SIGKILL
    releases.start("2")

    assert await result_of(handle) == {"one": "1-dies", "two": "2", "three": "2"}
    assert releases.steps() == [("one", "1-dies"), ("two", "2"), ("three", "2")]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
async def test_the_next_release_runs_the_step_that_was_not_finished(
    jobs: Jobs, releases: Releases, number: signal.Signals
) -> None:
    """That one step runs twice, as steps run at least once; no other does."""
    old = releases.start("1", grace_s=0.1)
    handle = await jobs.start(
        step("one"), step("two", timeout="6s", gate=str(releases.gate)), step("three")
    )
    await reached(releases, 2)

    old.send_signal(number)
    await ended(old)
    releases.gate.touch()
    releases.start("2")

    assert await result_of(handle) == {"one": "1", "two": "2", "three": "2"}
    assert releases.steps() == [("one", "1"), ("two", "1"), ("two", "2"), ("three", "2")]


async def test_the_local_steps_of_a_killed_worker_are_run_again_as_a_group(
    jobs: Jobs, releases: Releases
) -> None:
    """SIGKILL: what Temporal has recorded stays done, the workflow task as a whole does not."""
    local = {"timeout": "5s", "mode": "local"}
    old = releases.start("1")
    handle = await jobs.start(
        step("one"),
        {**step("two"), **local},
        {**step("three", gate=str(releases.gate)), **local},
        {**step("four"), **local},
    )
    await reached(releases, 3)

    old.send_signal(signal.SIGKILL)
    await ended(old)
    releases.gate.touch()
    releases.start("2")

    assert await result_of(handle) == {"one": "1", "two": "2", "three": "2", "four": "2"}
    assert releases.steps() == [
        *[("one", "1"), ("two", "1"), ("three", "1")],
        *[("two", "2"), ("three", "2"), ("four", "2")],
    ]


async def test_a_rolling_upgrade_runs_each_step_of_each_job_once(
    jobs: Jobs, releases: Releases
) -> None:
    """Both releases at work, then the new one alone; jobs that begin with it do what is new."""
    steps = (step("one"), step("two", gate=str(releases.gate)), step("three"))
    old = releases.start("1")
    before = [await jobs.start(*steps) for _ in range(10)]
    await reached(releases, 20)
    releases.start("2")
    during = [await jobs.start(*steps) for _ in range(10)]
    await reached(releases, 40)

    releases.stop(old)
    releases.gate.touch()
    assert await ended(old) == 0
    after = [await jobs.start(*steps) for _ in range(10)]
    results = [await result_of(handle) for handle in (*before, *during, *after)]

    assert all(set(result) == {"one", "two", "three"} for result in results)
    runs = releases.runs()
    assert set(runs.values()) == {1}
    ran = Counter(step_id for _event_id, step_id in runs)
    assert ran["one"] == ran["two"] == ran["three"] == 30
    assert 10 <= ran["greeting"] <= 20


async def test_a_killed_worker_s_decision_for_local_steps_is_lost_with_them(
    jobs: Jobs, releases: Releases
) -> None:
    """SIGKILL: they are run again by a worker whose action is regular by default, as regular."""
    old = releases.start("1-local")
    handle = await jobs.start(step("one", "5s"), step("two", "5s", gate=str(releases.gate)))
    await reached(releases, 2)

    old.send_signal(signal.SIGKILL)
    await ended(old)
    releases.gate.touch()
    releases.start("1")

    assert await result_of(handle) == {"one": "1", "two": "1"}
    assert releases.steps() == [
        *[("one", "1-local"), ("two", "1-local")],
        *[("one", "1"), ("two", "1")],
    ]


@pytest.mark.parametrize(("first", "then"), [("1", "1-local"), ("1-local", "1")])
async def test_an_action_may_change_its_default_mode_while_jobs_run(
    jobs: Jobs, releases: Releases, first: str, then: str
) -> None:
    """Both at work, then the new one alone: no workflow task fails, and each step runs once."""
    gate = str(releases.gate)
    steps = (step("one", "5s"), step("two", gate=gate), step("three", "5s"), step("four", "5s"))
    old = releases.start(first)
    before = [await jobs.start(*steps) for _ in range(10)]
    await reached(releases, 20)
    releases.start(then)
    during = [await jobs.start(*steps) for _ in range(10)]
    await reached(releases, 40)

    releases.stop(old)
    releases.gate.touch()
    assert await ended(old) == 0
    after = [await jobs.start(*steps) for _ in range(10)]
    handles = [*before, *during, *after]
    results = [await result_of(handle) for handle in handles]

    assert all(set(result) == {"one", "two", "three", "four"} for result in results)
    assert {result["four"] for result in results} == {then}
    assert Counter(releases.runs().values()) == {1: 120}
    for handle in handles:
        assert "WORKFLOW_TASK_FAILED" not in await jobs.event_types(handle)


@pytest.mark.parametrize(("begun_by", "given_to"), [("1", "2-careless"), ("2", "1")])
async def test_a_release_that_cannot_go_on_with_a_job_leaves_it_to_one_that_can(
    jobs: Jobs, releases: Releases, begun_by: str, given_to: str
) -> None:
    """A careless change, and a rollback: the job is not harmed, and waits."""
    begun = releases.start(begun_by)
    handle = await jobs.start(step("one", gate=str(releases.gate)), step("two"))
    await reached(releases, 1 if begun_by == "1" else 2)
    releases.stop(begun)
    releases.gate.touch()
    assert await ended(begun) == 0
    done = releases.steps()

    wrong = releases.start(given_to)
    failure = await failed_workflow_task(handle)
    wrong.send_signal(signal.SIGTERM)
    assert await ended(wrong) == 0

    assert (
        failure.cause == WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR
    )
    assert releases.steps() == done
    assert (await handle.describe()).status is WorkflowExecutionStatus.RUNNING

    releases.start(begun_by)
    assert await result_of(handle) == {"one": begun_by, "two": begun_by}
    assert releases.steps() == [*done, ("two", begun_by)]


async def test_a_job_in_a_format_that_a_worker_does_not_know_waits_for_one_that_does(
    jobs: Jobs, releases: Releases
) -> None:
    """A router was upgraded first: nothing is lost."""
    old = releases.start("1")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tests.integration.worker.conftest.JobInput", _in_format_2)
        handle = await jobs.start(step("one"), step("two"))
    failure = await failed_workflow_task(handle)

    assert "of another release of Hatchet" in failure.failure.message
    assert (await handle.describe()).status is WorkflowExecutionStatus.RUNNING
    assert releases.steps() == []

    releases.start("format-2")
    old.send_signal(signal.SIGTERM)
    assert await result_of(handle) == {"one": "format-2", "two": "format-2"}


def _in_format_2(**fields: Any) -> dict[str, Any]:
    return {**JobInput(**fields).model_dump(mode="json"), "format": 2}
