"""DBOS: a durable workflow of three steps, started in the process that runs it.

Nothing is faster with DBOS: no queue, and no other process, is between the trigger and the steps.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from importlib.metadata import version

from dbos import DBOS, SetWorkflowID

from bench.peers.measuring import STEPS, measure

APPLICATION = "dbos-peer"
POOL = 16


@DBOS.step()
async def add_one(number: int) -> int:
    """Run one step."""
    return number + 1


@DBOS.workflow(name="job")
async def job(number: int) -> int:
    """Run the steps in a row."""
    for _ in range(STEPS):
        number = await add_one(number)
    return number


def workflow_id(number: int) -> str:
    """Return the id that makes a second trigger of the same job harmless."""
    return f"job-{number}"


async def run_job(number: int) -> None:
    """Trigger a job and wait for its end."""
    with SetWorkflowID(workflow_id(number)):
        handle = await DBOS.start_workflow_async(job, number)
    await handle.get_result()


class Workflows:
    """Jobs as workflows; what they return is read back from the database."""

    async def run(self, numbers: Sequence[int]) -> None:
        """Trigger a workflow for each number, and wait for all."""
        await asyncio.gather(*(run_job(number) for number in numbers))

    async def results(self, numbers: Sequence[int]) -> Sequence[int]:
        """Return what each has returned."""
        ids = [workflow_id(number) for number in numbers]
        found = {
            status.workflow_id: status.output
            for status in await DBOS.list_workflows_async(workflow_ids=ids)
        }
        return [found[one] for one in ids]


def launch() -> None:
    """Launch DBOS in this process."""
    DBOS(
        config={
            "name": APPLICATION,
            "system_database_url": os.environ["PEER_DATABASE"],
            # The pool is that of DBOS's own benchmark (dbos-postgres-benchmark,
            # dbos_start_workflow.py). It has 512 threads, which are slower on two cores.
            "sys_db_pool_size": POOL,
            "max_executor_threads": 16,
            "log_level": "WARNING",
        }
    )
    DBOS.launch()


def main() -> None:
    """Launch DBOS, and measure."""
    launch()
    try:
        asyncio.run(measure(Workflows(), version("dbos")))
    finally:
        DBOS.destroy()


if __name__ == "__main__":
    main()
