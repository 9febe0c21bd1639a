"""What an action raised, as Temporal is told of it: whether to try again, and without secrets."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final, cast

from pydantic_core import from_json, to_json
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory, FailureError

from hatchet_worker.errors import NonRetryable, Retry
from hatchet_worker.masking import Masker

__all__ = ["as_failure"]

_NO_MORE: Final = " (the action is at-most-once: it is not tried again)"
_MAX_CAUSES: Final = 20  # protobuf refuses messages nested deeper than 100


def as_failure(
    error: BaseException, masker: Masker, *, at_most_once: bool = False
) -> ApplicationError:
    """Return what Temporal is to know of ``error``, an attempt's end, and of what led to it.

    It has the error's class name, or the type it has for Temporal, and its traceback. Messages,
    notes, details and causes are masked. Where ``at_most_once``, there is no other attempt. A group
    of one exception, as `asyncio.TaskGroup` raises it, counts as that one.
    """
    error = _without_groups_of_one(error)
    final = _is_final(error)
    failure = _masked(
        error,
        masker,
        non_retryable=final or at_most_once,
        next_retry_delay=None if final or at_most_once else _delay(error),
        more=_NO_MORE if at_most_once and not final else "",
    )
    _chain(failure, error, masker)
    return failure


def _without_groups_of_one(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error


def _is_final(error: BaseException) -> bool:
    if isinstance(error, ApplicationError):
        return error.non_retryable
    return isinstance(error, NonRetryable)


def _delay(error: BaseException) -> timedelta | None:
    if isinstance(error, Retry):
        return error.after
    return error.next_retry_delay if isinstance(error, ApplicationError) else None


def _masked(
    error: BaseException,
    masker: Masker,
    *,
    non_retryable: bool,
    next_retry_delay: timedelta | None = None,
    more: str = "",
) -> ApplicationError:
    message = _message(error)
    error_type, details = type(error).__name__, ()
    category = ApplicationErrorCategory.UNSPECIFIED
    if isinstance(error, ApplicationError):
        error_type, category = error.type or error_type, error.category
        details = masker.data(_plain(error.details))
    masked = ApplicationError(
        masker.text(_sendable(message)) + more,
        *details,
        type=masker.text(_sendable(error_type)),
        non_retryable=non_retryable,
        next_retry_delay=next_retry_delay,
        category=category,
    )
    for note in getattr(error, "__notes__", ()):
        masked.add_note(masker.text(str(note)))
    return masked.with_traceback(error.__traceback__)


def _message(error: BaseException) -> str:
    if isinstance(error, FailureError):
        return error.message
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 - an exception of the user's, which fails at that, too
        return type(error).__name__
    if isinstance(error, BaseExceptionGroup):
        parts = (f"{type(part).__name__}: {_message(part)}" for part in error.exceptions)
        return f"{text}: {'; '.join(parts)}"
    return text


def _chain(failure: ApplicationError, error: BaseException, masker: Masker) -> None:
    """Give ``failure`` the causes of ``error``, one below the other."""
    seen = {id(error)}
    while (cause := _cause(error)) is not None and id(cause) not in seen:
        if len(seen) > _MAX_CAUSES:
            return
        seen.add(id(cause))
        below = _masked(cause, masker, non_retryable=_is_final(cause))
        failure.__cause__ = below
        failure, error = below, cause


def _cause(error: BaseException) -> BaseException | None:
    if isinstance(error, BaseExceptionGroup):
        return error.exceptions[0]
    if error.__cause__ is not None or error.__suppress_context__:
        return error.__cause__
    return error.__context__


def _plain(details: Any) -> list[Any]:
    """Return ``details`` as JSON data; what is none becomes a text."""
    try:
        return cast("list[Any]", from_json(to_json(list(details), fallback=str)))
    except ValueError:  # bytes that are no UTF-8, or what holds itself
        return [_sendable(repr(detail)) for detail in details]


def _sendable(text: str) -> str:
    """Return ``text`` without lone surrogates, which no message to Temporal can hold."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
