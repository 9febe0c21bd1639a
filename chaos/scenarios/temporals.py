"""Temporal killed, frozen and gone; answers lost; workers killed."""

from __future__ import annotations

import asyncio
from collections import Counter

from chaos.facts import Fault
from chaos.faulty_proxies import faulty_proxy
from chaos.scenarios.registry import scenario
from chaos.stages import Stage


@scenario("temporal-kill")
async def temporal_kill(stage: Stage) -> None:
    """Temporal is killed again and again: jobs start once it is back, each of them once."""
    kills, count = stage.pick(10, 2), stage.pick(2_000, 200)
    temporal = stage.servers.temporal
    await stage.start()

    async def kill() -> None:
        async with stage.fault("SIGKILL of Temporal"):
            await asyncio.to_thread(temporal.kill)
            await asyncio.to_thread(temporal.restart)

    for _ in range(kills):
        async with stage.publishing(stage.events(count // kills)) as load:
            await load.reached(count // kills // 2)
            await stage.publish_while(kill())
            await stage.publish(stage.events(5))


@scenario("temporal-frozen")
async def temporal_frozen(stage: Stage) -> None:
    """Temporal answers nobody for a while: the router holds what it has, and goes on."""
    temporal = stage.servers.temporal
    await stage.start()

    async def freeze(seconds: float) -> None:
        async with stage.fault(f"Temporal frozen for {seconds:g} s"):
            temporal.pause()
            try:
                await asyncio.sleep(seconds)
            finally:
                temporal.resume()

    for seconds in stage.pick((8.0, 45.0, 120.0), (8.0,)):
        await stage.publish_while(freeze(seconds))
        await stage.publish(stage.events(100))


@scenario("temporal-gone")
async def temporal_gone(stage: Stage) -> None:
    """Temporal is gone for long: events are given back before RabbitMQ loses its patience."""
    seconds, count = stage.pick(1200.0, 60.0), stage.pick(3_000, 300)
    hold_seconds = stage.pick(300, 15)
    temporal = stage.servers.temporal
    router, _ = await stage.start(HATCHET_HOLD_SECONDS=str(hold_seconds))
    await stage.publish(stage.events(count // 3))
    async with stage.publishing(stage.events(count // 3)) as load:
        await load.reached(count // 9)
        async with stage.fault("Temporal gone"):
            await asyncio.to_thread(temporal.kill)
            await asyncio.sleep(seconds)
            await asyncio.to_thread(temporal.restart)
    await stage.publish(stage.events(count - count // 3 * 2))
    await stage.quiet()
    if not router.records("deliveries.given_back"):
        stage.findings.append("the router gave nothing back, though it held events for so long")
    if not router.records("router.not_ready"):
        stage.findings.append("the router did not tell that it is not ready")


@scenario("answers-dropped")
async def answers_dropped(stage: Stage) -> None:
    """Temporal starts jobs and its answers get lost: asked again, it starts none a second time."""
    count, seconds = stage.pick(3_000, 300), stage.pick(60.0, 15.0)
    port = int(stage.temporal_address.rpartition(":")[2])
    async with faulty_proxy([port], speaks_grpc=True) as proxy:
        router, _ = await stage.start(TEMPORAL_ADDRESS=f"127.0.0.1:{proxy.port}")
        proxy.drop_every = 9
        await stage.publish(stage.events(count))
        await stage.quiet()
        # Temporal's client asks again by itself, as the same request, for some seconds.
        proxy.drop_every = 1
        await stage.publish_while(asyncio.sleep(seconds))
        proxy.drop_every = 0
        stage.faults += [Fault("answer dropped", at, at) for at in proxy.dropped]
        await stage.quiet()
        known = sum(
            job["duplicate"] for record in router.records("event.routed") for job in record["jobs"]
        )
        stage.notes.append(f"{known} jobs turned out to be started already")
        if not known:
            stage.findings.append("no start's outcome was unknown, so that nothing is shown")
        await stage.stop_routers()


@scenario("worker-kill")
async def worker_kill(stage: Stage) -> None:
    """Workers are killed during steps: each job completes; steps may run more than once."""
    kills, count = stage.pick(10, 2), stage.pick(400, 40)
    _, worker = await stage.start()
    async with stage.publishing(stage.events(count, key="slow")):
        for number in range(1, kills + 1):
            await stage.ran(number * count * 3 // (kills + 1))
            async with stage.fault("SIGKILL of the worker"):
                worker.kill()
                worker = stage.launch_worker()
    await stage.done()
    begun = [step.at for step in stage.ledger.steps()]
    for fault in stage.faults:
        later = [at - fault.ended for at in begun if at >= fault.ended]
        stage.recoveries.append(min(later, default=0.0))
    steps = Counter((step.event_id, step.job, step.step) for step in stage.ledger.steps())
    again = sum(times - 1 for times in steps.values())
    stage.notes.append(f"{len(steps)} steps completed, and {again} attempts more were begun")
