"""Other workflow files while the router runs: loaded and checked aside, then put in force."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, Self

import structlog

from hatchet_router.background import in_background
from hatchet_router.folder import WorkflowFolder
from hatchet_router.readiness import Readiness
from hatchet_router.router import Router
from hatchet_router.routing import RoutingTable
from hatchet_schemas import Definition, Problem

__all__ = ["Follower", "Reloader", "Reloads", "WorkflowSet", "differences"]

_log: structlog.stdlib.BoundLogger = structlog.get_logger("hatchet.router")

_AGAIN_SECONDS: Final = 30.0
_MAX_PROBLEMS: Final = 20  # in one record; `hatchet check` tells them all


@dataclass(frozen=True, slots=True)
class WorkflowSet:
    """The workflows of all files, without errors, and the table that routes by them."""

    definitions: tuple[Definition, ...]
    table: RoutingTable

    @classmethod
    def of(cls, definitions: Iterable[Definition], after: RoutingTable | None = None) -> Self:
        """Return the set of ``definitions``; what they share with the table ``after`` is kept."""
        kept = tuple(definitions)
        return cls(kept, RoutingTable(kept) if after is None else after.followed_by(kept))


Follower = Callable[[WorkflowSet], Awaitable[None]]
"""Lets something else go by a new set. It returns soon, even if its server is away."""


class Reloads:
    """What to reload, and the requests to do so; those that nobody has taken up yet are one."""

    def __init__(self, folder: WorkflowFolder) -> None:
        self.folder = folder
        self._requested = asyncio.Event()
        self._always = False

    def request(self, *, always: bool = False) -> None:
        """Ask for a reload if a file has changed, or ``always``."""
        self._always |= always
        self._requested.set()

    async def next(self) -> bool:
        """Wait for a request, and return whether to reload even if no file has changed."""
        await self._requested.wait()
        self._requested.clear()
        always, self._always = self._always, False
        return always


class Reloader:
    """Puts the workflow files in force as they change, one set after the other.

    A set with errors changes nothing: the one before stays in force, and ``readiness`` says so.
    ``loads`` counts the sets that were put in force, ``failed_loads`` those that were not, and
    ``loaded_at`` is when the one in force was, in seconds since 1970.
    """

    def __init__(
        self,
        router: Router,
        readiness: Readiness,
        followers: Sequence[Follower] = (),
    ) -> None:
        self.loads = 0
        self.failed_loads = 0
        self.loaded_at = time.time()
        self._router = router
        self._readiness = readiness
        self._followers = followers

    @property
    def workflows(self) -> int:
        """How many workflows are in force."""
        return len(self._router.table.workflows)

    async def run(self, reloads: Reloads) -> None:
        """Reload at each request, until cancelled; never two at a time.

        One that did not come to its end, by a fault, is made again after half a minute at most.
        """
        undone = False
        while True:
            always = undone
            with suppress(TimeoutError):
                async with asyncio.timeout(_AGAIN_SECONDS if undone else None):
                    always |= await reloads.next()
            try:
                await self._reload(reloads.folder, always=always)
                undone = False
            except Exception as error:  # noqa: BLE001 - a fault of ours: the router goes on
                undone = True
                self.failed_loads += 1
                _log.exception("router.reload_failed")
                reason = f"a reload did not come to its end: {type(error).__name__}: {error}"
                self._readiness.trouble("workflows", reason)

    async def _reload(self, folder: WorkflowFolder, *, always: bool) -> None:
        began = time.perf_counter()
        loaded = await in_background(folder.load if always else folder.load_if_changed)
        if loaded is None:
            _log.debug("router.unchanged")
            return
        definitions, problems = loaded
        errors = [problem for problem in problems if problem.severity == "error"]
        if errors:
            self._refuse(errors)
            return
        old = self._router.table
        new = await in_background(lambda: WorkflowSet.of(definitions, old))
        changes = await in_background(lambda: differences(old, new.table))
        # What is in hand goes on with the table that it was matched with.
        self._router.table = new.table
        for follow in self._followers:
            await follow(new)
        self.loads += 1
        self.loaded_at = time.time()
        self._readiness.mended("workflows")
        _log.info(
            "router.reloaded",
            workflows=len(definitions),
            **changes,
            **({"warnings": _some(problems)} if problems else {}),
            seconds=round(time.perf_counter() - began, 3),
        )

    def _refuse(self, errors: Sequence[Problem]) -> None:
        self.failed_loads += 1
        _log.error(
            "router.reload_failed",
            errors=len(errors),
            problems=_some(errors),
            hint="the files that were loaded before stay in force",
        )
        more = f", and {len(errors) - 1} more" if len(errors) > 1 else ""
        self._readiness.trouble("workflows", f"older files are in force: {errors[0]}{more}")


def differences(old: RoutingTable, new: RoutingTable) -> dict[str, Any]:
    """Return what is new, other and gone, by name: workflows, and triggers."""
    before = {workflow.name: workflow for workflow in old.workflows}
    after = {workflow.name: workflow for workflow in new.workflows}
    return {
        "added": sorted(after.keys() - before.keys()),
        "changed": sorted(
            name
            for name, workflow in after.items()
            # Most are the very same; to compare them all takes long.
            if (old_one := before.get(name, workflow)) is not workflow and old_one != workflow
        ),
        "removed": sorted(before.keys() - after.keys()),
        "triggers_added": sorted({*new.triggers} - {*old.triggers}),
        "triggers_removed": sorted({*old.triggers} - {*new.triggers}),
    }


def _some(problems: Sequence[Problem]) -> list[str]:
    texts = [str(problem) for problem in problems[:_MAX_PROBLEMS]]
    left = len(problems) - len(texts)
    return [*texts, f"{left} more: hatchet check tells them all"] if left else texts
