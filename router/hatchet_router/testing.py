"""Stand-ins for tests of workflows and of the router, without servers."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

from hatchet_router.deliveries import Routed
from hatchet_router.errors import JobRefused
from hatchet_router.planning import StartRequest
from hatchet_schemas import Event

__all__ = ["ROUTED", "RecordingStarter"]

ROUTED: Final = Routed(Event(id="e-1", key="a", time=datetime(2026, 1, 1, tzinfo=UTC), data={}), ())
"""What a handler may return that starts nothing."""

_MAX_NAME_BYTES: Final = 1000  # Temporal's `limit.maxIDLength`, as servers come


class RecordingStarter:
    """A `JobStarter` that starts nothing and remembers what it was asked for.

        starter = RecordingStarter()
        router = Router(RoutingTable(definitions), starter)
        await router.handle(Delivery(b"{}", "user:create"))
        assert [request.workflow_id for request in starter.started] == [...]

    Like Temporal, it takes each workflow id once, and refuses names that are empty or too long.
    ``refuse`` are the names of jobs that it refuses besides.
    """

    def __init__(self, *, refuse: Iterable[str] = ()) -> None:
        self.started: list[StartRequest] = []
        """The jobs that were started, in order; a job that is started again stands here once."""
        self._refused = frozenset(refuse)
        self._ids: set[str] = set()

    async def start(self, request: StartRequest) -> bool:
        """Remember a job; return False if the same one had been started before.

        Raises:
            JobRefused: it is one of those to refuse, or Temporal would not take such names.

        """
        names = (request.workflow_id, request.workflow_type, request.task_queue)
        if request.input.job in self._refused or not all(
            0 < len(name.encode()) <= _MAX_NAME_BYTES for name in names
        ):
            raise JobRefused(
                request.input.workflow, request.input.job, "the stand-in for Temporal refused it"
            )
        if request.workflow_id in self._ids:
            return False
        self._ids.add(request.workflow_id)
        self.started.append(request)
        return True
