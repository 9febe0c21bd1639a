"""The worker of the hand-written workflows, with the SDK's defaults; runs until it is killed."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from temporalio.client import Client
from temporalio.worker import Worker

from bench.programs.arguments import run
from bench.programs.hand_written_workflows import OneStep, ThreeSteps, note


async def main(arguments: dict[str, Any]) -> dict[str, Any]:
    """Run workflows and activities."""
    client = await Client.connect(arguments["address"])
    async with Worker(
        client,
        task_queue=arguments["task_queue"],
        workflows=[OneStep, ThreeSteps],
        activities=[note],
    ):
        sys.stdout.write('{"event": "worker.started"}\n')
        sys.stdout.flush()
        await asyncio.Event().wait()
    return {}


if __name__ == "__main__":
    run(main)
