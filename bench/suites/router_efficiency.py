"""How close the router comes to a program that only starts workflows."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

from bench.inputs import job_inputs
from bench.measurements import Measurement, at_least
from bench.processes import time_of
from bench.projects import NOBODY, job_file
from bench.rates import Rate, computing, rates
from bench.routers import RoutersQueue, events
from bench.suites.registry import suite
from bench.workbench import Workbench

_KEY: Final = "bench:start"
_CONCURRENCIES: Final = (16, 64, 128)
_WARM_JOBS: Final = 96  # the first ones load modules; a multiple of the jobs of each shape
_SECONDS: Final = 120.0


@suite("router_efficiency")
async def measure(bench: Workbench) -> AsyncIterator[Measurement]:
    """Events/s until all jobs are started, beside a bare client at its best concurrency."""
    concurrency = await _best_concurrency(_Shape(bench, 1), bench.pick(_CONCURRENCIES, (16, 64)))
    limit_is = f"client.start_workflow with the same inputs, {concurrency} at once"
    for jobs in (1, 3):
        shape = _Shape(bench, jobs)
        await shape.prepare()
        ours: list[Rate] = []
        bare: list[Rate] = []
        full: list[Rate] = []
        for _ in range(bench.pick(4, 3)):
            ours.append(await shape.drained())
            bare.append(await shape.bare(concurrency))
            if not bench.is_short:
                full.append(await shape.bare(concurrency, extras=True))
        name = f"{jobs} {'job' if jobs == 1 else 'jobs'} an event"
        yield rates(name, "events/s", ours, bare, at_least(0.9), limit_is)
        yield computing(f"{name}, computing", ours, bare, limit_is)
        if full:
            name = f"{name}, beside starts with all that the router's have"
            limit_was = f"{limit_is}, with search attributes, memo and summary"
            yield rates(name, "events/s", ours, full, None, limit_was)


class _Shape:
    """A router, and a bare client, that start so many jobs for each event."""

    def __init__(self, bench: Workbench, jobs: int) -> None:
        self._bench = bench
        self._jobs = jobs
        self._file = job_file(f"start-{jobs}", _KEY, jobs=jobs)
        self._inputs = job_inputs(self._file, _KEY)
        self._count = bench.pick(900, 240) // jobs  # events
        self._warm = _WARM_JOBS // jobs

    async def prepare(self) -> None:
        """Declare the router's queue."""
        self._queue = await RoutersQueue.prepared(
            self._bench, f"start{self._jobs}", {"jobs.yaml": self._file}
        )

    async def drained(self) -> Rate:
        """Return how fast a router takes events from its queue."""
        total = self._warm + self._count
        outgoing = events(_KEY, self._bench.new_name("event"), total)
        await self._queue.fill(outgoing)
        router = self._queue.launch()
        before = await router.records("event.routed", self._warm, _SECONDS)
        began_cpu = router.cpu_seconds()
        records = await router.records("event.routed", self._count, _SECONDS)
        cpu_seconds = router.cpu_seconds() - began_cpu
        await router.stop()
        return Rate(self._count, time_of(records[-1]) - time_of(before[-1]), cpu_seconds)

    async def bare(self, concurrency: int, *, extras: bool = False) -> Rate:
        """Return how fast a bare client starts the jobs of as many events."""
        found = await self._bench.run(
            "start_workflows",
            deadline_seconds=_SECONDS,
            address=(await self._bench.stack()).temporal.address,
            inputs=self._inputs,
            ids=self._bench.new_name("bare"),
            task_queue=NOBODY,
            warm=_WARM_JOBS,
            count=self._count * self._jobs,
            concurrency=concurrency,
            extras=extras,
        )
        return Rate(self._count, float(found["seconds"]), float(found["cpu_seconds"]))


async def _best_concurrency(shape: _Shape, concurrencies: tuple[int, ...]) -> int:
    found = {each: (await shape.bare(each)).per_second for each in concurrencies}
    return max(found, key=found.__getitem__)
