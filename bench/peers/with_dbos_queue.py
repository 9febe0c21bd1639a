"""DBOS as in `with_dbos`, but the workflows are triggered by another process, over a queue.

``python -m bench.peers.with_dbos_queue`` measures, with a worker process of its own.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import version

from dbos import DBOS, DBOSClient

from bench.peers.measuring import measure
from bench.peers.with_dbos import APPLICATION, POOL, launch, workflow_id

QUEUE = "jobs"
POLL_SECONDS = 0.05
READY = "ready"


class Queued:
    """Jobs as workflows of a queue; what they return is read back from the database."""

    def __init__(self, client: DBOSClient) -> None:
        self._client = client

    async def run(self, numbers: Sequence[int]) -> None:
        """Enqueue a workflow for each number, and wait until none is left."""
        await asyncio.gather(*(self._enqueue(number) for number in numbers))
        if len(numbers) == 1:
            handle = await self._client.retrieve_workflow_async(workflow_id(numbers[0]))
            await handle.get_result(polling_interval_sec=POLL_SECONDS / 10)
            return
        # As DBOS's own benchmark does, so that not each job is asked for.
        while await self._client.list_workflows_async(  # noqa: ASYNC110
            status=["ENQUEUED", "PENDING"], limit=1, load_input=False, load_output=False
        ):
            await asyncio.sleep(POLL_SECONDS)

    async def results(self, numbers: Sequence[int]) -> Sequence[int]:
        """Return what each has returned."""
        ids = [workflow_id(number) for number in numbers]
        found = {
            status.workflow_id: status.output
            for status in await self._client.list_workflows_async(workflow_ids=ids)
        }
        return [found[one] for one in ids]

    async def _enqueue(self, number: int) -> None:
        await self._client.enqueue_async(
            {"queue_name": QUEUE, "workflow_name": "job", "workflow_id": workflow_id(number)},
            number,
        )


def work() -> None:
    """Run the queue's workflows until killed."""
    launch()
    DBOS.register_queue(QUEUE, polling_interval_sec=POLL_SECONDS)
    print(READY, flush=True)  # noqa: T201 - the process that measures waits for it
    signal.pause()


def main() -> None:
    """Start a worker, and measure."""
    if sys.argv[1] == "worker":
        work()
        return
    worker = subprocess.Popen(
        [sys.executable, "-m", "bench.peers.with_dbos_queue", "worker"],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        # Else the client would meet a database that is still being made.
        if READY not in worker.stdout.readline():
            raise RuntimeError("the worker did not start")
        client = DBOSClient(
            system_database_url=os.environ["PEER_DATABASE"],
            system_database_pool_size=POOL,
            application_name=APPLICATION,
        )
        asyncio.run(measure(Queued(client), version("dbos")))
    finally:
        worker.kill()


if __name__ == "__main__":
    main()
