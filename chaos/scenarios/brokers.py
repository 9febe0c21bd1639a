"""RabbitMQ killed, frozen, full, short of memory and disk, and closing connections."""

from __future__ import annotations

import asyncio
import json

from chaos.scenarios.registry import scenario
from chaos.stages import Stage

# A quorum queue that was declared a moment before its node is killed can lose confirmed messages
# and stay without a leader (RabbitMQ 3.10): not our fault to find.
_SETTLED_QUEUE_SECONDS = 5.0

_STORM = """\
lists:sum([begin
  Connections = rabbit_networking:connections_local(),
  [catch rabbit_networking:close_connection(Connection, "chaos") || Connection <- Connections],
  timer:sleep(300),
  length(Connections)
end || _ <- lists:seq(1, {rounds})])."""


@scenario("rabbitmq-kill")
async def rabbitmq_kill(stage: Stage) -> None:
    """RabbitMQ is killed: what it had confirmed is there afterwards, and handled."""
    kills, count = stage.pick(10, 2), stage.pick(5_000, 500)
    await stage.start()
    await asyncio.sleep(_SETTLED_QUEUE_SECONDS)
    rabbitmq = stage.servers.rabbitmq
    async with stage.publishing(stage.events(count)) as load:
        for number in range(1, kills + 1):
            await load.reached(number * count // (kills + 1))
            async with stage.fault("SIGKILL of RabbitMQ"):
                await asyncio.to_thread(rabbitmq.kill)
                await asyncio.to_thread(rabbitmq.restart)


@scenario("rabbitmq-frozen")
async def rabbitmq_frozen(stage: Stage) -> None:
    """RabbitMQ answers nobody for a while: publishers and router wait, or connect anew."""
    rabbitmq = stage.servers.rabbitmq
    await stage.start()

    async def freeze(seconds: float) -> None:
        async with stage.fault(f"RabbitMQ frozen for {seconds:g} s"):
            rabbitmq.pause()
            try:
                await asyncio.sleep(seconds)
            finally:
                rabbitmq.resume()

    for seconds in stage.pick((8.0, 45.0, 120.0), (8.0,)):
        await stage.publish_while(freeze(seconds))
        await stage.publish(stage.events(100))


@scenario("connection-storm")
async def connection_storm(stage: Stage) -> None:
    """All connections are closed by the broker, again and again: nothing but time is lost."""
    rounds = stage.pick(100, 15)
    await stage.start()

    async def storm() -> None:
        async with stage.fault("storm of closed connections"):
            closed = await asyncio.to_thread(
                stage.servers.rabbitmq.control, "eval", _STORM.format(rounds=rounds)
            )
        stage.notes.append(f"{closed.strip()} connections were closed")

    await stage.publish_while(storm())
    await stage.publish(stage.events(100))


@scenario("memory-alarm")
async def memory_alarm(stage: Stage) -> None:
    """RabbitMQ is short of memory: publishers wait, the router goes on, dead letters wait."""
    await _alarm(stage, "set_vm_memory_high_watermark", "0.00001", "0.4")


@scenario("disk-alarm")
async def disk_alarm(stage: Stage) -> None:
    """RabbitMQ is short of disk: publishers wait, the router goes on, dead letters wait."""
    await _alarm(stage, "set_disk_free_limit", str(10**15), "50MB")


async def _alarm(stage: Stage, command: str, alarming: str, calm: str) -> None:
    control = stage.servers.rabbitmq.control
    await stage.start()

    async def alarm() -> None:
        async with stage.fault(command):
            await asyncio.to_thread(control, command, alarming)
            try:
                await asyncio.sleep(stage.pick(60.0, 8.0))
            finally:
                await asyncio.to_thread(control, command, calm)

    async with stage.publishing(stage.events(stage.pick(2_000, 200), bad=5)):
        await stage.publish_while(alarm(), bad=1)
    await stage.publish(stage.events(50, bad=2))


@scenario("queue-full")
async def queue_full(stage: Stage) -> None:
    """The router's queue is full: events are refused, and none that was confirmed is dropped."""
    control = stage.servers.rabbitmq.control
    router, _ = await stage.start()
    limit, count = 50, stage.pick(2_000, 300)
    policy = json.dumps({"max-length": limit})
    pattern = f"^{stage.queue}$"
    await asyncio.to_thread(
        control, "set_policy", "chaos-full", pattern, policy, "--apply-to", "queues"
    )
    try:
        router.pause()
        async with (
            stage.publishing(stage.events(count)) as load,
            stage.fault("a full queue"),
        ):

            async def is_full() -> bool:
                return load.confirmed == count or "EventRefused" in stage.ledger.refusals()

            await stage.until(is_full, "the queue is full", 60)
            router.resume()
    finally:
        await asyncio.to_thread(control, "clear_policy", "chaos-full")
    stage.notes.append(f"refused: {stage.ledger.refusals()}")
