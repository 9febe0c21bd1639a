"""A bare Temporal client that starts workflows: as many as it can, or so many a second."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, Final

from temporalio.client import Client
from temporalio.common import (
    SearchAttributeKey,
    SearchAttributePair,
    TypedSearchAttributes,
)

from bench.programs.arguments import run

_KEYS: Final = tuple(
    SearchAttributeKey.for_keyword(name)
    for name in ("HatchetWorkflow", "HatchetJob", "HatchetEventKey", "HatchetEventId")
)


@dataclass(frozen=True, slots=True)
class Starts:
    """What to start: ``inputs`` in turn, under ids that begin with ``ids``.

    ``extras`` adds to each what the router adds: search attributes, a memo and a summary.
    """

    client: Client
    inputs: list[dict[str, Any]]
    ids: str
    task_queue: str
    extras: bool

    async def start(self, number: int) -> None:
        """Start one workflow."""
        given = self.inputs[number % len(self.inputs)]
        event_id = f"{self.ids}-{number // len(self.inputs)}"
        job_input = {**given, "event": {**given["event"], "id": event_id}}
        extras: dict[str, Any] = {}
        if self.extras:
            values = (given["workflow"], given["job"], given["event"]["key"], event_id)
            extras = {
                "memo": {"hatchet_jobs": len(self.inputs)},
                "search_attributes": TypedSearchAttributes(
                    [
                        SearchAttributePair(key, value)
                        for key, value in zip(_KEYS, values, strict=True)
                    ]
                ),
                "static_summary": f"{given['workflow']}, {given['event']['key']}",
            }
        await self.client.start_workflow(
            given["job"],
            job_input,
            id=f"{given['workflow']}/{given['job']}/{event_id}",
            task_queue=self.task_queue,
            execution_timeout=timedelta(days=1),
            **extras,
        )


async def main(arguments: dict[str, Any]) -> dict[str, Any]:
    """Start workflows and tell the seconds it took; paced, how long each start took."""
    client = await Client.connect(arguments["address"])
    starts = Starts(
        client,
        arguments["inputs"],
        arguments["ids"],
        arguments["task_queue"],
        arguments.get("extras", False),
    )
    numbers = iter(range(arguments["warm"] + arguments["count"]))
    await _burst(starts, numbers, arguments["warm"], arguments["concurrency"])
    if "per_second" in arguments:
        return {"each": await _paced(starts, numbers, arguments["per_second"])}
    began, began_cpu = time.perf_counter(), time.process_time()
    await _burst(starts, numbers, arguments["count"], arguments["concurrency"])
    return {
        "seconds": time.perf_counter() - began,
        "cpu_seconds": time.process_time() - began_cpu,
    }


async def _burst(starts: Starts, numbers: Iterator[int], count: int, concurrency: int) -> None:
    left = iter(range(count))

    async def work() -> None:
        for _ in left:
            await starts.start(next(numbers))

    async with asyncio.TaskGroup() as group:
        for _ in range(concurrency):
            group.create_task(work())


async def _paced(starts: Starts, numbers: Iterator[int], per_second: float) -> list[float]:
    """Start one after the other at their times, whether the one before has ended or not."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    async with asyncio.TaskGroup() as group:
        tasks: list[asyncio.Task[float]] = []
        for number in numbers:
            await asyncio.sleep(began + len(tasks) / per_second - loop.time())
            tasks.append(group.create_task(_timed(partial(starts.start, number))))
    return [task.result() for task in tasks]


async def _timed(call: Callable[[], Awaitable[None]]) -> float:
    began = time.perf_counter()
    await call()
    return time.perf_counter() - began


if __name__ == "__main__":
    run(main)
