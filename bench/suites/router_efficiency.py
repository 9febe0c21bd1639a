"""How close the router comes to a program that only starts workflows."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

from bench.inputs import job_inputs
from bench.measurements import Measurement, at_least
from bench.processes import time_of
from bench.projects import NOBODY, job_file
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
        ours: list[float] = []
        bare: list[float] = []
        full: list[float] = []
        for _ in range(bench.pick(5, 3)):
            ours.append(await shape.drained())
            bare.append(await shape.bare(concurrency))
            if not bench.is_short:
                full.append(await shape.bare(concurrency, extras=True))
        name = f"{jobs} {'job' if jobs == 1 else 'jobs'} an event"
        yield Measurement(name, "events/s", tuple(ours), tuple(bare), at_least(0.9), limit_is)
        if full:
            yield Measurement(
                f"{name}, against starts with all that the router's have",
                "events/s",
                tuple(ours),
                tuple(full),
                None,
                f"{limit_is}, with search attributes, memo and summary",
            )


class _Shape:
    """A router, and a bare client, that start so many jobs for each event."""

    def __init__(self, bench: Workbench, jobs: int) -> None:
        self._bench = bench
        self._jobs = jobs
        self._file = job_file(f"start-{jobs}", _KEY, jobs=jobs)
        self._inputs = job_inputs(self._file, _KEY)
        self._count = bench.pick(1500, 390) // jobs  # events
        self._warm = _WARM_JOBS // jobs

    async def prepare(self) -> None:
        """Declare the router's queue."""
        self._queue = await RoutersQueue.prepared(
            self._bench, f"start{self._jobs}", {"jobs.yaml": self._file}
        )

    async def drained(self) -> float:
        """Return how many events a second a router takes from its queue."""
        total = self._warm + self._count
        outgoing = events(_KEY, self._bench.new_name("event"), total)
        await self._queue.fill(outgoing)
        router = self._queue.launch()
        records = await router.records("event.routed", total, _SECONDS)
        await router.stop()
        return self._count / (time_of(records[-1]) - time_of(records[self._warm - 1]))

    async def bare(self, concurrency: int, *, extras: bool = False) -> float:
        """Return how many events a second a bare client starts the jobs of."""
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
        return self._count / float(found["seconds"])


async def _best_concurrency(shape: _Shape, concurrencies: tuple[int, ...]) -> int:
    rates = {each: await shape.bare(each) for each in concurrencies}
    return max(rates, key=rates.__getitem__)
