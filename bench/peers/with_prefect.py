"""Prefect: a task that runs three tasks, in this process, with a Prefect server of its own.

Nothing is faster with Prefect: a flow, and a background task in a worker, cost several requests to
the server for each job, while a task that is called here tells the server of itself in passing.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Sequence
from contextlib import suppress
from urllib.parse import urlsplit

import prefect
from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State

from bench.peers.measuring import STEPS, measure

API = os.environ["PREFECT_API_URL"]
START_SECONDS = 120.0


@task(cache_policy=NO_CACHE)
async def add_one(number: int) -> int:
    """Run one step."""
    return number + 1


@task(cache_policy=NO_CACHE)
async def job(number: int) -> int:
    """Run the steps in a row."""
    for _ in range(STEPS):
        number = await add_one(number)
    return number


class Tasks:
    """Jobs as tasks; what they return is read back from Prefect's result storage."""

    def __init__(self) -> None:
        self._ended: dict[int, State[int]] = {}

    async def run(self, numbers: Sequence[int]) -> None:
        """Call a task for each number at once, and wait for all."""
        states = await asyncio.gather(*(job(number, return_state=True) for number in numbers))
        self._ended.update(zip(numbers, states, strict=True))

    async def results(self, numbers: Sequence[int]) -> Sequence[int]:
        """Return what each has returned."""
        return [await self._ended.pop(number).aresult() for number in numbers]


def wait_for(server: subprocess.Popen[bytes]) -> None:
    """Return when the server answers."""
    deadline = time.monotonic() + START_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        with suppress(OSError), urllib.request.urlopen(f"{API}/health", timeout=1):  # noqa: S310
            return
        time.sleep(0.1)
    raise RuntimeError("the Prefect server did not start")


def main() -> None:
    """Start a server, and measure."""
    address = urlsplit(API)
    server = subprocess.Popen(  # noqa: S603 - its own server
        [
            *(sys.executable, "-m", "prefect", "server", "start", "--no-ui"),
            *("--host", str(address.hostname), "--port", str(address.port)),
        ],
        stdout=sys.stderr,
    )
    try:
        wait_for(server)
        asyncio.run(measure(Tasks(), prefect.__version__))
    finally:
        server.terminate()


if __name__ == "__main__":
    main()
