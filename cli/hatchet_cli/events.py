"""`event` as `hatchet worker` has it: here alone integrations and the Dispatcher meet."""

from __future__ import annotations

from typing import Final

from hatchet_cli.servers import read_settings
from hatchet_router.dispatcher import Dispatcher
from hatchet_worker.integrations.event import Events

__all__ = ["BusEvents"]

# A step is waiting, and is tried again: long enough for a node of RabbitMQ to be replaced.
_PUBLISH_SECONDS: Final = 10.0


class BusEvents(Events):
    """Publishes to the exchange of the settings, ``HATCHET_AMQP_URL`` and ``HATCHET_EXCHANGE``."""

    def __init__(
        self,
        *,
        id: str = "event",  # noqa: A002 - as in the base class
        max_hops: int | None = None,
    ) -> None:
        publisher = Dispatcher.of(read_settings(), timeout=_PUBLISH_SECONDS)
        super().__init__(publisher, id=id, max_hops=max_hops)
