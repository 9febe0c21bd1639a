"""Jobs from start to end, beside the same written by hand for Temporal."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import asdict, dataclass
from typing import Any, Final, Self

from temporalio.client import Client

from bench.inputs import job_inputs
from bench.measurements import Goal, Measurement, at_least
from bench.processes import MeasuringFailed, Program, cpu_seconds
from bench.programs.hand_written_workflows import OneStep, OrderPaid, ThreeSteps
from bench.projects import EVENT, job_file
from bench.rates import Rate, computing, rates
from bench.suites.registry import suite
from bench.workbench import HATCHET, Workbench
from hatchet_schemas import Job

_KEY: Final = "bench:job"
_STARTERS: Final = 16
_WARM: Final = 20
_SECONDS: Final = 120.0
_POLL_SECONDS: Final = 0.1
_LIMIT_IS: Final = "a hand-written workflow and activities, worker with the SDK's defaults"
_HAS_MODES: Final = "mode" in Job.model_fields


@suite("jobs")
async def measure(bench: Workbench) -> AsyncIterator[Measurement]:
    """Jobs/s from the first start to the last end, beside a workflow that is written by hand."""
    cases: list[tuple[str, int, str, Goal]] = [
        ("1 step", 1, "", at_least(1.3)),
        ("3 steps", 3, "", at_least(1.3)),
    ]
    if _HAS_MODES:
        cases.append(("3 light steps", 3, "local", at_least(2.5)))
    ours = await _Side.ours(bench)
    by_hand = await _Side.by_hand(bench)
    given = asdict(OrderPaid(**EVENT))
    count = bench.pick(150, 50)
    for name, steps, mode, goal in cases:
        [job] = job_inputs(job_file("job", _KEY, steps=steps, mode=mode), _KEY)
        written = OneStep if steps == 1 else ThreeSteps
        figures: list[_Batch] = []
        limits: list[_Batch] = []
        for _ in range(bench.pick(4, 3)):
            figures.append(await ours.batch(count, job["job"], job))
            limits.append(await by_hand.batch(count, written.__name__, given))
        in_worker = [each.worker for each in figures], [each.worker for each in limits]
        in_temporal = [each.temporal for each in figures], [each.temporal for each in limits]
        yield rates(name, "jobs/s", *in_worker, goal, _LIMIT_IS)
        yield computing(f"{name}, computing in the worker", *in_worker, _LIMIT_IS)
        yield computing(f"{name}, computing in Temporal", *in_temporal, _LIMIT_IS)


@dataclass(frozen=True, slots=True)
class _Batch:
    """How fast jobs came to their end, with what that cost the worker, and with what Temporal."""

    worker: Rate
    temporal: Rate


class _Side:
    """A worker, ours or a hand-written one, which runs as long as the suite does."""

    def __init__(self, worker: Program, temporal_pid: int, client: Client, queue: str) -> None:
        self._worker = worker
        self._temporal_pid = temporal_pid
        self._client = client
        self._queue = queue
        self._started = 0

    @classmethod
    async def ours(cls, bench: Workbench) -> Self:
        """Start `hatchet worker`."""
        queue = bench.new_name("ours")
        temporal = (await bench.stack()).temporal
        worker = bench.start(
            "worker",
            [HATCHET, "worker", "bench.trivial:worker", "--queue", queue],
            {"TEMPORAL_ADDRESS": temporal.address},
        )
        await worker.records("worker.started", 1, _SECONDS)
        return cls(worker, temporal.pid, await bench.temporal(), queue)

    @classmethod
    async def by_hand(cls, bench: Workbench) -> Self:
        """Start the hand-written worker."""
        queue = bench.new_name("by-hand")
        temporal = (await bench.stack()).temporal
        worker = bench.launch("hand_written_worker", address=temporal.address, task_queue=queue)
        await worker.records("worker.started", 1, _SECONDS)
        return cls(worker, temporal.pid, await bench.temporal(), queue)

    async def batch(self, count: int, workflow_type: str, given: dict[str, Any]) -> _Batch:
        """Return how fast the worker brings jobs to their end."""
        await self._run(_WARM, workflow_type, given)
        began = time.time()
        worker, temporal = self._computed()
        await self._run(count, workflow_type, given)
        worker_after, temporal_after = self._computed()
        seconds = await self._last_end() - began
        return _Batch(
            Rate(count, seconds, worker_after - worker),
            Rate(count, seconds, temporal_after - temporal),
        )

    def _computed(self) -> tuple[float, float]:
        """Return how many seconds the worker and Temporal have computed."""
        return self._worker.cpu_seconds(), cpu_seconds(self._temporal_pid)

    async def _run(self, count: int, workflow_type: str, given: dict[str, Any]) -> None:
        """Start so many workflows, and wait until all have ended."""
        left: Iterator[int] = iter(range(self._started, self._started + count))
        self._started += count

        async def start() -> None:
            for number in left:
                await self._client.start_workflow(
                    workflow_type, given, id=f"{self._queue}-{number}", task_queue=self._queue
                )

        async with asyncio.TaskGroup() as group:
            for _ in range(_STARTERS):
                group.create_task(start())
        deadline = time.monotonic() + _SECONDS
        while (running := await self._count("Running")) or (
            await self._count("Completed") < self._started
        ):
            if time.monotonic() > deadline:
                raise MeasuringFailed(f"after {_SECONDS:g} s {running} jobs have not ended")
            await asyncio.sleep(_POLL_SECONDS)

    async def _count(self, status: str) -> int:
        query = f"TaskQueue = '{self._queue}' AND ExecutionStatus = '{status}'"
        return (await self._client.count_workflows(query)).count

    async def _last_end(self) -> float:
        """Return when the last workflow ended by Temporal's clock, which is this machine's."""
        query = f"TaskQueue = '{self._queue}' AND ExecutionStatus = 'Completed'"
        runs = self._client.list_workflows(query)
        ends = [run.close_time async for run in runs]
        return max(end.timestamp() for end in ends if end is not None)
