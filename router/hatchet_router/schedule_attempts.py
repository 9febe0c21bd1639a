"""One set of files' schedules, brought about attempt by attempt until nothing is in the way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any, Final

import structlog
from temporalio.service import RPCError

from hatchet_router.errors import JobRefused, ScheduleUnreadable
from hatchet_router.outages import backoff
from hatchet_router.schedule_notes import ScheduleNote
from hatchet_router.schedule_store import ScheduleStore
from hatchet_router.temporal import Decision, decide
from hatchet_router.wanted_schedules import WantedSchedule, family_of

__all__ = ["ALL_SCHEDULES", "Reconciliation", "Trouble"]

_log: structlog.stdlib.BoundLogger = structlog.get_logger("hatchet.router")

ALL_SCHEDULES: Final = "schedules"
"""The place of a trouble that concerns all of them."""

_AT_ONCE: Final = 16  # requests to Temporal
# How long to wait before each look at a schedule that somebody else is writing, too.
_FIRST_LOOKS: Final = (0.0, 0.0)  # seconds
_MORE_LOOKS: Final = 3


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a schedule is not what it is to be; one that ``lasts`` is not worth hurrying for."""

    reason: str
    lasts: bool = False


class Reconciliation:
    """Makes the schedules in ``store`` what ``wanted_for`` says for what there is.

    Each `attempt` does what is left to do, as far as it can; what one schedule's trouble is does
    not keep it from the others. ``seen`` are ids that there may be although Temporal does not list
    them yet; it grows by those that are found and made.
    """

    def __init__(
        self,
        store: ScheduleStore,
        wanted_for: Callable[[Iterable[ScheduleNote]], Iterable[WantedSchedule]],
        seen: set[str],
    ) -> None:
        self.troubles: dict[str, Trouble] = {}
        """What was in the way in the last attempt, by the schedule's id or `ALL_SCHEDULES`."""
        self._store = store
        self._wanted_for = wanted_for
        self._seen = seen
        self._known: dict[str, ScheduleNote | None] = {}  # None is one that is not ours
        self._outdated: set[str] = set()
        self._told: dict[str, str] = {}
        self._counts: dict[str, int] = {}
        self._summary: dict[str, int] = {}

    async def attempt(self) -> None:
        """Do what is left to do; `troubles` says afterwards what has failed."""
        self.troubles = {}
        self._counts = dict.fromkeys(("created", "updated", "deleted"), 0)
        await self._guarded(ALL_SCHEDULES, self._find())
        if ALL_SCHEDULES not in self.troubles:
            await self._guarded(ALL_SCHEDULES, self._change())
        self._told = {place: trouble.reason for place, trouble in self.troubles.items()}
        summary = {**self._counts, "failed": len(self.troubles)}
        if summary != self._summary:  # attempts in an outage are all alike
            _log.info("schedules.reconciled", **summary)
        self._summary = summary

    async def _find(self) -> None:
        self._seen.update([each async for each in self._store.ids()])
        await self._each((each, self._read(each)) for each in self._seen - self._known.keys())

    async def _read(self, schedule_id: str) -> None:
        kept = await self._store.read(schedule_id)
        if kept is not None:
            self._known[schedule_id] = kept.note
            if kept.is_outdated:
                self._outdated.add(schedule_id)

    async def _change(self) -> None:
        wanted = {
            each.id: each
            for each in self._wanted_for(note for note in self._known.values() if note is not None)
        }
        # Which trigger has which slot depends on all schedules of a workflow: on those, too, that
        # could not be read just now.
        unread = {family_of(schedule_id) for schedule_id in self.troubles}
        await self._each(
            (each.id, self._ensure(each))
            for each in wanted.values()
            if family_of(each.id) not in unread
        )
        await self._each(
            (schedule_id, self._delete(schedule_id, note))
            for schedule_id, note in list(self._known.items())
            if note is not None and schedule_id not in wanted
        )

    async def _ensure(self, wanted: WantedSchedule) -> None:
        if wanted.id in self._known:
            note = self._known[wanted.id]
            is_as_wanted = note is not None and note.fingerprint == wanted.note.fingerprint
            if is_as_wanted and wanted.id not in self._outdated:
                return
        elif await self._create(wanted):
            return
        updated = False
        for wait in chain(_FIRST_LOOKS, islice(backoff(), _MORE_LOOKS)):
            await asyncio.sleep(wait)
            kept = await self._store.read(wanted.id)
            if kept is None:
                if await self._create(wanted):
                    return
            elif kept.note is None:
                reason = "there is a schedule of this id that is not ours"
                self._trouble(wanted.id, Trouble(reason, lasts=True))
                return
            elif kept.note.fingerprint == wanted.note.fingerprint and not kept.is_outdated:
                self._outdated.discard(wanted.id)
                self._known[wanted.id] = kept.note
                if updated:
                    self._tell("updated", kept.note, wanted.id)
                return
            else:
                await self._store.update(kept, wanted)
                updated = True
        self._trouble(wanted.id, Trouble("something else changes it at the same time"))

    async def _create(self, wanted: WantedSchedule) -> bool:
        self._seen.add(wanted.id)
        if not await self._store.create(wanted):
            return False
        self._known[wanted.id] = wanted.note
        self._tell("created", wanted.note, wanted.id)
        return True

    async def _delete(self, schedule_id: str, note: ScheduleNote) -> None:
        await self._store.delete(schedule_id)
        del self._known[schedule_id]
        self._seen.discard(schedule_id)
        self._tell("deleted", note, schedule_id)

    async def _each(self, works: Iterable[tuple[str, Coroutine[Any, Any, None]]]) -> None:
        at_once = asyncio.Semaphore(_AT_ONCE)

        async def one(place: str, work: Coroutine[Any, Any, None]) -> None:
            async with at_once:
                await self._guarded(place, work)

        async with asyncio.TaskGroup() as group:
            for place, work in works:
                group.create_task(one(place, work))

    async def _guarded(self, place: str, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except RPCError as error:
            reason = f"{error.status.name}: {error.message}"
            self._trouble(place, Trouble(reason, decide(error.status) is Decision.REFUSE))
        except (JobRefused, ScheduleUnreadable) as error:
            self._trouble(place, Trouble(str(error), lasts=True))
        except Exception as error:  # noqa: BLE001 - a fault of ours: the router goes on routing
            _log.exception("schedule.fault", schedule=place)
            self._trouble(place, Trouble(f"{type(error).__name__}: {error}", lasts=True))

    def _trouble(self, place: str, trouble: Trouble) -> None:
        self.troubles[place] = trouble
        if self._told.get(place) != trouble.reason:
            _log.warning("schedule.failed", schedule=place, reason=trouble.reason)

    def _tell(self, change: str, note: ScheduleNote, schedule_id: str) -> None:
        self._counts[change] += 1
        _log.info(
            f"schedule.{change}",
            schedule=schedule_id,
            workflow=note.workflow,
            job=note.job,
            cron=note.schedule,
            expression=note.expression,
            timezone=note.timezone,
        )
