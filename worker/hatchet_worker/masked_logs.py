"""Logs without secrets: for our own records, and for those of a program that runs a worker."""

from __future__ import annotations

import functools
import logging
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final

import structlog
from structlog.typing import FilteringBoundLogger

from hatchet_worker.masked_exceptions import masked_exception
from hatchet_worker.masking import SECRETS_IN_USE, Masker

__all__ = ["SecretFilter", "SecretFormatter", "masked_logger"]

# What a record consists of; all else was given as `extra`.
_OWN_FIELDS: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


class SecretFilter(logging.Filter):
    """Masks the secrets that steps were given in every record of a handler; it drops none.

    For programs that run a `Worker` and configure their own logs:
    ``handler.addFilter(SecretFilter())``. It stands on handlers, since a filter of a logger does
    not see the records of those below it. An exception that holds a secret is replaced by one of
    the same name.
    """

    def __init__(self, masker: Masker = SECRETS_IN_USE) -> None:
        super().__init__()
        self._masker = masker

    def filter(self, record: logging.LogRecord) -> bool:
        """Mask ``record`` where it stands, and let it pass."""
        if not self._masker.knows_secrets:
            return True
        if isinstance(record.msg, Mapping):
            record.msg = _masked_fields(record.msg, self._masker)  # structlog's, not rendered yet
        else:
            self._mask_message(record)
        if record.exc_info and record.exc_info[1]:
            error = masked_exception(record.exc_info[1], self._masker)
            record.exc_info = (type(error), error, error.__traceback__)
        if record.exc_text:
            record.exc_text = self._masker.text(record.exc_text)
        if record.stack_info:
            record.stack_info = self._masker.text(record.stack_info)
        for name, value in vars(record).items():
            if name not in _OWN_FIELDS:
                setattr(record, name, self._masker.data(value))
        return True

    def _mask_message(self, record: logging.LogRecord) -> None:
        try:
            message = record.getMessage()
        except Exception:  # noqa: BLE001 - of whatever is an argument; who logs is not to fail
            # Arguments that do not fit: logging itself would print them to stderr.
            message = f"{record.msg} (with arguments that do not fit)"
        record.msg, record.args = self._masker.text(message), ()


class SecretFormatter(logging.Formatter):
    """Masks the secrets that steps were given in each line that ``formatter`` makes.

    For what a `SecretFilter` cannot see, since a formatter makes a text of it: bytes, objects, the
    variables of a traceback.
    """

    def __init__(self, formatter: logging.Formatter, masker: Masker = SECRETS_IN_USE) -> None:
        super().__init__()
        self._formatter = formatter
        self._masker = masker

    def format(self, record: logging.LogRecord) -> str:
        """Return the line without secrets."""
        return self._masker.text(self._formatter.format(record))


def masked_logger(name: str, masker: Masker = SECRETS_IN_USE) -> FilteringBoundLogger:
    """Return a logger as structlog is configured now, whose records hold no secret."""
    wrapper = structlog.get_config()["wrapper_class"]
    logger: FilteringBoundLogger = structlog.wrap_logger(
        None, wrapper_class=_masking(wrapper, masker), logger_factory_args=(name,)
    )
    return logger


@functools.cache
def _masking(wrapper: Any, masker: Masker) -> Any:
    """Return ``wrapper``, but that it masks what it is given, and the line that comes of it."""

    def process_event(
        self: structlog.BoundLoggerBase,
        method_name: str,
        event: str | None,
        event_kw: dict[str, Any],
    ) -> tuple[Sequence[Any], Mapping[str, Any]]:
        bound = structlog.get_context(self)
        fields = _masked_fields({**bound, **event_kw}, masker)
        processed = wrapper._process_event(  # noqa: SLF001 - meant for custom wrappers
            self, method_name, masker.data(event), fields
        )
        masked: tuple[Sequence[Any], Mapping[str, Any]] = masker.data(processed)
        return masked

    return type(f"Masking{wrapper.__name__}", (wrapper,), {"_process_event": process_event})


def _masked_fields(fields: Mapping[str, Any], masker: Masker) -> dict[str, Any]:
    """Return the fields of a record, exceptions among them, without secrets."""
    if not masker.knows_secrets:
        return dict(fields)
    masked: dict[str, Any] = masker.data(dict(fields))
    if masked.get("exc_info"):
        given = masked["exc_info"]
        raised = given[1] if isinstance(given, tuple) else given
        masked["exc_info"] = raised if isinstance(raised, BaseException) else sys.exc_info()[1]
    return {
        name: masked_exception(value, masker) if isinstance(value, BaseException) else value
        for name, value in masked.items()
    }
