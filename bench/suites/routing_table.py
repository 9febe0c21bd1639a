"""What the number of workflow files costs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

from bench.measurements import Measurement, at_most
from bench.projects import job_file
from bench.routers import RoutersQueue, events
from bench.suites.registry import suite
from bench.workbench import Workbench

_SIZES: Final = (10, 1_000, 10_000)
_WARM: Final = 200
_PREFETCH: Final = 64


@suite("routing_table")
async def measure(bench: Workbench) -> AsyncIterator[Measurement]:
    """Matching, memory, loading and reloading with 10, 1,000 and 10,000 files, half of patterns."""
    memory_sizes = bench.pick(_SIZES, _SIZES[:-1])
    consumed = await _microseconds_to_consume(bench)
    found = await bench.run(
        "routing_table",
        sizes=_SIZES,
        memory_sizes=memory_sizes,
        repetitions=bench.pick(5, 2),
        folder=str(bench.folder / bench.new_name("many")),
    )
    matches = {size: tuple(found["matches"][str(size)]) for size in _SIZES}
    small, *_, large = _SIZES
    for size in _SIZES:
        yield Measurement(
            f"match, {size:,} files",
            "µs",
            matches[size],
            matches[small] if size != small else (),
            at_most(1.5) if size == large else None,
            f"match with {small} files",
        )
    yield Measurement(
        f"match, {large:,} files, of a message",
        "µs",
        matches[large],
        consumed,
        at_most(0.05),
        "what an aio-pika consumer that acknowledges each takes for one message",
    )
    for size in memory_sizes:
        yield Measurement(
            f"memory of a workflow, {size:,} files", "bytes", (found["bytes"][str(size)],)
        )
    yield Measurement(
        f"load and check {large:,} files",
        "s",
        tuple(found["load"]),
        tuple(found["libyaml"]),
        at_most(4),
        "yaml.load of the same files with CSafeLoader",
    )
    yield Measurement(
        f"reload one changed of {large:,} files",
        "s",
        tuple(found["reload"]),
        tuple(found["folder"]),
        at_most(0.02),
        "loading them all for the first time",
    )


async def _microseconds_to_consume(bench: Workbench) -> tuple[float, ...]:
    count = bench.pick(20_000, 5_000)
    queue = await RoutersQueue.prepared(bench, "bare", {"all.yaml": job_file("all", '"#:never"')})
    times: list[float] = []
    for _ in range(bench.pick(3, 2)):
        total = _WARM + count
        await queue.fill(events("stock.moved", bench.new_name("event"), total))
        found = await bench.run(
            "consume",
            amqp_url=queue.amqp_url,
            queue=queue.queue,
            count=count,
            warm=_WARM,
            prefetch=_PREFETCH,
        )
        times.append(float(found["seconds"]) / count * 1e6)
    return tuple(times)
