"""Bare connecting: both client libraries are loaded, and one connection made with each."""

from __future__ import annotations

import time
from typing import Any

from bench.programs.arguments import run

_BEGAN = time.perf_counter()


async def main(arguments: dict[str, Any]) -> dict[str, Any]:
    """Connect, and tell the seconds that it took without the interpreter's own start."""
    import aio_pika  # noqa: PLC0415 - loading is part of what is measured
    from temporalio.client import Client  # noqa: PLC0415 - likewise

    await Client.connect(arguments["address"])
    async with await aio_pika.connect(arguments["amqp_url"]) as connection:
        await connection.channel()
        seconds = time.perf_counter() - _BEGAN
    return {"seconds": seconds}


if __name__ == "__main__":
    run(main)
