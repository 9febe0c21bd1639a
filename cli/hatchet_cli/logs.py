"""Logs of all our processes: structured, on stderr; data alone goes to stdout."""

from __future__ import annotations

import logging
import re
import sys
import time
from io import StringIO
from typing import Final, Literal, TextIO

import structlog
from structlog.typing import EventDict, ExcInfo, Processor, WrappedLogger

__all__ = ["LogFormat", "configure_logs"]

LogFormat = Literal["pretty", "json"]

# Libraries that describe each reconnect or each failed attempt of a step at length; ours say the
# same in one record.
_TALKATIVE: Final = ("aio_pika", "aiohttp.server", "aiormq", "asyncio", "temporalio.activity")

_AGAIN_SECONDS: Final = 60.0
_MAX_KINDS: Final = 1000
_KIND_CHARACTERS: Final = 100
_NUMBERS: Final = re.compile(r"[0-9]+")


def configure_logs(log_format: LogFormat | None = None, *, level: str = "INFO") -> None:
    """Send records of ours and of all libraries to stderr, without the values of secrets.

    ``pretty`` is for people, ``json`` (one object a line) for machines; without a choice it is
    ``HATCHET_LOG_FORMAT``, or pretty on a terminal and json elsewhere. ``level`` is for our own,
    where ``HATCHET_LOG_LEVEL`` says nothing else. Python's warnings become records, too.

    Raises:
        CommandError: a setting, or a file that holds settings, cannot be used.

    """
    from hatchet_cli.json_lines import JsonLines
    from hatchet_cli.reports.printable import colors_wanted
    from hatchet_cli.settings.environment import read_model
    from hatchet_cli.settings.models import LogSettings
    from hatchet_worker import SecretFilter, SecretFormatter

    settings = read_model(LogSettings)
    chosen = log_format or settings.log_format
    pretty = chosen == "pretty" or (chosen is None and sys.stderr.isatty())
    level = settings.log_level if "log_level" in settings.model_fields_set else level
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        _add_trace,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    rendering: list[Processor] = (
        [
            _escape_control_characters,
            structlog.dev.ConsoleRenderer(
                colors=colors_wanted(sys.stderr),
                # The other kind shows local variables, which may hold secrets, folded into lines.
                exception_formatter=_escaped_traceback,
            ),
        ]
        if pretty
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    )
    handler = logging.StreamHandler(sys.stderr)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            *([] if pretty else [JsonLines(handler)]),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler.addFilter(_OnceAMinute())
    handler.addFilter(SecretFilter())
    handler.setFormatter(
        SecretFormatter(
            structlog.stdlib.ProcessorFormatter(
                foreign_pre_chain=shared,
                processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendering],
            )
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("hatchet").setLevel(level)
    logging.captureWarnings(capture=True)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.CRITICAL)


class _OnceAMinute(logging.Filter):
    """Passes once a minute what Temporal's core and OpenTelemetry repeat for each attempt."""

    def __init__(self) -> None:
        super().__init__()
        self._passed: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if not record.name.startswith("opentelemetry") and not (
            record.name.startswith("temporalio.core") and record.levelno <= logging.WARNING
        ):
            return True
        kind = _NUMBERS.sub("", record.getMessage())[:_KIND_CHARACTERS]
        now = time.monotonic()
        if now - self._passed.get(kind, -_AGAIN_SECONDS) < _AGAIN_SECONDS:
            return False
        if len(self._passed) >= _MAX_KINDS:
            self._passed.clear()
        self._passed[kind] = now
        return True


def _add_trace(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Add the ids of the current span, in a process that traces."""
    trace = sys.modules.get("opentelemetry.trace")
    if trace is not None:
        span = trace.get_current_span().get_span_context()
        if span.is_valid:
            event["trace_id"] = f"{span.trace_id:032x}"
            event["span_id"] = f"{span.span_id:016x}"
    return event


def _escape_control_characters(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Keep event data from writing to a terminal: no escape sequences, no bidirectional marks."""
    for key, value in event.items():
        if isinstance(value, str) and not value.isprintable():
            event[key] = _escaped(value)
    return event


def _escaped_traceback(stream: TextIO, exc_info: ExcInfo) -> None:
    """Write a traceback as Python does, but that its exceptions' words control nothing."""
    written = StringIO()
    structlog.dev.plain_traceback(written, exc_info)
    lines = written.getvalue().splitlines()
    stream.write("\n".join(line if line.isprintable() else _escaped(line) for line in lines))


def _escaped(text: str) -> str:
    return text.encode("unicode_escape").decode("ascii")
