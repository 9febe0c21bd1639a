"""How much memory a router has, and whether it grows."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

from bench.measurements import Measurement, below
from bench.projects import file_of_many, job_file, key_of_many
from bench.routers import OutgoingEvent, RoutersQueue, fill
from bench.suites.registry import suite
from bench.workbench import Workbench

_FILES: Final = 1_000
_STARTED_EVERY: Final = 100
_DECLINED_EVERY: Final = 2
_PORTION: Final = 5_000
_SECONDS: Final = 180.0
_SETTLED: Final = "event.routed|event.declined|event.unmatched"


@suite("memory")
async def measure(bench: Workbench) -> AsyncIterator[Measurement]:
    """A router's resident memory with 1,000 workflows, before and after 100,000 events."""
    count = bench.pick(100_000, 10_000)
    queue = await RoutersQueue.prepared(bench, "memory", _files())
    router = await queue.start()
    before = router.resident_mib()
    weights: list[float] = []
    for first in range(0, count, _PORTION):
        outgoing = [_event(number) for number in range(first, first + _PORTION)]
        await fill(queue.amqp_url, queue.exchange, outgoing)
        await router.records(_SETTLED, len(outgoing), _SECONDS)
        weights.append(router.resident_mib())
    await router.stop()
    yield Measurement(
        f"router, {_FILES:,} workflows, ready", "MiB", (before,), goal=below(150, "figure")
    )
    yield Measurement(
        f"after {count:,} events",
        "MiB",
        (weights[-1],),
        (before,),
        below(1.05),
        "the same router when it was ready",
        "1 % start a job, 50 % are declined by a trigger's if, the others match nothing",
    )
    yield Measurement(
        f"after {count:,} events, growth since the first {_PORTION:,}",
        "MiB",
        (weights[-1],),
        (weights[0],),
        None,
        f"the same router after {_PORTION:,} events",
    )


def _files() -> dict[str, str | bytes]:
    """Return the files: one declines all events of its key, one lets unwanted events through."""
    many: dict[str, str | bytes] = {f"{i}.yaml": file_of_many(i) for i in range(_FILES - 2)}
    declining = job_file("declining", "[{event: user.seen, if: .order.id == 1}]")
    return {**many, "declining.yaml": declining, "all.yaml": job_file("all", '"#:never"')}


def _event(number: int) -> OutgoingEvent:
    if number % _STARTED_EVERY == 1:
        return OutgoingEvent(key_of_many(number % (_FILES - 2)), f"memory-{number}")
    key = "user.seen" if number % _DECLINED_EVERY == 0 else "stock.moved"
    return OutgoingEvent(key, f"memory-{number}")
