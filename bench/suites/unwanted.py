"""What events cost that nobody wants."""

from __future__ import annotations

import asyncio
import re
import urllib.request
from collections.abc import AsyncIterator
from typing import Final

from bench.measurements import Measurement, at_least, at_most, interleaved
from bench.processes import MeasuringFailed, time_of
from bench.projects import job_file
from bench.routers import OutgoingEvent, RoutersQueue, events, fill
from bench.suites.registry import suite
from bench.workbench import Workbench

_UNWANTED: Final = "stock.moved"
_WANTED: Final = "order.paid"
_WARM: Final = 200
_PREFETCH: Final = 64
_SECONDS: Final = 120.0
_TAKEN: Final = re.compile(r"^hatchet_router_deliveries_total (\S+)", re.MULTILINE)


@suite("unwanted")
async def measure(bench: Workbench) -> AsyncIterator[Measurement]:
    """Events that nothing matches: none delivered; or else consumed beside a bare consumer."""
    count = bench.pick(50_000, 5_000)
    yield Measurement(
        f"deliveries of {count:,} events, narrow bindings",
        "",
        (await _deliveries(bench, count),),
        goal=at_most(0, "figure"),
    )
    # A trigger whose narrowest binding lets through all that is published.
    queue = await RoutersQueue.prepared(bench, "all", {"all.yaml": job_file("all", '"#:never"')})

    count = bench.pick(20_000, 5_000)

    async def filled() -> int:
        total = _WARM + count
        await queue.fill(events(_UNWANTED, bench.new_name("event"), total))
        return total

    async def ours() -> float:
        total = await filled()
        router = queue.launch()
        records = await router.records("event.unmatched", total, _SECONDS)
        await router.stop()
        return count / (time_of(records[-1]) - time_of(records[_WARM - 1]))

    async def bare() -> float:
        await filled()
        found = await bench.run(
            "consume",
            deadline_seconds=_SECONDS,
            amqp_url=queue.amqp_url,
            queue=queue.queue,
            count=count,
            warm=_WARM,
            prefetch=_PREFETCH,
        )
        return count / float(found["seconds"])

    figures, limits = await interleaved(3, ours, bare)
    yield Measurement(
        "all-events binding",
        "events/s",
        figures,
        limits,
        at_least(1.5),
        f"an aio-pika consumer that acknowledges each, prefetch {_PREFETCH}, on the same queue",
    )


async def _deliveries(bench: Workbench, count: int) -> float:
    """Return how many of the events come to a router whose files want others."""
    file = job_file("narrow", _WANTED)
    queue = await RoutersQueue.prepared(bench, "narrow", {"narrow.yaml": file})
    router = queue.launch({"HATCHET_OPS_ADDRESS": "127.0.0.1:0"})
    [ops] = await router.records("ops.listening", 1, _SECONDS)
    await router.records("router.ready", 1, _SECONDS)
    outgoing = events(_UNWANTED, bench.new_name("event"), count)
    await fill(queue.amqp_url, queue.exchange, [*outgoing, OutgoingEvent(_WANTED, "last")])
    await router.records("event.routed", 1, _SECONDS)
    page = await asyncio.to_thread(_get, f"http://{ops['address']}/metrics")
    await router.stop()
    taken = _TAKEN.search(page)
    if taken is None:
        raise MeasuringFailed("the router does not tell how many deliveries it has taken")
    return float(taken[1]) - 1


def _get(url: str) -> str:
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=10) as page:
        return str(page.read().decode())
