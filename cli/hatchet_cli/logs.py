"""Logs of all our processes: structured, on stderr; data alone goes to stdout."""

from __future__ import annotations

import logging
import re
import sys
import time
from collections.abc import Callable
from typing import Any, Final, Literal

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

__all__ = ["LogFormat", "configure_logs"]

LogFormat = Literal["pretty", "json"]

# Libraries that describe each reconnect or each failed attempt of a step at length; ours say the
# same in one record.
_TALKATIVE: Final = ("aio_pika", "aiormq", "asyncio", "temporalio.activity")

_AGAIN_SECONDS: Final = 60.0
_MAX_KINDS: Final = 1000
_KIND_CHARACTERS: Final = 100
_NUMBERS: Final = re.compile(r"[0-9]+")


def configure_logs(log_format: LogFormat | None = None) -> None:
    """Send records of ours and of all libraries to stderr, without the values of secrets.

    ``pretty`` is for people, ``json`` (one object a line) for machines; without a choice it is
    ``HATCHET_LOG_FORMAT``, or pretty on a terminal and json elsewhere.

    Raises:
        CommandError: a setting, or a file that holds settings, cannot be used.

    """
    from hatchet_cli.settings.environment import read_model
    from hatchet_cli.settings.models import LogSettings
    from hatchet_worker import SecretFilter
    from hatchet_worker.masking import SECRETS_IN_USE

    settings = read_model(LogSettings)
    chosen = log_format or settings.log_format
    pretty = chosen == "pretty" or (chosen is None and sys.stderr.isatty())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    rendering: list[Processor] = (
        [
            _escape_control_characters,
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(),
                # The other kind shows local variables, which may hold secrets, folded into lines.
                exception_formatter=structlog.dev.plain_traceback,
            ),
        ]
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
    handler.addFilter(_OnceAMinute())
    handler.addFilter(SecretFilter())
    handler.setFormatter(
        _MaskingFormatter(
            SECRETS_IN_USE.text,
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendering],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("hatchet").setLevel(settings.log_level)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.CRITICAL)


class _OnceAMinute(logging.Filter):
    """Passes what Temporal's native core repeats for each call and attempt once a minute."""

    def __init__(self) -> None:
        super().__init__()
        self._passed: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if not record.name.startswith("temporalio.core") or record.levelno > logging.WARNING:
            return True
        kind = _NUMBERS.sub("", record.getMessage())[:_KIND_CHARACTERS]
        now = time.monotonic()
        if now - self._passed.get(kind, -_AGAIN_SECONDS) < _AGAIN_SECONDS:
            return False
        if len(self._passed) >= _MAX_KINDS:
            self._passed.clear()
        self._passed[kind] = now
        return True


class _MaskingFormatter(structlog.stdlib.ProcessorFormatter):
    """Masks the line that comes of a record, in whatever part of it a secret stands."""

    def __init__(self, masked: Callable[[str], str], **options: Any) -> None:
        super().__init__(**options)
        self._masked = masked

    def format(self, record: logging.LogRecord) -> str:
        return self._masked(super().format(record))


def _escape_control_characters(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Keep event data from writing to a terminal: no escape sequences, no bidirectional marks."""
    for key, value in event.items():
        if isinstance(value, str) and not value.isprintable():
            event[key] = value.encode("unicode_escape").decode("ascii")
    return event
