"""What an action may know of the step that it runs for."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Protocol

import structlog
from structlog.typing import FilteringBoundLogger

from hatchet_schemas import ActionId, EventHeader
from hatchet_schemas.names import idempotency_key
from hatchet_worker.errors import NoContext

__all__ = ["Context", "Heartbeat", "current_context", "use_context"]

_TEST_ACTION: Final = ActionId("test:action")
_TEST_KEY: Final = idempotency_key("workflow/job/event-1", "step")


class Heartbeat(Protocol):
    """A sign of life from an action, and how far it is."""

    def __call__(self, *details: Any) -> None:
        """Keep ``details``, which are JSON data, for a later attempt and for people to see."""


def _unheard(*_details: Any) -> None:
    """Take a sign of life that nobody waits for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """One attempt at one step, as its action sees it. All fields have defaults, for unit tests.

    ``attempt`` counts from 1. ``deadline`` is when this attempt's timeout is over, by this
    machine's clock; None without one. ``idempotency_key`` is the same for each attempt at this step
    of this job, and for no other: hand it to services that take one. ``logger`` has the ids of the
    step as fields. ``heartbeat`` may be called from any thread; the worker gives signs of life by
    itself, so that its use is to keep details: a later attempt finds the last in
    ``heartbeat_details``. ``secrets`` are the values of those that the integration says it needs.
    """

    event: EventHeader = field(
        default_factory=lambda: EventHeader(id="event-1", key="test", time=datetime.now(UTC))
    )
    workflow: str = "workflow"
    job: str = "job"
    step: str = "step"
    action: ActionId = _TEST_ACTION
    attempt: int = 1
    deadline: datetime | None = None
    idempotency_key: str = _TEST_KEY
    heartbeat: Heartbeat = field(default=_unheard, repr=False)
    heartbeat_details: tuple[Any, ...] = ()
    secrets: Mapping[str, str] = field(default_factory=dict[str, str], repr=False, compare=False)
    logger: FilteringBoundLogger = field(
        default_factory=lambda: structlog.get_logger("hatchet.action"), repr=False, compare=False
    )


_current: Final = ContextVar[Context]("hatchet_context")


def current_context() -> Context:
    """Return the context of the step that is running, in sync actions' threads as well.

    Raises:
        NoContext: no step is running here.

    """
    context = _current.get(None)
    if context is None:
        raise NoContext
    return context


@contextmanager
def use_context(context: Context) -> Generator[None]:
    """Let `current_context` return ``context`` inside the ``with`` block, as in a step."""
    token = _current.set(context)
    try:
        yield
    finally:
        _current.reset(token)
