"""The router, from bus to Temporal, and the Dispatcher, by which applications publish events.

Importing this package loads no Temporal client: an application that only publishes needs none.
"""

from typing import TYPE_CHECKING

from hatchet_schemas.lazy_exports import lazy_exports

if TYPE_CHECKING:
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
else:
    __getattr__, __dir__ = lazy_exports(
        __name__,
        {
            "BlockingDispatcher": "blocking",
            "BrokerError": "errors",
            "BrokerTlsUnusable": "errors",
            "BrokerUnreachable": "errors",
            "Dispatcher": "dispatcher",
            "EventRefused": "errors",
            "EventUnroutable": "errors",
            "InvalidEvent": "errors",
            "RouterError": "errors",
        },
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
