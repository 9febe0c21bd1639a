"""The router, from bus to Temporal, and the Dispatcher, by which applications publish events.

Importing this package loads no Temporal client: an application that only publishes needs none.
"""

from hatchet_router.blocking import BlockingDispatcher
from hatchet_router.dispatcher import Dispatcher
from hatchet_router.errors import (
    BrokerError,
    BrokerTlsUnusable,
    BrokerUnreachable,
    EventRefused,
    EventUnroutable,
    InvalidEvent,
    RouterError,
)

__all__ = [
    "BlockingDispatcher",
    "BrokerError",
    "BrokerTlsUnusable",
    "BrokerUnreachable",
    "Dispatcher",
    "EventRefused",
    "EventUnroutable",
    "InvalidEvent",
    "RouterError",
]
