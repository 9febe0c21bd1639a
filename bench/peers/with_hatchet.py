"""Hatchet: a workflow file of three steps; events through RabbitMQ, a router and a worker.

``python -m bench.peers.with_hatchet`` measures, with a router and a worker process of its own.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from bench.peers.measuring import STEPS, measure
from hatchet_router import BrokerError, Dispatcher
from hatchet_schemas.names import workflow_id
from hatchet_worker import Integration, Worker, action, connect

_HATCHET: Final = str(Path(sys.executable).parent / "hatchet")
_KEY: Final = "number:given"
_JOB: Final = "count"
_POLL_SECONDS: Final = 0.05
_SINGLE_POLL_SECONDS: Final = 0.001


class Numbers(Integration):
    """The step of the job."""

    id = "number"

    @action("add-one")
    async def add_one(self, data: dict[str, Any]) -> dict[str, Any]:
        """Run one step."""
        return {"number": data["number"] + 1}


worker = Worker(integrations=[Numbers()])


def workflow_file(name: str, queue: str, mode: str = "regular") -> str:
    """Return the workflow file: each step has what the one before it returned."""
    lines = [f"name: {name}", f"on: {_KEY}", "jobs:", f"  {_JOB}:", f"    queue: {queue}"]
    lines.append(f"    mode: {mode}")
    lines.append("    steps:")
    for step in range(1, STEPS + 1):
        source = ".number" if step == 1 else f".steps.step{step - 1}.number"
        lines += [
            f"      - id: step{step}",
            "        actionId: number:add-one",
            "        timeout: 5s",
            f'        with: {{number: "{{{{ {source} }}}}"}}',
        ]
    return "\n".join(lines) + "\n"


class Events:
    """Jobs that events start; what they return is read back from Temporal."""

    def __init__(self, name: str, dispatcher: Dispatcher, client: Client) -> None:
        self._name = name
        self._dispatcher = dispatcher
        self._client = client
        self._started = 0

    async def are_taken(self) -> bool:
        """Return whether a router has bound its queue for the events, by a job that it starts."""
        try:
            await self._publish(0)
        except BrokerError:
            return False
        self._started += 1
        return True

    async def run(self, numbers: Sequence[int]) -> None:
        """Publish an event for each number, and wait until Temporal has completed all jobs."""
        await asyncio.gather(*(self._publish(number) for number in numbers))
        self._started += len(numbers)
        if len(numbers) == 1:
            await self._result(numbers[0])
            return
        completed = f"HatchetWorkflow = '{self._name}' AND ExecutionStatus = 'Completed'"
        # One question for all: asking for each result would cost the server more than the jobs.
        while (  # noqa: ASYNC110 - Temporal tells only when asked
            await self._client.count_workflows(completed)
        ).count < self._started:
            await asyncio.sleep(_POLL_SECONDS)

    async def results(self, numbers: Sequence[int]) -> Sequence[int]:
        """Return what the last step of each returned."""
        return [await self._result(number) for number in numbers]

    async def _publish(self, number: int) -> None:
        await self._dispatcher.trigger(_KEY, {"number": number}, id=str(number))

    async def _result(self, number: int) -> int:
        handle = self._client.get_workflow_handle(workflow_id(self._name, _JOB, str(number)))
        while True:
            try:
                outcome = await handle.result()
            except RPCError as error:
                if error.status is not RPCStatusCode.NOT_FOUND:
                    raise
                await asyncio.sleep(_SINGLE_POLL_SECONDS)  # the router has not started it yet
            else:
                return int(outcome["steps"][f"step{STEPS}"]["number"])


async def _measured(name: str, router: subprocess.Popen[bytes]) -> None:
    client = await connect()
    async with Dispatcher(exchange=os.environ["HATCHET_EXCHANGE"]) as dispatcher:
        events = Events(name, dispatcher, client)
        while not await events.are_taken():
            if router.poll() is not None:
                raise RuntimeError(f"the router ended with code {router.returncode}")
            await asyncio.sleep(_POLL_SECONDS)
        await measure(events, version("hatchet-workflows"))


def main() -> None:
    """Start a router and a worker, and measure."""
    name = os.environ["HATCHET_QUEUE"]
    folder = Path(".hatchet")
    folder.mkdir()
    (folder / "count.yaml").write_text(workflow_file(name, name, os.environ["PEER_MODE"]))
    commands = [[_HATCHET, "router"], [_HATCHET, "worker", "bench.peers.with_hatchet:worker"]]
    with ExitStack() as ending:
        processes = [
            subprocess.Popen(command, stdout=sys.stderr)  # noqa: S603 - the program itself
            for command in commands
        ]
        for process in processes:
            ending.callback(process.terminate)
        asyncio.run(_measured(name, processes[0]))


if __name__ == "__main__":
    main()
