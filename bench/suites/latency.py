"""How much later a job starts because an event comes by the bus."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Final

from bench.inputs import job_inputs
from bench.measurements import Measurement, at_most, percentile
from bench.processes import time_of
from bench.projects import EVENT, NOBODY, job_file
from bench.routers import OutgoingEvent, RoutersQueue, events
from bench.suites.registry import suite
from bench.workbench import Workbench
from hatchet_router import Dispatcher

_KEY: Final = "bench:late"
_PER_SECOND: Final = 20.0
_WARM: Final = 20
_GOALS: Final = {50: at_most(1.3), 99: at_most(1.5)}


@suite("latency")
async def measure(bench: Workbench) -> AsyncIterator[Measurement]:
    """Publish confirmed until start accepted at 20 events/s, beside a bare client's own starts."""
    file = job_file("late", _KEY)
    router = await RoutersQueue.prepared(bench, "late", {"jobs.yaml": file})
    count = int(bench.pick(12, 5) * _PER_SECOND)
    ours: list[list[float]] = []
    bare: list[list[float]] = []
    for _ in range(bench.pick(4, 2)):
        ours.append(await _through_router(bench, router, count))
        found = await bench.run(
            "start_workflows",
            address=(await bench.stack()).temporal.address,
            inputs=job_inputs(file, _KEY),
            ids=bench.new_name("bare"),
            task_queue=NOBODY,
            warm=_WARM,
            concurrency=1,
            count=count,
            per_second=_PER_SECOND,
        )
        bare.append([float(seconds) for seconds in found["each"]])
    for percent, goal in _GOALS.items():
        yield Measurement(
            f"p{percent} at 20 events/s",
            "ms",
            tuple(percentile(each, percent) * 1e3 for each in ours),
            tuple(percentile(each, percent) * 1e3 for each in bare),
            goal,
            "client.start_workflow, from the call to its return",
            f"{count} events in each repetition",
        )


async def _through_router(bench: Workbench, queue: RoutersQueue, count: int) -> list[float]:
    router = await queue.start()
    confirmed: dict[str, float] = {}
    outgoing = events(_KEY, bench.new_name("event"), _WARM + count)
    async with Dispatcher(queue.amqp_url, exchange=queue.exchange) as dispatcher:

        async def publish(event: OutgoingEvent) -> None:
            await dispatcher.trigger(event.key, EVENT, id=event.id)
            confirmed[event.id] = time.time()

        loop = asyncio.get_running_loop()
        began = loop.time()
        async with asyncio.TaskGroup() as group:
            for number, event in enumerate(outgoing):
                await asyncio.sleep(began + number / _PER_SECOND - loop.time())
                group.create_task(publish(event))
        records = await router.records("event.routed", len(outgoing), 30)
    await router.stop()
    accepted = {str(record["event_id"]): time_of(record) for record in records}
    return [accepted[event.id] - confirmed[event.id] for event in outgoing[_WARM:]]
