"""Where the bus is traced: nothing is loaded, and nothing done, where OpenTelemetry is not."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Final

import aio_pika
from aio_pika.abc import AbstractIncomingMessage

from hatchet_router.deliveries import Outcome

__all__ = ["Tell", "is_traced", "processing", "publishing"]

Tell = Callable[[Outcome], None]
"""Takes what became of a message."""

_NOTHING: Final = nullcontext()
_NOBODY: Final[AbstractContextManager[Tell]] = nullcontext(lambda _: None)


def is_traced() -> bool:
    """Return whether the program has loaded OpenTelemetry; it goes by what that is told to do."""
    return "opentelemetry.trace" in sys.modules


def publishing(
    message: aio_pika.Message, exchange: str, key: str
) -> AbstractContextManager[object]:
    """Trace for the time of the block that ``message`` is published, and let it tell of that."""
    if not is_traced():
        return _NOTHING
    from hatchet_router import tracing  # noqa: PLC0415 - loaded where it is used

    return tracing.publishing(message, exchange, key)


def processing(message: AbstractIncomingMessage, queue: str) -> AbstractContextManager[Tell]:
    """Trace for the time of the block that ``message`` from ``queue`` is handled.

    What it gives has to be called with what became of it.
    """
    if not is_traced():
        return _NOBODY
    from hatchet_router import tracing  # noqa: PLC0415 - loaded where it is used

    return tracing.processing(message, queue)
