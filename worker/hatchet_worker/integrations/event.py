"""`event`: steps that publish events, so that one workflow can start another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Protocol

from pydantic import AfterValidator, Field

from hatchet_schemas import SchemaError
from hatchet_schemas.events import MAX_HOPS
from hatchet_schemas.patterns import check_pattern, is_pattern
from hatchet_worker.actions import action
from hatchet_worker.context import Context
from hatchet_worker.errors import IntegrationError, NonRetryable
from hatchet_worker.integration import Integration
from hatchet_worker.integrations._models import Params, Result
from hatchet_worker.integrations._options import option
from hatchet_worker.provider_errors import ProviderFailed, Refused

__all__ = ["Events", "NewEvent", "Published", "Publisher", "TooManyHops"]

_MAX_HOPS: Final = "10"


class Publisher(Protocol):
    """What puts events on the bus, such as `hatchet_router.Dispatcher`."""

    async def trigger(self, key: str, data: Mapping[str, Any], *, id: str, hops: int) -> str:  # noqa: A002 - the event's field of this name
        """Publish an event, and return its id once the bus has stored it.

        An event with the ``id`` of an earlier one starts nothing again. ``hops`` travels with it,
        and comes back as that of the event that starts a job.

        Raises:
            ValueError: the event can never be published.
            Exception: it was not published, or nobody knows.

        """
        ...

    async def close(self) -> None:
        """Give up connections; the next event would open them again."""
        ...


class TooManyHops(NonRetryable):
    """A chain of events is as long as it may be: workflows may start each other in a loop."""


def _key(text: str) -> str:
    try:
        check_pattern(text)
    except SchemaError as error:
        raise ValueError(str(error)) from None
    if is_pattern(text):
        raise ValueError(f"{text!r} is a pattern; an event has one key, without * and #")
    return text


class NewEvent(Params):
    """The event to publish."""

    key: Annotated[str, AfterValidator(_key)]
    """The event's key, such as `order:paid`: what triggers under `on` are compared with."""

    data: dict[str, Any] = Field(default_factory=dict[str, Any])
    """What the event holds: a map of anything that JSON can say, of at most 256 KiB."""


class Published(Result):
    """The event that was published."""

    id: str
    """The event's id, the same in each attempt at this step."""

    hops: int
    """How many steps, each started by the event of the one before, have led to it."""


class Events(Integration):
    """Publishes events by ``publisher``: the worker itself knows no bus.

    What it publishes can start workflows that publish in turn. So events are counted: one that is
    ``max_hops`` (``HATCHET_EVENT_MAX_HOPS``; 10) steps away from the service that began it all
    starts jobs, but these publish nothing more. The count is a header of the message; it is lost
    where something else than this integration publishes on behalf of a step.
    """

    id = "event"

    def __init__(
        self,
        publisher: Publisher,
        *,
        id: str = "event",  # noqa: A002 - as in the base class
        max_hops: int | None = None,
    ) -> None:
        self.id = id
        self._publisher = publisher
        self._max_hops = _checked_hops(
            option(None if max_hops is None else str(max_hops), "HATCHET_EVENT_MAX_HOPS", _MAX_HOPS)
        )

    @action("publish", semantics="idempotent")
    async def publish(self, event: NewEvent, context: Context) -> Published:
        """Publish an event, which starts the workflows that have a trigger for its key.

        The step is done when the bus has stored the event; it does not wait for what is started.
        The event's id is the step's idempotency key, so that a second attempt starts nothing twice.
        """
        hops = context.event.hops + 1
        if hops > self._max_hops:
            raise TooManyHops(
                f"event {event.key!r} was not published: {context.event.hops} steps, one after "
                f"another, have led to the event {context.event.key!r} ({context.event.id}) that "
                f"started this job, and {self._max_hops} is the most. Look for workflows that "
                "start each other in a loop; where there is none, raise HATCHET_EVENT_MAX_HOPS"
            )
        try:
            published = await self._publisher.trigger(
                event.key, event.data, id=context.idempotency_key, hops=hops
            )
        except ValueError as error:
            raise Refused(self.id, str(error)) from error
        except ConnectionError as error:
            raise ProviderFailed(self.id, str(error)) from error
        return Published(id=published, hops=hops)

    async def close(self) -> None:
        """Give up the publisher's connections."""
        await self._publisher.close()


def _checked_hops(text: str) -> int:
    if not text.isdecimal() or int(text) not in range(1, MAX_HOPS + 1):
        raise IntegrationError(
            f"HATCHET_EVENT_MAX_HOPS (max_hops) is {text!r}: expected a number from 1 to {MAX_HOPS}"
        )
    return int(text)
