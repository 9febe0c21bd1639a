"""A bare aio-pika consumer that acknowledges each message and does nothing else."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import aio_pika
from aio_pika.abc import AbstractIncomingMessage

from bench.programs.arguments import run


async def main(arguments: dict[str, Any]) -> dict[str, Any]:
    """Consume so many messages and tell the seconds from the first that counts to the last."""
    count, warm = arguments["count"], arguments["warm"]
    times: list[float] = []
    done = asyncio.Event()

    async def on_message(message: AbstractIncomingMessage) -> None:
        await message.ack()
        times.append(time.perf_counter())
        if len(times) >= warm + count:
            done.set()

    async with await aio_pika.connect(arguments["amqp_url"]) as connection:
        channel = await connection.channel()
        await channel.set_qos(prefetch_count=arguments["prefetch"])
        queue = await channel.get_queue(arguments["queue"], ensure=False)
        await queue.consume(on_message)
        await done.wait()  # who has started this process bounds its time
    return {"seconds": times[warm + count - 1] - times[warm - 1]}


if __name__ == "__main__":
    run(main)
