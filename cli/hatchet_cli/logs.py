"""Logs of all our processes: structured, on stderr; data alone goes to stdout."""

from __future__ import annotations

import logging
import os
import sys
from typing import Literal

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

__all__ = ["LogFormat", "configure_logs"]

LogFormat = Literal["pretty", "json"]

# Libraries that describe each reconnect or each failed attempt of a step at length; ours say the
# same in one record.
_TALKATIVE = ("aio_pika", "aiormq", "asyncio", "temporalio.activity")


def configure_logs(log_format: LogFormat | None = None) -> None:
    """Send records of ours and of all libraries to stderr.

    ``pretty`` is for people, ``json`` (one object a line) for machines; without a choice it is
    ``HATCHET_LOG_FORMAT``, or pretty on a terminal and json elsewhere.
    """
    chosen = log_format or os.environ.get("HATCHET_LOG_FORMAT")
    pretty = chosen == "pretty" or (chosen is None and sys.stderr.isatty())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    rendering: list[Processor] = (
        [_escape_control_characters, structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())]
        if pretty
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendering],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("hatchet").setLevel(os.environ.get("HATCHET_LOG_LEVEL", "INFO").upper())
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.CRITICAL)


def _escape_control_characters(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Keep event data from writing to a terminal: no escape sequences, no bidirectional marks."""
    for key, value in event.items():
        if isinstance(value, str) and not value.isprintable():
            event[key] = value.encode("unicode_escape").decode("ascii")
    return event
