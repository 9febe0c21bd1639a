"""Celery: a chain of three tasks through RabbitMQ, the result of each in Redis.

``python -m bench.peers.with_celery`` measures, with a worker of its own. The settings are Celery's
for many short tasks; with ``PEER_LOSES_NOTHING`` they are those under which no task is lost.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Sequence

import celery
from celery import Celery, chain
from celery.result import AsyncResult

from bench.peers.measuring import STEPS, measure

LOSES_NOTHING = bool(os.environ.get("PEER_LOSES_NOTHING"))
PROCESSES = len(os.sched_getaffinity(0))
RESULT_SECONDS = 300

app = Celery(
    "bench.peers.with_celery", broker=os.environ["PEER_AMQP"], backend=os.environ["PEER_REDIS"]
)
# From the user guide, "Optimizing": for many short tasks the multiplier "should be large".
app.conf.update(worker_prefetch_multiplier=128)
if LOSES_NOTHING:
    app.conf.update(
        # A classic and a quorum queue cannot have one name.
        task_default_queue="celery-quorum",
        task_default_queue_type="quorum",
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        broker_transport_options={"confirm_publish": True},
    )


@app.task(name="add_one")
def add_one(number: int) -> int:
    """Run one step."""
    return number + 1


class Chains:
    """Jobs as chains; what they return is read back from Redis."""

    def __init__(self) -> None:
        self._started: dict[int, AsyncResult] = {}

    async def run(self, numbers: Sequence[int]) -> None:
        """Trigger a chain for each number, and wait until Redis has told of the last."""
        for number in numbers:
            steps = [add_one.s(number), *(add_one.s() for _ in range(STEPS - 1))]
            self._started[number] = chain(*steps).apply_async()
        for number in numbers:
            self._started[number].get(RESULT_SECONDS)

    async def results(self, numbers: Sequence[int]) -> Sequence[int]:
        """Return what the last step of each returned."""
        return [self._started.pop(number).get(RESULT_SECONDS) for number in numbers]


def main() -> None:
    """Start a worker, and measure."""
    worker = subprocess.Popen(  # noqa: S603 - its own worker
        [
            *(sys.executable, "-m", "celery", "-A", "bench.peers.with_celery", "worker"),
            *("--pool", "prefork", "--concurrency", str(PROCESSES), "--loglevel", "WARNING"),
            *("--without-gossip", "--without-mingle"),
        ],
        stdout=sys.stderr,
    )
    try:
        asyncio.run(measure(Chains(), celery.__version__))
    finally:
        worker.terminate()


if __name__ == "__main__":
    main()
