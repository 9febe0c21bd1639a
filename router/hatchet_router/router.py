"""Match, decode, start: what the router does with one delivery."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Protocol

import structlog

from hatchet_router.decoding import DEFAULT_MAX_BODY_BYTES, decode
from hatchet_router.deliveries import Delivery, Outcome, Rejection, Routed, StartedJob
from hatchet_router.errors import JobRefused
from hatchet_router.planning import StartRequest, plan
from hatchet_router.routing import RoutingTable
from hatchet_schemas import Event

__all__ = ["JobStarter", "Router"]

_log: structlog.stdlib.BoundLogger = structlog.get_logger("hatchet.router")


class JobStarter(Protocol):
    """What the router needs of Temporal."""

    async def start(self, request: StartRequest) -> bool:
        """Start a job; return False if the same one had been started before.

        Returns only when Temporal has the job, however long that takes.

        Raises:
            JobRefused: Temporal will never take it.

        """
        ...


class Router:
    """Turns deliveries into started jobs; knows neither AMQP nor Temporal."""

    def __init__(
        self,
        table: RoutingTable,
        starter: JobStarter,
        *,
        max_body_bytes: int = DEFAULT_MAX_BODY_BYTES,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.table = table
        self._starter = starter
        self._max_body_bytes = max_body_bytes
        self._clock = clock

    async def handle(self, delivery: Delivery) -> Outcome:
        """Start all that ``delivery`` asks for and return what became of it.

        Once this returns `Routed`, every job is in Temporal's hands and the delivery may be
        acknowledged; once it returns a `Rejection`, it belongs to the dead letters. A delivery
        that is handled twice starts nothing twice.
        """
        began = self._clock()
        workflows = self.table.match(delivery.routing_key)
        if not workflows:
            # A binding can let through what is not for us, and what that holds is not our business.
            _log.info(
                "event.unmatched", event_key=delivery.routing_key, event_id=delivery.message_id
            )
            return Routed(None, ())
        event = decode(delivery, max_body_bytes=self._max_body_bytes)
        if isinstance(event, Rejection):
            return event
        requests = plan(event, workflows)
        try:
            jobs = await self._start_all(requests)
        except JobRefused as error:
            return Rejection("refused-by-temporal", str(error), event.id)
        self._log_routed(event, jobs, self._clock() - began)
        return Routed(event, jobs)

    async def _start_all(self, requests: tuple[StartRequest, ...]) -> tuple[StartedJob, ...]:
        """Start ``requests`` at the same time; all are tried even if one is refused."""
        results = await asyncio.gather(
            *(self._started(request) for request in requests), return_exceptions=True
        )
        jobs: list[StartedJob] = []
        for result in results:
            if isinstance(result, BaseException):
                raise result
            jobs.append(result)
        return tuple(jobs)

    async def _started(self, request: StartRequest) -> StartedJob:
        new = await self._starter.start(request)
        return StartedJob(
            workflow=request.input.workflow,
            job=request.input.job,
            queue=request.task_queue,
            workflow_id=request.workflow_id,
            duplicate=not new,
        )

    def _log_routed(self, event: Event, jobs: tuple[StartedJob, ...], seconds: float) -> None:
        _log.info(
            "event.routed",
            event_key=event.key,
            event_id=event.id,
            jobs=[
                {
                    "workflow": job.workflow,
                    "job": job.job,
                    "queue": job.queue,
                    "workflow_id": job.workflow_id,
                    "duplicate": job.duplicate,
                }
                for job in jobs
            ],
            seconds=round(seconds, 4),
        )
