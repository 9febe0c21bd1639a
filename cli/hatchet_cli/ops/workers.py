"""What a worker tells operators."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Final, NoReturn

import structlog

from hatchet_cli.ops.address import OpsAddress
from hatchet_cli.ops.health import Health
from hatchet_cli.ops.telling import telling
from hatchet_worker import Worker, WorkerError
from hatchet_worker.counts import StepCounts

if TYPE_CHECKING:
    from prometheus_client.core import Metric

__all__ = ["WorkerHealth", "worker_metrics", "worker_ops"]

_log: structlog.stdlib.BoundLogger = structlog.get_logger("hatchet.worker")

_CHECK_SECONDS: Final = 5.0


@asynccontextmanager
async def worker_ops(
    address: OpsAddress | None, worker: Worker, stop: asyncio.Event
) -> AsyncGenerator[Callable[[], None]]:
    """Serve the pages of ``worker`` for the time of the block; gives what to call when it runs.

    It has to be entered before the process connects to Temporal, whose core is told to measure.

    Raises:
        CommandError: nothing can listen at ``address``.

    """
    if address is None:
        yield lambda: None
        return
    health = WorkerHealth(worker, stop)
    metrics = partial(worker_metrics, worker.counts)
    async with telling(address, health, metrics, with_core=True):
        watching = asyncio.create_task(health.watch())
        try:
            yield health.started
        finally:
            watching.cancel()


@dataclass(frozen=True, slots=True)
class _Trouble:
    reason: str
    since: datetime
    place: str = "temporal"
    harmless: bool = False


class WorkerHealth:
    """Asks Temporal every few seconds whether it is there: a worker itself waits until it is."""

    def __init__(self, worker: Worker, stop: asyncio.Event) -> None:
        self._worker = worker
        self._stop = stop
        self._is_started = False
        self._trouble: _Trouble | None = None

    def started(self) -> None:
        """Keep that Temporal has accepted the worker."""
        self._is_started = True

    def __call__(self) -> Health:
        """Return how the worker is now."""
        phase = "stopping" if self._stop.is_set() else "running" if self._is_started else "starting"
        return Health(phase, [] if self._trouble is None else [self._trouble])

    async def watch(self) -> NoReturn:
        """Go on asking until cancelled."""
        while True:
            if self._is_started:
                await self.check()
            await asyncio.sleep(_CHECK_SECONDS)

    async def check(self) -> None:
        """Ask once."""
        try:
            await self._worker.check()
        except WorkerError as error:
            if self._trouble is None:
                self._trouble = _Trouble(str(error), datetime.now(UTC))
                _log.warning("worker.not_ready", place="temporal", reason=str(error))
        else:
            if self._trouble is not None:
                self._trouble = None
                _log.info("worker.mended", place="temporal", ready=True)


def worker_metrics(counts: StepCounts, health: Health) -> Iterator[Metric]:
    """Yield the metrics of a worker."""
    from hatchet_cli.ops.metrics import counter, gauge, health_metrics, histogram

    yield from health_metrics("worker", health, ("temporal",))
    yield counter(
        "hatchet_worker_steps",
        "Attempts of steps that have ended, by action and how.",
        {
            (action, outcome): count
            for action, of_action in counts.by_action.items()
            for outcome, count in of_action.outcomes.items()
        },
        label=("action", "outcome"),
    )
    yield gauge("hatchet_worker_steps_running", "Attempts of steps under way.", counts.running)
    yield histogram(
        "hatchet_worker_step_seconds",
        "How long attempts of steps took.",
        {action: of_action.seconds for action, of_action in counts.by_action.items()},
        label="action",
    )
