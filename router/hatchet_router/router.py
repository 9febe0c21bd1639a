"""Match, decode, start: what the router does with one delivery."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final, Protocol

import structlog

from hatchet_router.counts import EventCounts
from hatchet_router.decoding import DEFAULT_MAX_BODY_BYTES, decode
from hatchet_router.deliveries import Delivery, Outcome, Rejection, Routed, StartedJob, Unmatched
from hatchet_router.errors import JobRefused
from hatchet_router.planning import StartRequest, plan
from hatchet_router.reasons import CONDITION_FAILED, REFUSED_BY_TEMPORAL
from hatchet_router.routing import Match, RoutingTable
from hatchet_schemas import Event, TemplateError, Workflow
from hatchet_schemas.scope import trigger_scope

__all__ = ["JobStarter", "Router"]

_log: structlog.stdlib.BoundLogger = structlog.get_logger("hatchet.router")

_UNINTERRUPTED_SECONDS: Final = 0.02
_MAX_KNOWN_KEYS: Final = 1_000


class JobStarter(Protocol):
    """What the router needs of Temporal."""

    async def start(self, request: StartRequest) -> bool:
        """Start a job; return False if the same one had been started before.

        Returns only when Temporal has the job, however long that takes.

        Raises:
            JobRefused: Temporal will never take it.
            TemporalUnavailable: Temporal takes no jobs until somebody has mended something.

        """
        ...


class Router:
    """Turns deliveries into started jobs; knows neither AMQP nor Temporal.

    Each uses the ``table`` that is there when it comes. What the last keys match is remembered:
    most publishers have few.
    """

    def __init__(
        self,
        table: RoutingTable,
        starter: JobStarter,
        *,
        variables: Mapping[str, Any] = MappingProxyType({}),
        max_body_bytes: int = DEFAULT_MAX_BODY_BYTES,
        clock: Callable[[], float] = time.perf_counter,
        counts: EventCounts | None = None,
    ) -> None:
        self.table = table
        self._known: dict[str, tuple[Match, ...]] = {}
        self._known_of = table
        self._starter = starter
        self._variables = variables
        self._max_body_bytes = max_body_bytes
        self._clock = clock
        self._counts = counts or EventCounts()

    async def handle(self, delivery: Delivery) -> Outcome:
        """Start all that ``delivery`` asks for and return what became of it.

        Once this returns `Routed`, every job is in Temporal's hands and the delivery may be
        acknowledged; once it returns a `Rejection`, it belongs to the dead letters. A delivery
        that is handled twice starts nothing twice.

        Raises:
            TemporalUnavailable: it is not settled, and nothing can be started for now.

        """
        began = self._clock()
        matches = self._matches(delivery.routing_key)
        if not matches:
            # A binding can let through what is not for us, and what that holds is not our business.
            return Unmatched()
        event = decode(delivery, max_body_bytes=self._max_body_bytes)
        if isinstance(event, Rejection):
            names = tuple(match.workflow.name for match in matches)
            return replace(event, workflows=names)
        workflows, undecided = await self._wanted(event, matches)
        requests = plan(event, workflows, self._variables)
        try:
            jobs = await self._start_all(requests)
        except JobRefused as error:
            return Rejection(REFUSED_BY_TEMPORAL, str(error), event.id, (error.workflow,))
        if jobs:
            self._log_routed(event, jobs, self._clock() - began)
        elif not undecided:
            self._log_declined(event, matches)
        if undecided:
            # What did start stays started: replayed, the event starts the rest alone.
            reasons = "; ".join(reason for found in undecided.values() for reason in found)
            return Rejection(CONDITION_FAILED, reasons, event.id, tuple(undecided))
        return Routed(event, jobs)

    def _matches(self, key: str) -> tuple[Match, ...]:
        if self._known_of is not self.table or len(self._known) >= _MAX_KNOWN_KEYS:
            self._known_of = self.table
            self._known.clear()
        matches = self._known.get(key)
        if matches is None:
            matches = self._known[key] = self.table.match(key)
        return matches

    async def _wanted(
        self, event: Event, matches: tuple[Match, ...]
    ) -> tuple[list[Workflow], dict[str, list[str]]]:
        """Return the workflows whose conditions hold, and by name why others are undecided."""
        wanted: list[Workflow] = []
        undecided: dict[str, list[str]] = {}
        busy_seconds = 0.0
        for match in matches:
            if not match.conditions:
                wanted.append(match.workflow)
                continue
            began = self._clock()
            holds, amiss = self._decided(event, match)
            if holds:
                wanted.append(match.workflow)
            if amiss:
                undecided[match.workflow.name] = amiss
            busy_seconds += self._clock() - began
            if busy_seconds > _UNINTERRUPTED_SECONDS:
                await asyncio.sleep(0)  # other deliveries have their turn, too
                busy_seconds = 0.0
        return wanted, undecided

    def _decided(self, event: Event, match: Match) -> tuple[bool, list[str]]:
        """Return whether one of the conditions holds, else why some could not be decided."""
        workflow = match.workflow
        scope = trigger_scope(event, {**self._variables, **workflow.vars}, workflow.name)
        amiss: list[str] = []
        for condition in match.conditions:
            try:
                if condition.holds(scope):
                    return True, []
            except TemplateError as error:
                amiss.append(f"workflow {workflow.name!r}, a trigger's if: {error}")
        return False, amiss

    async def _start_all(self, requests: tuple[StartRequest, ...]) -> tuple[StartedJob, ...]:
        """Start ``requests`` at the same time; all are tried even if one is refused."""
        results = await asyncio.gather(
            *(self._started(request) for request in requests), return_exceptions=True
        )
        failures = [result for result in results if isinstance(result, BaseException)]
        # A job that was refused is a matter for later, if others could not be tried.
        for failure in sorted(failures, key=lambda failure: isinstance(failure, JobRefused)):
            raise failure
        return tuple(result for result in results if isinstance(result, StartedJob))

    async def _started(self, request: StartRequest) -> StartedJob:
        new = await self._starter.start(request)
        self._counts.job(duplicate=not new)
        return StartedJob(
            workflow=request.input.workflow,
            job=request.input.job,
            queue=request.task_queue,
            workflow_id=request.workflow_id,
            duplicate=not new,
        )

    def _log_declined(self, event: Event, matches: tuple[Match, ...]) -> None:
        _log.info(
            "event.declined",
            event_key=event.key,
            event_id=event.id,
            workflows=[
                {
                    "workflow": match.workflow.name,
                    "if": [condition.source for condition in match.conditions],
                }
                for match in matches
            ],
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
