"""Temporal's schedules follow the workflow files."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from types import MappingProxyType, TracebackType
from typing import Any, Final, Self

import structlog
from temporalio.client import Client

from hatchet_router.outages import backoff
from hatchet_router.readiness import Readiness
from hatchet_router.schedule_attempts import Reconciliation
from hatchet_router.schedule_notes import ScheduleNote
from hatchet_router.schedule_store import ScheduleStore
from hatchet_router.wanted_schedules import WantedSchedule, wanted_schedules
from hatchet_schemas import Definition, Workflow
from hatchet_schemas.limits import MAX_PAYLOAD_BYTES

__all__ = ["ScheduleKeeper"]

_log: structlog.stdlib.BoundLogger = structlog.get_logger("hatchet.router")

_FIRST_ATTEMPT_SECONDS: Final = 10.0
_REFUSED_WAIT_SECONDS: Final = 60.0


class ScheduleKeeper:
    """Makes the Temporal Schedules of one deployment what the workflow files want.

        async with ScheduleKeeper(client, "hatchet") as keeper:
            await keeper.follow(definitions)

    Schedules are created, updated where they differ, and deleted where no file wants them any
    more. Those of other deployments, and those that are not ours, are left alone. Any number of
    routers may do so at once: equal files give equal schedules, whoever is first.

    ``variables`` are those of the settings, ``search_attributes`` says whether the namespace knows
    ours, and ``max_input_bytes`` is the largest input of a job. ``readiness`` is told, under
    ``schedules``, what is not yet as it should be.
    """

    def __init__(
        self,
        client: Client,
        deployment: str,
        *,
        variables: Mapping[str, Any] = MappingProxyType({}),
        search_attributes: bool = False,
        max_input_bytes: int = MAX_PAYLOAD_BYTES,
        readiness: Readiness | None = None,
    ) -> None:
        self._readiness = readiness or Readiness()
        self._deployment = deployment
        self._variables = variables
        self._search_attributes = search_attributes
        self._store = ScheduleStore(
            client,
            deployment,
            search_attributes=search_attributes,
            max_input_bytes=max_input_bytes,
        )
        self._group = asyncio.TaskGroup()
        self._pursuit: asyncio.Task[None] | None = None
        self._seen: set[str] = set()
        self._troubles: dict[str, str] = {}

    @property
    def troubles(self) -> dict[str, str]:
        """What is wrong, by the schedule's id, or by ``schedules`` where it concerns all."""
        return dict(self._troubles)

    async def __aenter__(self) -> Self:
        """Begin."""
        await self._group.__aenter__()
        return self

    async def __aexit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop trying; the schedules stay as they are."""
        if self._pursuit is not None:
            self._pursuit.cancel()
        await self._group.__aexit__(error_type, error, traceback)

    async def follow(self, definitions: Iterable[Definition]) -> None:
        """Make the schedules what ``definitions`` want; a later call goes before an earlier one.

        It returns after a first attempt, or after ten seconds; what has failed until then is tried
        again in the background.
        """
        while self._pursuit is not None and not self._pursuit.done():
            self._pursuit.cancel()
            await asyncio.wait([self._pursuit])
        attempted = asyncio.Event()
        workflows = [each.workflow for each in definitions]
        self._pursuit = self._group.create_task(self._pursue(workflows, attempted))
        # It may be cancelled before it has begun: by a later call.
        self._pursuit.add_done_callback(lambda _: attempted.set())
        try:
            async with asyncio.timeout(_FIRST_ATTEMPT_SECONDS):
                await attempted.wait()
        except TimeoutError:
            _log.warning("schedules.slow", hint="they are brought up to date in the background")

    async def _pursue(self, workflows: list[Workflow], attempted: asyncio.Event) -> None:
        def wanted_for(notes: Iterable[ScheduleNote]) -> Iterable[WantedSchedule]:
            return wanted_schedules(
                self._deployment,
                workflows,
                notes,
                self._variables,
                search_attributes=self._search_attributes,
            )

        reconciliation = Reconciliation(self._store, wanted_for, self._seen)
        waits = backoff()
        while True:
            await reconciliation.attempt()
            troubles = reconciliation.troubles
            self._troubles = {place: each.reason for place, each in troubles.items()}
            attempted.set()
            if not troubles:
                self._readiness.mended("schedules")
                return
            self._readiness.trouble("schedules", _in_short(self._troubles))
            wait = next(waits)
            if all(each.lasts for each in troubles.values()):
                wait = _REFUSED_WAIT_SECONDS
            await asyncio.sleep(wait)


def _in_short(troubles: Mapping[str, str]) -> str:
    [(place, reason), *others] = troubles.items()
    more = f", and {len(others)} more" if others else ""
    return f"{place}: {reason}{more}"
