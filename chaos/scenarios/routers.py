"""Routers that are killed, replaced, asked to end, poisoned and stalled."""

from __future__ import annotations

import asyncio
import time

from chaos.facts import Fault
from chaos.patches import POISON, QUARANTINED_SOON, STALL, STALL_SECONDS
from chaos.publishers import OutgoingEvent
from chaos.scenarios.registry import scenario
from chaos.stages import ScenarioFailed, Stage

_STOP_SECONDS = 30.0
_POLL_SECONDS = 0.05
_MOST_REDELIVERED = 0.01


@scenario("router-kill")
async def router_kill(stage: Stage) -> None:
    """A router is killed again and again: nothing is lost, and no healthy event is given up."""
    kills, count = stage.pick(50, 5), stage.pick(20_000, 500)
    router, _ = await stage.start()
    async with stage.publishing(stage.events(count)):
        for number in range(1, kills + 1):
            await stage.taken(number * count // (kills + 1))
            async with stage.fault("SIGKILL of the router"):
                router.kill()
                router = stage.launch_router()


@scenario("two-routers")
async def two_routers(stage: Stage) -> None:
    """One of two routers is killed: the other takes over, and they start nothing twice."""
    kills, count = stage.pick(10, 2), stage.pick(4_000, 400)
    router, _ = await stage.start()
    other = await stage.start_router()
    async with stage.publishing(stage.events(count)):
        for number in range(1, kills + 1):
            await stage.taken(number * count // (kills + 1))
            async with stage.fault("SIGKILL of one router"):
                router.kill()
                router, other = other, stage.launch_router()


@scenario("router-stop")
async def router_stop(stage: Stage) -> None:
    """SIGTERM under load: exit code 0, and at most 1 % of the deliveries have to be repeated."""
    stops, count = stage.pick(10, 2), stage.pick(5_000, 500)
    router, _ = await stage.start()
    await asyncio.to_thread(stage.servers.rabbitmq.control, "trace_on")
    async with stage.observer.traced() as deliveries:
        async with stage.publishing(stage.events(count)):
            for number in range(1, stops + 1):
                await stage.taken(number * count // (stops + 1))
                async with stage.fault("SIGTERM of the router"):
                    code = await router.stop(_STOP_SECONDS)
                    router = stage.launch_router()
                if code != 0:
                    stage.findings.append(f"a router, asked to end, ended with code {code}")
        await stage.quiet()
    await asyncio.to_thread(stage.servers.rabbitmq.control, "trace_off")
    told = f"{deliveries['redelivered']} of {deliveries.total()} deliveries were repeated"
    stage.notes.append(told)
    if deliveries["redelivered"] > count * _MOST_REDELIVERED:
        stage.findings.append(told)


@scenario("poison")
async def poison(stage: Stage) -> None:
    """A message kills each router that handles it: it is put aside, and no other beside it."""
    count = stage.pick(500, 100)
    patches = stage.pick(("dies-of-poison",), ("dies-of-poison", "quarantines-soon"))
    most_deaths = stage.pick(20, QUARANTINED_SOON) + 5
    router, _ = await stage.start(*patches)
    events = stage.events(count)
    [marked] = stage.events(1, key="single")
    deadly = OutgoingEvent(marked.id, marked.key, {POISON: True})
    stage.bad.add(deadly.id)
    await stage.publish([*events[: count // 2], deadly, *events[count // 2 :]])
    deaths = 0
    while not await stage.is_routed():
        if router.is_running:
            await asyncio.sleep(_POLL_SECONDS)
            continue
        deaths += 1
        if deaths > most_deaths:
            raise ScenarioFailed(f"a message has killed {deaths} routers, and goes on")
        async with stage.fault("a router died of a message"):
            router.kill()
            router = stage.launch_router(*patches)


@scenario("stalled-loop")
async def stalled_loop(stage: Stage) -> None:
    """The router does nothing for 35 s, so that RabbitMQ ends its connections: it goes on."""
    count = stage.pick(1_000, 200)
    await stage.start("stalls")
    [marked] = stage.events(1, key="single")
    await stage.publish(
        [
            *stage.events(count // 2),
            OutgoingEvent(marked.id, marked.key, {STALL: True}),
            *stage.events(count // 2),
        ]
    )
    mark = stage.folder / "stalled"

    async def is_stalled() -> bool:
        return mark.exists()

    await stage.until(is_stalled, "the router stalls", 60)
    began = mark.stat().st_mtime
    await asyncio.sleep(began + STALL_SECONDS - time.time())
    stage.faults.append(Fault("stalled event loop", began, began + STALL_SECONDS))
    await stage.publish(stage.events(10))
