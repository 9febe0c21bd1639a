"""Records as lines of JSON, written without the detour through Python's logging."""

from __future__ import annotations

import logging
from typing import Any, Final, TextIO

import structlog
from structlog.typing import EventDict, WrappedLogger

from hatchet_worker.masking import SECRETS_IN_USE

__all__ = ["JsonLines"]

_NOT_PLAIN: Final = frozenset({"exc_info", "stack_info"})


class JsonLines:
    """Writes records of structlog's loggers to the stream of ``handler``; their last processor.

    Most records are plain, and a busy router writes thousands a second: through `logging`, with a
    LogRecord, a caller and three filters, each costs twice as much. What is more than plain goes on
    that way: with an exception, or while there are secrets to mask, or where writing fails.
    """

    def __init__(self, handler: logging.StreamHandler[TextIO]) -> None:
        self._handler = handler
        self._render: Any = structlog.processors.JSONRenderer()

    def __call__(self, logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
        """Return ``event`` where it is not written yet.

        Raises:
            DropEvent: it is.

        """
        if SECRETS_IN_USE.knows_secrets or not _NOT_PLAIN.isdisjoint(event):
            return event
        try:
            line = self._render(logger, method, event) + self._handler.terminator
            self._handler.acquire()
            try:
                self._handler.stream.write(line)
                self._handler.stream.flush()
            finally:
                self._handler.release()
        except Exception:  # noqa: BLE001 - logging says what is wrong, and lets the program go on
            return event
        raise structlog.DropEvent
