"""A cluster of RabbitMQ that loses nodes."""

from __future__ import annotations

import asyncio

from chaos.clusters import cluster
from chaos.faulty_proxies import faulty_proxy
from chaos.scenarios.registry import scenario
from chaos.stages import Stage

_SETTLED_SECONDS = 5.0


@scenario("cluster-leader")
async def cluster_leader(stage: Stage) -> None:
    """The node that leads the queue is killed: the other two go on, with all that was confirmed."""
    kills, count = stage.pick(4, 1), stage.pick(2_000, 200)
    found = await stage.lifetime.enter_async_context(cluster(stage.folder))
    proxy = await stage.lifetime.enter_async_context(faulty_proxy(found.ports))
    stage.use_broker(f"amqp://guest:guest@127.0.0.1:{proxy.port}/")
    await stage.start()
    await asyncio.sleep(_SETTLED_SECONDS)
    async with stage.publishing(stage.events(count)) as load:
        for number in range(1, kills + 1):
            leader = await asyncio.to_thread(found.leader, stage.queue)
            await load.reached(number * count // (kills + 1))
            async with stage.fault("SIGKILL of the leader"):
                await asyncio.to_thread(leader.kill)
            # The two that are left have to do: the third comes back when they have gone on.
            await load.reached((2 * number + 1) * count // (2 * kills + 2))
            await asyncio.to_thread(leader.restart)
            await asyncio.sleep(_SETTLED_SECONDS)
